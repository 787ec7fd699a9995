//! The attachment of a MAC or PHY to one end of a wire.

use core::time::Duration;
use std::rc::Rc;

use ethdev::{Link, LinkMode};

use super::handlers::{CableWatcher, LinkWatcher, Receiver};
use super::side::Side;
use super::state::Inner;
use crate::clock::Clock;

/// One end of a [`Wire`](super::Wire), for a MAC to be attached to. Dropping it removes the
/// handlers of its end.
///
/// Handlers run from events of the clock, from [`Wire::set_link`](super::Wire::set_link) and from
/// [`set_mode`](Self::set_mode), from nothing else.
#[derive(Debug)]
pub struct Port {
    wire: Rc<Inner>,
    side: Side,
}

impl Port {
    pub(super) fn new(wire: &Rc<Inner>, side: Side) -> Self {
        Self {
            wire: wire.clone(),
            side,
        }
    }

    /// Which end this is.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The wire's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.wire.clock.clone()
    }

    /// Puts a frame with its FCS on the wire, after what was sent before. Returns the time at which
    /// its last bit is out: then it cannot be taken back.
    ///
    /// Whatever is in it goes out: length and FCS are the sender's business. With the link down it
    /// is counted and gone.
    pub fn transmit(&self, frame_with_fcs: impl Into<Vec<u8>>) -> Duration {
        self.wire.transmit(self.side, frame_with_fcs.into())
    }

    /// When the next frame can start: the end of the gap after the latest frame, maybe in the past.
    #[must_use]
    pub fn idle_at(&self) -> Duration {
        self.wire.idle_at(self.side)
    }

    /// Breaks off the frame that this end put on the wire last, if its last bit is not out yet:
    /// what arrives is a fragment, and nothing where not even the preamble was out. The wire
    /// stays taken until the time at which the frame would have ended.
    pub fn break_off(&self) {
        self.wire.break_off(self.side);
    }

    /// Since when a frame has been arriving here, preamble included; `None` while the wire is
    /// silent.
    #[must_use]
    pub fn incoming_since(&self) -> Option<Duration> {
        self.wire.incoming_since(self.side)
    }

    /// Whether the link is up, and its mode.
    #[must_use]
    pub fn link(&self) -> Link {
        self.wire.link()
    }

    /// Calls `receiver` with each frame, FCS included, when its last bit arrives. Takes the place
    /// of the one before.
    ///
    /// It may transmit, and do whatever else it likes. Frames that arrive while it runs (because it
    /// advances the clock) are handed to it afterwards.
    pub fn on_receive(&self, receiver: Receiver) {
        self.replace(Some(receiver));
    }

    /// Calls `watcher` with the new state at each change of the link. Takes the place of the one
    /// before.
    pub fn on_link_change(&self, watcher: LinkWatcher) {
        self.replace_watcher(Some(watcher));
    }

    /// Whether the cable is plugged in, at both ends.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.wire.is_plugged()
    }

    /// Calls `watcher` when the cable is plugged in or pulled out, after those that watch the link.
    /// Takes the place of the one before.
    ///
    /// For models of PHYs, which then restart the search for a link.
    pub fn on_cable_change(&self, watcher: CableWatcher) {
        self.replace_cable_watcher(Some(watcher));
    }

    /// For models of PHYs: what this end has agreed on with the other one; `None` while there is no
    /// link. The link is up where there is a mode and the cable is in, and runs at the speed of
    /// the mode. A change of mode is a loss of the link.
    ///
    /// A wire has the mode of its configuration until this is called.
    ///
    /// # Panics
    ///
    /// At a speed of zero.
    pub fn set_mode(&self, mode: Option<LinkMode>) {
        self.wire.set_mode(mode);
    }

    /// For models of PHYs: which of the two ends do not send while they receive (CSMA/CD), from now
    /// on. At the start neither.
    ///
    /// - Neither: full duplex.
    /// - Both: one frame at a time on the whole wire, in the order in which they were sent. Whoever
    ///   comes second waits.
    /// - One of them: a duplex mismatch. This end waits for what is arriving, but the other does
    ///   not wait for it: the frames that meet are both lost, counted as
    ///   [`collided`](super::WireStats::collided).
    pub fn set_half_duplex(&self, here: bool, there: bool) {
        self.wire.set_half_duplex(self.side, here, there);
    }

    fn replace(&self, receiver: Option<Receiver>) {
        let former = {
            let mut state = self.wire.state.borrow_mut();
            let end = &mut state.ends[self.side.index()];
            end.receivers += 1;
            core::mem::replace(&mut end.receiver, receiver)
        };
        // After the borrow: what a handler owns may use the wire as it goes.
        drop(former);
    }

    fn replace_watcher(&self, watcher: Option<LinkWatcher>) {
        let former = {
            let mut state = self.wire.state.borrow_mut();
            let link = state.link;
            let end = &mut state.ends[self.side.index()];
            end.link_watchers += 1;
            end.reported = link;
            core::mem::replace(&mut end.link_watcher, watcher)
        };
        drop(former);
    }

    fn replace_cable_watcher(&self, watcher: Option<CableWatcher>) {
        let former = {
            let mut state = self.wire.state.borrow_mut();
            let plugged = state.plugged;
            let end = &mut state.ends[self.side.index()];
            end.cable_watchers += 1;
            end.reported_cable = plugged;
            core::mem::replace(&mut end.cable_watcher, watcher)
        };
        drop(former);
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.replace(None);
        self.replace_watcher(None);
        self.replace_cable_watcher(None);
    }
}
