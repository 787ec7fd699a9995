//! The software MAC on ports that return anything: no panic, no length beyond a buffer, and every
//! reception is counted.
#![no_main]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use arbitrary::Unstructured;
use ethdev::{
    Control, ErrorKind, EthernetDevice, Interest, LendingDevice, Link, Multicast, Rearm, RxFilter, RxHalf, TxHalf,
};
use ethdev_fuzz::MAC;
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_rmii::{FrameError, PortInterrupt, Received, RxPort, SoftMac, TxPort};

type Buffer = Box<[u8]>;

/// The state of both ports.
#[derive(Default)]
struct Line {
    now: Duration,
    depth: usize,
    armed: VecDeque<Buffer>,
    filled: VecDeque<Received<Buffer>>,
    sending: VecDeque<Buffer>,
    /// Receptions passed to the driver.
    received: u32,
    missed: u32,
    fails: bool,
    rejects: bool,
    stuck: bool,
    /// Calls of the ports in one call of the driver.
    calls: u32,
}

/// Limit of these calls: each port has six buffers at most.
const MAX_CALLS: u32 = 100;

impl Line {
    fn count(&mut self) {
        self.calls += 1;
        assert!(self.calls < MAX_CALLS, "unbounded call");
    }
}

#[derive(Clone)]
struct Port(Rc<RefCell<Line>>);

impl RxPort for Port {
    type Buffer = Buffer;
    type Error = ErrorKind;
    const COUNTS_MISSED: bool = true;

    fn depth(&self) -> usize {
        self.0.borrow().depth
    }
    fn has_capacity(&mut self) -> bool {
        let line = self.0.borrow();
        line.armed.len() + line.filled.len() < line.depth
    }
    fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        let mut line = self.0.borrow_mut();
        line.count();
        if line.rejects {
            return Err(buffer);
        }
        line.armed.push_back(buffer);
        Ok(())
    }
    fn done(&mut self) -> Result<Option<Received<Buffer>>, ErrorKind> {
        let mut line = self.0.borrow_mut();
        line.count();
        if line.fails {
            Err(ErrorKind::Fault)
        } else {
            Ok(line.filled.pop_front())
        }
    }
    fn stop(&mut self) -> Option<Buffer> {
        let mut line = self.0.borrow_mut();
        line.count();
        if let Some(received) = line.filled.pop_front() {
            line.missed += 1;
            return Some(received.buffer);
        }
        line.armed.pop_front()
    }
    fn missed(&mut self) -> u32 {
        std::mem::take(&mut self.0.borrow_mut().missed)
    }
    fn reset(&mut self) -> Result<(), ErrorKind> {
        self.0.borrow_mut().fails = false;
        Ok(())
    }
}

impl TxPort for Port {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        self.0.borrow().depth
    }
    fn has_capacity(&mut self) -> bool {
        let line = self.0.borrow();
        line.sending.len() < line.depth
    }
    fn start(&mut self, buffer: Buffer, len: usize) -> Result<(), Buffer> {
        assert!((64..=1522).contains(&len) && len <= buffer.len());
        let mut line = self.0.borrow_mut();
        line.count();
        if line.rejects {
            return Err(buffer);
        }
        line.sending.push_back(buffer);
        Ok(())
    }
    fn done(&mut self) -> Result<Option<Buffer>, ErrorKind> {
        let mut line = self.0.borrow_mut();
        line.count();
        if line.fails {
            return Err(ErrorKind::Fault);
        }
        Ok(if line.stuck { None } else { line.sending.pop_front() })
    }
    fn abort(&mut self) -> Option<Buffer> {
        let mut line = self.0.borrow_mut();
        line.count();
        line.sending.pop_front()
    }
    fn reset(&mut self) -> Result<(), ErrorKind> {
        self.0.borrow_mut().fails = false;
        Ok(())
    }
}

impl PortInterrupt for Port {
    fn set_interrupt(&mut self, _: bool) {}
}

/// An MDIO bus without a PHY.
struct NoPhy;

impl Mdio for NoPhy {
    type Error = ErrorKind;
    fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, ErrorKind> {
        Ok(0xffff)
    }
    fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> {
        Ok(())
    }
}

fn buffers<const N: usize>() -> [Buffer; N] {
    std::array::from_fn(|_| vec![0; 1536].into_boxed_slice())
}

/// Receives a frame: usually a valid one.
fn receive(line: &mut Line, input: &mut Unstructured<'_>, valid: &[u8]) {
    let Some(mut buffer) = line.armed.pop_front() else {
        line.missed += 1;
        return;
    };
    line.received += 1;
    let kind: u8 = input.arbitrary().unwrap_or(0);
    let bytes = input.bytes(usize::from(kind % 100).min(input.len())).unwrap_or(&[]);
    let mut len = valid.len();
    buffer[..len].copy_from_slice(valid);
    if kind % 4 == 1 {
        buffer[..bytes.len()].copy_from_slice(bytes);
        len = bytes.len() + usize::from(kind) * 6;
    }
    if kind % 4 == 2 {
        len = input.arbitrary().unwrap_or(0);
    }
    let mut received = Received::new(buffer, len);
    if kind % 32 == 3 {
        received = received.with_frame_error(if kind & 64 == 0 {
            FrameError::Overflow
        } else {
            FrameError::Symbol
        });
    }
    line.filled.push_back(received);
}

/// A frame to the device, with its FCS.
fn valid_frame() -> Vec<u8> {
    let mut bytes = vec![0; 100];
    bytes[..6].copy_from_slice(&MAC.octets());
    let mut crc = u32::MAX;
    for byte in &bytes {
        for bit in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * ((crc ^ u32::from(byte >> bit)) & 1));
        }
    }
    bytes.extend((!crc).to_le_bytes());
    bytes
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut input = Unstructured::new(input);
    let valid = valid_frame();
    let port = Port(Rc::default());
    port.0.borrow_mut().depth = usize::from(input.arbitrary::<u8>().unwrap_or(0) % 5) + 1;
    let time = port.clone();
    let ports = (port.clone(), port.clone());
    let nic = SoftMac::<_, _, _, _, 4, 2>::new(ports, NoPhy, move || time.0.borrow().now, MAC, buffers(), buffers());
    let Ok(mut nic) = nic else { panic!("new failed") };
    let mut buf = [0; 1600];
    let mut accepted = 0_u32;
    while !input.is_empty() {
        let call: u8 = input.arbitrary().unwrap_or(0);
        let len = usize::from(input.arbitrary::<u16>().unwrap_or(0)) % 1600;
        port.0.borrow_mut().calls = 0;
        match call % 20 {
            0..=4 => receive(&mut port.0.borrow_mut(), &mut input, &valid),
            5 | 6 => {
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..len]) {
                    assert!(meta.len <= len);
                    assert_eq!(buf[..meta.len], valid[..100], "a corrupt frame was delivered");
                }
            }
            7 => drop(nic.discard_frame()),
            8 | 9 => accepted += u32::from(nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]]).is_ok()),
            10 => drop(nic.service()),
            11 => drop(nic.rearm(Interest::ALL)),
            12 => drop(nic.start()),
            13 => drop(nic.stop()),
            14 => drop(nic.recover()),
            15 => drop(nic.set_link(if len % 2 == 0 { Link::UP } else { Link::Down })),
            16 => port.0.borrow_mut().now += Duration::from_micros(len as u64 * 200),
            17 => drop(nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[MAC; 9][..len % 10])))),
            18 => {
                let (mut rx, mut tx) = nic.split();
                let lent = rx.peek().ok().flatten().map(|frame| frame.len());
                if let (Some(lent), Ok(Some(_))) = (lent, tx.reserve(len)) {
                    accepted += u32::from(tx.commit(lent.min(len)).is_ok());
                    let _ = rx.release();
                }
            }
            _ => {
                let mut line = port.0.borrow_mut();
                (line.fails, line.rejects, line.stuck) = (len & 1 != 0, len & 2 != 0, len & 4 != 0);
            }
        }
    }
    {
        let mut line = port.0.borrow_mut();
        (line.fails, line.rejects, line.stuck) = (false, false, false);
        line.calls = 0;
    }
    // Without further faults the MAC works again.
    nic.recover().expect("recover failed");
    nic.start().expect("start failed");
    nic.set_link(Link::UP).expect("100 Mbit/s full duplex");
    while nic.discard_frame().expect("the port works") {
        port.0.borrow_mut().calls = 0;
    }
    port.0.borrow_mut().armed.truncate(4);
    receive(&mut port.0.borrow_mut(), &mut Unstructured::new(&[]), &valid);
    assert!(matches!(nic.recv_frame(&mut buf), Ok(Some(meta)) if meta.len == 100));
    nic.send_frame(&buf[..100]).expect("the queue is not full");
    accepted += 1;
    nic.service().expect("the port works");
    let stats = nic.stats();
    assert_eq!(stats.tx_frames + stats.tx_lost(), accepted, "{stats:?}");
    assert!(
        stats.rx_frames + stats.rx_lost() >= port.0.borrow().received,
        "{stats:?}"
    );
});
