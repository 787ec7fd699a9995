//! The chip's state as the driver knows it, and how it is watched. Written once: the blocking and
//! the async driver are thin shells around it.

use ethdev::{
    Capabilities, Counted, Coverage, Events, Interest, LossReason, MacAddress, MaxFrameLen, RearmOutcome, Stats,
};

use crate::bus::Bus;
use crate::config::{Config, Settings};
use crate::error::{Error, Fault};
use crate::events::{self};
use crate::firmware::FirmwareSource;
use crate::gspi::{Port, Result};
use crate::join::{JoinError, Peer};
use crate::lifecycle::{Filter, Stale};
use crate::network::Network;
use crate::regs::{self, interrupt};
use crate::rx_queue::RxQueue;
use crate::scan::Scanning;
use crate::sdpcm::Credits;
use crate::trace::warning;

/// Longest Ethernet frame. The firmware drops longer ones.
pub(crate) const MAX_FRAME: usize = 1514;
/// Bytes of a receive queue for one event, one frame and its length.
pub(crate) const MIN_RX_QUEUE_LEN: usize = events::KEPT + 2 + MAX_FRAME;

/// No reason is fully reported: the firmware drops received frames silently when its buffers are
/// full, and accepted frames when it gives up or the association ends; a chip that loses power
/// loses what it holds. The driver counts the losses that it sees.
const COVERAGE: Coverage = Coverage::EXACT
    .with(LossReason::RxOverrun, Counted::NotReported)
    .with(LossReason::RxBadFcs, Counted::NotReported)
    .with(LossReason::RxBadLength, Counted::NotReported)
    .with(LossReason::RxError, Counted::NotReported)
    .with(LossReason::RxFiltered, Counted::NotReported)
    .with(LossReason::RxReset, Counted::NotReported)
    .with(LossReason::TxAborted, Counted::NotReported)
    .with(LossReason::TxReset, Counted::NotReported);

/// What the hardware does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No power, or not started yet.
    Off,
    /// The firmware runs, the interface is down.
    Stopped,
    Running,
    Fault(Fault),
}

/// An attempt to join that goes on while the caller does other things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joining {
    Idle,
    /// The next request of those that begin an attempt.
    Asking(u8),
    /// For the outcome, so many milliseconds more.
    Waiting(u32),
    /// Until the next attempt, so many milliseconds.
    Pausing(u32),
    /// Nothing more is tried.
    GivenUp,
}

pub(crate) struct Chip<'m, B, FW> {
    pub(crate) port: Port<B>,
    pub(crate) config: Settings,
    pub(crate) source: FW,
    pub(crate) mode: Mode,
    /// The state that was reached last: running or stopped, and asleep or not. `mode` follows, but
    /// in a fault.
    pub(crate) running: bool,
    pub(crate) asleep: bool,
    pub(crate) stats: Stats,
    /// The requested address. The chip has it while `mode` is `Running` or `Stopped`.
    pub(crate) mac: MacAddress,
    pub(crate) credits: Credits,
    /// Where the beginning of an event goes.
    pub(crate) events: &'m mut [u8],
    pub(crate) rx_queue: RxQueue<'m>,
    pub(crate) station: Peer,
    pub(crate) scanning: Scanning,
    pub(crate) network: Option<Network>,
    pub(crate) joining: Joining,
    /// When the time of that was counted last, by the caller's clock.
    pub(crate) tended_ms: u32,
    /// Attempts in a row that failed, and why the last one did.
    pub(crate) attempts: u16,
    pub(crate) join_error: Option<JoinError>,
    /// The channel of access point mode; `network` is then the device's own.
    pub(crate) ap: Option<u8>,
    pub(crate) ap_up: bool,
    /// The requested filter.
    pub(crate) filter: Filter,
    pub(crate) stale: Stale,
    pub(crate) link_up: bool,
    /// `link_up` as of the end of the last `service`.
    link_reported: bool,
    /// An event may have been lost.
    pub(crate) link_in_doubt: bool,
    pub(crate) request_id: u16,
    /// The request of which the answer is still to come.
    pub(crate) outstanding: Option<u16>,
    /// Requests in a row without a response.
    pub(crate) unanswered: u8,
    /// Whether the chip's interrupt reaches the line; `None` where that is not known.
    pub(crate) armed: Option<bool>,
    /// The sequence number that the next frame should have.
    pub(crate) rx_sequence: Option<u8>,
    /// A frame was being read, and the read did not end: whether the chip has it still is not
    /// known.
    pub(crate) rx_in_doubt: bool,
    pub(crate) bogus: u8,
    /// Something happened after which the chip's health is to be looked at.
    pub(crate) suspect: bool,
    /// Calls since a frame came last: what the chip's health is looked at by.
    pub(crate) services: u16,
    lost_told: u32,
}

impl<'m, B: Bus, FW: FirmwareSource> Chip<'m, B, FW> {
    /// The chip as it will be: nothing is sent.
    pub(crate) fn new(bus: B, source: FW, memory: &'m mut [u8], config: &Config) -> Result<Self, B> {
        if memory.len() < MIN_RX_QUEUE_LEN {
            return Err(Error::RxQueueTooSmall {
                needed: MIN_RX_QUEUE_LEN,
            });
        }
        let (events, frames) = memory.split_at_mut_checked(events::KEPT).unwrap_or_default();
        Ok(Self {
            port: Port::new(bus),
            mac: config.mac_address.unwrap_or(MacAddress::UNSPECIFIED),
            config: Settings::new(config),
            source,
            mode: Mode::Off,
            running: false,
            asleep: false,
            stats: Stats::ZERO,
            credits: Credits::new(),
            events,
            rx_queue: RxQueue::new(frames),
            station: Peer::new(),
            scanning: Scanning::new(),
            network: None,
            joining: Joining::Idle,
            tended_ms: 0,
            attempts: 0,
            join_error: None,
            ap: None,
            ap_up: false,
            filter: Filter::new(),
            stale: Stale::NOTHING,
            link_up: false,
            link_reported: false,
            link_in_doubt: false,
            request_id: 0,
            outstanding: None,
            unanswered: 0,
            armed: None,
            rx_sequence: None,
            rx_in_doubt: false,
            bogus: 0,
            suspect: false,
            services: 0,
            lost_told: 0,
        })
    }

    /// The firmware was started: nothing of before is true.
    pub(crate) const fn firmware_was_started(&mut self) {
        self.credits = Credits::new();
        self.station.end();
        self.ap_up = false;
        self.unanswered = 0;
        self.outstanding = None;
        self.armed = Some(true);
        self.rx_sequence = None;
        self.rx_in_doubt = false;
        self.bogus = 0;
        self.suspect = false;
        self.link_in_doubt = false;
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        let held = u16::try_from(self.rx_queue.capacity(MAX_FRAME)).unwrap_or(u16::MAX);
        Capabilities::ETHERNET
            .with_max_frame_len(MaxFrameLen::ETHERNET)
            // The medium has no minimum.
            .with_tx_min_frame_len(0)
            .with_queue_frames(Some(held), None)
            .with_coverage(COVERAGE)
    }

    /// Enters the fault state.
    pub(crate) fn fail<T>(&mut self, fault: Fault) -> Result<T, B> {
        warning!("CYW43439 fault");
        self.mode = Mode::Fault(fault);
        self.stats.faults = self.stats.faults.wrapping_add(1);
        self.note_link();
        Err(Error::Fault(fault))
    }

    /// Whether to go on: `Ok(false)` where nothing is received because nothing runs.
    pub(crate) const fn is_running(&self) -> Result<bool, B> {
        match self.mode {
            Mode::Running => Ok(true),
            Mode::Off | Mode::Stopped => Ok(false),
            Mode::Fault(fault) => Err(Error::Fault(fault)),
        }
    }

    /// Takes note of the link, as events have it.
    pub(crate) fn note_link(&mut self) {
        let up = self.mode == Mode::Running && (self.ap_up || self.station.is_up());
        if up != self.link_up {
            self.link_up = up;
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
    }

    // Watching.

    pub(crate) async fn service(&mut self) -> Result<Events, B> {
        if self.is_running()? {
            self.attend().await?;
        }
        let mut events = Events::NONE;
        if self.mode == Mode::Running {
            events.rx_pending = self.is_rx_pending();
            events.tx_ready = self.link_up && self.make_room().await?;
        }
        events.link_changed = core::mem::replace(&mut self.link_reported, self.link_up) != self.link_up;
        let lost = self.stats.rx_lost();
        events.rx_dropped = lost != self.lost_told;
        self.lost_told = lost;
        Ok(events)
    }

    /// Looks after a chip that runs.
    pub(crate) async fn attend(&mut self) -> Result<(), B> {
        self.absorb().await?;
        self.look_after().await
    }

    /// The same without fetching what waits: dropped half way, a fetch loses a frame.
    pub(crate) async fn look_after(&mut self) -> Result<(), B> {
        self.services = self.services.wrapping_add(1);
        let every = self.config.watchdog_polls;
        if self.suspect || (every != 0 && self.services % every == 0) {
            self.check_health().await?;
        }
        if self.link_in_doubt {
            self.look_at_link().await?;
        }
        self.apply_stale().await?;
        self.tend_join().await
    }

    /// Whether the bus is as it was set up, and the firmware has not stopped.
    pub(crate) async fn check_health(&mut self) -> Result<(), B> {
        self.suspect = false;
        let mut test = 0;
        for _ in 0..3 {
            test = self.port.read_reg(regs::TEST).await?;
            if test == regs::TEST_PATTERN {
                break;
            }
        }
        if test != regs::TEST_PATTERN {
            return self.fail(Fault::Reset);
        }
        let mailbox = self.port.read_u32(regs::backplane::TO_HOST_MAILBOX).await?;
        if mailbox != u32::MAX && mailbox & regs::backplane::MAILBOX_HALTED != 0 {
            return self.fail(Fault::FirmwareHalted);
        }
        Ok(())
    }

    // Interrupts.

    pub(crate) async fn disarm(&mut self) -> Result<(), B> {
        self.set_armed(false).await
    }

    async fn set_armed(&mut self, armed: bool) -> Result<(), B> {
        if !matches!(self.mode, Mode::Running | Mode::Stopped) || self.armed == Some(armed) {
            return Ok(());
        }
        // Not known until it is done.
        self.armed = None;
        let enable = if armed { interrupt::F2_PACKET } else { 0 };
        self.port.write_reg(regs::INTERRUPT_ENABLE, enable.into()).await?;
        self.armed = Some(armed);
        Ok(())
    }

    /// Unmasks the line, then looks: the status word after the unmasking says what came before it.
    /// The chip has one interrupt for frames, events and credits, so that whatever waits is
    /// fetched, as far as there is room, until it is clear what it is; or, without `fetch`, counts
    /// as work whatever it is.
    pub(crate) async fn rearm(&mut self, interest: Interest, link_told: u32, fetch: bool) -> Result<RearmOutcome, B> {
        if !self.is_running()? {
            return Ok(RearmOutcome::Armed);
        }
        self.set_armed(!interest.is_none()).await?;
        if interest.is_none() {
            return Ok(RearmOutcome::Armed);
        }
        if fetch && !(interest.rx && self.is_rx_pending()) {
            self.absorb().await?;
        }
        let mut pending = interest.rx && self.is_rx_pending();
        if !fetch && !pending {
            pending = self.waiting().await?.is_some();
        }
        if interest.tx && self.link_up {
            pending |= if fetch {
                self.make_room().await?
            } else {
                self.has_room()
            };
        }
        pending |= interest.link && self.stats.link_changes != link_told;
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
