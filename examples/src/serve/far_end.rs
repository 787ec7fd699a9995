//! The interface of the kernel at the other end of a simulated wire.

use core::time::Duration;
use std::time::Instant;

use ethdev::{EthernetDevice, Interest};
use ethdev_linux::{Tap, TapError};
use ethdev_sim::{Clock, Peer, Wire};

/// How far ahead of time frames from the kernel are put on the wire. What comes faster than 10 Mbit/s waits in the kernel's queue, as in front of a real one.
const BACKLOG: Duration = Duration::from_millis(3);
/// How far simulated time may be ahead of the real one before it is waited for: shorter sleeps are longer than they are asked to be.
const AHEAD: Duration = Duration::from_micros(200);

/// What is behind the chip's RJ45 socket, or behind its access point.
#[derive(Debug)]
pub(super) struct LinkPeer {
    clock: Clock,
    began: Instant,
    /// Simulated time at `began`.
    offset: Duration,
    wire: Wire,
    /// How long the PHYs take to find each other, and when they will have.
    link_time: Duration,
    linked_at: Duration,
    station: Peer,
    tap: Tap,
    frame: Vec<u8>,
    /// Frames that the kernel did not take.
    pub(super) refused: u64,
}

impl LinkPeer {
    /// The interface at this end of a wire whose PHYs take so long to find each other. They have, if it is up.
    pub(super) fn new((wire, far): (Wire, ethdev_sim::Port), tap: Tap, link_time: Duration) -> Self {
        let clock = far.clock();
        Self {
            began: Instant::now(),
            offset: clock.now(),
            linked_at: clock.now(),
            link_time,
            clock,
            wire,
            station: Peer::new(far),
            frame: vec![0; tap.capabilities().rx_max_frame_len.bytes()],
            tap,
            refused: 0,
        }
    }

    /// Where simulated time should be.
    fn due(&self) -> Duration {
        self.offset + self.began.elapsed()
    }

    /// Whether to put a frame on the wire. The kernel keeps those for which it is too early.
    fn has_room(&self) -> bool {
        self.clock.now() >= self.linked_at && self.station.idle_at() < self.clock.now() + BACKLOG
    }

    /// Brings simulated time to the real one, and frames to where they go.
    pub(super) fn follow(&mut self) -> Result<(), TapError> {
        let ahead = self.clock.now().saturating_sub(self.due());
        if ahead > AHEAD {
            std::thread::sleep(ahead);
        }
        self.clock.advance_to(self.due());
        self.tap.service()?;
        let up = self.tap.link().is_up();
        if up && !self.wire.link().is_up() {
            self.linked_at = self.clock.now() + self.link_time;
        }
        self.wire.set_link(up);
        while self.has_room() {
            match self.tap.recv_frame(&mut self.frame) {
                Ok(Some(meta)) => self.station.send(&self.frame[..meta.len]),
                Ok(None) => break,
                // Since the interface was given a larger MTU. No chip of this speed takes such a frame.
                Err(TapError::BufferTooSmall { .. }) => {
                    self.tap.discard_frame()?;
                    continue;
                }
                Err(e) => return Err(e),
            };
        }
        while let Some(frame) = self.station.recv() {
            match self.tap.send_frame(&frame) {
                Ok(()) => {}
                Err(e @ TapError::InterfaceRemoved { .. }) => return Err(e),
                Err(_) => self.refused += 1,
            }
        }
        Ok(())
    }

    /// Lets time pass, until the next event on the wire or in the chip, until the kernel sends, or for so long.
    pub(super) fn rest(&mut self, at_most: Duration) -> Result<(), TapError> {
        let event = self.clock.next_event().map(|at| at.saturating_sub(self.due()));
        let nap = event.map_or(at_most, |event| event.min(at_most));
        if !nap.is_zero() {
            let interest = if self.has_room() {
                Interest::RX | Interest::LINK
            } else {
                Interest::LINK
            };
            self.tap.wait(interest, Some(nap))?;
        }
        self.follow()
    }
}
