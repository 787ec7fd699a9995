//! A one-shot RMII port: the shape of the MACs that are programs of a programmable I/O block, on the RP2040 for instance.
//!
//! It is hardly a MAC. Its receiver takes one frame into one buffer, and stops; its transmitter makes preamble and delimiter, and sends what it is given. Frame
//! check sequences both ways, padding, filters and lengths are the driver's. It runs at 100 Mbit/s, full duplex, and at nothing else.
//!
//! Sources: the RMII specification's timing, and what public programs of this shape do, and get wrong.
//!
//! # Units and conventions
//!
//! Time is the clock's. Buffers are owned by the port while it uses them, and given back: a `&'static mut [u8]`, a `Box<[u8]>`, a `Vec<u8>`. A frame is put into
//! its buffer when its last bit has come in, and taken from it when its transmission begins. Data comes with its FCS, unchecked, and without preamble.
//!
//! # Not modelled
//!
//! The drift of a receiver that runs on a clock of its own, the dibits of a 10 Mbit/s link (nothing is received from one), and `RX_ER`.

#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod books;
mod config;
mod hardware;
mod rx;
mod tx;

use core::fmt;
use std::rc::Rc;

pub use books::{ModelStats, Violation, ViolationKind};
pub use config::{FalseCarrier, MidFrame, RmiiPortConfig};

use ethdev_sim::{Clock, MediaSide};
use hardware::Shared;

/// What interrupts the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The receiver has stopped: there is something to be taken with [`RmiiPort::rx_done`].
    Received = 0,
    /// The transmitter is free again: the last bit is out, and the gap after it is over.
    Sent = 1,
}

/// What a receiver that has stopped leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RxDone<B> {
    /// The buffer.
    pub buffer: B,
    /// How many whole bytes came in: the FCS and whatever followed it included; 0 for carrier without a frame. No more than the buffer has, unless
    /// [forged](RmiiPort::override_rx_len).
    pub len: usize,
}

/// A one-shot port on its medium. Clones are the same port.
///
/// ```
/// use rmii_port_model::{Event, RmiiPortConfig, RmiiPort};
/// use ethdev_sim::{Clock, Peer, Wire, WireConfig, fcs};
///
/// let clock = Clock::new();
/// let (_wire, near, far) = Wire::new(&clock, WireConfig::default());
/// let (port, peer) = (RmiiPort::new(near, RmiiPortConfig::default()), Peer::new(far));
/// port.start_rx(vec![0; 1536]).unwrap();
/// peer.send(&[0x5a; 60]);
/// peer.send(&[0xa5; 60]);
/// while clock.step() {}
/// let done = port.rx_done().unwrap();
/// assert_eq!(fcs::check(&done.buffer[..done.len]), Some(&[0x5a; 60][..]));
/// // Nobody had started it again.
/// assert_eq!((port.stats().received, port.stats().unarmed), (1, 1));
///
/// let frame = fcs::append(&[0x77; 60]);
/// port.start_tx(frame, 64);
/// while clock.step() {}
/// assert_eq!(peer.recv(), Some(vec![0x77; 60]));
/// assert_eq!(port.tx_done().map(|buffer| buffer.len()), Some(64));
/// ```
pub struct RmiiPort<B = &'static mut [u8]>(Rc<Shared<B>>);

impl<B> Clone for RmiiPort<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> RmiiPort<B> {
    /// A port on the RMII of a PHY ([`Rmii`](super::lan8720::Rmii)), or on a bare wire of 100 Mbit/s.
    #[must_use]
    pub fn new(media: impl MediaSide + 'static, config: RmiiPortConfig) -> Self {
        Self(Shared::new(Box::new(media), config))
    }

    /// Starts the receiver: it takes the next frame that begins, and stops.
    ///
    /// # Errors
    ///
    /// The buffer, where the receiver runs already, or what it received last was not taken yet, or the buffer is empty. Each is a misuse, and reported.
    pub fn start_rx(&self, buffer: B) -> Result<(), B> {
        self.0.access(|port| port.start_rx(buffer))
    }

    /// Stops the receiver, and takes its buffer back; `None` where it does not run. What was coming in is lost.
    #[must_use]
    pub fn stop_rx(&self) -> Option<B> {
        self.0.access(hardware::Model::stop_rx)
    }

    /// Takes what the receiver has left, once it has stopped by itself.
    #[must_use]
    pub fn rx_done(&self) -> Option<RxDone<B>> {
        self.0.access(hardware::Model::take_rx)
    }

    /// Whether the receiver has stopped by itself, and what it left was not taken yet.
    #[must_use]
    pub fn is_rx_done(&self) -> bool {
        self.0.access(|port| port.is_rx_done())
    }

    /// Whether the receiver runs.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.0.access(|port| port.is_receiving())
    }

    /// Sends the first `len` bytes of the buffer after preamble and delimiter, and nothing else: padding and FCS have to be in them.
    ///
    /// While a frame is on its way, this breaks it off, as such hardware does: a misuse, and reported.
    pub fn start_tx(&self, buffer: B, len: usize) {
        self.0.access(|port| port.start_tx(buffer, len));
    }

    /// Whether a frame is on its way: from `start_tx` to the end of the gap after its last bit.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.0.access(|port| port.is_sending())
    }

    /// Whether bytes of the frame are still being fetched from memory. Some that were are not out yet when this ends: it is not the end of the transmission.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        self.0.access(|port| port.is_fetching())
    }

    /// Takes back the buffer of a transmission that has ended, the oldest first.
    #[must_use]
    pub fn tx_done(&self) -> Option<B> {
        self.0.access(hardware::Model::take_tx)
    }

    /// Breaks off what is being sent, or hangs. Its buffer is then to be taken back as that of any other.
    pub fn abort_tx(&self) {
        self.0.access(hardware::Model::abort_tx);
    }

    /// Calls `handler` at each event that is enabled; both are at the start. Takes the place of the one before.
    ///
    /// It is called with nothing borrowed, in the middle of whatever moved the clock or used the port: like an interrupt handler. It may use the port.
    pub fn on_event(&self, handler: impl FnMut(Event) + 'static) {
        self.0.handler.set(Box::new(handler));
    }

    /// Enables or masks an event. One that happened while it was masked interrupts when it is enabled again, unless [cleared](Self::clear_event).
    pub fn enable_event(&self, event: Event, on: bool) {
        self.0.access(|port| port.enable(event, on));
    }

    /// Forgets that this event happened, where it is masked.
    pub fn clear_event(&self, event: Event) {
        self.0.access(|port| port.clear(event));
    }

    /// The port's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// Calls `handler` before each of the host's calls of this port. Takes the place of the one before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// The next transmission hangs: it never ends, and has to be [aborted](Self::abort_tx).
    pub fn hang_next_tx(&self) {
        self.0.with(hardware::Model::hang_next_tx);
    }

    /// Holds back what is to be sent from now on, or lets it go. What is going out goes out.
    pub fn hold_tx(&self, hold: bool) {
        self.0.with(|port| port.hold_tx(hold));
    }

    /// A frame arrives, FCS included, past the medium and in no time: for races with a host's accesses.
    pub fn arrive(&self, frame_with_fcs: &[u8]) {
        self.0.with(|port| port.frame_arrives(frame_with_fcs));
    }

    /// What the receiver says of its next frame: this length, whatever came.
    pub fn override_rx_len(&self, len: usize) {
        self.0.with(|port| port.forge(len));
    }

    /// What became of every frame so far.
    #[must_use]
    pub fn stats(&self) -> ModelStats {
        self.0.core.borrow().stats
    }

    /// The misuse so far, in order, up to a thousand.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.0.core.borrow().violations.clone()
    }

    /// As [`violations`](Self::violations), and forgets them.
    pub fn take_violations(&self) -> Vec<Violation> {
        core::mem::take(&mut self.0.core.borrow_mut().violations)
    }

    /// Reports this kind of misuse no longer.
    pub fn allow(&self, kind: ViolationKind) {
        self.0.core.borrow_mut().config.allowed.push(kind);
    }
}

impl<B> fmt::Debug for RmiiPort<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.core.borrow();
        f.debug_struct("RmiiPort")
            .field("stats", &port.stats)
            .field("violations", &port.violations.len())
            .finish_non_exhaustive()
    }
}
