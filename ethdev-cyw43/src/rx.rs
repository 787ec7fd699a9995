//! Reception: frames, events, responses.

use ethdev::ErrorKind;

use crate::bus::Bus;
use crate::chip::{Chip, MAX_FRAME, Mode};
use crate::error::{Error, Fault};
use crate::events::{Event, Kind};
use crate::firmware::FirmwareSource;
use crate::frame_parser::{FrameParser, Parsed};
use crate::gspi::{Function, Result};
use crate::ioctl::Reply;
use crate::regs::{self, f1, interrupt, status};
use crate::sdpcm::{self, Header};

/// The least that goes before an Ethernet frame: an SDPCM and a BDC header.
const LEAST_OVERHEAD: usize = sdpcm::HEADER + sdpcm::BDC;
/// How many frames one call fetches at most. The rest is for the next call.
pub(crate) const MOST_FRAMES: usize = 64;
/// How often the state of the bus is asked again where the answer is none, and how long after.
const STATUS_TRIES: usize = 16;
const STATUS_TRY_US: u32 = 100;
/// After this number of invalid announcements in a row, the chip is in fault.
const MOST_BOGUS: u8 = 8;
/// Most frames that may be missing by their sequence numbers. More mean a chip that restarted.
const MOST_MISSING: u8 = 16;

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
    Queue,
    Nowhere,
}

/// How long an Ethernet frame at most is for which so much was announced.
fn longest(announced: usize) -> usize {
    announced.saturating_sub(LEAST_OVERHEAD).min(MAX_FRAME)
}

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    /// Length of the frame that waits in the chip, if one does. Asks only where neither the last
    /// transaction nor the line has the answer.
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
    pub(crate) async fn ask(&mut self) -> Result<Option<usize>, B> {
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
            if packet.is_none() && status & status::F2_RX_READY == 0 {
                // Busy for a moment, or not what it was set up to be any more.
                self.check_health().await?;
            }
            if packet.is_none() && self.rx_in_doubt {
                self.a_frame_was_lost(1);
            }
            return Ok(packet);
        }
        self.fail(Fault::ProtocolError)
    }

    /// Frames left the chip and were not seen: Ethernet frames, as far as is known.
    fn a_frame_was_lost(&mut self, count: u8) {
        self.rx_in_doubt = false;
        self.rx_sequence = self.rx_sequence.map(|sequence| sequence.wrapping_add(count));
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(count.into());
        // It may have been an event after all.
        self.link_in_doubt = true;
    }

    /// Fetches the frame that waits, of which the chip announced this length: into `into` where
    /// that takes any frame of this length, else into the store, else it is lost and counted.
    /// Answers go to `answer`.
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
            None if self.rx_queue.has_room(longest) => (self.rx_queue.room(longest), Place::Queue),
            None => (&mut [][..], Place::Nowhere),
        };
        let was_in_doubt = core::mem::replace(&mut self.rx_in_doubt, true);
        let mut parser = FrameParser::new(announced, data, self.events, answer);
        self.port.read(Function::Wlan, 0, announced, 0, &mut parser).await?;
        let parsed = parser.finish();
        self.rx_in_doubt = false;
        Ok(match parsed {
            Parsed::Malformed => {
                self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
                self.rx_sequence = None;
                self.distrust()?;
                Fetched::Nothing
            }
            Parsed::Nothing(header) => {
                self.note_header(&header, was_in_doubt);
                Fetched::Nothing
            }
            Parsed::BadData(header) => {
                self.note_header(&header, was_in_doubt);
                self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
                Fetched::Nothing
            }
            Parsed::Data(header, len) => {
                self.note_header(&header, was_in_doubt);
                self.take_data(len, &place)
            }
            Parsed::Event(header, len) => {
                self.note_header(&header, was_in_doubt);
                self.on_event(len);
                Fetched::Nothing
            }
            Parsed::Reply(header, reply) => {
                self.note_header(&header, was_in_doubt);
                if self.outstanding == Some(reply.id) {
                    self.outstanding = None;
                }
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
            return self.fail(Fault::ProtocolError);
        }
        self.stats.faults = self.stats.faults.wrapping_add(1);
        Ok(())
    }

    fn note_header(&mut self, header: &Header, was_in_doubt: bool) {
        self.bogus = 0;
        // Who sends frames is alive.
        self.services = 0;
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
            // Dropped by what stops the interface.
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
            return Fetched::Nothing;
        }
        if !(ethdev::frame::HEADER_LEN..=MAX_FRAME).contains(&len) {
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
            return Fetched::Nothing;
        }
        match place {
            Place::Caller => return Fetched::Frame(len),
            Place::Queue => self.rx_queue.push(len),
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
            self.link_in_doubt |= self.station.on_event(&event);
        } else if event.kind == Kind::Link {
            self.ap_up = event.is_link_up();
        }
        self.note_link();
    }

    /// Fetches what waits, as long as the queue has capacity.
    pub(crate) async fn absorb(&mut self) -> Result<(), B> {
        for _ in 0..MOST_FRAMES {
            match self.waiting().await? {
                Some(announced) if self.rx_queue.has_room(longest(announced)) => {
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

    /// Moves the next frame to `buf`.
    pub(crate) async fn receive(&mut self, buf: &mut [u8]) -> Result<Option<usize>, B> {
        if !self.is_running()? {
            return Ok(None);
        }
        for _ in 0..MOST_FRAMES {
            if let Some(frame) = self.rx_queue.front() {
                let needed = frame.len();
                buf.get_mut(..needed)
                    .ok_or(ErrorKind::BufferTooSmall { needed })?
                    .copy_from_slice(frame);
                self.rx_queue.pop();
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
            if !self.rx_queue.is_empty() {
                self.rx_queue.pop();
                self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
                return Ok(true);
            }
            if !self.absorb_one().await? {
                break;
            }
        }
        Ok(false)
    }

    /// Whether a frame waits for the caller. True to the chip after [`absorb`](Self::absorb), which
    /// leaves there only what it has no room for.
    pub(crate) const fn is_rx_pending(&self) -> bool {
        !self.rx_queue.is_empty()
    }

    /// Whether something waits in the chip that is not fetched for want of room: the line stays
    /// high, and says nothing.
    pub(crate) fn holds_the_line(&self) -> bool {
        self.port.status().and_then(status::packet).is_some()
    }
}
