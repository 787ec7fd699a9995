//! A wire end for tests.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use ethdev::Link;

use crate::{Port, fcs};

/// A wire end for tests: sends any bytes, even what no MAC sends, and stores received frames.
///
/// It does not use the traits of ethdev, so it is independent of what is tested at the other end.
#[derive(Debug)]
pub struct Peer {
    port: Port,
    inbox: Rc<RefCell<Inbox>>,
}

#[derive(Debug, Default)]
struct Inbox {
    frames: VecDeque<(Duration, Vec<u8>)>,
    bad: u64,
}

impl Peer {
    /// Attaches a peer to a wire end.
    #[must_use]
    pub fn new(port: Port) -> Self {
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let clock = port.clock();
        port.on_receive({
            let inbox = inbox.clone();
            Box::new(move |frame| {
                let mut inbox = inbox.borrow_mut();
                match fcs::check(frame) {
                    Some(good) => inbox.frames.push_back((clock.now(), good.to_vec())),
                    None => inbox.bad += 1,
                }
            })
        });
        Self { port, inbox }
    }

    /// Sends a frame as a MAC does: padded to 60 bytes, with its FCS. Returns the time at which its
    /// last bit is out.
    pub fn send(&self, frame: &[u8]) -> Duration {
        self.port.transmit(fcs::pad_and_append(frame))
    }

    /// Sends exactly these bytes, the last four of which are taken for the FCS: runts, giants,
    /// garbage. Returns the time at which the last bit is out.
    pub fn send_raw(&self, bytes: &[u8]) -> Duration {
        self.port.transmit(bytes)
    }

    /// The next frame that came with a right FCS, without it.
    #[must_use]
    pub fn recv(&self) -> Option<Vec<u8>> {
        self.recv_timed().map(|(_, frame)| frame)
    }

    /// As [`recv`](Self::recv), with the time at which the last bit arrived.
    #[must_use]
    pub fn recv_timed(&self) -> Option<(Duration, Vec<u8>)> {
        self.inbox.borrow_mut().frames.pop_front()
    }

    /// How many frames wait to be asked for.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.inbox.borrow().frames.len()
    }

    /// How many frames came with a wrong FCS, or were too short for one.
    #[must_use]
    pub fn bad_frames(&self) -> u64 {
        self.inbox.borrow().bad
    }

    /// When the next frame can start, maybe in the past.
    #[must_use]
    pub fn idle_at(&self) -> Duration {
        self.port.idle_at()
    }

    /// Whether the link is up, and its mode.
    #[must_use]
    pub fn link(&self) -> Link {
        self.port.link()
    }

    /// The wire end.
    #[must_use]
    pub const fn port(&self) -> &Port {
        &self.port
    }
}
