//! Receiving: buffers to the port, frames to the caller.

use core::fmt;
use core::marker::PhantomData;

use ethdev::frame::{FCS_LEN, Header, MIN_FRAME_LEN};
use ethdev::{MacAddress, RxFilter, RxFrame, RxHalf, RxMeta, Stats, lending};

use super::Error;
use super::fcs;
use super::fifo::Fifo;
use super::filter::Filter;
use super::port::{FrameError, Received, RxPort};

/// Every buffer is in one of three places: spare, in the port, or ready.
pub(super) struct Receiver<R: RxPort, const N: usize> {
    pub(super) port: R,
    spare: Fifo<R::Buffer, N>,
    ready: Fifo<(R::Buffer, usize), N>,
    /// The first of them is lent, or was, and was not given back.
    lent: bool,
    /// The port fails, and that was counted.
    failed: bool,
    pub(super) started: bool,
    pub(super) own: MacAddress,
    pub(super) filter: Filter,
    pub(super) max_len: usize,
    pub(super) stats: Stats,
}

impl<R: RxPort, const N: usize> fmt::Debug for Receiver<R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("started", &self.started)
            .field("spare", &self.spare.len())
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

enum Verdict {
    /// A frame of this length, without FCS.
    Good(usize),
    BadLength,
    BadFcs,
    Error,
    Filtered,
}

impl<R: RxPort, const N: usize> Receiver<R, N> {
    pub(super) fn new(port: R, buffers: [R::Buffer; N], own: MacAddress, max_len: usize) -> Self {
        Self {
            port,
            spare: Fifo::full(buffers),
            ready: Fifo::new(),
            lent: false,
            failed: false,
            started: false,
            own,
            filter: Filter::new(RxFilter::DEFAULT).0,
            max_len,
            stats: Stats::ZERO,
        }
    }

    /// Gives the port what it has room for.
    fn arm(&mut self) {
        while self.started && self.port.has_room() {
            let Some(buffer) = self.spare.pop() else { return };
            if let Err(buffer) = self.port.start(buffer) {
                self.keep(buffer);
                return;
            }
        }
    }

    fn keep(&mut self, buffer: R::Buffer) {
        // There is room for each of the driver's own buffers.
        let _ = self.spare.push(buffer);
    }

    /// Takes what has come. The port gets another buffer before this one is looked at, so that the next frame finds the receiver on.
    pub(super) fn collect(&mut self) -> Result<(), R::Error> {
        if !self.started {
            return Ok(());
        }
        self.arm();
        // Garbage may come as fast as it is thrown away.
        for _ in 0..2 * N {
            let done = self.port.done();
            count_failure(&done, &mut self.failed, &mut self.stats);
            let Some(received) = done? else { break };
            self.arm();
            self.judge(received);
            self.arm();
        }
        self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(self.port.missed());
        Ok(())
    }

    fn judge(&mut self, received: Received<R::Buffer>) {
        let Received {
            mut buffer,
            len,
            frame_error,
        } = received;
        let bytes = buffer.as_mut().get(..len);
        let counter = match self.verdict(bytes, frame_error) {
            Verdict::Good(len) => {
                if let Err((buffer, _)) = self.ready.push((buffer, len)) {
                    self.keep(buffer);
                }
                return;
            }
            Verdict::BadLength => &mut self.stats.rx_bad_length,
            Verdict::BadFcs => &mut self.stats.rx_bad_fcs,
            Verdict::Error => &mut self.stats.rx_error,
            Verdict::Filtered => &mut self.stats.rx_filtered,
        };
        *counter = counter.wrapping_add(1);
        self.keep(buffer);
    }

    fn verdict(&self, bytes: Option<&[u8]>, frame_error: Option<FrameError>) -> Verdict {
        let Some(bytes) = bytes else { return Verdict::BadLength };
        match frame_error {
            Some(FrameError::Overflow) => return Verdict::BadLength,
            Some(FrameError::Symbol) => return Verdict::Error,
            None => {}
        }
        let longest = self.max_len + FCS_LEN + R::MAX_DRIBBLE_BYTES;
        if bytes.len() < MIN_FRAME_LEN + FCS_LEN || bytes.len() > longest {
            return Verdict::BadLength;
        }
        let Some(len) = fcs::check(bytes, R::MAX_DRIBBLE_BYTES) else {
            return Verdict::BadFcs;
        };
        if len < MIN_FRAME_LEN || len > self.max_len {
            return Verdict::BadLength;
        }
        match Header::parse(bytes) {
            Some(header) if self.filter.passes(header.destination, self.own) => Verdict::Good(len),
            _ => Verdict::Filtered,
        }
    }

    pub(super) const fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn start(&mut self) {
        if !self.started {
            // What passed while it was stopped is nobody's loss.
            self.port.missed();
            self.started = true;
        }
        self.arm();
    }

    /// Takes everything back; what had been received is counted.
    pub(super) fn stop(&mut self) -> Result<(), R::Error> {
        let collected = self.collect();
        let started = core::mem::replace(&mut self.started, false);
        // No more than there are: a port that makes up buffers does not hold the driver.
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

    /// Whether all buffers are here, while it is stopped.
    pub(super) const fn is_whole(&self) -> bool {
        self.spare.len() == N
    }

    /// The port, and the buffers that are here.
    pub(super) fn release(mut self) -> (R, [Option<R::Buffer>; N]) {
        let buffers = core::array::from_fn(|_| self.spare.pop());
        (self.port, buffers)
    }

    /// Does nothing where none is lent.
    fn give_back(&mut self, delivered: bool) {
        if !core::mem::take(&mut self.lent) {
            return;
        }
        let Some((buffer, len)) = self.ready.pop() else { return };
        lending::count_release(&mut self.stats, len, delivered);
        self.keep(buffer);
        self.arm();
    }
}

/// Counts a failure of a port when it begins.
pub(super) fn count_failure<T, E>(result: &Result<T, E>, failed: &mut bool, stats: &mut Stats) {
    let before = core::mem::replace(failed, result.is_err());
    if result.is_err() && !before {
        stats.faults = stats.faults.wrapping_add(1);
    }
}

/// The receiving half of a [`SoftMac`](super::SoftMac): lends frames in the buffers that the port filled.
#[derive(Debug)]
pub struct OneShotRx<'a, R: RxPort, E, const N: usize> {
    pub(super) receiver: &'a mut Receiver<R, N>,
    pub(super) error: PhantomData<E>,
}

impl<R: RxPort, E: ethdev::Error, const N: usize> RxHalf for OneShotRx<'_, R, E, N> {
    type Error = Error<R::Error, E>;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        self.receiver.collect().map_err(Error::Port)?;
        let Some((buffer, len)) = self.receiver.ready.front_mut() else {
            return Ok(None);
        };
        self.receiver.lent = true;
        Ok(RxFrame::new(buffer.as_mut(), RxMeta::new(*len)))
    }

    fn pending(&mut self) -> Result<bool, Self::Error> {
        self.receiver.collect().map_err(Error::Port)?;
        Ok(self.receiver.has_ready())
    }

    fn release(&mut self) -> Result<(), Self::Error> {
        self.receiver.give_back(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.receiver.give_back(false);
        Ok(())
    }
}
