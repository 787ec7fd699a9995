//! smoltcp's tokens: one half of a lending device each.
//!
//! smoltcp's closure is called in one place only of each: then the compiler puts it there, which is worth more than all else in this crate.

use ethdev::frame::HEADER_LEN;
use ethdev::{RxHalf, TxHalf};
use smoltcp::phy;

use crate::ledger::Ledger;
use crate::tx_port::TxPort;

/// The right to read one received frame where it lies.
///
/// Dropped unconsumed, it leaves the frame where it was: the next one gets it.
#[derive(Debug)]
pub struct RxToken<'a, R: RxHalf> {
    half: R,
    ledger: &'a mut Ledger<R::Error>,
}

/// What becomes of a frame that was lent.
enum End {
    Release,
    Discard,
    /// There was none.
    Nothing,
}

impl<'a, R: RxHalf> RxToken<'a, R> {
    pub(crate) const fn new(half: R, ledger: &'a mut Ledger<R::Error>) -> Self {
        Self { half, ledger }
    }

    /// Throws away what is no Ethernet frame.
    #[cold]
    fn discard(&mut self) {
        self.ledger.count_drop(|drops| &mut drops.rx_too_short);
        if let Err(e) = self.half.discard() {
            self.ledger.latch(e);
        }
    }
}

impl<R: RxHalf> phy::RxToken for RxToken<'_, R> {
    #[inline]
    fn consume<T, F: FnOnce(&[u8]) -> T>(mut self, f: F) -> T {
        // smoltcp takes an empty frame for nothing to do.
        let nothing: &[u8] = &[];
        let (frame, end) = match self.half.peek() {
            Ok(Some(frame)) if frame.len() >= HEADER_LEN => (&*frame.into_data(), End::Release),
            Ok(Some(_)) => (nothing, End::Discard),
            Ok(None) => (nothing, End::Nothing),
            Err(e) => {
                self.ledger.latch(e);
                (nothing, End::Nothing)
            }
        };
        let result = f(frame);
        match end {
            End::Release => {
                if let Err(e) = self.half.release() {
                    self.ledger.latch(e);
                }
            }
            End::Discard => self.discard(),
            End::Nothing => {}
        }
        result
    }
}

/// The right to send one frame, written straight into the device's memory, or into the spare where the device has no room.
///
/// Dropped unconsumed, it costs nothing.
#[derive(Debug)]
pub struct TxToken<'a, 'b, T: TxHalf> {
    half: T,
    port: &'a mut TxPort<'b, T::Error>,
}

impl<'a, 'b, T: TxHalf> TxToken<'a, 'b, T> {
    pub(crate) const fn new(half: T, port: &'a mut TxPort<'b, T::Error>) -> Self {
        Self { half, port }
    }
}

impl<T: TxHalf> phy::TxToken for TxToken<'_, '_, T> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, len: usize, f: F) -> R {
        // What waits is older: it must not be overtaken.
        let reserved = if self.port.has_pending_reply() {
            Ok(None)
        } else {
            self.half.reserve(len)
        };
        let memory = match reserved {
            Ok(Some(memory)) if memory.len() == len => memory,
            // Another length than asked for is no room, whatever the device calls it.
            other => self.port.instead(len, other.err()),
        };
        // By its address, not by a flag: with a flag the compiler makes two copies of the call, and puts the closure in neither place.
        let place = memory.as_ptr();
        let result = f(memory);
        if !self.port.is_spare(place)
            && let Err(e) = self.half.commit(len)
        {
            self.port.refuse(e);
        }
        result
    }
}
