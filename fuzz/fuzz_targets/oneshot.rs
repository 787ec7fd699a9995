//! The one-shot MAC on ports that give back what they like: no panic, no length that is not there, and every reception in the books.
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

#[derive(Default)]
struct Line {
    now: Duration,
    depth: usize,
    armed: VecDeque<Buffer>,
    filled: VecDeque<Received<Buffer>>,
    sending: VecDeque<Buffer>,
    /// Receptions that the driver can know of.
    given: u32,
    missed: u32,
    fails: bool,
    refuses: bool,
    stuck: bool,
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
    fn has_room(&mut self) -> bool {
        let line = self.0.borrow();
        line.armed.len() + line.filled.len() < line.depth
    }
    fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        let mut line = self.0.borrow_mut();
        if line.refuses {
            return Err(buffer);
        }
        line.armed.push_back(buffer);
        Ok(())
    }
    fn done(&mut self) -> Result<Option<Received<Buffer>>, ErrorKind> {
        let mut line = self.0.borrow_mut();
        if line.fails {
            Err(ErrorKind::Fault)
        } else {
            Ok(line.filled.pop_front())
        }
    }
    fn stop(&mut self) -> Option<Buffer> {
        let mut line = self.0.borrow_mut();
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
    fn has_room(&mut self) -> bool {
        let line = self.0.borrow();
        line.sending.len() < line.depth
    }
    fn start(&mut self, buffer: Buffer, len: usize) -> Result<(), Buffer> {
        assert!((64..=1522).contains(&len) && len <= buffer.len());
        let mut line = self.0.borrow_mut();
        if line.refuses {
            return Err(buffer);
        }
        line.sending.push_back(buffer);
        Ok(())
    }
    fn done(&mut self) -> Result<Option<Buffer>, ErrorKind> {
        let mut line = self.0.borrow_mut();
        if line.fails {
            return Err(ErrorKind::Fault);
        }
        Ok(if line.stuck { None } else { line.sending.pop_front() })
    }
    fn abort(&mut self) -> Option<Buffer> {
        self.0.borrow_mut().sending.pop_front()
    }
    fn reset(&mut self) -> Result<(), ErrorKind> {
        self.0.borrow_mut().fails = false;
        Ok(())
    }
}

impl PortInterrupt for Port {
    fn set_interrupt(&mut self, _: bool) {}
}

struct Nobody;

impl Mdio for Nobody {
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

/// What arrives: mostly a frame to this station with a right FCS, which the driver's own transmitter made.
fn arrive(line: &mut Line, input: &mut Unstructured<'_>, good: &[u8]) {
    let Some(mut buffer) = line.armed.pop_front() else {
        line.missed += 1;
        return;
    };
    line.given += 1;
    let what: u8 = input.arbitrary().unwrap_or(0);
    let bytes = input.bytes(usize::from(what % 100).min(input.len())).unwrap_or(&[]);
    let mut len = good.len();
    buffer[..len].copy_from_slice(good);
    if what % 4 == 1 {
        buffer[..bytes.len()].copy_from_slice(bytes);
        len = bytes.len() + usize::from(what) * 6;
    }
    if what % 4 == 2 {
        len = input.arbitrary().unwrap_or(0);
    }
    let mut received = Received::new(buffer, len);
    if what % 32 == 3 {
        received = received.with_flaw(if what & 64 == 0 {
            FrameError::Overflow
        } else {
            FrameError::Symbol
        });
    }
    line.filled.push_back(received);
}

/// A frame with its FCS, bit by bit.
fn good() -> Vec<u8> {
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
    let good = good();
    let port = Port(Rc::default());
    port.0.borrow_mut().depth = usize::from(input.arbitrary::<u8>().unwrap_or(0) % 5) + 1;
    let time = port.clone();
    let ports = (port.clone(), port.clone());
    let nic = SoftMac::<_, _, _, _, 4, 2>::new(ports, Nobody, move || time.0.borrow().now, MAC, buffers(), buffers());
    let Ok(mut nic) = nic else { panic!("it does not start") };
    let mut buf = [0; 1600];
    let mut accepted = 0_u32;
    while !input.is_empty() {
        let call: u8 = input.arbitrary().unwrap_or(0);
        let len = usize::from(input.arbitrary::<u16>().unwrap_or(0)) % 1600;
        match call % 20 {
            0..=4 => arrive(&mut port.0.borrow_mut(), &mut input, &good),
            5 | 6 => {
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..len]) {
                    assert!(meta.len <= len);
                    assert_eq!(buf[..meta.len], good[..100], "only one frame was ever whole");
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
                (line.fails, line.refuses, line.stuck) = (len & 1 != 0, len & 2 != 0, len & 4 != 0);
            }
        }
    }
    {
        let mut line = port.0.borrow_mut();
        (line.fails, line.refuses, line.stuck) = (false, false, false);
    }
    // Whatever was, it goes on.
    nic.recover().expect("it does not recover");
    nic.start().expect("it does not start again");
    nic.set_link(Link::UP).expect("100 Mbit/s full duplex");
    while nic.discard_frame().expect("the port works") {}
    port.0.borrow_mut().armed.truncate(4);
    arrive(&mut port.0.borrow_mut(), &mut Unstructured::new(&[]), &good);
    assert!(matches!(nic.recv_frame(&mut buf), Ok(Some(meta)) if meta.len == 100));
    nic.send_frame(&buf[..100]).expect("there is room");
    accepted += 1;
    nic.service().expect("the port works");
    let stats = nic.stats();
    assert_eq!(stats.tx_frames + stats.tx_lost(), accepted, "{stats:?}");
    assert!(stats.rx_frames + stats.rx_lost() >= port.0.borrow().given, "{stats:?}");
});
