//! Transmission: from the buffer memory onto the wire (DS39662E section 7.1).

use core::time::Duration;

use super::hardware::Model;
use super::ram::{SIZE, next, offset};
use super::registers::{ECON1, EIR, ESTAT, ETXND, ETXST, MACLCON1, MACON3, MACON4, MAMXFL, econ1, eir, estat};
use super::rx::HFRMEN;
use super::{TxFate, ViolationKind};
use ethdev_sim::{PREAMBLE_LEN, fcs};

/// Bytes of the status vector.
const STATUS_LEN: u16 = 7;
/// A byte on a wire of 10 Mbit/s.
const BYTE_TIME: Duration = Duration::from_nanos(800);
/// A slot of half duplex: 512 bit times, the unit of backing off.
const SLOT_TIME: Duration = Duration::from_nanos(51_200);
/// How long the transmitter defers at most where it does not wait for ever: 24287 bit times.
const DEFERRAL_LIMIT: Duration = Duration::from_nanos(2_428_700);
/// How much of a frame that collides late is on the wire: more than the 64 bytes of the collision window.
const LATE_FRAGMENT: usize = 90;

/// Bits of the control byte before a frame.
const POVERRIDE: u8 = 0x01;
const PCRCEN: u8 = 0x02;
const PPADEN: u8 = 0x04;
const PHUGEEN: u8 = 0x08;
/// Bits of MACON3.
const PADCFG_SHIFT: u8 = 5;
const TXCRCEN: u8 = 0x10;
const PHDREN: u8 = 0x08;
/// Bit of MACON4.
const DEFER: u8 = 0x40;

/// Bits of the transmit status vector.
mod status {
    pub(super) const COLLISIONS: u32 = 16;
    pub(super) const CRC_ERROR: u64 = 1 << 20;
    pub(super) const LENGTH_ERROR: u64 = 1 << 21;
    pub(super) const LENGTH_OUT_OF_RANGE: u64 = 1 << 22;
    pub(super) const DONE: u64 = 1 << 23;
    pub(super) const MULTICAST: u64 = 1 << 24;
    pub(super) const BROADCAST: u64 = 1 << 25;
    pub(super) const EXCESSIVE_DEFER: u64 = 1 << 27;
    pub(super) const EXCESSIVE_COLLISION: u64 = 1 << 28;
    pub(super) const LATE_COLLISION: u64 = 1 << 29;
    pub(super) const GIANT: u64 = 1 << 30;
    pub(super) const ON_WIRE: u32 = 32;
    pub(super) const CONTROL: u64 = 1 << 48;
    pub(super) const VLAN: u64 = 1 << 51;
}

/// The transmitter.
#[derive(Debug, Default)]
pub(super) struct Transmitter {
    /// Counts transmissions, so that one that was given up does not end.
    turn: u64,
    /// Erratum 12: nothing goes out until TXRST.
    pub(super) stalled: bool,
    /// TXRST is set, and ends a stall.
    pub(super) reset_pending: bool,
    /// A transmission was started and has not ended, in whatever way.
    running: bool,
    /// A frame is on the wire.
    on_wire: bool,
    /// When the transmission that runs ends, as far as is known.
    ends_at: Duration,
}

impl Transmitter {
    /// As after a reset; what was begun does not end.
    pub(super) fn reset(&mut self) {
        *self = Self {
            turn: self.turn + 1,
            ..Self::default()
        };
    }
}

/// A frame as the MAC has made it up.
struct Frame {
    /// With padding and FCS.
    bytes: Vec<u8>,
    bad_crc: bool,
    too_long: bool,
}

/// How a transmission ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Sent,
    /// With these bits of the status vector.
    Aborted(u64),
    /// Erratum 13, without TXIF, and maybe without TXERIF.
    Stuck {
        error: bool,
    },
}

impl Model {
    /// TXRTS was set.
    pub(super) fn start_transmission(&mut self) {
        self.check_transmission();
        self.stats.tx_started += 1;
        self.tx.turn += 1;
        if self.tx.stalled {
            self.stats.tx_stalled += 1;
            return;
        }
        self.tx.running = true;
        self.begin(0);
    }

    fn check_transmission(&mut self) {
        if !self.is_clock_ready() {
            self.violation(ViolationKind::StartedTooEarly, "TXRTS before CLKRDY");
        }
        self.check_duplex();
        let mac = self.registers.get(MACON3);
        if matches!(mac >> PADCFG_SHIFT, 1 | 3 | 5 | 7) && mac & TXCRCEN == 0 {
            self.violation(ViolationKind::PaddingWithoutCrc, format!("MACON3 is {mac:#04x}"));
        }
        let (start, end) = (self.registers.word(ETXST), self.registers.word(ETXND));
        if end <= start {
            self.violation(
                ViolationKind::BadTxBuffer,
                format!("from {start:#06x} to {end:#06x}: there is no frame"),
            );
            return;
        }
        let fifo = self.fifo();
        let len = end - start + 1 + STATUS_LEN;
        if (0..len).any(|at| fifo.contains(offset(start, at))) {
            self.violation(
                ViolationKind::BadTxBuffer,
                format!("from {start:#06x} to {end:#06x}, and seven bytes more: reaches into the FIFO"),
            );
        } else if end + STATUS_LEN >= SIZE {
            self.violation(
                ViolationKind::BadTxBuffer,
                format!("the status vector after {end:#06x} wraps at the end of the memory"),
            );
        }
    }

    /// Begins as soon as nothing is in the way, with this many collisions behind it.
    fn begin(&mut self, collisions: u8) {
        let now = self.clock.now();
        if self.power.asleep {
            self.violation(ViolationKind::NotReady, "TXRTS in power-save: nothing goes out");
            return;
        }
        let wait_for = self.dma_ends().max(self.rx.paused_until).max(self.power.mac_ready_at);
        if wait_for > now {
            let turn = self.tx.turn;
            // A pause can be cut short by another pause frame.
            self.later(wait_for.min(now + SLOT_TIME), move |chip| {
                if chip.tx.turn == turn {
                    chip.begin(collisions);
                }
            });
            return;
        }
        let frame = self.make_up();
        if frame.too_long {
            self.end_at(
                now + BYTE_TIME * self.registers.word(MAMXFL).into(),
                &frame,
                collisions,
                End::Aborted(status::GIANT),
            );
            return;
        }
        match self.fate(collisions) {
            None => self.send(&frame, collisions),
            Some(TxFate::Collided(n)) => {
                let backoff: Duration = (0..n)
                    .map(|round| SLOT_TIME * (1 + self.rng.tx.below(2 << round.min(9)) as u32))
                    .sum();
                let turn = self.tx.turn;
                self.later(now + backoff, move |chip| {
                    if chip.tx.turn == turn {
                        chip.begin(n.max(1));
                    }
                });
            }
            Some(TxFate::ExcessiveCollisions) => {
                let retries = self.registers.get(MACLCON1).max(1);
                let end = End::Aborted(status::EXCESSIVE_COLLISION);
                self.end_at(now + SLOT_TIME * 8 * u32::from(retries), &frame, retries, end);
            }
            Some(TxFate::ExcessiveDeferral) if self.registers.has(MACON4, DEFER) => {
                let turn = self.tx.turn;
                self.later(now + DEFERRAL_LIMIT * 2, move |chip| {
                    if chip.tx.turn == turn {
                        chip.begin(1);
                    }
                });
            }
            Some(TxFate::ExcessiveDeferral) => {
                self.end_at(now + DEFERRAL_LIMIT, &frame, 0, End::Aborted(status::EXCESSIVE_DEFER));
            }
            Some(TxFate::LateCollision | TxFate::FalseLateCollision) => {
                self.send_fragment(&frame, End::Aborted(status::LATE_COLLISION));
            }
            Some(TxFate::FalseLateCollisionStuck) => self.send_fragment(&frame, End::Stuck { error: true }),
            Some(TxFate::FalseLateCollisionSilent) => self.send_fragment(&frame, End::Stuck { error: false }),
        }
    }

    /// What becomes of this transmission, if anything special does. One that has its collisions behind it goes out.
    fn fate(&mut self, collisions: u8) -> Option<TxFate> {
        if self.is_full_duplex() || collisions > 0 {
            return None;
        }
        if let Some(fate) = self.fates.pop_front() {
            return Some(fate);
        }
        let faults = self.config.faults;
        let errata = self.config.errata;
        let mut strikes = |p: f64| p > 0.0 && self.rng.tx.chance(p);
        if strikes(faults.collision) {
            Some(TxFate::Collided(1 + self.rng.tx.below(5) as u8))
        } else if strikes(faults.late_collision) {
            Some(TxFate::LateCollision)
        } else if strikes(faults.excessive_collision) {
            Some(TxFate::ExcessiveCollisions)
        } else if errata.e13_false_late_collision && strikes(errata.odds.false_late_collision) {
            let variants = [
                TxFate::FalseLateCollision,
                TxFate::FalseLateCollisionStuck,
                TxFate::FalseLateCollisionSilent,
            ];
            Some(variants[self.rng.tx.below(variants.len())])
        } else {
            None
        }
    }

    /// Reads the frame from the memory, pads it and appends the FCS as it is told to.
    fn make_up(&self) -> Frame {
        let (start, end) = (self.registers.word(ETXST), self.registers.word(ETXND));
        let control = self.ram.peek(start);
        let len = end.wrapping_sub(start) % SIZE;
        let mut bytes = Vec::with_capacity(usize::from(len) + 4);
        let mut at = start;
        for _ in 0..len {
            at = next(at);
            bytes.push(self.ram.peek(at));
        }
        let mac = self.registers.get(MACON3);
        let is_vlan = bytes.get(12..14) == Some(&[0x81, 0x00]);
        let (pad_to, append, huge) = if control & POVERRIDE != 0 {
            let pad_to = if control & PPADEN != 0 { 60 } else { 0 };
            (pad_to, control & PCRCEN != 0, control & PHUGEEN != 0)
        } else {
            let pad_to = match mac >> PADCFG_SHIFT {
                0b001 => 60,
                0b011 | 0b111 => 64,
                0b101 if is_vlan => 64,
                0b101 => 60,
                _ => 0,
            };
            (pad_to, mac & TXCRCEN != 0 || pad_to > 0, mac & HFRMEN != 0)
        };
        if bytes.len() < pad_to {
            bytes.resize(pad_to, 0);
        }
        let checked_from = if mac & PHDREN != 0 { bytes.len().min(4) } else { 0 };
        let mut bad_crc = false;
        if append {
            let crc = fcs::compute(&bytes[checked_from..]);
            bytes.extend_from_slice(&crc);
        } else {
            bad_crc = fcs::check(&bytes[checked_from..]).is_none();
        }
        let too_long = bytes.len() > usize::from(self.registers.word(MAMXFL)) && !huge;
        Frame {
            bytes,
            bad_crc,
            too_long,
        }
    }

    /// The frame goes out.
    fn send(&mut self, frame: &Frame, collisions: u8) {
        if self.phy.is_loopback() {
            let ends = self.clock.now() + BYTE_TIME * (PREAMBLE_LEN + frame.bytes.len()) as u32;
            self.end_at(ends, frame, collisions, End::Sent);
            return;
        }
        self.stats.tx_unheard += u64::from(!self.phy.link);
        let ends = self.put_on_wire(frame.bytes.clone());
        self.end_at(ends, frame, collisions, End::Sent);
    }

    fn put_on_wire(&mut self, bytes: Vec<u8>) -> Duration {
        if self.phy.link {
            self.tx.on_wire = true;
            self.port.transmit(bytes)
        } else {
            self.clock.now() + BYTE_TIME * (PREAMBLE_LEN + bytes.len()) as u32
        }
    }

    fn send_fragment(&mut self, frame: &Frame, end: End) {
        let len = frame.bytes.len().min(LATE_FRAGMENT).saturating_sub(5).max(1);
        let ends = self.put_on_wire(frame.bytes[..len].to_vec());
        self.end_at(ends, frame, 1, end);
    }

    fn end_at(&mut self, at: Duration, frame: &Frame, collisions: u8, end: End) {
        let turn = self.tx.turn;
        self.tx.ends_at = at;
        let vector = self.vector(frame, collisions, end);
        let looped = matches!(end, End::Sent).then(|| self.looped_back(frame)).flatten();
        self.later(at, move |chip| {
            if chip.tx.turn == turn {
                chip.transmission_ended(end, vector);
                if let Some(bytes) = looped {
                    chip.stats.looped_back += 1;
                    chip.loop_back(bytes);
                }
            }
        });
    }

    /// The status vector as it will be.
    fn vector(&self, frame: &Frame, collisions: u8, end: End) -> u64 {
        let bytes = &frame.bytes;
        let kind = bytes
            .get(12..14)
            .map_or(0, |kind| u16::from_be_bytes([kind[0], kind[1]]));
        let broadcast = bytes.starts_with(&[0xff; 6]);
        let data = bytes.len().saturating_sub(18);
        let wrong_length = kind <= 1500 && usize::from(kind) != data && !(data == 46 && kind < 46);
        let flags = [
            (status::CRC_ERROR, frame.bad_crc),
            (status::LENGTH_ERROR, wrong_length),
            (status::LENGTH_OUT_OF_RANGE, kind > 1500),
            (status::BROADCAST, broadcast),
            (
                status::MULTICAST,
                !broadcast && bytes.first().is_some_and(|byte| byte & 1 == 1),
            ),
            (status::CONTROL, kind == 0x8808),
            (status::VLAN, kind == 0x8100),
        ];
        let mut vector: u64 = flags.iter().filter(|(_, set)| *set).map(|(bit, _)| bit).sum();
        let sent = bytes.len() as u64 & 0xffff;
        vector |= sent | u64::from(collisions & 0x0f) << status::COLLISIONS | sent << status::ON_WIRE;
        vector
            | match end {
                End::Sent => status::DONE,
                End::Aborted(why) => why,
                End::Stuck { .. } => status::LATE_COLLISION,
            }
    }

    fn transmission_ended(&mut self, end: End, vector: u64) {
        self.tx.running = false;
        self.tx.on_wire = false;
        let mut at = self.registers.word(ETXND);
        for byte in &vector.to_le_bytes()[..usize::from(STATUS_LEN)] {
            at = next(at);
            self.ram.poke(at, *byte);
        }
        match end {
            End::Sent => {
                self.stats.transmitted += 1;
                self.registers.clear(ECON1, econ1::TXRTS);
                self.registers.raise(EIR, eir::TXIF);
            }
            End::Aborted(why) => {
                self.note_abort();
                if why == status::LATE_COLLISION && !self.config.errata.e15_latecol {
                    self.registers.raise(ESTAT, estat::LATECOL);
                }
                self.registers.raise(ESTAT, estat::TXABRT);
                self.registers.clear(ECON1, econ1::TXRTS);
                self.registers.raise(EIR, eir::TXIF | eir::TXERIF);
            }
            End::Stuck { error } => {
                self.note_abort();
                if error {
                    self.registers.raise(ESTAT, estat::TXABRT);
                    self.registers.raise(EIR, eir::TXERIF);
                }
            }
        }
    }

    fn note_abort(&mut self) {
        self.stats.tx_aborted += 1;
        self.tx.stalled = self.config.errata.e12_tx_stall && !self.is_full_duplex();
    }

    /// TXRTS was set and is gone, by a reset: what is on the wire is broken off.
    pub(super) fn abandon_transmission(&mut self) {
        self.tx.turn += 1;
        self.stats.tx_cancelled += u64::from(core::mem::take(&mut self.tx.running));
        if core::mem::take(&mut self.tx.on_wire) {
            self.port.break_off();
        }
    }

    /// When the DMA may begin: not before the transmission that runs has ended.
    pub(super) fn transmitter_free_at(&self) -> Duration {
        if self.tx.running {
            self.tx.ends_at
        } else {
            Duration::ZERO
        }
    }

    /// The host cleared TXRTS.
    pub(super) fn cancel_transmission(&mut self) {
        self.abandon_transmission();
        self.registers.raise(EIR, eir::TXIF);
    }

    /// TXRST was let go.
    pub(super) fn transmit_reset_ends(&mut self) {
        let errata = self.config.errata;
        if core::mem::take(&mut self.tx.reset_pending) && self.rng.tx.chance(errata.odds.reset_error) {
            self.registers.raise(EIR, eir::TXERIF);
        }
    }

    /// What the receiver hears of a frame that was sent: all of it, where half duplex or the PHY loops it back.
    fn looped_back(&self, frame: &Frame) -> Option<Vec<u8>> {
        let half = !self.phy.is_full_duplex() && !self.phy.is_half_duplex_loopback_off();
        (half || self.phy.is_loopback()).then(|| frame.bytes.clone())
    }

    fn loop_back(&mut self, mut bytes: Vec<u8>) {
        let errata = self.config.errata;
        let unreliable = if self.phy.is_full_duplex() {
            errata.e10_phy_loopback
        } else {
            errata.e9_half_duplex_loopback
        };
        if unreliable && self.rng.loopback.chance(errata.odds.loopback) {
            if self.rng.loopback.chance(0.5) {
                self.stats.killed += 1;
                return;
            }
            let at = self.rng.loopback.below(bytes.len());
            bytes[at] ^= 0x10;
        }
        let began = self
            .clock
            .now()
            .saturating_sub(BYTE_TIME * (PREAMBLE_LEN + bytes.len()) as u32);
        self.take_in(&bytes, began);
    }
}
