//! Reception: from the wire into the receive FIFOs (section 3.13).

use core::time::Duration;
use std::collections::VecDeque;

use ethdev_sim::fcs;

use crate::context::{Context, Effect, Event};
use crate::filter;
use crate::mac::Mac;
use crate::registers::{RX_DUMP, int};
use crate::system::System;
use crate::violations::ViolationKind;

/// Shortest frame in bytes, with FCS, that is no runt.
const MIN_LEN_WITH_FCS: usize = 64;
/// Bytes that do not make a frame.
const NO_FRAME: usize = 6;
/// Length in bytes at which the watchdog cuts frames off.
const WATCHDOG_LEN: usize = 2048;
/// The data FIFO is full four words before its end.
const RESERVE_WORDS: usize = 4;
/// The destination of PAUSE frames (IEEE 802.3 annex 31B).
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

/// The receiver and its FIFOs.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    on: bool,
    stopping: bool,
    dumping: bool,
    statuses: VecDeque<u32>,
    data: VecDeque<u32>,
    /// Words reserved for frames that are coming in.
    reserved: usize,
    /// Frames whose data comes in and whose status follows.
    incoming: usize,
    /// When the last of them is in: one frame comes in after another.
    in_at: Duration,
    drop_counter: u32,
    /// Counts dumps, so that what was coming in does not.
    dumps: u64,
    /// Length in the next frame's status, without FCS.
    len_override: Option<usize>,
    /// Bits that are set in the next frame's status.
    extra_bits: u32,
    /// A PAUSE frame was sent and not taken back.
    paused_others: bool,
}

/// A frame that reaches the address filter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitted {
    to: [u8; 6],
    good_fcs: bool,
}

impl Receiver {
    /// The receiver is switched on.
    pub(crate) const fn start(&mut self) {
        self.on = true;
        self.stopping = false;
    }

    /// The receiver is switched off: it stops after the frame that is coming in.
    pub(crate) fn stop(&mut self, context: &mut Context, system: &System) {
        self.stopping = true;
        let after = self.in_at.max(context.now()) + Duration::from_micros(1);
        system.at(context, after, Event::RxStop);
    }

    pub(crate) const fn stop_due(&mut self, system: &mut System) {
        if self.stopping {
            self.on = false;
            self.stopping = false;
            system.raise(int::RXSTOP);
        }
    }

    /// Bytes in the data FIFO.
    pub(crate) fn used(&self) -> usize {
        self.data.len() * 4
    }

    pub(crate) fn frames(&self) -> usize {
        self.statuses.len()
    }

    /// Drops the oldest word of data: an injected fault.
    pub(crate) fn drop_word(&mut self) {
        self.data.pop_front();
    }

    /// Drops the oldest status: an injected fault.
    pub(crate) fn drop_status(&mut self) {
        self.statuses.pop_front();
    }

    pub(crate) const fn override_len(&mut self, len: usize) {
        self.len_override = Some(len);
    }

    pub(crate) const fn set_extra_bits(&mut self, bits: u32) {
        self.extra_bits = bits;
    }

    /// `RX_FIFO_INF`.
    pub(crate) fn fifo_inf(&self, system: &System) -> u32 {
        if system.failed {
            return u32::MAX;
        }
        (self.statuses.len() as u32) << 16 | self.used() as u32
    }

    /// `RX_CFG`.
    pub(crate) const fn config(&self) -> u32 {
        if self.dumping { RX_DUMP } else { 0 }
    }

    /// `RX_DROP`, which a read clears.
    pub(crate) const fn take_drop_counter(&mut self) -> u32 {
        core::mem::replace(&mut self.drop_counter, 0)
    }

    /// The last bit of a frame came in, with its FCS. `awake`: the chip is.
    pub(crate) fn admit(&self, context: &mut Context, system: &System, awake: bool, frame: &[u8]) -> Option<Admitted> {
        context.stats.arrived += 1;
        if !self.on || system.failed || !awake {
            context.stats.rx_off += 1;
            return None;
        }
        let Some(to) = frame.first_chunk::<6>().copied() else {
            context.stats.runts += 1;
            return None;
        };
        let good_fcs = fcs::check(frame).is_some();
        Some(Admitted { to, good_fcs })
    }

    /// Filters a frame, and puts it into the FIFO.
    pub(crate) fn receive(
        &mut self,
        context: &mut Context,
        system: &mut System,
        mac: &Mac,
        frame: &[u8],
        Admitted { to, good_fcs }: Admitted,
    ) {
        if !filter::passes(mac.control(), mac.hash(), mac.address(), to) {
            context.stats.filtered += 1;
            return;
        }
        if frame.len() < MIN_LEN_WITH_FCS && (!mac.passes_bad() || frame.len() <= NO_FRAME) {
            context.stats.runts += 1;
            return;
        }
        let bits = status_bits(mac, frame, to, good_fcs);
        self.store(context, system, mac, &frame[..frame.len().min(WATCHDOG_LEN)], bits);
    }

    /// Puts a frame into the FIFO: its data in two pieces, its status last.
    fn store(&mut self, context: &mut Context, system: &mut System, mac: &Mac, frame: &[u8], bits: u32) {
        let words: Vec<u32> = frame
            .chunks(4)
            .map(|chunk| {
                let mut word = [0; 4];
                word[..chunk.len()].copy_from_slice(chunk);
                u32::from_le_bytes(word)
            })
            .collect();
        let (bytes, statuses) = system.rx_sizes();
        let taken = self.data.len() + self.reserved;
        if (taken + words.len() + RESERVE_WORDS) * 4 > bytes || self.statuses.len() + self.incoming >= statuses {
            context.stats.dropped += 1;
            self.drop_counter = self.drop_counter.saturating_add(1);
            system.raise(int::RXDF);
            if self.drop_counter == 1 << 31 {
                system.raise(int::RXDFH);
            }
            return;
        }
        let len = self.len_override.take().map_or(frame.len(), |len| len + 4) as u32;
        let bits = bits | core::mem::take(&mut self.extra_bits);
        let status = bits | (len & 0x3fff) << 16;
        if bits & status::ES == 0 {
            context.stats.received += 1;
        } else {
            context.stats.received_bad += 1;
        }
        let stage = context.config.staging;
        if stage.is_zero() {
            self.data.extend(words);
            self.push_status(context, system, mac, status);
            return;
        }
        self.reserved += words.len();
        self.incoming += 1;
        let dumps = self.dumps;
        let (first, second) = words.split_at(words.len() / 2);
        let begins = self.in_at.max(context.now());
        self.in_at = begins + stage * 3;
        for (at, words) in [(begins + stage, first), (begins + stage * 2, second)] {
            let words = words.to_vec();
            system.at(context, at, Event::RxData { dumps, words });
        }
        system.at(context, self.in_at, Event::RxStatus { dumps, status });
    }

    /// A piece of a frame's data comes in.
    pub(crate) fn data_due(&mut self, dumps: u64, words: Vec<u32>) {
        if self.dumps == dumps {
            self.reserved -= words.len();
            self.data.extend(words);
        }
    }

    /// A frame's status comes in.
    pub(crate) fn status_due(
        &mut self,
        context: &mut Context,
        system: &mut System,
        mac: &Mac,
        dumps: u64,
        status: u32,
    ) {
        if self.dumps == dumps {
            self.incoming -= 1;
            self.push_status(context, system, mac, status);
        }
    }

    fn push_status(&mut self, context: &mut Context, system: &mut System, mac: &Mac, status: u32) {
        self.statuses.push_back(status);
        self.check_level(system);
        if self.statuses.len() == system.rx_sizes().1 {
            system.raise(int::RSFF);
        }
        self.control_flow(context, system, mac);
    }

    /// Raises the interrupt of the status FIFO where its level is exceeded.
    pub(crate) fn check_level(&self, system: &mut System) {
        if self.statuses.len() > system.rx_status_level() {
            system.raise(int::RSFL);
        }
    }

    /// Automatic flow control: sends a PAUSE frame where a threshold is crossed (section 5.3.22).
    fn control_flow(&mut self, context: &mut Context, system: &System, mac: &Mac) {
        let (high, low) = (system.afc_cfg >> 16 & 0xff, system.afc_cfg >> 8 & 0xff);
        if system.afc_cfg & 1 == 0 || !mac.is_full_duplex() || high == 0 {
            return;
        }
        let used = self.used() as u32;
        let time = if !self.paused_others && used >= high * 64 {
            mac.pause_time()
        } else if self.paused_others && used < low * 64 {
            0
        } else {
            return;
        };
        self.paused_others = time != 0;
        context.stats.pauses_sent += 1;
        let mut pause = PAUSE_GROUP.to_vec();
        pause.extend(mac.address());
        pause.extend([0x88, 0x08, 0x00, 0x01]);
        pause.extend(time.to_be_bytes());
        context.effect(Effect::Pause(fcs::pad_and_append(&pause)));
    }

    /// `RX_CFG` was written.
    pub(crate) fn configure(&mut self, context: &mut Context, system: &System, value: u32) {
        if value & !RX_DUMP != 0 {
            context.violation(ViolationKind::NotModelled, format!("{value:#010x} to RX_CFG"));
        }
        if value & RX_DUMP == 0 {
            return;
        }
        if self.on {
            context.violation(
                ViolationKind::FifoInUse,
                "the receive FIFO is dumped while the receiver is on",
            );
        }
        context.stats.rx_dropped += self.frames() as u64;
        *self = Self {
            on: self.on,
            drop_counter: self.drop_counter,
            dumps: self.dumps + 1,
            dumping: true,
            ..Self::default()
        };
        system.after(context, context.config.mac_register, Event::RxDumpEnd);
    }

    pub(crate) const fn dump_ends(&mut self) {
        self.dumping = false;
    }

    pub(crate) fn pop_data(&mut self, context: &mut Context, system: &mut System, mac: &Mac) -> u32 {
        let word = self.data.pop_front();
        self.control_flow(context, system, mac);
        word.unwrap_or_else(|| underrun(context, system, "data"))
    }

    pub(crate) fn pop_status(&mut self, context: &mut Context, system: &mut System) -> u32 {
        self.statuses
            .pop_front()
            .unwrap_or_else(|| underrun(context, system, "status"))
    }

    pub(crate) fn peek_status(&self) -> u32 {
        self.statuses.front().copied().unwrap_or(0)
    }
}

fn underrun(context: &mut Context, system: &mut System, what: &str) -> u32 {
    context.violation(ViolationKind::RxUnderrun, format!("{what} read from an empty FIFO"));
    system.raise(int::RXE);
    0
}

/// The time for which a received PAUSE frame stops the transmitter, in units of 512 bit times (IEEE
/// 802.3 annex 31B); `None` for other frames.
pub(crate) fn pause_quanta(mac: &Mac, frame: &[u8], admitted: Admitted) -> Option<u32> {
    if !mac.obeys_pause() || !admitted.good_fcs || frame.len() < MIN_LEN_WITH_FCS {
        return None;
    }
    let to_us = frame.starts_with(&PAUSE_GROUP) || frame.starts_with(&mac.address());
    let is_pause = frame.get(12..16) == Some(&[0x88, 0x08, 0x00, 0x01]);
    (to_us && is_pause).then(|| u32::from(frame[16]) << 8 | u32::from(frame[17]))
}

/// The bits of the status, except the length.
fn status_bits(mac: &Mac, frame: &[u8], to: [u8; 6], good: bool) -> u32 {
    let mut bits = 0;
    let broadcast = to == [0xff; 6];
    let kind = frame
        .get(12..14)
        .map(|kind| usize::from(kind[0]) << 8 | usize::from(kind[1]));
    let errors = [
        (frame.len() < MIN_LEN_WITH_FCS, status::RUNT),
        (frame.len() > mac.max_len(frame), status::TOO_LONG),
        (!good && frame.len() >= MIN_LEN_WITH_FCS, status::CRC),
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
        (frame.len() > WATCHDOG_LEN, status::WATCHDOG),
    ] {
        if is {
            bits |= bit;
        }
    }
    bits
}
