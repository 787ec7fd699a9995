//! Receiving: gives buffers to the port, checks frames, lends them to the caller.

use core::fmt;
use core::marker::PhantomData;

use ethdev::frame::{FCS_LEN, Header, MIN_FRAME_LEN};
use ethdev::{ErrorKind, MacAddress, RxFilter, RxFrame, RxHalf, RxMeta, Stats, lending};

use crate::error::{Error, PortError};
use crate::fcs;
use crate::fifo::Fifo;
use crate::filter::Filter;
use crate::port::{FrameError, Received, RxPort};
use crate::stats::count_fault;

/// Each buffer is in one of three places: free, in the port, or ready.
pub(crate) struct Receiver<R: RxPort, const N: usize> {
    pub(crate) port: R,
    free: Fifo<R::Buffer, N>,
    ready: Fifo<(R::Buffer, usize), N>,
    /// The first ready frame was lent and not released.
    lent: bool,
    /// The last call of the port failed, and the fault was counted.
    failed: bool,
    pub(crate) started: bool,
    /// The MAC is in a fault.
    pub(crate) fault: bool,
    pub(crate) address: MacAddress,
    pub(crate) filter: Filter,
    pub(crate) max_len: usize,
    pub(crate) stats: Stats,
}

impl<R: RxPort, const N: usize> fmt::Debug for Receiver<R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("started", &self.started)
            .field("free", &self.free.len())
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

/// The result of checking a reception.
enum Check {
    /// A good frame of this length, without FCS.
    Good(usize),
    BadLength,
    BadFcs,
    Error,
    Filtered,
}

impl<R: RxPort, const N: usize> Receiver<R, N> {
    pub(crate) fn new(port: R, buffers: [R::Buffer; N], address: MacAddress, max_len: usize) -> Self {
        Self {
            port,
            free: Fifo::full(buffers),
            ready: Fifo::new(),
            lent: false,
            failed: false,
            started: false,
            fault: false,
            address,
            filter: Filter::new(RxFilter::DEFAULT).0,
            max_len,
            stats: Stats::ZERO,
        }
    }

    /// Gives the port as many buffers as it accepts.
    fn refill(&mut self) {
        while self.started && self.port.has_capacity() {
            let Some(buffer) = self.free.pop() else { return };
            if let Err(buffer) = self.port.start(buffer) {
                self.keep(buffer);
                return;
            }
        }
    }

    fn keep(&mut self, buffer: R::Buffer) {
        // The queue has a slot for each buffer of the driver.
        let _ = self.free.push(buffer);
    }

    /// Takes what was received. The port gets its next buffer before a frame is checked, so that
    /// the receiver is on when the next frame begins.
    pub(crate) fn collect(&mut self) -> Result<(), PortError<R::Error>> {
        if self.fault {
            return Err(ErrorKind::Fault.into());
        }
        if !self.started {
            return Ok(());
        }
        self.refill();
        // Bounded: bad frames may arrive as fast as they are dropped.
        for _ in 0..2 * N {
            let done = self.port.done();
            count_fault(&done, &mut self.failed, &mut self.stats);
            let Some(received) = done.map_err(PortError::Port)? else {
                break;
            };
            self.refill();
            self.accept(received);
            self.refill();
        }
        self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(self.port.missed());
        Ok(())
    }

    fn accept(&mut self, received: Received<R::Buffer>) {
        let Received {
            mut buffer,
            len,
            frame_error,
        } = received;
        let bytes = buffer.as_mut().get(..len);
        let counter = match self.check(bytes, frame_error) {
            Check::Good(len) => {
                if let Err((buffer, _)) = self.ready.push((buffer, len)) {
                    self.keep(buffer);
                }
                return;
            }
            Check::BadLength => &mut self.stats.rx_bad_length,
            Check::BadFcs => &mut self.stats.rx_bad_fcs,
            Check::Error => &mut self.stats.rx_error,
            Check::Filtered => &mut self.stats.rx_filtered,
        };
        *counter = counter.wrapping_add(1);
        self.keep(buffer);
    }

    fn check(&self, bytes: Option<&[u8]>, frame_error: Option<FrameError>) -> Check {
        let Some(bytes) = bytes else { return Check::BadLength };
        match frame_error {
            Some(FrameError::Overflow) => return Check::BadLength,
            Some(FrameError::Symbol) => return Check::Error,
            None => {}
        }
        let longest = self.max_len + FCS_LEN + R::MAX_DRIBBLE_BYTES;
        if bytes.len() < MIN_FRAME_LEN + FCS_LEN || bytes.len() > longest {
            return Check::BadLength;
        }
        let Some(len) = fcs::check(bytes, R::MAX_DRIBBLE_BYTES) else {
            return Check::BadFcs;
        };
        if len < MIN_FRAME_LEN || len > self.max_len {
            return Check::BadLength;
        }
        match Header::parse(bytes) {
            Some(header) if self.filter.passes(header.destination, self.address) => Check::Good(len),
            _ => Check::Filtered,
        }
    }

    pub(crate) const fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(crate) fn start(&mut self) {
        if !self.started {
            // Frames that passed while the receiver was stopped are not losses.
            self.port.missed();
            self.started = true;
        }
        self.refill();
    }

    /// Takes all buffers from the port; received frames are counted as lost.
    pub(crate) fn stop(&mut self) -> Result<(), PortError<R::Error>> {
        let collected = self.collect();
        let started = core::mem::replace(&mut self.started, false);
        // Bounded: a faulty port may return buffers without end.
        for _ in 0..=N {
            let Some(buffer) = self.port.stop() else { break };
            self.keep(buffer);
        }
        let missed = self.port.missed();
        if started {
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(missed);
        }
        self.lent = false;
        while let Some((buffer, _)) = self.ready.pop() {
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
            self.keep(buffer);
        }
        collected
    }

    /// Returns whether all buffers are free. Meaningful while the receiver is stopped.
    pub(crate) const fn has_all_buffers(&self) -> bool {
        self.free.len() == N
    }

    /// Returns the port and the free buffers.
    pub(crate) fn release(mut self) -> (R, [Option<R::Buffer>; N]) {
        let buffers = core::array::from_fn(|_| self.free.pop());
        (self.port, buffers)
    }

    /// Releases the lent frame. Does nothing if none is lent.
    fn release_frame(&mut self, delivered: bool) {
        if !core::mem::take(&mut self.lent) {
            return;
        }
        let Some((buffer, len)) = self.ready.pop() else { return };
        lending::count_release(&mut self.stats, len, delivered);
        self.keep(buffer);
        self.refill();
    }
}

/// The receive half of a [`SoftMac`](crate::SoftMac): lends frames in the buffers that the port
/// filled.
#[derive(Debug)]
pub struct SoftMacRx<'a, R: RxPort, E, const N: usize> {
    receiver: &'a mut Receiver<R, N>,
    error: PhantomData<E>,
}

impl<'a, R: RxPort, E, const N: usize> SoftMacRx<'a, R, E, N> {
    pub(crate) const fn new(receiver: &'a mut Receiver<R, N>) -> Self {
        Self {
            receiver,
            error: PhantomData,
        }
    }
}

impl<R: RxPort, E: ethdev::Error + 'static, const N: usize> RxHalf for SoftMacRx<'_, R, E, N> {
    type Error = Error<R::Error, E>;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        self.receiver.collect()?;
        let Some((buffer, len)) = self.receiver.ready.front_mut() else {
            return Ok(None);
        };
        self.receiver.lent = true;
        Ok(RxFrame::new(buffer.as_mut(), RxMeta::new(*len)))
    }

    fn pending(&mut self) -> Result<bool, Self::Error> {
        self.receiver.collect()?;
        Ok(self.receiver.has_ready())
    }

    fn release(&mut self) -> Result<(), Self::Error> {
        self.receiver.release_frame(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.receiver.release_frame(false);
        Ok(())
    }
}
