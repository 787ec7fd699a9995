//! The end of a channel for the device.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use super::state::{Buffer, Queues, Report, put};
use ethdev::asynch::{EthernetDevice, yield_once};
use ethdev::{Error, ErrorKind, Interest, Link, RxMeta, Stats};

/// Iterations (at most one frame in each direction) between two rounds of housekeeping, after which
/// other tasks run: the longest time that the runner of a device that never waits keeps the
/// executor.
const ITERATIONS_PER_SERVICE: u8 = 16;

/// The end of a [`Channel`](super::Channel) that owns the async device.
///
/// Dropping it takes the device out of use: the endpoint reports the link as down, and unsent
/// frames are counted in [`tx_reset`](Stats::tx_reset). Received frames stay in the queue.
pub struct Runner<'p, 'b, D, const RX: usize, const TX: usize> {
    device: D,
    port: Port<'p, 'b, RX, TX>,
}

/// What the runner holds. It is kept here and not in the future of `run`, so that dropping the
/// future loses nothing.
struct Port<'p, 'b, const RX: usize, const TX: usize> {
    queues: &'p Queues<'b, RX, TX>,
    /// The buffer for the next received frame.
    filling: Option<Buffer<'b>>,
    /// The frame that the device is to send next.
    sending: Option<(Buffer<'b>, usize)>,
    /// Correction of the counters of the device: frames that were read count as delivered when the
    /// endpoint releases them, so they are subtracted here; frames that were dropped are added
    /// under their reasons.
    correction: Stats,
    reported: Report,
}

/// The result of one attempt to move a frame.
#[derive(PartialEq, Eq)]
enum Moved {
    Yes,
    /// The queue has no frame, or no free buffer.
    NoBuffer,
    /// The device has no frame, or is busy.
    NotNow,
}

impl<'p, 'b, D: EthernetDevice, const RX: usize, const TX: usize> Runner<'p, 'b, D, RX, TX> {
    pub(super) fn new(device: D, queues: &'p Queues<'b, RX, TX>) -> Self {
        let mut runner = Self {
            device,
            port: Port {
                queues,
                filling: None,
                sending: None,
                correction: Stats::ZERO,
                reported: Report::NONE,
            },
        };
        runner.report();
        runner
    }

    /// Returns the device, for management while [`run`](Self::run) does not run. Frames read from
    /// it directly do not reach the endpoint.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Returns the device, which takes it out of use.
    pub fn into_inner(self) -> D {
        self.device
    }

    /// Moves frames until the device fails.
    ///
    /// # Errors
    ///
    /// The device failed. Nothing is lost by that: recover the device
    /// ([`inner_mut`](Self::inner_mut)) and run again. These are not failures:
    ///
    /// - `Busy`: the frame waits.
    /// - `LinkDown`: queued frames are dropped, counted in [`tx_aborted`](Stats::tx_aborted), so
    ///   that no stale frames are sent when the link is up again.
    /// - `Stopped`: likewise, counted in [`tx_reset`](Stats::tx_reset).
    /// - A frame that the device rejects as illegal: dropped, counted in `tx_aborted`.
    /// - A received frame too long for the buffers: dropped, counted in
    ///   [`rx_discarded`](Stats::rx_discarded).
    /// - `BadFrame` from the device on reception: the device has counted the frame.
    ///
    /// # Cancellation
    ///
    /// Safe at every await; run again at any time. All state is in `self`:
    ///
    /// - A received frame is in the queue as soon as the device delivered it. A frame that the
    ///   device was delivering is next again, or counted by the device as lost.
    /// - A frame to send leaves the channel when the device has accepted it. A frame that the
    ///   device was accepting is sent again, because the contract of
    ///   [`send_vectored`](EthernetDevice::send_vectored) leaves open whether it was sent: it is
    ///   sent at least once, and twice only if `send_vectored` of the device waits after the
    ///   hand-over. Devices whose methods return immediately
    ///   ([`BlockingAsync`](crate::asynch::BlockingAsync)) never do.
    pub async fn run(&mut self) -> Result<Infallible, D::Error> {
        let result = self.move_frames().await;
        self.report();
        result
    }

    async fn move_frames(&mut self) -> Result<Infallible, D::Error> {
        let mut iterations = 0;
        // Whether the device may accept a frame, and may have one. True until it reports otherwise.
        let (mut tx_ready, mut pending) = (true, true);
        self.report();
        loop {
            let mut moved = false;
            if tx_ready {
                let sent = self.send_one().await?;
                tx_ready = sent != Moved::NotNow;
                moved |= sent == Moved::Yes;
            }
            if pending {
                let received = self.receive_one().await?;
                pending = received != Moved::NotNow;
                moved |= received == Moved::Yes;
            }
            iterations += 1;
            if iterations >= ITERATIONS_PER_SERVICE || self.port.take_service_request() {
                iterations = 0;
                let events = self.device.service().await?;
                tx_ready |= events.tx_ready | events.link_changed;
                pending |= events.rx_pending;
                self.report();
                yield_once().await;
            } else if !moved {
                self.report();
                let found = self.wait(tx_ready, pending).await?;
                // While the link is down, waiting frames are dropped by an attempt to send them.
                tx_ready |= found.tx | found.link;
                pending |= found.rx;
            }
        }
    }

    async fn send_one(&mut self) -> Result<Moved, D::Error> {
        self.port.fetch();
        let Some((buffer, len)) = &self.port.sending else {
            return Ok(Moved::NoBuffer);
        };
        let frame = buffer.get(..*len).unwrap_or_default();
        if let Err(e) = self.device.send_frame(frame).await {
            let correction = &mut self.port.correction;
            match e.kind() {
                ErrorKind::Busy => return Ok(Moved::NotNow),
                ErrorKind::Stopped => correction.tx_reset = correction.tx_reset.wrapping_add(1),
                kind if kind.is_transient() || kind.is_rejection() => {
                    correction.tx_aborted = correction.tx_aborted.wrapping_add(1);
                }
                _ => return Err(e),
            }
        }
        self.port.sent();
        Ok(Moved::Yes)
    }

    async fn receive_one(&mut self) -> Result<Moved, D::Error> {
        self.port.fetch();
        let Some(buffer) = &mut self.port.filling else {
            return Ok(Moved::NoBuffer);
        };
        let buf_len = buffer.len();
        match self.device.recv_frame(buffer).await {
            Ok(None) => return Ok(Moved::NotNow),
            Ok(Some(meta)) => self.port.received(meta),
            Err(e) => match e.kind() {
                ErrorKind::BufferTooSmall { needed } if needed > buf_len => {
                    self.device.discard_frame().await?;
                }
                ErrorKind::BadFrame => {}
                _ => return Err(e),
            },
        }
        Ok(Moved::Yes)
    }

    /// Waits until a frame can be moved, and returns what the device reported.
    async fn wait(&mut self, tx_ready: bool, pending: bool) -> Result<Interest, D::Error> {
        self.port.queues.to_runner.try_take();
        let Some(interest) = self.port.arm(tx_ready, pending) else {
            return Ok(Interest::NONE);
        };
        let signal = &self.port.queues.to_runner;
        let mut device = pin!(self.device.ready(interest));
        poll_fn(|cx| {
            if let Poll::Ready(ready) = device.as_mut().poll(cx) {
                return Poll::Ready(ready);
            }
            signal.poll_wait(cx).map(|()| Ok(Interest::NONE))
        })
        .await
    }

    /// Reports address, link and counters of the device to the endpoint.
    fn report(&mut self) {
        self.port.report(Report {
            mac_address: self.device.mac_address(),
            link: self.device.link(),
            stats: self.device.stats().wrapping_add(&self.port.correction),
        });
    }
}

impl<const RX: usize, const TX: usize> Port<'_, '_, RX, TX> {
    /// Fetches the next frame to send and the next buffer to fill, where none is held.
    fn fetch(&mut self) {
        if self.filling.is_some() && self.sending.is_some() {
            return;
        }
        self.queues.state.with(|state| {
            if self.filling.is_none() {
                self.filling = state.rx_free.pop_front();
            }
            if self.sending.is_none() {
                self.sending = state.tx_full.pop_front();
            }
        });
    }

    /// Releases the buffer of the held frame, which was sent or dropped.
    fn sent(&mut self) {
        if let Some((buffer, _)) = self.sending.take() {
            let wake = self.queues.state.with(|state| {
                put(&mut state.tx_free, buffer);
                state.take_endpoint_wake(Interest::TX)
            });
            self.signal(wake);
        }
    }

    /// Queues the held buffer, which was filled.
    fn received(&mut self, meta: RxMeta) {
        let mut taken = Stats::ZERO;
        taken.count_rx(meta.len);
        self.correction = self.correction.delta_since(&taken);
        let Some(buffer) = self.filling.take_if(|buffer| meta.len <= buffer.len()) else {
            // The device reported more bytes than the buffer holds.
            self.correction.rx_bad_length = self.correction.rx_bad_length.wrapping_add(1);
            return;
        };
        let wake = self.queues.state.with(|state| {
            put(&mut state.rx_full, (buffer, meta));
            state.take_endpoint_wake(Interest::RX)
        });
        self.signal(wake);
    }

    fn take_service_request(&self) -> bool {
        self.queues
            .state
            .with(|state| core::mem::take(&mut state.service_requested))
    }

    /// Returns what to wait for at the device; `None` if a frame can be moved first. The endpoint
    /// signals what is missing.
    fn arm(&mut self, tx_ready: bool, pending: bool) -> Option<Interest> {
        self.fetch();
        let interest = Interest {
            rx: self.filling.is_some(),
            tx: self.sending.is_some(),
            link: true,
        };
        let idle = self.queues.state.with(|state| {
            state.runner_interest = Interest {
                rx: !interest.rx,
                tx: !interest.tx,
                link: true,
            };
            let buffer_free = !interest.rx && !state.rx_free.is_empty();
            let frame_queued = !interest.tx && !state.tx_full.is_empty();
            !(buffer_free || frame_queued || state.service_requested)
        });
        (idle && !(tx_ready && interest.tx) && !(pending && interest.rx)).then_some(interest)
    }

    fn report(&mut self, report: Report) {
        if report == self.reported {
            return;
        }
        let link_changed = report.link != self.reported.link;
        self.reported = report;
        let wake = self.queues.state.with(|state| {
            state.report = report;
            // Transmit capacity depends on the link.
            link_changed && state.take_endpoint_wake(Interest::LINK | Interest::TX)
        });
        self.signal(wake);
    }

    fn signal(&self, wake: bool) {
        if wake {
            self.queues.to_stack.signal();
        }
    }
}

impl<const RX: usize, const TX: usize> Drop for Port<'_, '_, RX, TX> {
    fn drop(&mut self) {
        let mut report = self.reported;
        loop {
            self.fetch();
            if self.sending.is_none() {
                break;
            }
            report.stats.tx_reset = report.stats.tx_reset.wrapping_add(1);
            self.sent();
        }
        report.link = Link::Down;
        self.report(report);
    }
}

impl<D: core::fmt::Debug, const RX: usize, const TX: usize> core::fmt::Debug for Runner<'_, '_, D, RX, TX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Runner")
            .field("device", &self.device)
            .field("sending", &self.port.sending.is_some())
            .finish_non_exhaustive()
    }
}
