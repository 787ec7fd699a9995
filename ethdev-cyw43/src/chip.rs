//! The chip's state as the driver knows it, and how frames come and go. Written once: the blocking and the async driver are thin shells around it.

use ethdev::{Capabilities, ErrorKind, Events, Interest, MacAddress, MaxFrameLen, RearmOutcome, Stats, check_frame};

use crate::ap::ApConfig;
use crate::bus::{Bus, Outgoing};
use crate::config::Config;
use crate::error::{Error, Fault};
use crate::events::{self, Event, Kind};
use crate::firmware::Source;
use crate::ioctl::Reply;
use crate::join::{JoinError, Station};
use crate::landing::{Landed, Landing};
use crate::manage::Filter;
use crate::network::Network;
use crate::port::{Function, Port, Result};
use crate::regs::{self, f1, interrupt, status};
use crate::scan::Scanning;
use crate::sdpcm::{self, Credits, Header};
use crate::store::Store;
use crate::trace::warning;

/// Longest Ethernet frame. The firmware drops longer ones.
pub(crate) const MAX_FRAME: usize = 1514;
/// The least that goes before an Ethernet frame: an SDPCM and a BDC header.
const LEAST_OVERHEAD: usize = sdpcm::HEADER + sdpcm::BDC;
/// Bytes of memory that a device needs: one event, one frame and its length.
pub(crate) const LEAST_MEMORY: usize = events::KEPT + 2 + MAX_FRAME;

/// How many frames one call fetches at most. The rest is for the next call.
const MOST_FRAMES: usize = 64;
/// How often the state of the bus is asked again where the answer is none, and how long after.
const STATUS_TRIES: usize = 16;
const STATUS_TRY_US: u32 = 100;
/// After so many announcements in a row that make no sense, the chip is not believed any more.
const MOST_BOGUS: u8 = 8;
/// So many frames may be missing by their sequence numbers. More are a chip that started anew.
const MOST_MISSING: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Without power: not yet started.
    Off,
    Running,
    /// The firmware runs, the interface is down.
    Stopped,
    /// Without power; what it was before.
    Asleep {
        running: bool,
    },
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
}

pub(crate) struct Chip<'m, B, FW> {
    pub(crate) port: Port<B>,
    pub(crate) config: Config,
    pub(crate) source: FW,
    pub(crate) mode: Mode,
    pub(crate) stats: Stats,
    pub(crate) mac: MacAddress,
    pub(crate) credits: Credits,
    /// Where the beginning of an event goes.
    events: &'m mut [u8],
    pub(crate) store: Store<'m>,
    pub(crate) station: Station,
    pub(crate) scanning: Scanning,
    pub(crate) network: Option<Network>,
    pub(crate) joining: Joining,
    /// Attempts in a row that failed, and why the last one did.
    pub(crate) attempts: u16,
    pub(crate) join_error: Option<JoinError>,
    pub(crate) ap: Option<ApConfig>,
    pub(crate) ap_up: bool,
    pub(crate) filter: Filter,
    pub(crate) link_up: bool,
    /// An event may have been lost.
    pub(crate) link_in_doubt: bool,
    pub(crate) request_id: u16,
    /// Requests in a row that nobody answered.
    pub(crate) unanswered: u8,
    /// Whether the chip's interrupt reaches the line; `None` where that is not known.
    armed: Option<bool>,
    /// The sequence number that the next frame should have.
    rx_sequence: Option<u8>,
    /// A frame was being read, and the read did not end: whether the chip has it still is not known.
    rx_in_doubt: bool,
    bogus: u8,
    /// Something happened after which the chip's health is to be looked at.
    pub(crate) suspect: bool,
    services: u16,
    pub(crate) recovered: bool,
    lost_told: u32,
}

/// What was fetched.
pub(crate) enum Fetched {
    /// A frame, so long, in the caller's buffer.
    Frame(usize),
    /// An answer.
    Reply(Reply),
    /// Something that was dealt with.
    Nothing,
}

/// Where a data frame went.
enum Place {
    Caller,
    Store,
    Nowhere,
}

/// How long an Ethernet frame at most is for which so much was announced.
fn longest(announced: usize) -> usize {
    announced.saturating_sub(LEAST_OVERHEAD).min(MAX_FRAME)
}

impl<'m, B: Bus, FW: Source> Chip<'m, B, FW> {
    /// The chip as it will be: nothing is sent.
    pub(crate) fn new(bus: B, source: FW, memory: &'m mut [u8], config: Config) -> Result<Self, B> {
        if memory.len() < LEAST_MEMORY {
            return Err(Error::Memory { needed: LEAST_MEMORY });
        }
        let (events, frames) = memory.split_at_mut_checked(events::KEPT).unwrap_or_default();
        Ok(Self {
            port: Port::new(bus),
            mac: config.mac_address.unwrap_or(MacAddress::UNSPECIFIED),
            config,
            source,
            mode: Mode::Off,
            stats: Stats::ZERO,
            credits: Credits::new(),
            events,
            store: Store::new(frames),
            station: Station::new(),
            scanning: Scanning::new(),
            network: None,
            joining: Joining::Idle,
            attempts: 0,
            join_error: None,
            ap: None,
            ap_up: false,
            filter: Filter::new(),
            link_up: false,
            link_in_doubt: false,
            request_id: 0,
            unanswered: 0,
            armed: None,
            rx_sequence: None,
            rx_in_doubt: false,
            bogus: 0,
            suspect: false,
            services: 0,
            recovered: false,
            lost_told: 0,
        })
    }

    /// The firmware was started: nothing of before is true.
    pub(crate) const fn firmware_was_started(&mut self) {
        self.credits = Credits::new();
        self.station.end();
        self.scanning = Scanning::new();
        self.ap_up = false;
        self.unanswered = 0;
        self.armed = Some(true);
        self.rx_sequence = None;
        self.rx_in_doubt = false;
        self.bogus = 0;
        self.suspect = false;
        self.link_in_doubt = false;
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        let held = u16::try_from(self.store.capacity(MAX_FRAME)).unwrap_or(u16::MAX);
        Capabilities::ETHERNET
            .with_max_frame_len(MaxFrameLen::ETHERNET)
            // The medium has no minimum.
            .with_tx_min_frame_len(0)
            .with_queue_frames(held, 0)
            .with_rx_overrun_exact(false)
    }

    /// The chip is not to be trusted any more.
    pub(crate) fn fail<T>(&mut self, fault: Fault) -> Result<T, B> {
        warning!("CYW43439 failed");
        self.mode = Mode::Fault(fault);
        self.stats.faults = self.stats.faults.wrapping_add(1);
        self.note_link();
        Err(Error::Fault(fault))
    }

    /// Whether to go on: `Ok(false)` where nothing is received because nothing runs.
    pub(crate) const fn is_running(&self) -> Result<bool, B> {
        match self.mode {
            Mode::Running => Ok(true),
            Mode::Off | Mode::Stopped | Mode::Asleep { .. } => Ok(false),
            Mode::Fault(fault) => Err(Error::Fault(fault)),
        }
    }

    /// Takes note of the link, as events have it.
    pub(crate) fn note_link(&mut self) {
        let up = self.mode == Mode::Running && (self.ap_up || self.station.is_up());
        if up != self.link_up {
            self.link_up = up;
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
            self.link_was_noted(up);
        }
    }

    // What waits in the chip.

    /// Length of the frame that waits in the chip, if one does. Asks only where neither the last transaction nor the line has the answer.
    pub(crate) async fn waiting(&mut self) -> Result<Option<usize>, B> {
        if !self.rx_in_doubt {
            let told = self.port.status().and_then(status::packet);
            if told.is_some() {
                return Ok(told);
            }
            if self.armed == Some(true) && self.port.bus.interrupt().map_err(Error::Bus)? == Some(false) {
                return Ok(None);
            }
        }
        self.ask().await
    }

    /// Asks the chip what waits.
    async fn ask(&mut self) -> Result<Option<usize>, B> {
        for _ in 0..STATUS_TRIES {
            let what = self.port.read_reg(regs::INTERRUPT).await?;
            let Some(status) = self.port.status() else {
                self.port.wait_us(STATUS_TRY_US).await;
                continue;
            };
            let errors = what & u32::from(interrupt::ERRORS);
            if errors != 0 {
                self.port.write_reg(regs::INTERRUPT, errors).await?;
            }
            let packet = status::packet(status);
            if packet.is_none() && self.rx_in_doubt {
                self.a_frame_was_lost(1);
            }
            return Ok(packet);
        }
        self.fail(Fault::Garbled)
    }

    /// Frames left the chip and were not seen: Ethernet frames, as far as is known.
    fn a_frame_was_lost(&mut self, count: u8) {
        self.rx_in_doubt = false;
        self.rx_sequence = self.rx_sequence.map(|sequence| sequence.wrapping_add(count));
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(count.into());
        // It may have been an event after all.
        self.link_in_doubt = true;
    }

    /// Fetches the frame that waits, of which the chip announced this length: into `into` where that takes any frame of this length, else into the store, else
    /// it is lost and counted. Answers go to `answer`.
    pub(crate) async fn fetch(
        &mut self,
        announced: usize,
        into: Option<&mut [u8]>,
        answer: &mut [u8],
    ) -> Result<Fetched, B> {
        if announced < sdpcm::HEADER {
            return self.refuse().await;
        }
        let longest = longest(announced);
        let (data, place) = match into.filter(|buf| buf.len() >= longest) {
            Some(buf) => (buf, Place::Caller),
            None if self.store.has_room(longest) => (self.store.room(longest), Place::Store),
            None => (&mut [][..], Place::Nowhere),
        };
        let was_in_doubt = core::mem::replace(&mut self.rx_in_doubt, true);
        let mut landing = Landing::new(announced, data, self.events, answer);
        self.port.read(Function::Wlan, 0, announced, 0, &mut landing).await?;
        let landed = landing.finish();
        self.rx_in_doubt = false;
        Ok(match landed {
            Landed::Malformed => {
                self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
                self.rx_sequence = None;
                self.distrust()?;
                Fetched::Nothing
            }
            Landed::Nothing(header) => {
                self.note_header(&header, was_in_doubt);
                Fetched::Nothing
            }
            Landed::BadData(header) => {
                self.note_header(&header, was_in_doubt);
                self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
                Fetched::Nothing
            }
            Landed::Data(header, len) => {
                self.note_header(&header, was_in_doubt);
                self.take_data(len, &place)
            }
            Landed::Event(header, len) => {
                self.note_header(&header, was_in_doubt);
                self.on_event(len);
                Fetched::Nothing
            }
            Landed::Reply(header, reply) => {
                self.note_header(&header, was_in_doubt);
                Fetched::Reply(reply)
            }
        })
    }

    /// A frame was announced that is too short to be one.
    async fn refuse(&mut self) -> Result<Fetched, B> {
        self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
        self.rx_sequence = None;
        self.distrust()?;
        self.port.f1_write(f1::FRAME_CONTROL, f1::READ_TERMINATE).await?;
        self.port.forget_status();
        Ok(Fetched::Nothing)
    }

    fn distrust(&mut self) -> Result<(), B> {
        self.bogus += 1;
        if self.bogus >= MOST_BOGUS {
            return self.fail(Fault::Garbled);
        }
        self.stats.faults = self.stats.faults.wrapping_add(1);
        Ok(())
    }

    fn note_header(&mut self, header: &Header, was_in_doubt: bool) {
        self.bogus = 0;
        if header.channel.is_some() {
            self.credits.update(header);
        }
        if let Some(expected) = self.rx_sequence {
            let missing = header.sequence.wrapping_sub(expected);
            if was_in_doubt && (1..=MOST_MISSING).contains(&missing) {
                self.a_frame_was_lost(missing);
            }
        }
        self.rx_sequence = Some(header.sequence.wrapping_add(1));
    }

    fn take_data(&mut self, len: usize, place: &Place) -> Fetched {
        if self.mode != Mode::Running {
            // Nobody listens.
            return Fetched::Nothing;
        }
        if !(ethdev::frame::HEADER_LEN..=MAX_FRAME).contains(&len) {
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
            return Fetched::Nothing;
        }
        match place {
            Place::Caller => return Fetched::Frame(len),
            Place::Store => self.store.push(len),
            Place::Nowhere => self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(1),
        }
        Fetched::Nothing
    }

    fn on_event(&mut self, len: usize) {
        let kept = self.events.get(..len.min(self.events.len())).unwrap_or_default();
        let Some(event) = Event::parse(kept, len) else {
            return;
        };
        if event.kind == Kind::EscanResult {
            self.scanning.on_event(event.status, event.data);
        } else if self.ap.is_none() {
            self.station.on_event(&event);
        } else if event.kind == Kind::Link {
            self.ap_up = event.is_link_up();
        }
        self.note_link();
    }

    /// Fetches what waits, as long as the store has room.
    pub(crate) async fn absorb(&mut self) -> Result<(), B> {
        for _ in 0..MOST_FRAMES {
            match self.waiting().await? {
                Some(announced) if self.store.has_room(longest(announced)) => {
                    self.fetch(announced, None, &mut []).await?;
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Fetches one of what waits, whether or not it can be kept; whether there was any.
    pub(crate) async fn absorb_one(&mut self) -> Result<bool, B> {
        match self.waiting().await? {
            Some(announced) => self.fetch(announced, None, &mut []).await.map(|_| true),
            None => Ok(false),
        }
    }

    // Receiving.

    /// Moves the next frame to `buf`.
    pub(crate) async fn receive(&mut self, buf: &mut [u8]) -> Result<Option<usize>, B> {
        if !self.is_running()? {
            return Ok(None);
        }
        for _ in 0..MOST_FRAMES {
            if let Some(frame) = self.store.front() {
                let needed = frame.len();
                buf.get_mut(..needed)
                    .ok_or(Error::Request(ErrorKind::BufferTooSmall { needed }))?
                    .copy_from_slice(frame);
                self.store.pop();
                self.stats.count_rx(needed);
                return Ok(Some(needed));
            }
            let Some(announced) = self.waiting().await? else {
                break;
            };
            if let Fetched::Frame(len) = self.fetch(announced, Some(&mut *buf), &mut []).await? {
                self.stats.count_rx(len);
                return Ok(Some(len));
            }
        }
        Ok(None)
    }

    /// Throws the next frame away.
    pub(crate) async fn discard(&mut self) -> Result<bool, B> {
        if !self.is_running()? {
            return Ok(false);
        }
        for _ in 0..MOST_FRAMES {
            if !self.store.is_empty() {
                self.store.pop();
                self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
                return Ok(true);
            }
            if !self.absorb_one().await? {
                break;
            }
        }
        Ok(false)
    }

    /// Whether a frame waits for the caller. True to the chip after [`absorb`](Self::absorb), which leaves there only what it has no room for.
    pub(crate) const fn is_rx_pending(&self) -> bool {
        !self.store.is_empty()
    }

    /// Whether something waits in the chip that is not fetched for want of room: the line stays high, and says nothing.
    pub(crate) fn holds_the_line(&self) -> bool {
        self.port.status().and_then(status::packet).is_some()
    }

    // Sending.

    /// Whether the next frame finds room. Credits come with whatever is received.
    async fn make_room(&mut self) -> Result<bool, B> {
        for _ in 0..MOST_FRAMES {
            if self.has_room() {
                return Ok(true);
            }
            if !self.absorb_one().await? {
                break;
            }
        }
        Ok(self.has_room())
    }

    pub(crate) const fn has_room(&self) -> bool {
        self.link_up && self.credits.for_data()
    }

    pub(crate) async fn tx_ready(&mut self) -> Result<bool, B> {
        Ok(self.is_running()? && self.link_up && self.make_room().await?)
    }

    pub(crate) async fn send(&mut self, parts: &[&[u8]]) -> Result<(), B> {
        let running = self.is_running()?;
        let len = check_frame(parts, &self.capabilities()).map_err(Error::Request)?;
        if !running {
            return Err(Error::Request(ErrorKind::Stopped));
        }
        if !self.link_up {
            return Err(Error::Request(ErrorKind::LinkDown));
        }
        if !self.make_room().await? {
            let kind = if self.link_up {
                ErrorKind::Busy
            } else {
                ErrorKind::LinkDown
            };
            return Err(Error::Request(kind));
        }
        let header = sdpcm::data_header(len, self.credits.sequence());
        let bytes = (header.len() + len).next_multiple_of(4);
        self.port
            .write(Function::Wlan, 0, bytes, Outgoing::new(&header, parts))
            .await?;
        self.credits.spend();
        self.stats.count_tx(len);
        if !self
            .port
            .status()
            .is_some_and(|status| status & status::F2_RX_READY != 0)
        {
            // Full for a moment, or gone.
            self.suspect = true;
        }
        Ok(())
    }

    // Watching.

    pub(crate) async fn service(&mut self) -> Result<Events, B> {
        let link_before = self.link_up;
        if self.is_running()? {
            self.attend().await?;
        }
        let mut events = Events::NONE;
        if self.mode == Mode::Running {
            events.rx_pending = self.is_rx_pending();
            events.tx_room = self.link_up && self.make_room().await?;
        }
        events.link_changed = link_before != self.link_up;
        let lost = self.stats.rx_lost();
        events.rx_lost = lost != self.lost_told;
        self.lost_told = lost;
        events.recovered = core::mem::take(&mut self.recovered);
        Ok(events)
    }

    /// Looks after a chip that runs.
    pub(crate) async fn attend(&mut self) -> Result<(), B> {
        self.absorb().await?;
        self.services = self.services.wrapping_add(1);
        let every = self.config.health_check_every;
        if self.suspect || (every != 0 && self.services % every == 0) {
            self.check_health().await?;
        }
        if self.link_in_doubt {
            self.look_at_link().await?;
        }
        self.tend_join().await
    }

    /// Whether the bus is as it was set up, and the firmware has not stopped.
    async fn check_health(&mut self) -> Result<(), B> {
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

    /// Unmasks the line, then looks: the status word after the unmasking says what came before it. The chip has one interrupt for frames, events and credits,
    /// so that whatever waits is fetched, as far as there is room, until it is clear what it is.
    pub(crate) async fn rearm(&mut self, interest: Interest, link_told: bool) -> Result<RearmOutcome, B> {
        if !self.is_running()? {
            return Ok(RearmOutcome::Armed);
        }
        self.set_armed(!interest.is_none()).await?;
        if interest.is_none() {
            return Ok(RearmOutcome::Armed);
        }
        if !(interest.rx && self.is_rx_pending()) {
            self.absorb().await?;
        }
        let mut pending = interest.rx && self.is_rx_pending();
        if interest.tx && self.link_up {
            pending |= self.make_room().await?;
        }
        pending |= interest.link && self.link_up != link_told;
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
