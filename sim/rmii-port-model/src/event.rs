//! Events and the interrupts that they raise.

/// An event that interrupts the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The receiver stopped: its buffer can be taken with
    /// [`RmiiPort::rx_done`](crate::RmiiPort::rx_done).
    Received = 0,
    /// The transmitter is free again: the last bit is out, and the gap after it is over.
    Sent = 1,
}

/// Mask and flags of the events.
#[derive(Debug)]
pub(crate) struct Interrupts {
    enabled: [bool; 2],
    pending: [bool; 2],
}

impl Default for Interrupts {
    fn default() -> Self {
        Self {
            enabled: [true; 2],
            pending: [false; 2],
        }
    }
}

impl Interrupts {
    pub(crate) const fn raise(&mut self, event: Event) {
        self.pending[event as usize] = true;
    }

    pub(crate) const fn clear(&mut self, event: Event) {
        self.pending[event as usize] = false;
    }

    pub(crate) const fn enable(&mut self, event: Event, on: bool) {
        self.enabled[event as usize] = on;
    }

    /// Takes the next event that is pending and enabled.
    pub(crate) fn take(&mut self) -> Option<Event> {
        [Event::Received, Event::Sent].into_iter().find(|event| {
            let event = *event as usize;
            self.enabled[event] && core::mem::take(&mut self.pending[event])
        })
    }
}
