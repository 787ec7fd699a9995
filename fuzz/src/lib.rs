//! What the fuzz targets have in common: a device and a fault script that are driven by fuzzer
//! input.

use arbitrary::{Result, Unstructured};
use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Link, MacAddress, MaxFrameLen, Rearm,
    RearmOutcome, RxMeta, Stats,
};

/// The address of the device.
pub const MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

/// A script of faults for a chip: after the last byte of input, the chip works.
pub struct FaultScript {
    bytes: std::vec::IntoIter<u8>,
    /// The number of unmodified values before the next fault.
    unmodified: u8,
    /// Whether every value is replaced by a byte of the input.
    raw: bool,
}

impl FaultScript {
    /// Creates a script. `unmodified` values are not changed at first: a driver that does not start
    /// executes little code.
    pub fn new(bytes: Vec<u8>, unmodified: u8, raw: bool) -> Self {
        Self {
            bytes: bytes.into_iter(),
            unmodified,
            raw,
        }
    }

    /// Returns the byte of the next fault, if one is due.
    pub fn next_fault(&mut self) -> Option<u8> {
        if self.raw {
            return self.bytes.next();
        }
        if let Some(left) = self.unmodified.checked_sub(1) {
            self.unmodified = left;
            return None;
        }
        let fault = self.bytes.next()?;
        // One fault in four is followed by another one directly.
        self.unmodified = self.bytes.next()?.saturating_sub(64);
        Some(fault)
    }

    /// Returns the next byte of the input.
    pub fn next_byte(&mut self) -> Option<u8> {
        self.bytes.next()
    }

    /// Returns whether the bus fails: one fault in 256.
    pub fn bus_fails(&mut self) -> bool {
        self.next_fault() == Some(0xa5)
    }

    /// Ends the script.
    pub fn clear(&mut self) {
        self.bytes = Vec::new().into_iter();
    }
}

/// A device whose results come from the fuzzer: frames, lengths that may be wrong, errors, link
/// states. It is idle after the last byte of input.
pub struct MisbehavingDevice<'a> {
    input: Unstructured<'a>,
    capabilities: Capabilities,
    link: Link,
    /// How many calls are left.
    budget: usize,
}

/// Limit of the calls in one operation on an idle device.
const MAX_IDLE_CALLS: usize = 1_000;

impl<'a> MisbehavingDevice<'a> {
    /// Creates a device from fuzzer input.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut input = Unstructured::new(bytes);
        let mut len = || MaxFrameLen::new(usize::from(input.arbitrary::<u16>().unwrap_or(1514)));
        let capabilities = Capabilities::ETHERNET
            .with_rx_max_frame_len(len())
            .with_tx_max_frame_len(len());
        Self {
            input,
            capabilities,
            link: Link::UP,
            budget: MAX_IDLE_CALLS,
        }
    }

    /// Begins an operation, which must end after a limited number of calls: each byte of input may
    /// cause one.
    pub fn begin(&mut self) {
        self.budget = self.input.len() + MAX_IDLE_CALLS;
    }

    /// Whether all input is used.
    pub fn is_idle(&self) -> bool {
        self.input.is_empty()
    }

    fn error(&mut self) -> Result<ErrorKind> {
        Ok(match self.input.int_in_range(0..=9)? {
            0 => ErrorKind::BufferTooSmall {
                needed: self.input.arbitrary()?,
            },
            1 => ErrorKind::FrameTooLong {
                max: self.input.arbitrary()?,
            },
            2 => ErrorKind::FrameTooShort,
            3 => ErrorKind::Busy,
            4 => ErrorKind::LinkDown,
            5 => ErrorKind::Bus,
            6 => ErrorKind::Fault,
            7 => ErrorKind::BadFrame,
            8 => ErrorKind::Stopped,
            _ => ErrorKind::Other,
        })
    }

    /// Returns a result: one in four is an error.
    fn result<T>(&mut self, idle: T, ok: impl FnOnce(&mut Self) -> Result<T>) -> Result<T, ErrorKind> {
        let left = self.budget.checked_sub(1);
        self.budget = left.expect("unbounded operation");
        // `Unstructured` returns default values without input.
        if self.is_idle() {
            return Ok(idle);
        }
        match self.input.ratio(1_u8, 4_u8) {
            Ok(true) => Err(self.error().unwrap_or(ErrorKind::Other)),
            Ok(false) => Ok(ok(self).unwrap_or(idle)),
            Err(_) => Ok(idle),
        }
    }
}

impl ErrorType for MisbehavingDevice<'_> {
    type Error = ErrorKind;
}

impl EthernetDevice for MisbehavingDevice<'_> {
    fn mac_address(&self) -> MacAddress {
        MAC
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        Stats::ZERO
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        self.result(None, |device| {
            let len = usize::from(device.input.arbitrary::<u16>()?);
            let frame = device.input.bytes(len.min(device.input.len()).min(buf.len()))?;
            buf[..frame.len()].copy_from_slice(frame);
            // One length in eight is wrong, and may be longer than the buffer.
            let wrong = device.input.ratio(1_u8, 8_u8)?;
            Ok(Some(RxMeta::new(if wrong { len } else { frame.len() })))
        })
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        self.result(false, |device| device.input.arbitrary())
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.result(true, |device| device.input.arbitrary())
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        self.result((), |_| Ok(()))
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.result(Events::NONE, |device| {
            device.link = if device.input.ratio(7_u8, 8_u8)? {
                Link::UP
            } else {
                Link::Down
            };
            let mut events = Events::NONE;
            events.rx_pending = device.input.arbitrary()?;
            events.tx_ready = device.input.arbitrary()?;
            events.tx_completed = device.input.arbitrary()?;
            Ok(events)
        })
    }
}

impl Rearm for MisbehavingDevice<'_> {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.result((), |_| Ok(()))
    }

    fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.result(RearmOutcome::Armed, |device| {
            Ok(if device.input.arbitrary()? {
                RearmOutcome::Armed
            } else {
                RearmOutcome::WorkPending
            })
        })
    }
}
