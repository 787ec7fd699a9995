//! The device's end of a channel.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use super::Channel;
use super::state::{Buffer, Report, put};
use ethdev::asynch::{EthernetDevice, yield_once};
use ethdev::{Error, ErrorClass, ErrorKind, Interest, Link, RxMeta, Stats};

/// Turns (at most one frame each way) between two rounds of housekeeping, after which others run: the longest that a pump keeps an executor whose device
/// never waits.
const TURNS_PER_ROUND: u8 = 16;

/// The end of a [`Channel`] that owns the async device.
///
/// Dropped, it takes the device out of use: the stack side sees the link go down, and frames that were not sent yet are counted in
/// [`tx_reset`](Stats::tx_reset). Received frames stay for the stack to fetch.
pub struct Runner<'p, 'b, D, const RX: usize, const TX: usize> {
    device: D,
    port: Port<'p, 'b, RX, TX>,
}

/// What the runner has in hands. It is kept here and not in the future of `run`, so that dropping that loses nothing.
struct Port<'p, 'b, const RX: usize, const TX: usize> {
    channel: &'p Channel<'b, RX, TX>,
    /// The buffer for the next received frame.
    filling: Option<Buffer<'b>>,
    /// The frame that the device is to send next.
    sending: Option<(Buffer<'b>, usize)>,
    /// What to add to the device's counters: frames that were taken count as delivered when the stack side releases them, so they are subtracted here;
    /// frames that were dropped are added under their reasons.
    books: Stats,
    told: Report,
}

/// What one attempt to move a frame came to.
#[derive(PartialEq, Eq)]
enum Moved {
    Yes,
    /// The queue has nothing to move, or no buffer to move into.
    NoBuffer,
    /// The device has no frame, or no room.
    NotNow,
}

impl<'p, 'b, D: EthernetDevice, const RX: usize, const TX: usize> Runner<'p, 'b, D, RX, TX> {
    pub(super) fn new(device: D, channel: &'p Channel<'b, RX, TX>) -> Self {
        let mut runner = Self {
            device,
            port: Port {
                channel,
                filling: None,
                sending: None,
                books: Stats::ZERO,
                told: Report::NOTHING,
            },
        };
        runner.tell();
        runner
    }

    /// The device, for management while [`run`](Self::run) does not run. Frames taken from it directly are not seen by the stack side.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Gives the device back and so takes it out of use.
    pub fn into_inner(self) -> D {
        self.device
    }

    /// Moves frames until the device fails.
    ///
    /// # Errors
    ///
    /// The device failed. Nothing is lost by that: put the device right ([`inner_mut`](Self::inner_mut), `recover`) and run again. These are no failures:
    ///
    /// - `Busy`: the frame waits.
    /// - `LinkDown`: frames in the queue are dropped, counted in [`tx_aborted`](Stats::tx_aborted), so that what goes out after the link came back is not stale.
    /// - `Stopped`: likewise, counted in [`tx_reset`](Stats::tx_reset).
    /// - A frame that the device calls illegal: dropped, counted in `tx_aborted`.
    /// - A received frame too long for the buffers: discarded, counted in [`rx_discarded`](Stats::rx_discarded).
    /// - `BadFrame` from the device on receiving: it has counted that frame.
    ///
    /// # Cancellation
    ///
    /// Safe at every await; run again at any time. What is kept is kept in `self`:
    ///
    /// - A received frame is in the queue as soon as the device delivered it. One that the device was still delivering is next again or counted by the
    ///   device as lost: the pump had not accepted it.
    /// - A frame to send leaves the pump when the device has accepted it. One that the device was still accepting is sent again, because the contract of
    ///   [`send_vectored`](EthernetDevice::send_vectored) leaves open whether it went out: it goes out at least once, and twice only if the device's
    ///   `send_vectored` waits after its point of no return. (Devices whose methods return at once, [`BlockingAsync`](crate::asynch::BlockingAsync), never do.)
    pub async fn run(&mut self) -> Result<Infallible, D::Error> {
        let result = self.move_frames().await;
        self.tell();
        result
    }

    async fn move_frames(&mut self) -> Result<Infallible, D::Error> {
        let mut turns = 0;
        // What the device said when it was asked last. True until a look says otherwise.
        let (mut room, mut pending) = (true, true);
        self.tell();
        loop {
            let mut moved = false;
            if room {
                let sent = self.send_one().await?;
                room = sent != Moved::NotNow;
                moved |= sent == Moved::Yes;
            }
            if pending {
                let received = self.receive_one().await?;
                pending = received != Moved::NotNow;
                moved |= received == Moved::Yes;
            }
            turns += 1;
            if turns >= TURNS_PER_ROUND || self.port.service_is_wanted() {
                turns = 0;
                let events = self.device.service().await?;
                room |= events.tx_ready | events.link_changed;
                pending |= events.rx_pending;
                self.tell();
                yield_once().await;
            } else if !moved {
                self.tell();
                let found = self.wait(room, pending).await?;
                // With the link gone, frames that waited for room are dropped: that is an attempt to send too.
                room |= found.tx | found.link;
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
            let books = &mut self.port.books;
            match (e.kind(), e.kind().class()) {
                (ErrorKind::Busy, _) => return Ok(Moved::NotNow),
                (ErrorKind::Stopped, _) => books.tx_reset = books.tx_reset.wrapping_add(1),
                (_, ErrorClass::Link | ErrorClass::Caller) => books.tx_aborted = books.tx_aborted.wrapping_add(1),
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
        let room = buffer.len();
        match self.device.recv_frame(buffer).await {
            Ok(None) => return Ok(Moved::NotNow),
            Ok(Some(meta)) => self.port.received(meta),
            Err(e) => match e.kind() {
                ErrorKind::BufferTooSmall { needed } if needed > room => {
                    self.device.discard_frame().await?;
                }
                ErrorKind::BadFrame => {}
                _ => return Err(e),
            },
        }
        Ok(Moved::Yes)
    }

    /// Waits until a frame can be moved that could not before, and tells what the device said of it. `room` and `pending` are what is known of the device.
    async fn wait(&mut self, room: bool, pending: bool) -> Result<Interest, D::Error> {
        self.port.channel.to_runner.try_take();
        let Some(interest) = self.port.sleep(room, pending) else {
            return Ok(Interest::NONE);
        };
        let bell = &self.port.channel.to_runner;
        let mut device = pin!(self.device.ready(interest));
        poll_fn(|cx| {
            if let Poll::Ready(ready) = device.as_mut().poll(cx) {
                return Poll::Ready(ready);
            }
            bell.poll_wait(cx).map(|()| Ok(Interest::NONE))
        })
        .await
    }

    /// Tells the stack side about the device.
    fn tell(&mut self) {
        self.port.tell(Report {
            mac_address: self.device.mac_address(),
            link: self.device.link(),
            stats: self.device.stats().wrapping_add(&self.port.books),
        });
    }
}

impl<const RX: usize, const TX: usize> Port<'_, '_, RX, TX> {
    /// Takes the next frame to send and the next buffer to fill into hand, where there is none in hand.
    fn fetch(&mut self) {
        if self.filling.is_some() && self.sending.is_some() {
            return;
        }
        self.channel.state.with(|state| {
            if self.filling.is_none() {
                self.filling = state.rx_free.pop_front();
            }
            if self.sending.is_none() {
                self.sending = state.tx_full.pop_front();
            }
        });
    }

    /// The frame in hand was sent, or is to be forgotten.
    fn sent(&mut self) {
        if let Some((buffer, _)) = self.sending.take() {
            let wake = self.channel.state.with(|state| {
                put(&mut state.tx_free, buffer);
                state.stack_is_to_wake(Interest::TX)
            });
            self.ring(wake);
        }
    }

    /// The buffer in hand was filled.
    fn received(&mut self, meta: RxMeta) {
        let mut taken = Stats::ZERO;
        taken.count_rx(meta.len);
        self.books = self.books.delta_since(&taken);
        let Some(buffer) = self.filling.take_if(|buffer| meta.len <= buffer.len()) else {
            // The device claims to have written more than there is room for.
            self.books.rx_bad_length = self.books.rx_bad_length.wrapping_add(1);
            return;
        };
        let wake = self.channel.state.with(|state| {
            put(&mut state.rx_full, (buffer, meta));
            state.stack_is_to_wake(Interest::RX)
        });
        self.ring(wake);
    }

    fn service_is_wanted(&self) -> bool {
        self.channel
            .state
            .with(|state| core::mem::take(&mut state.service_wanted))
    }

    /// What to sleep for at the device; `None` where there is something to do first. Until the next call the stack side rings for what is missing.
    fn sleep(&mut self, room: bool, pending: bool) -> Option<Interest> {
        self.fetch();
        let interest = Interest {
            rx: self.filling.is_some(),
            tx: self.sending.is_some(),
            link: true,
        };
        let idle = self.channel.state.with(|state| {
            state.runner_wants = Interest {
                rx: !interest.rx,
                tx: !interest.tx,
                link: true,
            };
            let buffer_came = !interest.rx && !state.rx_free.is_empty();
            let frame_came = !interest.tx && !state.tx_full.is_empty();
            !(buffer_came || frame_came || state.service_wanted)
        });
        (idle && !(room && interest.tx) && !(pending && interest.rx)).then_some(interest)
    }

    fn tell(&mut self, report: Report) {
        if report == self.told {
            return;
        }
        let link_changed = report.link != self.told.link;
        self.told = report;
        let wake = self.channel.state.with(|state| {
            state.report = report;
            // Room to transmit comes and goes with the link.
            link_changed && state.stack_is_to_wake(Interest::LINK | Interest::TX)
        });
        self.ring(wake);
    }

    fn ring(&self, wake: bool) {
        if wake {
            self.channel.to_stack.signal();
        }
    }
}

impl<const RX: usize, const TX: usize> Drop for Port<'_, '_, RX, TX> {
    fn drop(&mut self) {
        let mut report = self.told;
        loop {
            self.fetch();
            if self.sending.is_none() {
                break;
            }
            report.stats.tx_reset = report.stats.tx_reset.wrapping_add(1);
            self.sent();
        }
        report.link = Link::Down;
        self.tell(report);
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
