//! The stack's end of a channel.

use core::future::poll_fn;
use core::task::{Context, Poll};

use super::Channel;
use super::state::{Buffer, Report, put};
use crate::IrqSignal;
use ethdev::frame::HEADER_LEN;
use ethdev::lending::{count_release, discard, recv_by_copy, send_by_copy};
use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link, MacAddress, MaxFrameLen,
    Rearm, RearmOutcome, RxFrame, RxHalf, RxMeta, Stats, TxHalf, validate_tx_len,
};

/// The end of a [`Channel`] that a stack uses: a memory device, whatever is behind the channel.
///
/// It lends the queues' own buffers, never waits, and never fails but for what the caller does; the device's errors end [`Runner::run`](super::Runner::run).
///
/// Address, link and counters are what the runner told last. It tells before each sleep, so they are exact when it sleeps; the link is taken over where the
/// contract of [`EthernetDevice`] says so. [`service`](EthernetDevice::service) asks the runner for housekeeping and does not wait for it.
///
/// # The books
///
/// [`stats`](EthernetDevice::stats) is about the device and the pump together: `rx_frames` counts frames that this end released; frames in the queues are
/// pending. Frames that the pump dropped are in `tx_aborted`, `tx_reset` and `rx_bad_length`, as [`Runner::run`](super::Runner::run) says.
///
/// # Sleeping
///
/// [`ready`](Self::ready) waits for frames, room or a link change; [`poll_ready`](Self::poll_ready) is for stacks that keep wakers. By [`Rearm`] and
/// [`irq_signal`](Self::interrupt signal), `BlockingAsync::with_interrupt` makes this end async again.
pub struct Endpoint<'p, 'b, const RX: usize, const TX: usize> {
    channel: &'p Channel<'b, RX, TX>,
    capabilities: Capabilities,
    /// The frame that is lent.
    lent: Option<(Buffer<'b>, RxMeta)>,
    /// The buffer that was reserved last.
    spare: Option<Buffer<'b>>,
    /// Frames that this end released or discarded.
    done: Stats,
    /// The link as last seen.
    link: Link,
    /// The report that `service` told last.
    serviced: Report,
    /// The link that `ready` told last.
    link_told: Link,
}

/// What the device can do, through buffers of (length, number).
pub(super) fn capabilities(device: Capabilities, rx: (usize, usize), tx: (usize, usize)) -> Capabilities {
    let limit = |len: MaxFrameLen, buffer: usize| {
        if len.bytes() > buffer {
            MaxFrameLen::new(buffer)
        } else {
            len
        }
    };
    // 0 = unknown stays unknown.
    let queue = |frames: u16, buffers: usize| match frames {
        0 => 0,
        n => n.saturating_add(u16::try_from(buffers).unwrap_or(u16::MAX)),
    };
    device
        .with_rx_max_frame_len(limit(device.rx_max_frame_len, rx.0))
        .with_tx_max_frame_len(limit(device.tx_max_frame_len, tx.0))
        .with_queue_frames(queue(device.rx_queue_frames, rx.1), queue(device.tx_queue_frames, tx.1))
}

impl<'p, 'b, const RX: usize, const TX: usize> Endpoint<'p, 'b, RX, TX> {
    pub(super) fn new(channel: &'p Channel<'b, RX, TX>, capabilities: Capabilities) -> Self {
        let report = channel.state.with(|state| state.report);
        Self {
            channel,
            capabilities,
            lent: None,
            spare: None,
            done: Stats::ZERO,
            link: report.link,
            serviced: report,
            link_told: report.link,
        }
    }

    /// Rung when something comes that [`rearm`](Rearm::rearm) was told to watch for.
    #[must_use]
    pub const fn irq_signal(&self) -> &'p IrqSignal {
        &self.channel.to_stack
    }

    /// Waits until something of `interest` is so, and tells what is: a frame pending, room to transmit with the link up, a link change that was not yet
    /// told here. With an empty interest it never completes.
    ///
    /// # Cancellation
    ///
    /// Safe: nothing is taken.
    pub async fn ready(&mut self, interest: Interest) -> Interest {
        poll_fn(|cx| self.poll_ready(interest, cx)).await
    }

    /// [`ready`](Self::ready), for hand-written futures and for stacks that keep wakers. The waker of the last call is the one that is woken.
    pub fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Interest> {
        loop {
            let found = self.arm(interest);
            if !found.is_none() {
                self.see_link();
                if found.link {
                    self.link_told = self.link;
                }
                return Poll::Ready(found);
            }
            if self.channel.to_stack.poll_wait(cx).is_pending() {
                return Poll::Pending;
            }
            // A ring from before: look once more, now that it is taken.
        }
    }

    /// Asks to be rung for what is of `interest`, and tells what of it is there already.
    fn arm(&mut self, interest: Interest) -> Interest {
        let (lent, spare) = (self.lent.is_some(), self.spare.is_some());
        self.channel.state.with(|state| {
            state.stack_wants = interest;
            let mut found = state.stack_finds(interest, self.link_told);
            found.rx |= interest.rx && lent;
            found.tx |= interest.tx && spare && state.report.link.is_up();
            found
        })
    }

    fn see_link(&mut self) -> Link {
        self.link = self.channel.state.with(|state| state.report.link);
        self.link
    }
}

/// The receiving half of a [`Endpoint`].
pub struct EndpointRx<'a, 'p, 'b, const RX: usize, const TX: usize> {
    channel: &'p Channel<'b, RX, TX>,
    lent: &'a mut Option<(Buffer<'b>, RxMeta)>,
    done: &'a mut Stats,
}

impl<const RX: usize, const TX: usize> EndpointRx<'_, '_, '_, RX, TX> {
    fn give_back(&mut self, delivered: bool) {
        if let Some((buffer, meta)) = self.lent.take() {
            count_release(self.done, meta.len, delivered);
            let wake = self.channel.state.with(|state| {
                put(&mut state.rx_free, buffer);
                state.runner_is_to_wake(Interest::RX)
            });
            if wake {
                self.channel.to_runner.signal();
            }
        }
    }
}

impl<const RX: usize, const TX: usize> RxHalf for EndpointRx<'_, '_, '_, RX, TX> {
    type Error = ErrorKind;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        if self.lent.is_none() {
            *self.lent = self.channel.state.with(|state| state.rx_full.pop_front());
        }
        Ok(self
            .lent
            .as_mut()
            .and_then(|(buffer, meta)| RxFrame::new(buffer, *meta)))
    }

    fn release(&mut self) -> Result<(), ErrorKind> {
        self.give_back(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), ErrorKind> {
        self.give_back(false);
        Ok(())
    }
}

/// The sending half of a [`Endpoint`].
pub struct EndpointTx<'a, 'p, 'b, const RX: usize, const TX: usize> {
    channel: &'p Channel<'b, RX, TX>,
    spare: &'a mut Option<Buffer<'b>>,
    max: usize,
    /// Length of the reservation.
    reserved: Option<usize>,
}

impl<'b, const RX: usize, const TX: usize> EndpointTx<'_, '_, 'b, RX, TX> {
    /// The buffer for the next frame, if there is one. It stays with this end until a frame is in it.
    fn buffer(&mut self) -> Option<&mut Buffer<'b>> {
        if self.spare.is_none() {
            *self.spare = self.channel.state.with(|state| state.tx_free.pop_front());
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
        let outcome = self.channel.state.with(|state| {
            if !state.report.link.is_up() {
                return Err(ErrorKind::LinkDown);
            }
            if let Some(buffer) = self.spare.take() {
                put(&mut state.tx_full, (buffer, len));
            }
            Ok(state.runner_is_to_wake(Interest::TX))
        });
        if outcome? {
            self.channel.to_runner.signal();
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
                channel: self.channel,
                lent: &mut self.lent,
                done: &mut self.done,
            },
            EndpointTx {
                channel: self.channel,
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
        self.channel.state.with(|state| state.report.mac_address)
    }

    /// The device's, limited by the buffers, as of the time when the pump was split.
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.channel
            .state
            .with(|state| state.report.stats)
            .wrapping_add(&self.done)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        self.see_link();
        recv_by_copy(self.split().0, buf, |needed| ErrorKind::BufferTooSmall { needed })
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.see_link().is_up() && self.split().1.ready()?)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        validate_tx_len(parts, &self.capabilities)?;
        if !self.see_link().is_up() {
            return Err(ErrorKind::LinkDown);
        }
        send_by_copy(self.split().1, parts, || ErrorKind::Busy)
    }

    /// Tells what changed since the last call, and asks the runner for housekeeping at the device.
    fn service(&mut self) -> Result<Events, ErrorKind> {
        let (report, found, wake) = self.channel.state.with(|state| {
            state.service_wanted = true;
            (
                state.report,
                state.stack_finds(Interest::ALL, self.serviced.link),
                state.runner_is_to_wake(Interest::LINK),
            )
        });
        if wake {
            self.channel.to_runner.signal();
        }
        let news = report.stats.delta_since(&self.serviced.stats);
        (self.serviced, self.link) = (report, report.link);
        let mut events = Events::NONE;
        events.link_changed = found.link;
        events.rx_pending = found.rx || self.lent.is_some();
        events.rx_dropped = news.rx_lost() != 0;
        events.tx_ready = found.tx || (self.spare.is_some() && report.link.is_up());
        events.tx_completed = u16::try_from(news.tx_frames).unwrap_or(u16::MAX);
        events.tx_failed = u16::try_from(news.tx_lost()).unwrap_or(u16::MAX);
        events.recovered = news.recoveries != 0;
        Ok(events)
    }
}

/// The interrupt is [`irq_signal`](Endpoint::interrupt signal).
impl<const RX: usize, const TX: usize> Rearm for Endpoint<'_, '_, RX, TX> {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.channel.state.with(|state| state.stack_wants = Interest::NONE);
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.link_told = self.serviced.link;
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
