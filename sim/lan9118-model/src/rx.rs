//! Reception: from the wire into the receive FIFOs (section 3.13).

use core::time::Duration;
use std::collections::VecDeque;

use super::ViolationKind;
use super::filter;
use super::hardware::{Effect, Model};
use super::registers::{RX_DUMP, int};
use ethdev_sim::fcs;

/// A frame shorter than this, with FCS, is a runt.
const SHORTEST: usize = 64;
/// What the MAC does not take for the beginning of a frame.
const NO_FRAME: usize = 6;
/// The watchdog cuts frames off.
const LONGEST: usize = 2048;
/// The data FIFO is full four words before its end.
const RESERVE_WORDS: usize = 4;
/// The group that PAUSE frames go to (IEEE 802.3 annex 31B).
const PAUSE_GROUP: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x01];

/// Bits of a receive status.
mod status {
    pub(super) const ES: u32 = 1 << 15;
    pub(super) const BROADCAST: u32 = 1 << 13;
    pub(super) const LENGTH: u32 = 1 << 12;
    pub(super) const RUNT: u32 = 1 << 11;
    pub(super) const MULTICAST: u32 = 1 << 10;
    pub(super) const TOO_LONG: u32 = 1 << 7;
    pub(super) const TYPE: u32 = 1 << 5;
    pub(super) const WATCHDOG: u32 = 1 << 4;
    pub(super) const CRC: u32 = 1 << 1;
}

/// The receive FIFOs.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    on: bool,
    pub(super) stopping: bool,
    pub(super) dumping: bool,
    pub(super) statuses: VecDeque<u32>,
    data: VecDeque<u32>,
    /// Words that are spoken for by frames that are coming in.
    promised: usize,
    /// Frames whose data come in and whose status is to follow.
    coming: usize,
    /// When the last of them is in: one frame comes in after another.
    pub(super) in_at: Duration,
    pub(super) drop_counter: u32,
    /// Counts dumps, so that what was coming in does not.
    turn: u64,
    /// The next frame's status tells this length, without FCS.
    pub(super) forged: Option<usize>,
    /// The next frame's status has these bits set as well.
    pub(super) bits: u32,
    /// A PAUSE frame was sent and not taken back.
    paused_others: bool,
    /// Neither direction works until a reset: a fault.
    pub(super) broken: bool,
}

impl Receiver {
    pub(super) const fn turn_on(&mut self) {
        self.on = true;
        self.stopping = false;
    }

    pub(super) const fn turn_off(&mut self) {
        self.on = false;
        self.stopping = false;
    }

    /// Bytes of data.
    pub(super) fn used(&self) -> usize {
        self.data.len() * 4
    }

    pub(super) fn whole_frames(&self) -> usize {
        self.statuses.len()
    }

    /// Loses the oldest word of data: a fault.
    pub(super) fn lose_word(&mut self) {
        self.data.pop_front();
    }

    /// Loses the oldest status: a fault.
    pub(super) fn lose_status(&mut self) {
        self.statuses.pop_front();
    }
}

impl Model {
    /// Bytes of the receive data FIFO, and how many statuses there may be (table 5.3).
    const fn rx_sizes(&self) -> (usize, usize) {
        let all = 16 * 1024 - self.tx_fifo_kib() * 1024;
        let statuses = all / 16;
        (all - statuses, statuses / 4)
    }

    pub(super) fn rx_fifo_inf(&self) -> u32 {
        if self.rx.broken {
            return u32::MAX;
        }
        (self.rx.statuses.len() as u32) << 16 | self.rx.used() as u32
    }

    /// A frame with its FCS: the last bit is in.
    pub(super) fn receive(&mut self, frame: &[u8]) {
        self.stats.arrived += 1;
        if !self.rx.on || self.rx.broken || !self.power.is_awake() {
            self.stats.deaf += 1;
            return;
        }
        let Some(to) = frame.first_chunk::<6>().copied() else {
            self.stats.runts += 1;
            return;
        };
        let good = fcs::check(frame).is_some();
        if self.mac.is_paused_by_others() && good {
            self.obey_pause(frame);
        }
        if !filter::passes(self.mac.control(), self.mac.hash(), self.mac.address(), to) {
            self.stats.filtered += 1;
            return;
        }
        if frame.len() < SHORTEST && (!self.mac.passes_bad() || frame.len() <= NO_FRAME) {
            self.stats.runts += 1;
            return;
        }
        let bits = self.judge(frame, to, good);
        self.put_in(&frame[..frame.len().min(LONGEST)], bits);
    }

    /// The bits of the status, but for the length.
    fn judge(&self, frame: &[u8], to: [u8; 6], good: bool) -> u32 {
        let mut bits = 0;
        let broadcast = to == [0xff; 6];
        let kind = frame
            .get(12..14)
            .map(|kind| usize::from(kind[0]) << 8 | usize::from(kind[1]));
        let errors = [
            (frame.len() < SHORTEST, status::RUNT),
            (frame.len() > self.mac.longest(frame), status::TOO_LONG),
            (!good && frame.len() >= SHORTEST, status::CRC),
        ];
        for (is, bit) in errors {
            if is {
                bits |= bit | status::ES;
            }
        }
        for (is, bit) in [
            (broadcast, status::BROADCAST),
            (!broadcast && to[0] & 1 != 0, status::MULTICAST),
            (kind.is_some_and(|kind| kind > 1500), status::TYPE),
            (
                kind.is_some_and(|kind| kind <= 1500 && kind + 18 != frame.len()),
                status::LENGTH,
            ),
            (frame.len() > LONGEST, status::WATCHDOG),
        ] {
            if is {
                bits |= bit;
            }
        }
        bits
    }

    /// Puts a frame into the FIFO: its data piece by piece, its status last.
    fn put_in(&mut self, frame: &[u8], bits: u32) {
        let words: Vec<u32> = frame
            .chunks(4)
            .map(|chunk| {
                let mut word = [0; 4];
                word[..chunk.len()].copy_from_slice(chunk);
                u32::from_le_bytes(word)
            })
            .collect();
        let (bytes, statuses) = self.rx_sizes();
        let taken = self.rx.data.len() + self.rx.promised;
        if (taken + words.len() + RESERVE_WORDS) * 4 > bytes || self.rx.statuses.len() + self.rx.coming >= statuses {
            self.stats.dropped += 1;
            self.rx.drop_counter = self.rx.drop_counter.saturating_add(1);
            self.raise(int::RXDF);
            if self.rx.drop_counter == 1 << 31 {
                self.raise(int::RXDFH);
            }
            return;
        }
        let forged = self.rx.forged.take();
        let len = forged.map_or(frame.len(), |len| len + 4) as u32;
        let bits = bits | core::mem::take(&mut self.rx.bits);
        let status = bits | (len & 0x3fff) << 16;
        if bits & status::ES == 0 {
            self.stats.received += 1;
        } else {
            self.stats.received_bad += 1;
        }
        let stage = self.config.staging;
        if stage.is_zero() {
            self.rx.data.extend(words);
            self.push_rx_status(status);
            return;
        }
        self.rx.promised += words.len();
        self.rx.coming += 1;
        let turn = self.rx.turn;
        let power = self.power.turn;
        let later = words[words.len() / 2..].to_vec();
        let now = words[..words.len() / 2].to_vec();
        let begins = self.rx.in_at.max(self.clock.now());
        self.rx.in_at = begins + stage * 3;
        self.at(begins + stage, move |chip| chip.more_data(turn, power, &now));
        self.at(begins + stage * 2, move |chip| chip.more_data(turn, power, &later));
        self.at(self.rx.in_at, move |chip| {
            if (chip.rx.turn, chip.power.turn) == (turn, power) {
                chip.rx.coming -= 1;
                chip.push_rx_status(status);
            }
        });
    }

    fn more_data(&mut self, turn: u64, power: u64, words: &[u32]) {
        if (self.rx.turn, self.power.turn) == (turn, power) {
            self.rx.promised -= words.len();
            self.rx.data.extend(words);
        }
    }

    fn push_rx_status(&mut self, status: u32) {
        let level = (self.fifo_int & 0xff) as usize;
        self.rx.statuses.push_back(status);
        if self.rx.statuses.len() > level {
            self.raise(int::RSFL);
        }
        if self.rx.statuses.len() == self.rx_sizes().1 {
            self.raise(int::RSFF);
        }
        self.ask_for_pause();
    }

    /// Automatic flow control (section 5.3.22).
    fn ask_for_pause(&mut self) {
        let (high, low) = (self.afc_cfg >> 16 & 0xff, self.afc_cfg >> 8 & 0xff);
        if self.afc_cfg & 1 == 0 || !self.mac.is_full_duplex() || high == 0 {
            return;
        }
        let used = self.rx.used() as u32;
        let time = if !self.rx.paused_others && used >= high * 64 {
            self.mac.pause_time()
        } else if self.rx.paused_others && used < low * 64 {
            0
        } else {
            return;
        };
        self.rx.paused_others = time != 0;
        self.stats.pauses_sent += 1;
        let mut pause = PAUSE_GROUP.to_vec();
        pause.extend(self.mac.address());
        pause.extend([0x88, 0x08, 0x00, 0x01]);
        pause.extend(time.to_be_bytes());
        self.effect(Effect::Pause(fcs::pad_and_append(&pause)));
    }

    /// A PAUSE frame holds the transmitter back (IEEE 802.3 annex 31B).
    fn obey_pause(&mut self, frame: &[u8]) {
        let for_us = frame.starts_with(&PAUSE_GROUP) || frame.starts_with(&self.mac.address());
        if for_us && frame.get(12..16) == Some(&[0x88, 0x08, 0x00, 0x01]) && frame.len() >= SHORTEST {
            let quanta = u32::from(frame[16]) << 8 | u32::from(frame[17]);
            self.stats.paused += 1;
            self.pause(quanta);
        }
    }

    pub(super) fn configure_rx(&mut self, value: u32) {
        if value & !RX_DUMP != 0 {
            self.violation(ViolationKind::NotModelled, format!("{value:#010x} to RX_CFG"));
        }
        self.rx_cfg = 0;
        if value & RX_DUMP == 0 {
            return;
        }
        if self.rx.on {
            self.violation(
                ViolationKind::FifoInUse,
                "the receive FIFO is dumped while the receiver is on",
            );
        }
        self.stats.rx_dropped += self.rx.whole_frames() as u64;
        self.rx = Receiver {
            on: self.rx.on,
            broken: self.rx.broken,
            drop_counter: self.rx.drop_counter,
            turn: self.rx.turn + 1,
            dumping: true,
            ..Receiver::default()
        };
        let turn = self.power.turn;
        self.later(self.config.mac_register, move |chip| {
            if chip.power.turn == turn {
                chip.rx.dumping = false;
            }
        });
    }

    pub(super) fn pop_rx_data(&mut self) -> u32 {
        let word = self.rx.data.pop_front();
        self.ask_for_pause();
        word.unwrap_or_else(|| self.rx_underrun("data"))
    }

    pub(super) fn pop_rx_status(&mut self) -> u32 {
        match self.rx.statuses.pop_front() {
            Some(status) => status,
            None => self.rx_underrun("status"),
        }
    }

    pub(super) fn peek_rx_status(&mut self) -> u32 {
        self.rx.statuses.front().copied().unwrap_or(0)
    }

    fn rx_underrun(&mut self, what: &str) -> u32 {
        self.violation(ViolationKind::RxUnderrun, format!("{what} read from an empty FIFO"));
        self.raise(int::RXE);
        0
    }
}
