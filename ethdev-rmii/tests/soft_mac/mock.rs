//! Mock ports, the wire behind them, and a mock clock.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ethdev::{Control, ErrorKind, Link, MacAddress};
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_rmii::{FrameError, PortInterrupt, Received, RxPort, SoftMac, TxPort};

pub(crate) const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x87]);
pub(crate) const HEADROOM: usize = 2;

pub(crate) type Buffer = Box<[u8]>;

/// Computes the FCS bit by bit (IEEE 802.3 clause 3.2.9).
pub(crate) fn fcs(frame: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in frame {
        for bit in 0..8 {
            let feedback = (crc ^ u32::from(byte >> bit)) & 1;
            crc = (crc >> 1) ^ (0xedb8_8320 * feedback);
        }
    }
    (!crc).to_le_bytes()
}

pub(crate) fn with_fcs(frame: &[u8]) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    bytes.extend(fcs(frame));
    bytes
}

/// A frame of `len` bytes to the device. Frames with different numbers differ.
pub(crate) fn frame(len: usize, number: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|at| (at * 7 + number * 31 + at / 256) as u8).collect();
    frame[..6].copy_from_slice(&OWN.octets());
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    frame
}

/// The state behind both ports.
pub(crate) struct Line {
    pub(crate) now: Duration,
    /// Number of buffers that each port queues.
    pub(crate) depth: usize,
    /// A buffer that is done counts as queued until it is returned.
    pub(crate) done_counts: bool,
    /// Calls of the driver, in order.
    pub(crate) calls: Vec<&'static str>,
    pub(crate) armed: VecDeque<Buffer>,
    pub(crate) filled: VecDeque<Received<Buffer>>,
    pub(crate) missed: u32,
    pub(crate) rx_fails: bool,
    pub(crate) rx_interrupt: bool,
    pub(crate) sending: VecDeque<(Buffer, usize, Duration)>,
    pub(crate) sent: Vec<Vec<u8>>,
    pub(crate) stuck: bool,
    /// Number of buffers that the port does not return.
    pub(crate) keeps: usize,
    pub(crate) tx_fails: bool,
    pub(crate) tx_interrupt: bool,
    pub(crate) resets: usize,
}

impl Line {
    /// Receives `bytes`, which include the FCS. Without a buffer they are missed.
    pub(crate) fn arrive(&mut self, bytes: &[u8]) {
        self.arrive_as(bytes, |received| received);
    }

    pub(crate) fn arrive_as(&mut self, bytes: &[u8], change: impl FnOnce(Received<Buffer>) -> Received<Buffer>) {
        let Some(mut buffer) = self.armed.pop_front() else {
            self.missed += 1;
            return;
        };
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        let mut received = Received::new(buffer, len);
        if bytes.len() > len {
            received = received.with_frame_error(FrameError::Overflow);
        }
        self.filled.push_back(change(received));
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now += by;
    }
}

#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Rc<RefCell<Line>>);

pub(crate) struct Rx(Shared);
pub(crate) struct Tx(Shared);

impl RxPort for Rx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    const COUNTS_MISSED: bool = true;

    fn has_capacity(&mut self) -> bool {
        let line = self.0.0.borrow();
        let done = if line.done_counts { line.filled.len() } else { 0 };
        line.armed.len() + done < line.depth
    }

    fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        let mut line = self.0.0.borrow_mut();
        line.calls.push("start_rx");
        if line.armed.len() == line.depth {
            return Err(buffer);
        }
        line.armed.push_back(buffer);
        Ok(())
    }

    fn done(&mut self) -> Result<Option<Received<Buffer>>, ErrorKind> {
        let mut line = self.0.0.borrow_mut();
        if line.rx_fails {
            return Err(ErrorKind::Bus);
        }
        let received = line.filled.pop_front();
        if received.is_some() {
            line.calls.push("rx_done");
        }
        Ok(received)
    }

    fn stop(&mut self) -> Option<Buffer> {
        let mut line = self.0.0.borrow_mut();
        if line.armed.len() + line.filled.len() <= line.keeps {
            return None;
        }
        if let Some(buffer) = line.armed.pop_front() {
            return Some(buffer);
        }
        line.missed += 1;
        line.filled.pop_front().map(|received| received.buffer)
    }

    fn missed(&mut self) -> u32 {
        std::mem::take(&mut self.0.0.borrow_mut().missed)
    }

    fn reset(&mut self) -> Result<(), ErrorKind> {
        self.0.0.borrow_mut().resets += 1;
        Ok(())
    }
}

impl TxPort for Tx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    const HEADROOM: usize = HEADROOM;

    fn has_capacity(&mut self) -> bool {
        let line = self.0.0.borrow();
        line.sending.len() < line.depth
    }

    fn start(&mut self, buffer: Buffer, len: usize) -> Result<(), Buffer> {
        let mut line = self.0.0.borrow_mut();
        if line.sending.len() == line.depth {
            return Err(buffer);
        }
        // Preamble, frame and gap.
        let begin = line.sending.back().map_or(line.now, |(_, _, end)| line.now.max(*end));
        let end = begin + Duration::from_nanos(80) * (len as u32 + 20);
        line.sending.push_back((buffer, len, end));
        Ok(())
    }

    fn done(&mut self) -> Result<Option<Buffer>, ErrorKind> {
        let mut line = self.0.0.borrow_mut();
        if line.tx_fails {
            return Err(ErrorKind::Bus);
        }
        match line.sending.front() {
            Some((_, _, end)) if !line.stuck && *end <= line.now => {}
            _ => return Ok(None),
        }
        let (buffer, len, _) = line.sending.pop_front().unwrap();
        line.sent.push(buffer[HEADROOM..HEADROOM + len].to_vec());
        Ok(Some(buffer))
    }

    fn abort(&mut self) -> Option<Buffer> {
        let mut line = self.0.0.borrow_mut();
        if line.sending.len() <= line.keeps {
            return None;
        }
        line.sending.pop_front().map(|(buffer, ..)| buffer)
    }

    fn reset(&mut self) -> Result<(), ErrorKind> {
        let mut line = self.0.0.borrow_mut();
        line.resets += 1;
        line.stuck = false;
        Ok(())
    }
}

impl PortInterrupt for Rx {
    fn set_interrupt(&mut self, enabled: bool) {
        self.0.0.borrow_mut().rx_interrupt = enabled;
    }
}

impl PortInterrupt for Tx {
    fn set_interrupt(&mut self, enabled: bool) {
        self.0.0.borrow_mut().tx_interrupt = enabled;
    }
}

/// An MDIO bus without a PHY.
pub(crate) struct NoPhy;

impl Mdio for NoPhy {
    type Error = ErrorKind;

    fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, ErrorKind> {
        Ok(0xffff)
    }

    fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> {
        Ok(())
    }
}

pub(crate) type Nic = SoftMac<Rx, Tx, NoPhy, Box<dyn FnMut() -> Duration>, 4, 2>;

pub(crate) fn buffers<const N: usize>(len: usize) -> [Buffer; N] {
    std::array::from_fn(|_| vec![0xa5; len].into_boxed_slice())
}

/// A stopped MAC on ports that queue `depth` buffers.
pub(crate) fn stopped(depth: usize) -> (Nic, Shared) {
    let line = Shared(Rc::new(RefCell::new(Line {
        now: Duration::ZERO,
        depth,
        done_counts: false,
        calls: Vec::new(),
        armed: VecDeque::new(),
        filled: VecDeque::new(),
        missed: 0,
        rx_fails: false,
        rx_interrupt: false,
        sending: VecDeque::new(),
        sent: Vec::new(),
        stuck: false,
        keeps: 0,
        tx_fails: false,
        tx_interrupt: false,
        resets: 0,
    })));
    let time = line.clone();
    let clock: Box<dyn FnMut() -> Duration> = Box::new(move || time.0.borrow().now);
    let ports = (Rx(line.clone()), Tx(line.clone()));
    let nic = SoftMac::new(ports, NoPhy, clock, OWN, buffers(1523), buffers(1522 + HEADROOM)).unwrap();
    (nic, line)
}

/// A started MAC with the link up.
pub(crate) fn running(depth: usize) -> (Nic, Shared) {
    let (mut nic, line) = stopped(depth);
    nic.start().unwrap();
    nic.set_link(Link::UP).unwrap();
    line.0.borrow_mut().calls.clear();
    (nic, line)
}
