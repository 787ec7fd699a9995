//! The end of a channel for the stack.

use core::future::poll_fn;
use core::task::{Context, Poll};

use super::state::{Buffer, Queues, Report, put};
use crate::IrqSignal;
use ethdev::frame::HEADER_LEN;
use ethdev::lending::{count_release, discard, recv_by_copy};
use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link, MacAddress, MaxFrameLen,
    PollReady, Rearm, RearmOutcome, RxFrame, RxHalf, RxMeta, Stats, TxHalf, validate_tx_len,
};

/// The end of a [`Channel`](super::Channel) that a stack uses: a memory device, whatever is behind
/// the channel.
///
/// It lends the buffers of the queues, never waits, and fails only on rejected calls; errors of the
/// device end [`Runner::run`](super::Runner::run).
///
/// Address, link and counters are those of the last report of the runner. It reports before each
/// sleep, so they are exact while it sleeps. [`service`](EthernetDevice::service) requests
/// housekeeping from the runner and does not wait for it.
///
/// # Frame accounting
///
/// [`stats`](EthernetDevice::stats) covers device and channel together: `rx_frames` counts frames
/// that this end released; frames in the queues are pending. Frames that the runner dropped are in
/// `tx_aborted`, `tx_reset` and `rx_bad_length`: see [`Runner::run`](super::Runner::run).
///
/// # Waiting
///
/// [`ready`](Self::ready) and [`PollReady`] wait for frames, transmit capacity or a link change.
/// With [`Rearm`] and [`irq_signal`](Self::irq_signal), `BlockingAsync::with_interrupt` makes this
/// end async again.
pub struct Endpoint<'p, 'b, const RX: usize, const TX: usize> {
    queues: &'p Queues<'b, RX, TX>,
    capabilities: Capabilities,
    /// The frame that is lent.
    lent: Option<(Buffer<'b>, RxMeta)>,
    /// The buffer that was reserved last.
    spare: Option<Buffer<'b>>,
    /// Counters of the frames that this end released or discarded.
    done: Stats,
    /// The link that `link()` returns.
    link: Link,
    /// The report as of the last `service`.
    serviced: Report,
    /// The link as last reported by `ready`.
    link_reported: Link,
}

/// What the device can do through buffers of (length, number).
pub(super) fn capabilities(device: Capabilities, rx: (usize, usize), tx: (usize, usize)) -> Capabilities {
    let limit = |len: MaxFrameLen, buffer: usize| {
        if len.bytes() > buffer {
            MaxFrameLen::new(buffer)
        } else {
            len
        }
    };
    let queue = |frames: Option<u16>, buffers: usize| {
        frames.map(|frames| frames.saturating_add(u16::try_from(buffers).unwrap_or(u16::MAX)))
    };
    device
        .with_rx_max_frame_len(limit(device.rx_max_frame_len, rx.0))
        .with_tx_max_frame_len(limit(device.tx_max_frame_len, tx.0))
        .with_queue_frames(queue(device.rx_queue_frames, rx.1), queue(device.tx_queue_frames, tx.1))
}

impl<'p, 'b, const RX: usize, const TX: usize> Endpoint<'p, 'b, RX, TX> {
    pub(super) fn new(queues: &'p Queues<'b, RX, TX>, capabilities: Capabilities) -> Self {
        let report = queues.state.with(|state| state.report);
        Self {
            queues,
            capabilities,
            lent: None,
            spare: None,
            done: Stats::ZERO,
            link: report.link,
            serviced: report,
            link_reported: report.link,
        }
    }

    /// Returns the signal that is set when something of the interest of [`rearm`](Rearm::rearm)
    /// arrives.
    #[must_use]
    pub const fn irq_signal(&self) -> &'p IrqSignal {
        &self.queues.to_stack
    }

    /// Waits until something of `interest` holds and returns what holds: a frame is pending, a
    /// buffer is free and the link is up, or the link changed since this was last reported
    /// here. With an empty interest it never completes.
    ///
    /// # Cancellation
    ///
    /// Safe: nothing is consumed.
    pub async fn ready(&mut self, interest: Interest) -> Interest {
        poll_fn(|cx| self.poll(interest, cx)).await
    }

    fn poll(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Interest> {
        loop {
            let found = self.arm(interest);
            if !found.is_none() {
                self.refresh_link();
                if found.link {
                    self.link_reported = self.link;
                }
                return Poll::Ready(found);
            }
            if self.queues.to_stack.poll_wait(cx).is_pending() {
                return Poll::Pending;
            }
            // Signaled before: check once more, now that the signal is cleared.
        }
    }

    /// Arms the signal for `interest` and returns what of it holds already.
    fn arm(&mut self, interest: Interest) -> Interest {
        let (lent, spare) = (self.lent.is_some(), self.spare.is_some());
        self.queues.state.with(|state| {
            state.endpoint_interest = interest;
            let mut found = state.endpoint_ready(interest, self.link_reported);
            found.rx |= interest.rx && lent;
            found.tx |= interest.tx && spare && state.report.link.is_up();
            found
        })
    }

    fn refresh_link(&mut self) -> Link {
        self.link = self.queues.state.with(|state| state.report.link);
        self.link
    }
}

/// The receive half of an [`Endpoint`].
pub struct EndpointRx<'a, 'p, 'b, const RX: usize, const TX: usize> {
    queues: &'p Queues<'b, RX, TX>,
    lent: &'a mut Option<(Buffer<'b>, RxMeta)>,
    done: &'a mut Stats,
}

impl<const RX: usize, const TX: usize> EndpointRx<'_, '_, '_, RX, TX> {
    fn finish(&mut self, delivered: bool) {
        if let Some((buffer, meta)) = self.lent.take() {
            count_release(self.done, meta.len, delivered);
            let wake = self.queues.state.with(|state| {
                put(&mut state.rx_free, buffer);
                state.take_runner_wake(Interest::RX)
            });
            if wake {
                self.queues.to_runner.signal();
            }
        }
    }
}

impl<const RX: usize, const TX: usize> RxHalf for EndpointRx<'_, '_, '_, RX, TX> {
    type Error = ErrorKind;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        if self.lent.is_none() {
            *self.lent = self.queues.state.with(|state| state.rx_full.pop_front());
        }
        Ok(self
            .lent
            .as_mut()
            .and_then(|(buffer, meta)| RxFrame::new(buffer, *meta)))
    }

    fn release(&mut self) -> Result<(), ErrorKind> {
        self.finish(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), ErrorKind> {
        self.finish(false);
        Ok(())
    }
}

/// The transmit half of an [`Endpoint`].
pub struct EndpointTx<'a, 'p, 'b, const RX: usize, const TX: usize> {
    queues: &'p Queues<'b, RX, TX>,
    spare: &'a mut Option<Buffer<'b>>,
    max: usize,
    /// Length of the reservation.
    reserved: Option<usize>,
}

impl<'b, const RX: usize, const TX: usize> EndpointTx<'_, '_, 'b, RX, TX> {
    /// Returns a buffer for the next frame, if one is free. It stays with this end until a frame is
    /// committed.
    fn buffer(&mut self) -> Option<&mut Buffer<'b>> {
        if self.spare.is_none() {
            *self.spare = self.queues.state.with(|state| state.tx_free.pop_front());
        }
        self.spare.as_mut()
    }
}

impl<const RX: usize, const TX: usize> TxHalf for EndpointTx<'_, '_, '_, RX, TX> {
    type Error = ErrorKind;

    fn ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.buffer().is_some())
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, ErrorKind> {
        self.reserved = None;
        if len < HEADER_LEN {
            return Err(ErrorKind::FrameTooShort);
        }
        if len > self.max {
            return Err(ErrorKind::FrameTooLong { max: self.max });
        }
        if self.buffer().is_none() {
            return Ok(None);
        }
        self.reserved = Some(len);
        Ok(self.spare.as_mut().and_then(|buffer| buffer.get_mut(..len)))
    }

    fn commit(&mut self, len: usize) -> Result<(), ErrorKind> {
        let reserved = self.reserved.take().unwrap_or(0);
        if len < HEADER_LEN {
            return Err(ErrorKind::FrameTooShort);
        }
        if len > reserved {
            return Err(ErrorKind::FrameTooLong { max: reserved });
        }
        let outcome = self.queues.state.with(|state| {
            if !state.report.link.is_up() {
                return Err(ErrorKind::LinkDown);
            }
            if let Some(buffer) = self.spare.take() {
                put(&mut state.tx_full, (buffer, len));
            }
            Ok(state.take_runner_wake(Interest::TX))
        });
        if outcome? {
            self.queues.to_runner.signal();
        }
        Ok(())
    }
}

impl<'p, 'b, const RX: usize, const TX: usize> LendingDevice for Endpoint<'p, 'b, RX, TX> {
    type Rx<'a>
        = EndpointRx<'a, 'p, 'b, RX, TX>
    where
        Self: 'a;
    type Tx<'a>
        = EndpointTx<'a, 'p, 'b, RX, TX>
    where
        Self: 'a;

    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        (
            EndpointRx {
                queues: self.queues,
                lent: &mut self.lent,
                done: &mut self.done,
            },
            EndpointTx {
                queues: self.queues,
                spare: &mut self.spare,
                max: self.capabilities.tx_max_frame_len.bytes(),
                reserved: None,
            },
        )
    }
}

impl<const RX: usize, const TX: usize> ErrorType for Endpoint<'_, '_, RX, TX> {
    type Error = ErrorKind;
}

impl<const RX: usize, const TX: usize> EthernetDevice for Endpoint<'_, '_, RX, TX> {
    fn mac_address(&self) -> MacAddress {
        self.queues.state.with(|state| state.report.mac_address)
    }

    /// Those of the device, limited by the buffers, as of
    /// [`Channel::split`](super::Channel::split).
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.capabilities.tx_max_frame_len
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.queues
            .state
            .with(|state| state.report.stats)
            .wrapping_add(&self.done)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        self.refresh_link();
        recv_by_copy(self.split().0, buf)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.refresh_link().is_up() && self.split().1.ready()?)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        validate_tx_len(parts, self.capabilities.tx_max_frame_len)?;
        if !self.refresh_link().is_up() {
            return Err(ErrorKind::LinkDown);
        }
        self.split().1.send_vectored(parts)
    }

    /// Reports the changes since the last call, and requests housekeeping from the runner.
    fn service(&mut self) -> Result<Events, ErrorKind> {
        let (report, found, wake) = self.queues.state.with(|state| {
            state.service_requested = true;
            (
                state.report,
                state.endpoint_ready(Interest::ALL, self.serviced.link),
                state.take_runner_wake(Interest::LINK),
            )
        });
        if wake {
            self.queues.to_runner.signal();
        }
        let delta = report.stats.delta_since(&self.serviced.stats);
        (self.serviced, self.link) = (report, report.link);
        let mut events = Events::NONE;
        events.link_changed = found.link;
        events.rx_pending = found.rx || self.lent.is_some();
        events.rx_dropped = delta.rx_lost() != 0;
        events.tx_ready = found.tx || (self.spare.is_some() && report.link.is_up());
        events.tx_completed = u16::try_from(delta.tx_frames).unwrap_or(u16::MAX);
        events.tx_failed = u16::try_from(delta.tx_lost()).unwrap_or(u16::MAX);
        events.recovered = delta.recoveries != 0;
        Ok(events)
    }
}

impl<const RX: usize, const TX: usize> PollReady for Endpoint<'_, '_, RX, TX> {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, ErrorKind>> {
        self.poll(interest, cx).map(Ok)
    }
}

/// The interrupt is [`irq_signal`](Endpoint::irq_signal).
impl<const RX: usize, const TX: usize> Rearm for Endpoint<'_, '_, RX, TX> {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.queues.state.with(|state| state.endpoint_interest = Interest::NONE);
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.link_reported = self.serviced.link;
        Ok(if self.arm(interest).is_none() {
            RearmOutcome::Armed
        } else {
            RearmOutcome::WorkPending
        })
    }
}

impl<const RX: usize, const TX: usize> core::fmt::Debug for Endpoint<'_, '_, RX, TX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Endpoint")
            .field("capabilities", &self.capabilities)
            .field("link", &self.link())
            .field("lent", &self.lent.is_some())
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
