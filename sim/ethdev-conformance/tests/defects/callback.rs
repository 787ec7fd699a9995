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

/// The handle sends one reply to each frame.
pub(crate) const REPLIES_ONCE: u8 = 7;
/// The handle does not validate the length.
pub(crate) const REPLIES_OF_ANY_LENGTH: u8 = 8;
/// The handle does not check the link.
pub(crate) const REPLIES_WITH_LINK_DOWN: u8 = 9;
/// The handle has the address of another station.
pub(crate) const REPLIES_FROM_OTHER_ADDRESS: u8 = 10;
/// A frame that the handler wrote to is delivered again.
pub(crate) const DELIVERS_WRITTEN_FRAMES_AGAIN: u8 = 11;
/// `poll` drops errors.
pub(crate) const SWALLOWS_ERRORS: u8 = 12;
/// `poll` drops the events that it found.
pub(crate) const SWALLOWS_EVENTS: u8 = 13;

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

struct Tx<'a, const DEFECT: u8> {
    nic: &'a mut Mem,
    used: bool,
}

impl<const DEFECT: u8> Transmit for Tx<'_, DEFECT> {
    type Error = ErrorKind;

    fn mac_address(&self) -> MacAddress {
        if DEFECT == REPLIES_FROM_OTHER_ADDRESS {
            return MacAddress::BROADCAST;
        }
        self.nic.mac_address()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        if DEFECT == REPLIES_ONCE && std::mem::replace(&mut self.used, true) {
            return Err(ErrorKind::Busy);
        }
        match self.nic.send_vectored(parts) {
            Err(ErrorKind::FrameTooLong { .. } | ErrorKind::FrameTooShort) if DEFECT == REPLIES_OF_ANY_LENGTH => {
                self.nic.queue(parts.concat())
            }
            Err(ErrorKind::LinkDown) if DEFECT == REPLIES_WITH_LINK_DOWN => self.nic.queue(parts.concat()),
            result => result,
        }
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
            let received = buf;
            for call in 0..2 {
                let again = DEFECT == CALLS_TWICE || (DEFECT == DELIVERS_WRITTEN_FRAMES_AGAIN && buf != received);
                if call == 1 && !again {
                    break;
                }
                if let Some(frame) = RxFrame::new(&mut buf, meta) {
                    let nic = &mut self.nic;
                    handler.on_frame(frame, &mut Tx::<DEFECT> { nic, used: false });
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
        match self.poll_once(budget) {
            Err(_) if DEFECT == SWALLOWS_ERRORS => Ok(Polled::default()),
            result => result,
        }
    }
}

impl<const DEFECT: u8> Calling<DEFECT> {
    fn poll_once(&mut self, budget: usize) -> Result<Polled, ErrorKind> {
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
        if DEFECT != SWALLOWS_EVENTS {
            polled.events = events;
        }
        Ok(polled)
    }
}
