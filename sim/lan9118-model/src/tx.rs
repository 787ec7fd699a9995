//! Transmission: commands and data from the host, through the FIFOs, to the wire (section 3.12).

use core::time::Duration;
use std::collections::VecDeque;

use ethdev_sim::fcs;

use crate::context::{Context, Effect, Event, Timer};
use crate::mac::Mac;
use crate::registers::{int, tx_cfg};
use crate::system::System;
use crate::violations::ViolationKind;

/// Capacity of the status FIFO.
const STATUSES: usize = 128;
/// Capacity in bytes of the buffer between the FIFO and the MAC, and the most that one frame may
/// take of it (section 3.12.3.1).
const MIL_BYTES: usize = 2048;
const MIL_FRAME_BYTES: usize = 2036;
/// Shortest segment in the middle of a frame, in bytes.
const MIN_SEGMENT: usize = 4;

/// Time after which a frame is dropped.
const FAILED_TRANSMISSION: Duration = Duration::from_micros(20);

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

/// Why the chip drops a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxOutcome {
    /// A collision after the window of 64 bytes.
    LateCollision,
    /// Sixteen collisions.
    ExcessiveCollisions,
    /// No carrier while the frame was sent.
    NoCarrier,
}

impl TxOutcome {
    const fn bits(self) -> u32 {
        match self {
            Self::LateCollision => status::LATE_COLLISION,
            Self::ExcessiveCollisions => status::EXCESSIVE_COLLISIONS,
            Self::NoCarrier => status::NO_CARRIER | status::LOSS_OF_CARRIER,
        }
    }
}

/// What the host writes next.
#[derive(Debug, Default)]
enum Incoming {
    #[default]
    CommandA,
    CommandB(u32),
    Data {
        last: bool,
        /// Words still to come; the first ones may be padding.
        words: usize,
        /// Bytes of padding at the beginning, and bytes of data after them.
        skip: usize,
        wanted: usize,
    },
}

/// A frame that the host has written.
#[derive(Debug)]
struct Frame {
    command_b: u32,
    bytes: Vec<u8>,
    /// Bytes that it takes of the data FIFO, and of the buffer behind it.
    fifo_bytes: usize,
    mil_bytes: usize,
    in_mil: bool,
}

/// The transmitter and its FIFOs.
#[derive(Debug, Default)]
pub(crate) struct Transmitter {
    config: u32,
    incoming: Incoming,
    /// The frame that is being written.
    frame: Option<Frame>,
    segments: usize,
    queue: VecDeque<Frame>,
    statuses: VecDeque<u32>,
    /// The status of the frame that is on the wire.
    on_wire: Option<u32>,
    paused_until: Duration,
    stopping: bool,
    dumping: u32,
    /// No frame is started: an injected fault.
    stalled: bool,
    outcomes: VecDeque<TxOutcome>,
    /// Counts frames, so that the end of an earlier one has no effect.
    number: u64,
}

/// Whether the rest of the chip lets frames out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate {
    pub(crate) awake: bool,
    pub(crate) mac_transmits: bool,
}

impl Gate {
    pub(crate) const fn new(awake: bool, mac: &Mac) -> Self {
        Self {
            awake,
            mac_transmits: mac.transmits(),
        }
    }
}

impl Transmitter {
    pub(crate) const fn is_on(&self) -> bool {
        self.config & tx_cfg::TX_ON != 0
    }

    pub(crate) const fn is_on_wire(&self) -> bool {
        self.on_wire.is_some()
    }

    /// Frames written that have not been sent.
    pub(crate) fn unsent(&self) -> usize {
        self.queue.len() + usize::from(self.on_wire.is_some())
    }

    pub(crate) const fn stall(&mut self, stalled: bool) {
        self.stalled = stalled;
    }

    pub(crate) fn queue_outcomes(&mut self, outcomes: impl IntoIterator<Item = TxOutcome>) {
        self.outcomes.extend(outcomes);
    }

    pub(crate) fn push_status(&mut self, status: u32) {
        self.statuses.push_back(status);
    }

    pub(crate) fn peek_status(&self) -> u32 {
        self.statuses.front().copied().unwrap_or(0)
    }

    /// `TX_CFG`.
    pub(crate) const fn config(&self) -> u32 {
        self.config | self.dumping | if self.stopping { tx_cfg::STOP_TX } else { 0 }
    }

    fn free(&self, system: &System) -> usize {
        let size = system.tx_fifo_kib() * 1024 - 512;
        let queued: usize = self.queue.iter().filter(|f| !f.in_mil).map(|f| f.fifo_bytes).sum();
        let incoming = self.frame.as_ref().map_or(0, |frame| frame.fifo_bytes);
        size.saturating_sub(queued + incoming)
    }

    /// `TX_FIFO_INF`.
    pub(crate) fn fifo_inf(&self, system: &System) -> u32 {
        (self.statuses.len() as u32) << 16 | self.free(system) as u32
    }

    /// Takes a word of the data FIFO.
    fn take_word(&mut self, context: &mut Context, system: &mut System) {
        if self.free(system) < 4 {
            context.violation(ViolationKind::TxOverrun, "the transmit data FIFO is full");
            system.raise(int::TXE | int::TDFO);
        }
        if let Some(frame) = &mut self.frame {
            frame.fifo_bytes += 4;
        }
    }

    /// The host writes a word. Returns whether that completed a frame.
    pub(crate) fn push(&mut self, context: &mut Context, system: &mut System, word: u32) -> bool {
        match core::mem::take(&mut self.incoming) {
            Incoming::CommandA => {
                if word & A_RESERVED != 0 || word >> 24 & 3 != 0 {
                    error(context, system, format!("command A {word:#010x}"));
                }
                self.incoming = Incoming::CommandB(word);
                false
            }
            Incoming::CommandB(a) => self.begin_segment(context, system, a, word),
            Incoming::Data {
                last,
                words,
                mut skip,
                mut wanted,
            } => {
                // Whole words of padding do not reach the FIFO (section 3.12.5).
                if skip < 4 {
                    self.take_word(context, system);
                    let bytes: Vec<u8> = word.to_le_bytes().into_iter().skip(skip).take(wanted).collect();
                    wanted -= bytes.len();
                    skip = 0;
                    if let Some(frame) = &mut self.frame {
                        frame.mil_bytes += 4;
                        frame.bytes.extend(bytes);
                    }
                } else {
                    skip -= 4;
                }
                if words > 1 {
                    self.incoming = Incoming::Data {
                        last,
                        words: words - 1,
                        skip,
                        wanted,
                    };
                    false
                } else {
                    self.end_segment(context, system, last)
                }
            }
        }
    }

    fn begin_segment(&mut self, context: &mut Context, system: &mut System, a: u32, b: u32) -> bool {
        let (len, skip) = ((a & 0x7ff) as usize, (a >> 16 & 0x1f) as usize);
        let (first, last) = (a & FIRST != 0, a & LAST != 0);
        if b & B_RESERVED != 0 || b & (NO_CRC | NO_PADDING) != 0 {
            error(context, system, format!("command B {b:#010x}"));
        }
        match &self.frame {
            None if !first => error(context, system, "a frame without its first segment"),
            Some(_) if first => error(context, system, "a frame without its last segment"),
            Some(frame) if frame.command_b != b => {
                let detail = format!("command B {b:#010x} after {:#010x}", frame.command_b);
                error(context, system, detail);
            }
            _ => {}
        }
        if !first && !last && len < MIN_SEGMENT {
            error(context, system, format!("a middle segment of {len} bytes"));
        }
        if len == 0 && !(first && last) {
            error(context, system, "an empty segment");
        }
        if first || self.frame.is_none() {
            self.segments = 0;
            self.frame = Some(Frame {
                command_b: b,
                bytes: Vec::new(),
                fifo_bytes: 0,
                mil_bytes: 0,
                in_mil: false,
            });
            self.take_word(context, system);
        }
        self.take_word(context, system);
        self.segments += 1;
        let words = (skip + len).div_ceil(4);
        if words > 0 {
            self.incoming = Incoming::Data {
                last,
                words,
                skip,
                wanted: len,
            };
            false
        } else {
            self.end_segment(context, system, last)
        }
    }

    /// The last word of a segment is in.
    fn end_segment(&mut self, context: &mut Context, system: &mut System, last: bool) -> bool {
        let Some(frame) = self.frame.take_if(|_| last) else {
            return false;
        };
        let len = (frame.command_b & 0x7ff) as usize;
        if len != frame.bytes.len() || !(14..=1518).contains(&len) {
            error(
                context,
                system,
                format!("{} bytes in a frame of {len}", frame.bytes.len()),
            );
            return false;
        }
        if frame.mil_bytes > MIL_FRAME_BYTES {
            let detail = format!("{} segments take {} bytes", self.segments, frame.mil_bytes);
            error(context, system, detail);
            return false;
        }
        context.stats.tx_written += 1;
        self.queue.push_back(frame);
        true
    }

    /// Moves frames on and starts one, as far as nothing holds them back.
    pub(crate) fn transmit(&mut self, context: &mut Context, system: &mut System, gate: Gate) {
        let mut in_mil = 0;
        for frame in &mut self.queue {
            if in_mil + frame.mil_bytes > MIL_BYTES || !(frame.in_mil || self.config & tx_cfg::TX_ON != 0) {
                break;
            }
            frame.in_mil = true;
            in_mil += frame.mil_bytes;
        }
        if self.free(system) > system.tx_data_level() {
            system.raise(int::TDFA);
        }
        let may_start = self.is_on()
            && !self.stopping
            && !self.stalled
            && !system.failed
            && gate.mac_transmits
            && gate.awake
            && self.on_wire.is_none()
            && (self.statuses.len() < STATUSES || self.config & tx_cfg::TXSAO != 0)
            && context.now() >= self.paused_until;
        if !may_start {
            return;
        }
        let Some(frame) = self.queue.pop_front() else { return };
        let tag = frame.command_b & 0xffff_0000;
        self.number += 1;
        match self.outcomes.pop_front() {
            None => {
                self.on_wire = Some(tag);
                context.effect(Effect::Transmit(fcs::pad_and_append(&frame.bytes)));
            }
            Some(outcome) => {
                self.on_wire = Some(tag | status::ES | outcome.bits());
                let end = context.now() + FAILED_TRANSMISSION;
                self.end_at(context, system, end);
            }
        }
    }

    /// The medium has the frame, and sends its last bit at `end`.
    pub(crate) fn transmitting_until(&mut self, context: &mut Context, system: &System, end: Duration, carrier: bool) {
        if !carrier {
            if let Some(status) = &mut self.on_wire {
                *status |= status::ES | TxOutcome::NoCarrier.bits();
            }
        }
        self.end_at(context, system, end);
    }

    fn end_at(&self, context: &mut Context, system: &System, end: Duration) {
        let number = self.number;
        system.at(context, end, Event::TxEnd { number });
    }

    /// A frame is off the wire.
    pub(crate) fn frame_ends(&mut self, context: &mut Context, system: &mut System, gate: Gate, number: u64) {
        if self.number != number {
            return;
        }
        let Some(status) = self.on_wire.take() else { return };
        if status & status::ES == 0 {
            context.stats.transmitted += 1;
        } else {
            context.stats.tx_failed += 1;
        }
        if self.statuses.len() < STATUSES {
            self.statuses.push_back(status);
            self.check_level(system);
            if self.statuses.len() == STATUSES {
                system.raise(int::TSFF);
            }
        }
        if self.stopping {
            self.stop(system);
        }
        self.transmit(context, system, gate);
    }

    /// Raises the interrupt of the status FIFO where its level is exceeded.
    pub(crate) fn check_level(&self, system: &mut System) {
        if self.statuses.len() > system.tx_status_level() {
            system.raise(int::TSFL);
        }
    }

    const fn stop(&mut self, system: &mut System) {
        self.stopping = false;
        self.config &= !tx_cfg::TX_ON;
        system.raise(int::TXSTOP);
    }

    /// `TX_CFG` was written.
    pub(crate) fn configure(&mut self, context: &mut Context, system: &mut System, gate: Gate, value: u32) {
        let dumps = value & (tx_cfg::TXS_DUMP | tx_cfg::TXD_DUMP);
        if dumps != 0 {
            self.dump(context, system, dumps);
        }
        self.config = value & (tx_cfg::TXSAO | tx_cfg::TX_ON);
        if value & tx_cfg::STOP_TX != 0 {
            if self.on_wire.is_some() {
                self.stopping = true;
            } else {
                self.stop(system);
            }
        }
        self.transmit(context, system, gate);
    }

    fn dump(&mut self, context: &mut Context, system: &System, dumps: u32) {
        if self.is_on() {
            context.violation(
                ViolationKind::FifoInUse,
                "a transmit FIFO is dumped while the transmitter is on",
            );
        }
        if dumps & tx_cfg::TXD_DUMP != 0 {
            context.stats.tx_lost += self.queue.len() as u64;
            self.queue.clear();
            self.frame = None;
            self.incoming = Incoming::default();
        }
        if dumps & tx_cfg::TXS_DUMP != 0 {
            self.statuses.clear();
        }
        self.dumping = dumps;
        system.after(context, context.config.mac_register, Event::TxDumpEnd);
    }

    pub(crate) const fn dump_ends(&mut self) {
        self.dumping = 0;
    }

    pub(crate) fn pop_status(&mut self, context: &mut Context, system: &mut System, gate: Gate) -> u32 {
        let status = self.statuses.pop_front();
        if status.is_none() {
            context.violation(
                ViolationKind::TxStatusUnderrun,
                "transmit status read from an empty FIFO",
            );
        }
        self.transmit(context, system, gate);
        status.unwrap_or(0)
    }

    /// A PAUSE frame came: no frame is started for `quanta` times 512 bits.
    pub(crate) fn pause(&mut self, context: &mut Context, system: &mut System, gate: Gate, quanta: u32) {
        // At 100 Mbit/s. A chip at 10 Mbit/s pauses for a tenth of the time.
        self.paused_until = context.now() + Duration::from_nanos(5120) * quanta;
        let timer = Timer {
            generation: None,
            event: Event::PauseOver,
        };
        context.timer_at(self.paused_until, timer);
        if quanta == 0 {
            self.transmit(context, system, gate);
        }
    }
}

fn error(context: &mut Context, system: &mut System, detail: impl Into<String>) {
    context.violation(ViolationKind::TxProtocol, detail);
    system.raise(int::TXE);
}
