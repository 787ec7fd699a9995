//! The medium that a MAC is attached to.

use core::time::Duration;

use ethdev::{Duplex, Link, Speed};

use super::handlers::{LinkWatcher, Receiver};
use super::port::Port;
use crate::clock::Clock;

/// The medium of a MAC: a [`Port`] of a wire, or the MII of a PHY on a wire.
///
/// A model of a MAC that is generic over this trait runs on either.
pub trait MediaSide {
    /// The clock of the medium.
    fn clock(&self) -> Clock;

    /// Returns whether frames can cross, and in which mode. A MAC gets this from the driver of the
    /// PHY.
    fn link(&self) -> Link;

    /// Whether the medium gives the MAC its clock. Without, nothing moves. A bare [`Port`] always
    /// does.
    fn is_clocked(&self) -> bool {
        true
    }

    /// What the MAC is set to. Where that is another speed than the medium's, frames are lost;
    /// another duplex, and they collide.
    ///
    /// Until this is called, the MAC matches the medium. A bare [`Port`] ignores it.
    fn set_mac_mode(&self, speed: Speed, duplex: Duplex) {
        let _ = (speed, duplex);
    }

    /// Sets the duplex of a MAC that always runs at the speed of its PHY (MII clocks).
    fn set_mac_duplex(&self, duplex: Duplex) {
        let _ = duplex;
    }

    /// Sends a frame with its FCS, after the frames sent before. Returns the time of the end of its
    /// last bit.
    ///
    /// The content is not checked: length and FCS are the responsibility of the MAC. Without a link
    /// the frame takes its time and is dropped.
    fn transmit(&self, frame_with_fcs: Vec<u8>) -> Duration;

    /// When the next frame can start: the end of the gap after the latest one, maybe in the past.
    fn idle_at(&self) -> Duration;

    /// Aborts the latest frame, as [`Port::break_off`] does.
    fn break_off(&self);

    /// Since when a frame has been arriving, preamble included; `None` while the medium is silent.
    fn incoming_since(&self) -> Option<Duration>;

    /// Calls `receiver` with each frame, FCS included, when its last bit arrives. Replaces the
    /// previous one.
    fn on_receive(&self, receiver: Receiver);

    /// Calls `watcher` with the new state at each change of the link. Replaces the previous one.
    fn on_link_change(&self, watcher: LinkWatcher);

    /// Calls `watcher` with the length of each carrier without a frame, when it ends. Replaces the
    /// previous one. A bare [`Port`] has no false carrier.
    fn on_false_carrier(&self, watcher: Box<dyn FnMut(Duration)>) {
        let _ = watcher;
    }
}

impl MediaSide for Port {
    fn clock(&self) -> Clock {
        self.clock()
    }

    fn link(&self) -> Link {
        self.link()
    }

    fn transmit(&self, frame_with_fcs: Vec<u8>) -> Duration {
        self.transmit(frame_with_fcs)
    }

    fn idle_at(&self) -> Duration {
        self.idle_at()
    }

    fn break_off(&self) {
        self.break_off();
    }

    fn incoming_since(&self) -> Option<Duration> {
        self.incoming_since()
    }

    fn on_receive(&self, receiver: Receiver) {
        self.on_receive(receiver);
    }

    fn on_link_change(&self, watcher: LinkWatcher) {
        self.on_link_change(watcher);
    }
}
