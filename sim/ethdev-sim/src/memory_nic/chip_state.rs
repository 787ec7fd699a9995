//! The driver's view of the chip: cached link, faults, transmit state.

use ethdev::{ErrorKind, Link};

use super::chip::{Chip, ChipState};
use super::error::RingError;

/// The link as last seen.
#[derive(Debug)]
pub(super) struct LinkCache {
    pub(super) link: Link,
    generation: u32,
}

impl LinkCache {
    pub(super) const DOWN: Self = Self {
        link: Link::Down,
        generation: 0,
    };

    /// Follows the chip; cheap where nothing has changed.
    #[inline]
    pub(super) fn refresh(&mut self, chip: &Chip) {
        if self.generation != chip.link_generation {
            self.link = chip.link;
            self.generation = chip.link_generation;
        }
    }
}

impl Chip {
    /// The error of a chip that answers nothing.
    #[inline]
    pub(super) fn check(&mut self) -> Result<(), RingError> {
        if self.state.is_fault() {
            return Err(self.fault());
        }
        Ok(())
    }

    #[cold]
    fn fault(&mut self) -> RingError {
        self.notice_fault();
        if self.dead { RingError::Dead } else { RingError::Fault }
    }

    /// Whether a legal frame would go out, as far as state and link are concerned, and if not, why.
    #[inline]
    pub(super) fn may_send(&mut self) -> Result<(), RingError> {
        if self.carrier { Ok(()) } else { Err(self.why_not_send()) }
    }

    #[cold]
    fn why_not_send(&mut self) -> RingError {
        if let Err(fault) = self.check() {
            fault
        } else if self.state == ChipState::Running {
            RingError::Kind(ErrorKind::LinkDown)
        } else {
            RingError::Kind(ErrorKind::Stopped)
        }
    }
}
