//! Defects of devices that implement the callback API themselves.

use ethdev::{
    CallbackDevice, ErrorKind, ErrorType, EthernetDevice, FrameHandler, MacAddress, Polled, RxFrame, Transmit,
};
use ethdev_conformance::Fixture;

use crate::mem::{Mem, MemPeer, mem};

pub(crate) const CORRECT: u8 = 0;
/// Every frame is delivered again.
pub(crate) const CALLS_TWICE: u8 = 1;
/// The handler runs once more after it was cleared.
pub(crate) const CLEARS_LATE: u8 = 2;
/// Delivers all pending frames.
pub(crate) const IGNORES_THE_BUDGET: u8 = 3;
/// Never reports pending frames.
pub(crate) const NEVER_MORE: u8 = 4;
/// Drops frames without a handler.
pub(crate) const DROPS_WITHOUT_HANDLER: u8 = 5;
/// Delivers at once when a handler is set.
pub(crate) const CALLS_OUTSIDE_POLL: u8 = 6;

type Handler = &'static mut dyn FrameHandler<ErrorKind>;

/// A callback device with one defect.
pub(crate) struct Calling<const DEFECT: u8> {
    nic: Mem,
    handler: Option<Handler>,
    cleared: bool,
}

pub(crate) struct CallFixture<const DEFECT: u8>;

impl<const DEFECT: u8> Fixture for CallFixture<DEFECT> {
    type Device = Calling<DEFECT>;
    type LinkPeer = MemPeer;

    fn new() -> (Calling<DEFECT>, MemPeer) {
        let (nic, peer) = mem();
        let device = Calling {
            nic,
            handler: None,
            cleared: false,
        };
        (device, peer)
    }
}

struct Tx<'a>(&'a mut Mem);

impl Transmit for Tx<'_> {
    type Error = ErrorKind;

    fn mac_address(&self) -> MacAddress {
        self.0.mac_address()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        self.0.send_vectored(parts)
    }
}

impl<const DEFECT: u8> Calling<DEFECT> {
    fn deliver(&mut self, budget: usize) -> Result<usize, ErrorKind> {
        let mut buf = [0; 1514];
        let mut frames = 0;
        while let (Some(handler), true) = (&mut self.handler, frames < budget) {
            let Some(meta) = self.nic.recv_frame(&mut buf)? else {
                break;
            };
            for _ in 0..if DEFECT == CALLS_TWICE { 2 } else { 1 } {
                if let Some(frame) = RxFrame::new(&mut buf, meta) {
                    handler.on_frame(frame, &mut Tx(&mut self.nic));
                }
            }
            frames += 1;
        }
        Ok(frames)
    }
}

impl<const DEFECT: u8> ErrorType for Calling<DEFECT> {
    type Error = ErrorKind;
}

impl<const DEFECT: u8> CallbackDevice<'static, dyn FrameHandler<ErrorKind> + 'static> for Calling<DEFECT> {
    fn set_handler(&mut self, handler: Handler) -> Option<Handler> {
        let former = self.handler.replace(handler);
        self.cleared = false;
        if DEFECT == CALLS_OUTSIDE_POLL {
            self.deliver(64).ok();
        }
        former
    }

    fn clear_handler(&mut self) -> Option<Handler> {
        if DEFECT == CLEARS_LATE {
            self.cleared = true;
            return None;
        }
        self.handler.take()
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, ErrorKind> {
        let events = self.nic.service()?;
        if DEFECT == DROPS_WITHOUT_HANDLER && self.handler.is_none() {
            while self.nic.discard_frame()? {}
        }
        let frames = self.deliver(if DEFECT == IGNORES_THE_BUDGET { 64 } else { budget })?;
        if std::mem::take(&mut self.cleared) {
            self.handler = None;
        }
        let mut polled = Polled::default();
        polled.frames = frames;
        polled.more = self.nic.next_len()?.is_some() && DEFECT != NEVER_MORE;
        polled.events = events;
        Ok(polled)
    }
}
