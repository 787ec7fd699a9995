//! smoltcp's tokens: one half of a lending device each.

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
    ledger: &'a Ledger<R::Error>,
}

impl<'a, R: RxHalf> RxToken<'a, R> {
    pub(crate) const fn new(half: R, ledger: &'a Ledger<R::Error>) -> Self {
        Self { half, ledger }
    }
}

impl<R: RxHalf> phy::RxToken for RxToken<'_, R> {
    #[inline]
    fn consume<T, F: FnOnce(&[u8]) -> T>(mut self, f: F) -> T {
        let result = match self.half.peek() {
            Ok(Some(frame)) if frame.len() >= HEADER_LEN => f(&frame),
            Ok(Some(_)) => return self.discard(f),
            Ok(None) => f(&[]),
            Err(e) => {
                self.ledger.latch(e);
                f(&[])
            }
        };
        if let Err(e) = self.half.release() {
            self.ledger.latch(e);
        }
        result
    }
}

impl<R: RxHalf> RxToken<'_, R> {
    /// Throws away what is no Ethernet frame. smoltcp takes an empty one for "nothing to do".
    #[cold]
    fn discard<T, F: FnOnce(&[u8]) -> T>(&mut self, f: F) -> T {
        self.ledger.count_drop(|drops| &mut drops.rx_too_short);
        if let Err(e) = self.half.discard() {
            self.ledger.latch(e);
        }
        f(&[])
    }
}

/// The right to send one frame, written straight into the device's memory, or into the spare where the device has no room.
///
/// Dropped unconsumed, it costs nothing.
#[derive(Debug)]
pub struct TxToken<'a, 'b, T: TxHalf> {
    half: T,
    port: &'a mut TxPort<'b, T::Error>,
    ledger: &'a Ledger<T::Error>,
}

impl<'a, 'b, T: TxHalf> TxToken<'a, 'b, T> {
    pub(crate) const fn new(half: T, port: &'a mut TxPort<'b, T::Error>, ledger: &'a Ledger<T::Error>) -> Self {
        Self { half, port, ledger }
    }
}

impl<T: TxHalf> phy::TxToken for TxToken<'_, '_, T> {
    #[inline]
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, len: usize, f: F) -> R {
        // What waits is older: it must not be overtaken.
        if self.port.is_parked() {
            return self.port.park(len, self.ledger, f);
        }
        match self.half.reserve(len) {
            Ok(Some(memory)) => {
                // Less than asked for is no room, whatever the device calls it.
                let Some(memory) = memory.get_mut(..len) else {
                    return self.port.park(len, self.ledger, f);
                };
                let result = f(memory);
                if let Err(e) = self.half.commit(len) {
                    self.port.refuse(e, self.ledger);
                }
                result
            }
            Ok(None) => self.port.park(len, self.ledger, f),
            Err(e) if ethdev::Error::kind(&e).is_busy() => self.port.park(len, self.ledger, f),
            Err(e) => self.port.discard(len, e, self.ledger, f),
        }
    }
}
