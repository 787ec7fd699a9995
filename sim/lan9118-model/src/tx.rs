//! Transmission: commands and data from the host, through the FIFOs, onto the wire (section 3.12).

use core::time::Duration;
use std::collections::VecDeque;

use super::ViolationKind;
use super::hardware::{Effect, Model};
use super::registers::{int, tx_cfg};
use ethdev_sim::fcs;

/// Statuses that the FIFO holds.
const STATUSES: usize = 128;
/// The buffer between the FIFO and the MAC: for frames, and the most that one of them may take of it (section 3.12.3.1).
const MIL_BYTES: usize = 2048;
const MIL_FRAME_BYTES: usize = 2036;
/// Segments in between have at least so many bytes.
const MIN_SEGMENT: usize = 4;

/// Bits of the commands.
const FIRST: u32 = 1 << 13;
const LAST: u32 = 1 << 12;
const NO_CRC: u32 = 1 << 13;
const NO_PADDING: u32 = 1 << 12;
const A_RESERVED: u32 = 0x7ce0_c800;
const B_RESERVED: u32 = 0x0000_c800;

/// Bits of a transmit status.
mod status {
    pub(super) const ES: u32 = 1 << 15;
    pub(super) const LOSS_OF_CARRIER: u32 = 1 << 11;
    pub(super) const NO_CARRIER: u32 = 1 << 10;
    pub(super) const LATE_COLLISION: u32 = 1 << 9;
    pub(super) const EXCESSIVE_COLLISIONS: u32 = 1 << 8;
}

/// Why the chip gives a frame up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxFate {
    /// A collision after the window of 64 bytes.
    LateCollision,
    /// Sixteen collisions.
    ExcessiveCollisions,
    /// Nothing on the medium while it was sent.
    NoCarrier,
}

impl TxFate {
    const fn bits(self) -> u32 {
        match self {
            Self::LateCollision => status::LATE_COLLISION,
            Self::ExcessiveCollisions => status::EXCESSIVE_COLLISIONS,
            Self::NoCarrier => status::NO_CARRIER | status::LOSS_OF_CARRIER,
        }
    }
}

/// What the host is writing.
#[derive(Debug, Default)]
enum Incoming {
    #[default]
    CommandA,
    CommandB(u32),
    Data {
        last: bool,
        /// Words still to come, of which the first have nothing for the frame.
        words: usize,
        /// Bytes to be left out at the beginning, and bytes wanted after them.
        skip: usize,
        wanted: usize,
    },
}

/// A frame that the host has written.
#[derive(Debug)]
struct Frame {
    command_b: u32,
    bytes: Vec<u8>,
    /// What it takes of the data FIFO, and of the buffer behind it.
    fifo_bytes: usize,
    mil_bytes: usize,
    in_mil: bool,
}

/// The transmit FIFOs.
#[derive(Debug, Default)]
pub(super) struct Transmitter {
    config: u32,
    incoming: Incoming,
    /// The frame that is being written.
    frame: Option<Frame>,
    segments: usize,
    queue: VecDeque<Frame>,
    pub(super) statuses: VecDeque<u32>,
    /// The frame that is on the wire, and what is to be its status.
    on_wire: Option<u32>,
    paused_until: Duration,
    stopping: bool,
    dumping: u32,
    /// Somebody holds the medium: nothing begins.
    pub(super) stalled: bool,
    pub(super) fates: VecDeque<TxFate>,
    /// Counts what makes an end that was scheduled void.
    turn: u64,
}

impl Transmitter {
    pub(super) const fn is_on(&self) -> bool {
        self.config & tx_cfg::TX_ON != 0
    }

    pub(super) const fn is_on_wire(&self) -> bool {
        self.on_wire.is_some()
    }

    /// Frames written that have not gone out.
    pub(super) fn unsent(&self) -> usize {
        self.queue.len() + usize::from(self.on_wire.is_some())
    }
}

impl Model {
    pub(super) fn tx_cfg(&self) -> u32 {
        self.tx.config | self.tx.dumping | if self.tx.stopping { tx_cfg::STOP_TX } else { 0 }
    }

    fn tx_free(&self) -> usize {
        let size = self.tx_fifo_kib() * 1024 - 512;
        let queued: usize = self.tx.queue.iter().filter(|f| !f.in_mil).map(|f| f.fifo_bytes).sum();
        let coming = self.tx.frame.as_ref().map_or(0, |frame| frame.fifo_bytes);
        size.saturating_sub(queued + coming)
    }

    pub(super) fn tx_fifo_inf(&self) -> u32 {
        (self.tx.statuses.len() as u32) << 16 | self.tx_free() as u32
    }

    fn tx_error(&mut self, detail: String) {
        self.violation(ViolationKind::TxProtocol, detail);
        self.raise(int::TXE);
    }

    /// A word of the data FIFO is taken.
    fn take_room(&mut self) {
        if self.tx_free() < 4 {
            self.violation(ViolationKind::TxOverrun, "no room in the transmit data FIFO");
            self.raise(int::TXE | int::TDFO);
        }
        if let Some(frame) = &mut self.tx.frame {
            frame.fifo_bytes += 4;
        }
    }

    /// The host writes a word.
    pub(super) fn push_tx(&mut self, word: u32) {
        match core::mem::take(&mut self.tx.incoming) {
            Incoming::CommandA => {
                if word & A_RESERVED != 0 || word >> 24 & 3 != 0 {
                    self.tx_error(format!("command A {word:#010x}"));
                }
                self.tx.incoming = Incoming::CommandB(word);
            }
            Incoming::CommandB(a) => self.begin_segment(a, word),
            Incoming::Data {
                last,
                words,
                mut skip,
                mut wanted,
            } => {
                // Whole words of the offset do not reach the FIFO (section 3.12.5).
                if skip < 4 {
                    self.take_room();
                    let bytes: Vec<u8> = word.to_le_bytes().into_iter().skip(skip).take(wanted).collect();
                    wanted -= bytes.len();
                    skip = 0;
                    if let Some(frame) = &mut self.tx.frame {
                        frame.mil_bytes += 4;
                        frame.bytes.extend(bytes);
                    }
                } else {
                    skip -= 4;
                }
                if words > 1 {
                    self.tx.incoming = Incoming::Data {
                        last,
                        words: words - 1,
                        skip,
                        wanted,
                    };
                } else if last {
                    self.end_frame();
                }
            }
        }
    }

    fn begin_segment(&mut self, a: u32, b: u32) {
        let (len, skip) = ((a & 0x7ff) as usize, (a >> 16 & 0x1f) as usize);
        let (first, last) = (a & FIRST != 0, a & LAST != 0);
        if b & B_RESERVED != 0 || b & (NO_CRC | NO_PADDING) != 0 {
            self.tx_error(format!("command B {b:#010x}"));
        }
        match &self.tx.frame {
            None if !first => self.tx_error("a frame without its first segment".into()),
            Some(_) if first => self.tx_error("a frame without its last segment".into()),
            Some(frame) if frame.command_b != b => {
                let detail = format!("command B {b:#010x} after {:#010x}", frame.command_b);
                self.tx_error(detail);
            }
            _ => {}
        }
        if !first && !last && len < MIN_SEGMENT {
            self.tx_error(format!("a middle segment of {len} bytes"));
        }
        if len == 0 && !(first && last) {
            self.tx_error("an empty segment".into());
        }
        if first || self.tx.frame.is_none() {
            self.tx.segments = 0;
            self.tx.frame = Some(Frame {
                command_b: b,
                bytes: Vec::new(),
                fifo_bytes: 0,
                mil_bytes: 0,
                in_mil: false,
            });
            self.take_room();
        }
        self.take_room();
        self.tx.segments += 1;
        let words = (skip + len).div_ceil(4);
        if words > 0 {
            self.tx.incoming = Incoming::Data {
                last,
                words,
                skip,
                wanted: len,
            };
        } else if last {
            self.end_frame();
        }
    }

    /// The last word of a frame is in.
    fn end_frame(&mut self) {
        let Some(frame) = self.tx.frame.take() else { return };
        let told = (frame.command_b & 0x7ff) as usize;
        if told != frame.bytes.len() || !(14..=1518).contains(&told) {
            self.tx_error(format!("{} bytes in a frame of {told}", frame.bytes.len()));
            return;
        }
        if frame.mil_bytes > MIL_FRAME_BYTES {
            self.tx_error(format!("{} segments take {} bytes", self.tx.segments, frame.mil_bytes));
            return;
        }
        self.stats.tx_written += 1;
        self.tx.queue.push_back(frame);
        self.transmit();
    }

    /// Moves frames on, as far as nothing is in the way.
    pub(super) fn transmit(&mut self) {
        let mut in_mil = 0;
        for frame in &mut self.tx.queue {
            if in_mil + frame.mil_bytes > MIL_BYTES || !(frame.in_mil || self.tx.config & tx_cfg::TX_ON != 0) {
                break;
            }
            frame.in_mil = true;
            in_mil += frame.mil_bytes;
        }
        if self.tx_free() > (self.fifo_int >> 24) as usize * 64 {
            self.raise(int::TDFA);
        }
        let may_begin = self.tx.is_on()
            && !self.tx.stopping
            && !self.tx.stalled
            && !self.rx.broken
            && self.mac.transmits()
            && self.power.is_awake()
            && self.tx.on_wire.is_none()
            && (self.tx.statuses.len() < STATUSES || self.tx.config & tx_cfg::TXSAO != 0)
            && self.clock.now() >= self.tx.paused_until;
        if !may_begin {
            return;
        }
        let Some(frame) = self.tx.queue.pop_front() else { return };
        let tag = frame.command_b & 0xffff_0000;
        self.tx.turn += 1;
        match self.tx.fates.pop_front() {
            None => {
                self.tx.on_wire = Some(tag);
                self.effect(Effect::Transmit(fcs::pad_and_append(&frame.bytes)));
            }
            Some(fate) => {
                self.tx.on_wire = Some(tag | status::ES | fate.bits());
                self.end_at(self.clock.now() + Duration::from_micros(20));
            }
        }
    }

    /// A frame went onto the wire, and ends then.
    pub(super) fn on_the_wire(&mut self, ends: Duration, carrier: bool) {
        if !carrier {
            if let Some(status) = &mut self.tx.on_wire {
                *status |= status::ES | TxFate::NoCarrier.bits();
            }
        }
        self.end_at(ends);
    }

    fn end_at(&self, ends: Duration) {
        let (turn, power) = (self.tx.turn, self.power.turn);
        self.at(ends, move |chip| {
            if (chip.tx.turn, chip.power.turn) == (turn, power) {
                chip.frame_ends();
            }
        });
    }

    fn frame_ends(&mut self) {
        let Some(status) = self.tx.on_wire.take() else { return };
        if status & status::ES == 0 {
            self.stats.transmitted += 1;
        } else {
            self.stats.tx_failed += 1;
        }
        if self.tx.statuses.len() < STATUSES {
            self.tx.statuses.push_back(status);
            if self.tx.statuses.len() > (self.fifo_int >> 16 & 0xff) as usize {
                self.raise(int::TSFL);
            }
            if self.tx.statuses.len() == STATUSES {
                self.raise(int::TSFF);
            }
        }
        if self.tx.stopping {
            self.transmitter_stops();
        }
        self.transmit();
    }

    fn transmitter_stops(&mut self) {
        self.tx.stopping = false;
        self.tx.config &= !tx_cfg::TX_ON;
        self.raise(int::TXSTOP);
    }

    pub(super) fn configure_tx(&mut self, value: u32) {
        let dumps = value & (tx_cfg::TXS_DUMP | tx_cfg::TXD_DUMP);
        if dumps != 0 {
            self.dump_tx(dumps);
        }
        self.tx.config = value & (tx_cfg::TXSAO | tx_cfg::TX_ON);
        if value & tx_cfg::STOP_TX != 0 {
            if self.tx.on_wire.is_some() {
                self.tx.stopping = true;
            } else {
                self.transmitter_stops();
            }
        }
        self.transmit();
    }

    fn dump_tx(&mut self, dumps: u32) {
        if self.tx.is_on() {
            self.violation(
                ViolationKind::FifoInUse,
                "a transmit FIFO is dumped while the transmitter is on",
            );
        }
        if dumps & tx_cfg::TXD_DUMP != 0 {
            self.stats.tx_lost += self.tx.queue.len() as u64;
            self.tx.queue.clear();
            self.tx.frame = None;
            self.tx.incoming = Incoming::default();
        }
        if dumps & tx_cfg::TXS_DUMP != 0 {
            self.tx.statuses.clear();
        }
        self.tx.dumping = dumps;
        let turn = self.power.turn;
        self.later(self.config.mac_register, move |chip| {
            if chip.power.turn == turn {
                chip.tx.dumping = 0;
            }
        });
    }

    pub(super) fn pop_tx_status(&mut self) -> u32 {
        let status = self.tx.statuses.pop_front();
        if status.is_none() {
            self.violation(
                ViolationKind::TxStatusUnderrun,
                "transmit status read from an empty FIFO",
            );
        }
        self.transmit();
        status.unwrap_or(0)
    }

    /// A PAUSE frame came: nothing begins for so many times 512 bits.
    pub(super) fn pause(&mut self, quanta: u32) {
        // At 100 Mbit/s. A chip at 10 Mbit/s is held back for a tenth of what it should be.
        self.tx.paused_until = self.clock.now() + Duration::from_nanos(5120) * quanta;
        self.at(self.tx.paused_until, Self::transmit);
        if quanta == 0 {
            self.transmit();
        }
    }
}
