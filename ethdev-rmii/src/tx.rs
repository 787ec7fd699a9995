//! Sending: padding, FCS, and a transmit timeout.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use ethdev::frame::{FCS_LEN, HEADER_LEN, MIN_FRAME_LEN};
use ethdev::{ErrorKind, Link, Stats, TxHalf};

use crate::error::{Error, PortError};
use crate::fcs;
use crate::fifo::Fifo;
use crate::port::TxPort;
use crate::stats::count_fault;
use crate::trace::warning;

/// Transmit timeout. The longest frame takes 123 µs at 100 Mbit/s; the clock may have coarse ticks.
const TX_TIMEOUT: Duration = Duration::from_millis(100);

pub(crate) struct Transmitter<T: TxPort, C, const N: usize> {
    pub(crate) port: T,
    clock: C,
    free: Fifo<T::Buffer, N>,
    /// Lengths, as passed by the caller, of the frames that the port has.
    queued: Fifo<usize, N>,
    /// The latest time at which transmission of the oldest of them can have begun.
    since: Duration,
    /// The last call of the port failed, and the fault was counted.
    failed: bool,
    pub(crate) started: bool,
    /// The MAC is in a fault.
    pub(crate) fault: bool,
    pub(crate) link: Link,
    pub(crate) max_len: usize,
    pub(crate) stats: Stats,
}

impl<T: TxPort, C, const N: usize> fmt::Debug for Transmitter<T, C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transmitter")
            .field("started", &self.started)
            .field("link", &self.link)
            .field("free", &self.free.len())
            .field("queued", &self.queued.len())
            .finish_non_exhaustive()
    }
}

/// The counter of frames that are aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Aborted,
    Reset,
}

impl<T: TxPort, C: FnMut() -> Duration, const N: usize> Transmitter<T, C, N> {
    pub(crate) fn new(port: T, buffers: [T::Buffer; N], clock: C, max_len: usize) -> Self {
        Self {
            port,
            clock,
            free: Fifo::full(buffers),
            queued: Fifo::new(),
            since: Duration::ZERO,
            failed: false,
            started: false,
            fault: false,
            link: Link::Down,
            max_len,
            stats: Stats::ZERO,
        }
    }

    /// Completes sent frames. Aborts and resets the port after a transmit timeout.
    fn reap(&mut self) -> Result<(), PortError<T::Error>> {
        if self.fault {
            return Err(ErrorKind::Fault.into());
        }
        if self.queued.is_empty() {
            return if self.has_all_buffers() {
                Ok(())
            } else {
                Err(PortError::BuffersLost)
            };
        }
        let now = (self.clock)();
        for _ in 0..N {
            let done = self.port.done();
            count_fault(&done, &mut self.failed, &mut self.stats);
            let Some(buffer) = done.map_err(PortError::Port)? else {
                break;
            };
            if let Some(len) = self.queued.pop() {
                self.stats.count_tx(len);
            }
            self.keep(buffer);
            self.since = now;
        }
        if !self.queued.is_empty() && now.saturating_sub(self.since) > TX_TIMEOUT {
            warning!("transmit timeout: port is reset");
            self.stats.faults = self.stats.faults.wrapping_add(1);
            self.abort(Loss::Aborted);
            self.port.reset().map_err(PortError::Port)?;
            if !self.has_all_buffers() {
                return Err(PortError::BuffersLost);
            }
            self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        }
        Ok(())
    }

    fn keep(&mut self, buffer: T::Buffer) {
        // The queue has a slot for each buffer of the driver.
        let _ = self.free.push(buffer);
    }

    /// Takes all buffers from the port.
    fn abort(&mut self, loss: Loss) {
        // Bounded: a faulty port may return buffers without end.
        for _ in 0..=N {
            let Some(buffer) = self.port.abort() else { break };
            self.keep(buffer);
        }
        let counter = match loss {
            Loss::Aborted => &mut self.stats.tx_aborted,
            Loss::Reset => &mut self.stats.tx_reset,
        };
        while self.queued.pop().is_some() {
            *counter = counter.wrapping_add(1);
        }
    }

    /// Completes sent frames and aborts the others, counted in `tx_reset`.
    pub(crate) fn clear(&mut self) -> Result<(), PortError<T::Error>> {
        let reaped = self.reap();
        self.abort(Loss::Reset);
        reaped
    }

    /// Returns the port, the clock and the free buffers.
    pub(crate) fn release(mut self) -> (T, C, [Option<T::Buffer>; N]) {
        let buffers = core::array::from_fn(|_| self.free.pop());
        (self.port, self.clock, buffers)
    }

    /// Returns whether all buffers are free. Meaningful while the port has no frame.
    pub(crate) const fn has_all_buffers(&self) -> bool {
        self.free.len() == N
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.started && self.link.is_up()
    }

    /// Returns whether a buffer is free and the port accepts a frame.
    pub(crate) fn has_capacity(&mut self) -> Result<bool, PortError<T::Error>> {
        self.reap()?;
        // A stopped port accepts nothing; memory is lent all the same.
        Ok(!self.free.is_empty() && (!self.started || self.port.has_capacity()))
    }

    fn memory(&mut self, len: usize) -> Option<&mut [u8]> {
        let end = T::HEADROOM.checked_add(len)?;
        self.free.front_mut()?.as_mut().get_mut(T::HEADROOM..end)
    }

    /// Returns an error if the transmitter is in a fault or stopped, or the link is down.
    pub(crate) const fn check_state(&self) -> Result<(), ErrorKind> {
        if self.fault {
            return Err(ErrorKind::Fault);
        }
        if !self.started {
            return Err(ErrorKind::Stopped);
        }
        if !self.link.is_up() {
            return Err(ErrorKind::LinkDown);
        }
        Ok(())
    }

    /// Pads the frame in the memory that was lent last, appends the FCS, and sends it.
    fn send(&mut self, len: usize) -> Result<(), ErrorKind> {
        self.check_state()?;
        let padded = len.max(MIN_FRAME_LEN);
        let complete = padded.saturating_add(FCS_LEN);
        let (frame, fcs) = self
            .memory(complete)
            .and_then(|memory| memory.split_at_mut_checked(padded))
            .ok_or(ErrorKind::Busy)?;
        if let Some(padding) = frame.get_mut(len..) {
            padding.fill(0);
        }
        fcs.copy_from_slice(&fcs::of(frame));
        let buffer = self.free.pop().ok_or(ErrorKind::Busy)?;
        if let Err(buffer) = self.port.start(buffer, complete) {
            self.keep(buffer);
            return Err(ErrorKind::Busy);
        }
        if self.queued.is_empty() {
            self.since = (self.clock)();
        }
        let _ = self.queued.push(len);
        Ok(())
    }
}

/// The transmit half of a [`SoftMac`](crate::SoftMac): lends the buffers that the port sends from.
#[derive(Debug)]
pub struct SoftMacTx<'a, T: TxPort, C, E, const N: usize> {
    transmitter: &'a mut Transmitter<T, C, N>,
    reserved: usize,
    error: PhantomData<E>,
}

impl<'a, T: TxPort, C, E, const N: usize> SoftMacTx<'a, T, C, E, N> {
    pub(crate) const fn new(transmitter: &'a mut Transmitter<T, C, N>) -> Self {
        Self {
            transmitter,
            reserved: 0,
            error: PhantomData,
        }
    }
}

impl<T: TxPort, C: FnMut() -> Duration, E: ethdev::Error + 'static, const N: usize> TxHalf
    for SoftMacTx<'_, T, C, E, N>
{
    type Error = Error<T::Error, E>;

    fn ready(&mut self) -> Result<bool, Self::Error> {
        Ok(self.transmitter.has_capacity()?)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.reserved = 0;
        check_len(len, self.transmitter.max_len)?;
        if !self.transmitter.has_capacity()? {
            return Ok(None);
        }
        self.reserved = len;
        Ok(self.transmitter.memory(len))
    }

    fn commit(&mut self, len: usize) -> Result<(), Self::Error> {
        check_len(len, core::mem::take(&mut self.reserved))?;
        Ok(self.transmitter.send(len)?)
    }
}

const fn check_len(len: usize, max: usize) -> Result<(), ErrorKind> {
    if len < HEADER_LEN {
        Err(ErrorKind::FrameTooShort)
    } else if len > max {
        Err(ErrorKind::FrameTooLong { max })
    } else {
        Ok(())
    }
}
