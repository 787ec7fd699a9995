//! A device that answers whatever the fuzzer says.

use arbitrary::{Result, Unstructured};
use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Link, MacAddress, MaxFrameLen, Rearm,
    RearmOutcome, RxMeta, Stats,
};

/// The address of the device.
pub const MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

/// Every answer of this device is the fuzzer's: frames, lengths that may be lies, errors, link states. Out of answers, it is idle.
pub struct Hostile<'a> {
    answers: Unstructured<'a>,
    capabilities: Capabilities,
    link: Link,
}

impl<'a> Hostile<'a> {
    /// Takes its answers from `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut answers = Unstructured::new(bytes);
        let mut len = || MaxFrameLen::new(usize::from(answers.arbitrary::<u16>().unwrap_or(1514)));
        let capabilities = Capabilities::ETHERNET
            .with_rx_max_frame_len(len())
            .with_tx_max_frame_len(len());
        Self {
            answers,
            capabilities,
            link: Link::UP,
        }
    }

    /// Whether it still has something to say.
    pub fn is_idle(&self) -> bool {
        self.answers.is_empty()
    }

    fn error(&mut self) -> Result<ErrorKind> {
        Ok(match self.answers.int_in_range(0..=9)? {
            0 => ErrorKind::BufferTooSmall {
                needed: self.answers.arbitrary()?,
            },
            1 => ErrorKind::FrameTooLong {
                max: self.answers.arbitrary()?,
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

    /// One answer in four is an error.
    fn answer<T>(&mut self, idle: T, ok: impl FnOnce(&mut Self) -> Result<T>) -> Result<T, ErrorKind> {
        // Out of bytes, `Unstructured` makes up answers of its own.
        if self.is_idle() {
            return Ok(idle);
        }
        match self.answers.ratio(1_u8, 4_u8) {
            Ok(true) => Err(self.error().unwrap_or(ErrorKind::Other)),
            Ok(false) => Ok(ok(self).unwrap_or(idle)),
            Err(_) => Ok(idle),
        }
    }
}

impl ErrorType for Hostile<'_> {
    type Error = ErrorKind;
}

impl EthernetDevice for Hostile<'_> {
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
        self.answer(None, |device| {
            let said = usize::from(device.answers.arbitrary::<u16>()?);
            let frame = device.answers.bytes(said.min(device.answers.len()).min(buf.len()))?;
            buf[..frame.len()].copy_from_slice(frame);
            // One length in eight is whatever it says, however long the buffer.
            let lies = device.answers.ratio(1_u8, 8_u8)?;
            Ok(Some(RxMeta::new(if lies { said } else { frame.len() })))
        })
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        self.answer(false, |device| device.answers.arbitrary())
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.answer(true, |device| device.answers.arbitrary())
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        self.answer((), |_| Ok(()))
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.answer(Events::NONE, |device| {
            device.link = if device.answers.ratio(7_u8, 8_u8)? {
                Link::UP
            } else {
                Link::Down
            };
            let mut events = Events::NONE;
            events.rx_pending = device.answers.arbitrary()?;
            events.tx_ready = device.answers.arbitrary()?;
            events.tx_completed = device.answers.arbitrary()?;
            Ok(events)
        })
    }
}

impl Rearm for Hostile<'_> {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.answer((), |_| Ok(()))
    }

    fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.answer(RearmOutcome::Armed, |device| {
            Ok(if device.answers.arbitrary()? {
                RearmOutcome::Armed
            } else {
                RearmOutcome::WorkPending
            })
        })
    }
}
