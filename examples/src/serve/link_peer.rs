//! The kernel's interface as the link peer of a simulated wire.

use core::time::Duration;
use std::time::Instant;

use ethdev::{Error as _, ErrorKind, EthernetDevice, Interest};
use ethdev_linux::{InterfaceError, Tap};
use ethdev_sim::{Clock, Peer, Wire};

/// How far ahead of simulated time frames from the kernel are put on the wire. Frames beyond that
/// wait in the kernel's queue.
const BACKLOG: Duration = Duration::from_millis(3);
/// How far simulated time may be ahead of real time before the thread sleeps. Shorter sleeps are
/// imprecise.
const AHEAD: Duration = Duration::from_micros(200);

/// The link peer of the modelled chip: a TAP interface.
#[derive(Debug)]
pub(super) struct LinkPeer {
    clock: Clock,
    start: Instant,
    /// Simulated time at `start`.
    offset: Duration,
    wire: Wire,
    /// Duration of auto-negotiation, and the simulated time of its end.
    link_time: Duration,
    linked_at: Duration,
    peer: Peer,
    tap: Tap,
    frame: Vec<u8>,
    /// Frames that the kernel did not accept.
    pub(super) dropped: u64,
}

impl LinkPeer {
    /// Connects `tap` to the end `port` of `wire`, whose PHYs take `link_time` to negotiate. If the
    /// link is up, they are done.
    pub(super) fn new((wire, port): (Wire, ethdev_sim::Port), tap: Tap, link_time: Duration) -> Self {
        let clock = port.clock();
        Self {
            start: Instant::now(),
            offset: clock.now(),
            linked_at: clock.now(),
            link_time,
            clock,
            wire,
            peer: Peer::new(port),
            frame: vec![0; tap.capabilities().rx_max_frame_len.bytes()],
            tap,
            dropped: 0,
        }
    }

    /// Returns the simulated time that corresponds to now.
    fn due(&self) -> Duration {
        self.offset + self.start.elapsed()
    }

    /// Returns whether the wire takes a frame. Until then frames wait in the kernel's queue.
    fn tx_ready(&self) -> bool {
        self.clock.now() >= self.linked_at && self.peer.idle_at() < self.clock.now() + BACKLOG
    }

    /// Advances simulated time to real time, and transfers frames.
    pub(super) fn catch_up(&mut self) -> Result<(), InterfaceError> {
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
        while self.tx_ready() {
            match self.tap.recv_frame(&mut self.frame) {
                Ok(Some(meta)) => self.peer.send(&self.frame[..meta.len]),
                Ok(None) => break,
                // The IP MTU of the interface was raised. The chip does not receive such a frame.
                Err(e) if matches!(e.kind(), ErrorKind::BufferTooSmall { .. }) => {
                    self.tap.discard_frame()?;
                    continue;
                }
                Err(e) => return Err(e),
            };
        }
        while let Some(frame) = self.peer.recv() {
            match self.tap.send_frame(&frame) {
                Ok(()) => {}
                Err(e @ InterfaceError::InterfaceRemoved { .. }) => return Err(e),
                Err(_) => self.dropped += 1,
            }
        }
        Ok(())
    }

    /// Waits for the next event on the wire or in the chip, for a frame from the kernel, or for
    /// `timeout`.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<(), InterfaceError> {
        let event = self.clock.next_event().map(|at| at.saturating_sub(self.due()));
        let timeout = event.map_or(timeout, |event| event.min(timeout));
        if !timeout.is_zero() {
            let interest = if self.tx_ready() {
                Interest::RX | Interest::LINK
            } else {
                Interest::LINK
            };
            self.tap.wait(interest, Some(timeout))?;
        }
        self.catch_up()
    }
}
