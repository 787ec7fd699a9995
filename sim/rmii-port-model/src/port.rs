//! The handle on a port.

use core::fmt;
use std::rc::Rc;

use ethdev_sim::MediaSide;
use ethdev_sim::model;

use crate::config::RmiiPortConfig;
use crate::event::Event;
use crate::model::{Cell, Model};
use crate::rx::RxDone;
use crate::stats::ModelStats;
use crate::violations::{Violation, ViolationKind};

/// A port on its medium. Clones are the same port.
pub struct RmiiPort<B: AsRef<[u8]> + AsMut<[u8]> + 'static = &'static mut [u8]>(Rc<Cell<B>>);

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> Clone for RmiiPort<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> RmiiPort<B> {
    /// Creates a port on the RMII of a PHY model, or on a bare wire of 100 Mbit/s.
    #[must_use]
    pub fn new(media: impl MediaSide + 'static, config: RmiiPortConfig) -> Self {
        Self(Model::attach(Box::new(media), config))
    }

    /// One access by the host.
    fn access<R>(&self, act: impl FnOnce(&mut Model<B>) -> R) -> R {
        self.0.access.call(());
        self.0.with(act)
    }

    /// Starts the receiver: it receives the next frame that begins, and stops.
    ///
    /// # Errors
    ///
    /// Returns the buffer where the receiver is running, where the last frame was not taken, or
    /// where the buffer is empty. Each is a protocol violation.
    pub fn start_rx(&self, buffer: B) -> Result<(), B> {
        self.access(|port| port.start_rx(buffer))
    }

    /// Stops the receiver and returns its buffer; `None` where it is not running. The frame that
    /// was coming in is lost.
    #[must_use]
    pub fn stop_rx(&self) -> Option<B> {
        self.access(Model::stop_rx)
    }

    /// Takes the received frame once the receiver has stopped by itself.
    #[must_use]
    pub fn rx_done(&self) -> Option<RxDone<B>> {
        self.access(Model::take_rx)
    }

    /// Whether the receiver has stopped by itself, and its frame was not taken yet.
    #[must_use]
    pub fn is_rx_done(&self) -> bool {
        self.access(|port| port.is_rx_done())
    }

    /// Whether the receiver is running.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.access(|port| port.is_receiving())
    }

    /// Sends the first `len` bytes of the buffer after preamble and delimiter. The host provides
    /// padding and FCS.
    ///
    /// During another transmission this cuts that one off, as such hardware does, and is a protocol
    /// violation.
    pub fn start_tx(&self, buffer: B, len: usize) {
        self.0.access.call(());
        let media = self.0.media_state();
        self.0.with(|port| port.start_tx(buffer, len, media));
    }

    /// Whether a frame is being sent: from `start_tx` to the end of the gap after its last bit.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.access(|port| port.is_sending())
    }

    /// Whether bytes of the frame are still being fetched from memory. The last ones are in the
    /// transmit FIFO, and not on the wire, when this ends.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        self.access(|port| port.is_fetching())
    }

    /// Takes back the buffer of a transmission that has ended, the oldest first.
    #[must_use]
    pub fn tx_done(&self) -> Option<B> {
        self.access(Model::take_tx)
    }

    /// Aborts the transmission that is running or hangs. Its buffer is returned by
    /// [`tx_done`](Self::tx_done).
    pub fn abort_tx(&self) {
        self.access(Model::abort_tx);
    }

    /// Sets the handler of the events that are enabled; both are at the start. Replaces the handler
    /// before.
    ///
    /// It is called like an interrupt handler, within the call that moved the clock or used the
    /// port. It may use the port.
    pub fn on_event(&self, handler: impl FnMut(Event) + 'static) {
        self.0.event.set(Box::new(handler));
    }

    /// Enables or masks an event. One that occurred while it was masked interrupts when it is
    /// enabled again, unless [cleared](Self::clear_event).
    pub fn enable_event(&self, event: Event, on: bool) {
        self.access(|port| port.interrupts.enable(event, on));
    }

    /// Clears the flag of a masked event.
    pub fn clear_event(&self, event: Event) {
        self.access(|port| port.interrupts.clear(event));
    }

    /// Sets a handler that is called before each call of the host. Replaces the handler before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// Makes the next transmission hang: it never ends, and has to be [aborted](Self::abort_tx).
    pub fn hang_next_tx(&self) {
        self.0.with(Model::hang_next_tx);
    }

    /// Holds back transmissions that start from now on, or releases the one that is held back.
    pub fn hold_tx(&self, hold: bool) {
        let media = self.0.media_state();
        self.0.with(|port| port.hold_tx(hold, media));
    }

    /// Lets a frame with its FCS arrive in no time, without the medium: for races with the host's
    /// accesses.
    pub fn arrive(&self, frame_with_fcs: &[u8]) {
        self.0.with(|port| port.inject_rx(frame_with_fcs));
    }

    /// Overrides the length that the receiver reports of its next frame.
    pub fn override_rx_len(&self, len: usize) {
        self.0.with(|port| port.override_rx_len(len));
    }

    model::methods!(ModelStats, Violation, ViolationKind);
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> fmt::Debug for RmiiPort<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.model();
        f.debug_struct("RmiiPort")
            .field("stats", &port.context.stats)
            .field("violations", &port.context.violations.kept().len())
            .finish_non_exhaustive()
    }
}
