//! Sending: padding, FCS, and a watch over the port.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use ethdev::frame::{FCS_LEN, HEADER_LEN, MIN_FRAME_LEN};
use ethdev::{ErrorKind, Link, Stats, TxHalf};

use super::Error;
use super::fcs;
use super::fifo::Fifo;
use super::port::TxPort;
use super::rx::count_failure;
use crate::trace::warning;

/// How long a frame may take. The longest one is on the wire for 123 µs at 100 Mbit/s; the clock may have coarse ticks.
pub(super) const TX_TIME: Duration = Duration::from_millis(100);

pub(super) struct Transmitter<T: TxPort, C, const N: usize> {
    pub(super) port: T,
    pub(super) clock: C,
    free: Fifo<T::Buffer, N>,
    /// The lengths, as the caller gave them, of the frames that the port has.
    flying: Fifo<usize, N>,
    /// When the oldest of them began, at the latest.
    since: Duration,
    /// The port fails, and that was counted.
    failed: bool,
    pub(super) started: bool,
    pub(super) link: Link,
    pub(super) max_len: usize,
    pub(super) stats: Stats,
}

impl<T: TxPort, C, const N: usize> fmt::Debug for Transmitter<T, C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transmitter")
            .field("started", &self.started)
            .field("link", &self.link)
            .field("free", &self.free.len())
            .field("flying", &self.flying.len())
            .finish_non_exhaustive()
    }
}

/// What a failed transmission is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    Aborted,
    Reset,
}

/// Why a frame was not taken.
#[derive(Debug)]
pub(super) enum Refusal<E> {
    Port(E),
    Request(ErrorKind),
    BuffersLost,
}

impl<P, M> From<Refusal<P>> for Error<P, M> {
    fn from(refusal: Refusal<P>) -> Self {
        match refusal {
            Refusal::Port(e) => Error::Port(e),
            Refusal::Request(kind) => Error::Request(kind),
            Refusal::BuffersLost => Error::BuffersLost,
        }
    }
}

impl<T: TxPort, C: FnMut() -> Duration, const N: usize> Transmitter<T, C, N> {
    pub(super) fn new(port: T, buffers: [T::Buffer; N], clock: C, max_len: usize) -> Self {
        Self {
            port,
            clock,
            free: Fifo::full(buffers),
            flying: Fifo::new(),
            since: Duration::ZERO,
            failed: false,
            started: false,
            link: Link::Down,
            max_len,
            stats: Stats::ZERO,
        }
    }

    /// Collects what has been sent, and looks after what takes too long.
    pub(super) fn reap(&mut self) -> Result<(), Refusal<T::Error>> {
        if self.flying.is_empty() {
            return if self.is_whole() {
                Ok(())
            } else {
                Err(Refusal::BuffersLost)
            };
        }
        let now = (self.clock)();
        for _ in 0..N {
            let done = self.port.done();
            count_failure(&done, &mut self.failed, &mut self.stats);
            let Some(buffer) = done.map_err(Refusal::Port)? else {
                break;
            };
            if let Some(len) = self.flying.pop() {
                self.stats.count_tx(len);
            }
            self.keep(buffer);
            self.since = now;
        }
        if !self.flying.is_empty() && now.saturating_sub(self.since) > TX_TIME {
            warning!("a frame did not leave: transmission is stopped and set up again");
            self.stats.faults = self.stats.faults.wrapping_add(1);
            self.abort(Loss::Aborted);
            self.port.reset().map_err(Refusal::Port)?;
            if !self.is_whole() {
                return Err(Refusal::BuffersLost);
            }
            self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        }
        Ok(())
    }

    fn keep(&mut self, buffer: T::Buffer) {
        // There is room for each of the driver's own buffers.
        let _ = self.free.push(buffer);
    }

    /// Takes everything back.
    pub(super) fn abort(&mut self, loss: Loss) {
        // No more than there are: a port that makes up buffers does not hold the driver.
        for _ in 0..=N {
            let Some(buffer) = self.port.abort() else { break };
            self.keep(buffer);
        }
        let counter = match loss {
            Loss::Aborted => &mut self.stats.tx_aborted,
            Loss::Reset => &mut self.stats.tx_reset,
        };
        while self.flying.pop().is_some() {
            *counter = counter.wrapping_add(1);
        }
    }

    /// Collects what has been sent, and takes the rest back.
    pub(super) fn clear(&mut self) -> Result<(), Refusal<T::Error>> {
        let reaped = self.reap();
        self.abort(Loss::Reset);
        reaped
    }

    /// The port, the clock, and the buffers that are here.
    pub(super) fn release(mut self) -> (T, C, [Option<T::Buffer>; N]) {
        let buffers = core::array::from_fn(|_| self.free.pop());
        (self.port, self.clock, buffers)
    }

    /// Whether all buffers are here, while the port has none.
    pub(super) const fn is_whole(&self) -> bool {
        self.free.len() == N
    }

    pub(super) const fn is_up(&self) -> bool {
        self.started && self.link.is_up()
    }

    /// Whether there is memory for a frame and the port would take it.
    pub(super) fn has_room(&mut self) -> Result<bool, Refusal<T::Error>> {
        self.reap()?;
        // A stopped port takes nothing, and memory is lent all the same.
        Ok(!self.free.is_empty() && (!self.started || self.port.has_room()))
    }

    fn memory(&mut self, len: usize) -> Option<&mut [u8]> {
        let end = T::HEADROOM.checked_add(len)?;
        self.free.front_mut()?.as_mut().get_mut(T::HEADROOM..end)
    }

    fn check_state(&self) -> Result<(), Refusal<T::Error>> {
        if !self.started {
            return Err(Refusal::Request(ErrorKind::Stopped));
        }
        if !self.link.is_up() {
            return Err(Refusal::Request(ErrorKind::LinkDown));
        }
        Ok(())
    }

    /// Whether a frame could be sent now, but for room.
    pub(super) fn check<M>(&self) -> Result<(), Error<T::Error, M>> {
        self.check_state().map_err(Error::from)
    }

    /// Pads, seals and sends what was written to the memory lent last.
    fn send(&mut self, len: usize) -> Result<(), Refusal<T::Error>> {
        self.check_state()?;
        let padded = len.max(MIN_FRAME_LEN);
        let sealed = padded.saturating_add(FCS_LEN);
        let busy = Refusal::Request(ErrorKind::Busy);
        let Some((frame, fcs)) = self
            .memory(sealed)
            .and_then(|memory| memory.split_at_mut_checked(padded))
        else {
            return Err(busy);
        };
        if let Some(padding) = frame.get_mut(len..) {
            padding.fill(0);
        }
        fcs.copy_from_slice(&fcs::of(frame));
        let Some(buffer) = self.free.pop() else {
            return Err(busy);
        };
        if let Err(buffer) = self.port.start(buffer, sealed) {
            self.keep(buffer);
            return Err(busy);
        }
        if self.flying.is_empty() {
            self.since = (self.clock)();
        }
        let _ = self.flying.push(len);
        Ok(())
    }
}

/// The sending half of a [`SoftMac`](super::SoftMac): lends the buffers that the port sends from.
#[derive(Debug)]
pub struct OneShotTx<'a, T: TxPort, C, E, const N: usize> {
    pub(super) transmitter: &'a mut Transmitter<T, C, N>,
    pub(super) reserved: Option<usize>,
    pub(super) error: PhantomData<E>,
}

impl<T: TxPort, C: FnMut() -> Duration, E: ethdev::Error, const N: usize> TxHalf for OneShotTx<'_, T, C, E, N> {
    type Error = Error<T::Error, E>;

    fn ready(&mut self) -> Result<bool, Self::Error> {
        Ok(self.transmitter.has_room()?)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.reserved = None;
        let max = self.transmitter.max_len;
        if len < HEADER_LEN {
            return Err(Error::Request(ErrorKind::FrameTooShort));
        }
        if len > max {
            return Err(Error::Request(ErrorKind::FrameTooLong { max }));
        }
        if !self.transmitter.has_room()? {
            return Ok(None);
        }
        self.reserved = Some(len);
        Ok(self.transmitter.memory(len))
    }

    fn commit(&mut self, len: usize) -> Result<(), Self::Error> {
        let reserved = self.reserved.take().unwrap_or(0);
        if len < HEADER_LEN {
            return Err(Error::Request(ErrorKind::FrameTooShort));
        }
        if len > reserved {
            return Err(Error::Request(ErrorKind::FrameTooLong { max: reserved }));
        }
        Ok(self.transmitter.send(len)?)
    }
}
