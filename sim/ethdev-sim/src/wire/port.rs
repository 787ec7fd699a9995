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

    /// Puts a frame with its FCS on the wire, after the frames sent before. Returns the time of the
    /// end of its last bit, after which it cannot be aborted.
    ///
    /// The content is not checked: length and FCS are the responsibility of the sender. With the
    /// link down the frame is counted and dropped.
    pub fn transmit(&self, frame_with_fcs: impl Into<Vec<u8>>) -> Duration {
        self.wire.transmit(self.side, frame_with_fcs.into())
    }

    /// When the next frame can start: the end of the gap after the latest frame, maybe in the past.
    #[must_use]
    pub fn idle_at(&self) -> Duration {
        self.wire.idle_at(self.side)
    }

    /// Aborts the latest frame of this end, if its last bit has not been sent yet: a fragment
    /// arrives, or nothing if the preamble was not complete. The wire stays occupied until the time
    /// at which the frame would have ended.
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

    /// Calls `receiver` with each frame, FCS included, when its last bit arrives. Replaces the
    /// previous one.
    ///
    /// It may transmit and call any other method. Frames that arrive while it runs (because it
    /// advances the clock) are delivered afterwards.
    pub fn on_receive(&self, receiver: Receiver) {
        self.replace(Some(receiver));
    }

    /// Calls `watcher` with the new state at each change of the link. Replaces the previous one.
    pub fn on_link_change(&self, watcher: LinkWatcher) {
        self.replace_watcher(Some(watcher));
    }

    /// Whether the cable is plugged in, at both ends.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.wire.is_plugged()
    }

    /// Calls `watcher` when the cable is plugged in or pulled out, after those that watch the link.
    /// Replaces the previous one.
    ///
    /// For models of PHYs, which then restart the search for a link.
    pub fn on_cable_change(&self, watcher: CableWatcher) {
        self.replace_cable_watcher(Some(watcher));
    }

    /// For models of PHYs: sets the mode agreed on with the other end; `None` while there is no
    /// link. The link is up if there is a mode and the cable is plugged in, and runs at the speed
    /// of the mode. A change of mode is a loss of the link.
    ///
    /// A wire has the mode of its configuration until this is called.
    ///
    /// # Panics
    ///
    /// At a speed of zero.
    pub fn set_mode(&self, mode: Option<LinkMode>) {
        self.wire.set_mode(mode);
    }

    /// For models of PHYs: sets which of the two ends do not send while they receive (CSMA/CD).
    /// Initially neither.
    ///
    /// - Neither: full duplex.
    /// - Both: one frame at a time on the whole wire, in the order in which they were sent. The
    ///   second frame waits.
    /// - One of them: a duplex mismatch. This end defers to arriving frames, but the other does
    ///   not: both frames of a collision are lost, counted as
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
        // After the borrow: dropping the handler may access the wire.
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
