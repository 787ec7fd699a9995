//! Transmission: from the buffer memory onto the wire (DS39662E section 7.1).

use core::time::Duration;

use crate::chip::Chip;
use crate::faults::TxOutcome;
use crate::phy::Phy;
use crate::ram::{SIZE, next, offset};
use crate::registers::{ECON1, EIR, ESTAT, ETXND, ETXST, MACLCON1, MACON3, MACON4, MAMXFL, econ1, eir, estat, macon3};
use crate::timer::{Timer, TxEnd};
use crate::violations::ViolationKind;
use ethdev_sim::{PREAMBLE_LEN, fcs};

/// Bytes of the status vector.
const STATUS_LEN: u16 = 7;
/// A byte on a wire of 10 Mbit/s.
const BYTE_TIME: Duration = Duration::from_nanos(800);
/// A slot of half duplex: 512 bit times, the unit of the backoff.
const SLOT_TIME: Duration = Duration::from_nanos(51_200);
/// How long the transmitter defers at most without MACON4.DEFER: 24287 bit times.
const DEFERRAL_LIMIT: Duration = Duration::from_nanos(2_428_700);
/// Bytes of a late collision on the wire: more than the 64 bytes of the collision window.
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
    pub(crate) const COLLISIONS: u32 = 16;
    pub(crate) const CRC_ERROR: u64 = 1 << 20;
    pub(crate) const LENGTH_ERROR: u64 = 1 << 21;
    pub(crate) const LENGTH_OUT_OF_RANGE: u64 = 1 << 22;
    pub(crate) const DONE: u64 = 1 << 23;
    pub(crate) const MULTICAST: u64 = 1 << 24;
    pub(crate) const BROADCAST: u64 = 1 << 25;
    pub(crate) const EXCESSIVE_DEFER: u64 = 1 << 27;
    pub(crate) const EXCESSIVE_COLLISION: u64 = 1 << 28;
    pub(crate) const LATE_COLLISION: u64 = 1 << 29;
    pub(crate) const GIANT: u64 = 1 << 30;
    pub(crate) const ON_WIRE: u32 = 32;
    pub(crate) const CONTROL: u64 = 1 << 48;
    pub(crate) const VLAN: u64 = 1 << 51;
}

/// The transmitter.
#[derive(Debug, Default)]
pub(crate) struct Transmitter {
    /// Counts transmissions, so that a cancelled one does not end.
    transmission: u64,
    /// Erratum 12: nothing is transmitted until TXRST.
    pub(crate) stalled: bool,
    /// TXRST is set, and ends a stall.
    pub(crate) reset_pending: bool,
    /// A transmission was started and has not ended.
    running: bool,
    /// A frame is on the wire.
    on_wire: bool,
    /// When the transmission that runs ends, as far as is known.
    ends_at: Duration,
}

impl Transmitter {
    /// The transmitter after a reset. The transmission that runs does not end.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            transmission: self.transmission + 1,
            ..Self::default()
        };
    }
}

/// A frame as the MAC transmits it.
struct Frame {
    /// With padding and FCS.
    bytes: Vec<u8>,
    bad_crc: bool,
    too_long: bool,
}

impl Transmitter {
    /// TXRTS was set. `not_before`: as in [`begin`](Self::begin).
    pub(crate) fn start(&mut self, chip: &mut Chip, phy: &Phy, not_before: Duration) {
        check(chip, phy);
        chip.cx.stats.tx_started += 1;
        self.transmission += 1;
        if self.stalled {
            chip.cx.stats.tx_stalled += 1;
            return;
        }
        self.running = true;
        self.begin(chip, phy, not_before, 0);
    }

    /// Begins a transmission after this many collisions, as soon as the chip is awake and it is
    /// `not_before`: DMA, pause frame and start of the MAC are over.
    fn begin(&mut self, chip: &mut Chip, phy: &Phy, not_before: Duration, collisions: u8) {
        let now = chip.cx.now();
        if chip.power.asleep {
            chip.violation(ViolationKind::NotReady, "TXRTS in power-save: nothing is transmitted");
            return;
        }
        if not_before > now {
            // Another pause frame can end a pause early.
            self.begin_at(chip, not_before.min(now + SLOT_TIME), collisions);
            return;
        }
        let frame = build_frame(chip);
        if frame.too_long {
            self.end_at(
                chip,
                phy,
                now + BYTE_TIME * chip.registers.word(MAMXFL).into(),
                &frame,
                collisions,
                TxEnd::Aborted(status::GIANT),
            );
            return;
        }
        match self.outcome(chip, collisions) {
            None => self.send(chip, phy, &frame, collisions),
            Some(TxOutcome::Collided(n)) => {
                let backoff: Duration = (0..n)
                    .map(|round| SLOT_TIME * (1 + chip.rng.tx.below(2 << round.min(9)) as u32))
                    .sum();
                self.begin_at(chip, now + backoff, n.max(1));
            }
            Some(TxOutcome::ExcessiveCollisions) => {
                let retries = chip.registers.get(MACLCON1).max(1);
                let end = TxEnd::Aborted(status::EXCESSIVE_COLLISION);
                self.end_at(
                    chip,
                    phy,
                    now + SLOT_TIME * 8 * u32::from(retries),
                    &frame,
                    retries,
                    end,
                );
            }
            Some(TxOutcome::ExcessiveDeferral) if chip.registers.has(MACON4, DEFER) => {
                self.begin_at(chip, now + DEFERRAL_LIMIT * 2, 1);
            }
            Some(TxOutcome::ExcessiveDeferral) => {
                self.end_at(
                    chip,
                    phy,
                    now + DEFERRAL_LIMIT,
                    &frame,
                    0,
                    TxEnd::Aborted(status::EXCESSIVE_DEFER),
                );
            }
            Some(TxOutcome::LateCollision | TxOutcome::FalseLateCollision) => {
                self.send_fragment(chip, phy, &frame, TxEnd::Aborted(status::LATE_COLLISION));
            }
            Some(TxOutcome::FalseLateCollisionStuck) => {
                self.send_fragment(chip, phy, &frame, TxEnd::Stuck { error: true });
            }
            Some(TxOutcome::FalseLateCollisionSilent) => {
                self.send_fragment(chip, phy, &frame, TxEnd::Stuck { error: false });
            }
        }
    }

    fn begin_at(&self, chip: &mut Chip, at: Duration, collisions: u8) {
        let transmission = self.transmission;
        chip.cx.timer_at(
            at,
            Timer::TxBegin {
                transmission,
                collisions,
            },
        );
    }

    /// A transmission that waited begins, unless it was cancelled.
    pub(crate) fn begin_waiting(
        &mut self,
        chip: &mut Chip,
        phy: &Phy,
        not_before: Duration,
        transmission: u64,
        collisions: u8,
    ) {
        if self.transmission == transmission {
            self.begin(chip, phy, not_before, collisions);
        }
    }

    /// The outcome of this transmission, where it is not plainly sent. After its collisions it is.
    fn outcome(&self, chip: &mut Chip, collisions: u8) -> Option<TxOutcome> {
        if chip.is_full_duplex() || collisions > 0 {
            return None;
        }
        if let Some(outcome) = chip.injected.tx_outcomes.pop_front() {
            return Some(outcome);
        }
        let faults = chip.cx.config.faults;
        let errata = chip.cx.config.errata;
        let mut happens = |p: f64| p > 0.0 && chip.rng.tx.chance(p);
        if happens(faults.collision) {
            Some(TxOutcome::Collided(1 + chip.rng.tx.below(5) as u8))
        } else if happens(faults.late_collision) {
            Some(TxOutcome::LateCollision)
        } else if happens(faults.excessive_collision) {
            Some(TxOutcome::ExcessiveCollisions)
        } else if errata.e13_false_late_collision && happens(errata.probabilities.false_late_collision) {
            let variants = [
                TxOutcome::FalseLateCollision,
                TxOutcome::FalseLateCollisionStuck,
                TxOutcome::FalseLateCollisionSilent,
            ];
            Some(variants[chip.rng.tx.below(variants.len())])
        } else {
            None
        }
    }

    fn send(&mut self, chip: &mut Chip, phy: &Phy, frame: &Frame, collisions: u8) {
        if phy.is_loopback() {
            let ends = chip.cx.now() + BYTE_TIME * (PREAMBLE_LEN + frame.bytes.len()) as u32;
            self.end_at(chip, phy, ends, frame, collisions, TxEnd::Sent);
            return;
        }
        chip.cx.stats.tx_without_link += u64::from(!phy.link);
        let ends = self.put_on_wire(chip, phy, frame.bytes.clone());
        self.end_at(chip, phy, ends, frame, collisions, TxEnd::Sent);
    }

    fn put_on_wire(&mut self, chip: &Chip, phy: &Phy, bytes: Vec<u8>) -> Duration {
        if phy.link {
            self.on_wire = true;
            chip.port.transmit(bytes)
        } else {
            chip.cx.now() + BYTE_TIME * (PREAMBLE_LEN + bytes.len()) as u32
        }
    }

    fn send_fragment(&mut self, chip: &mut Chip, phy: &Phy, frame: &Frame, end: TxEnd) {
        let len = frame.bytes.len().min(LATE_FRAGMENT).saturating_sub(5).max(1);
        let ends = self.put_on_wire(chip, phy, frame.bytes[..len].to_vec());
        self.end_at(chip, phy, ends, frame, 1, end);
    }

    fn end_at(&mut self, chip: &mut Chip, phy: &Phy, at: Duration, frame: &Frame, collisions: u8, end: TxEnd) {
        self.ends_at = at;
        let looped_back = matches!(end, TxEnd::Sent).then(|| looped_back(phy, frame)).flatten();
        chip.cx.timer_at(
            at,
            Timer::TxDone {
                transmission: self.transmission,
                end,
                status: status_vector(frame, collisions, end),
                looped_back,
            },
        );
    }

    /// A transmission ends. Returns `false` where it was cancelled.
    pub(crate) fn done(&mut self, chip: &mut Chip, transmission: u64, end: TxEnd, status: u64) -> bool {
        if self.transmission != transmission {
            return false;
        }
        self.running = false;
        self.on_wire = false;
        let mut at = chip.registers.word(ETXND);
        for byte in &status.to_le_bytes()[..usize::from(STATUS_LEN)] {
            at = next(at);
            chip.ram.poke(at, *byte);
        }
        match end {
            TxEnd::Sent => {
                chip.cx.stats.transmitted += 1;
                chip.registers.clear(ECON1, econ1::TXRTS);
                chip.registers.raise(EIR, eir::TXIF);
            }
            TxEnd::Aborted(why) => {
                self.note_abort(chip);
                if why == status::LATE_COLLISION && !chip.cx.config.errata.e15_latecol {
                    chip.registers.raise(ESTAT, estat::LATECOL);
                }
                chip.registers.raise(ESTAT, estat::TXABRT);
                chip.registers.clear(ECON1, econ1::TXRTS);
                chip.registers.raise(EIR, eir::TXIF | eir::TXERIF);
            }
            TxEnd::Stuck { error } => {
                self.note_abort(chip);
                if error {
                    chip.registers.raise(ESTAT, estat::TXABRT);
                    chip.registers.raise(EIR, eir::TXERIF);
                }
            }
        }
        true
    }

    fn note_abort(&mut self, chip: &mut Chip) {
        chip.cx.stats.tx_aborted += 1;
        self.stalled = chip.cx.config.errata.e12_tx_stall && !chip.is_full_duplex();
    }

    /// A reset cleared TXRTS: the frame on the wire is cut off.
    pub(crate) fn abort(&mut self, chip: &mut Chip) {
        self.transmission += 1;
        chip.cx.stats.tx_cancelled += u64::from(core::mem::take(&mut self.running));
        if core::mem::take(&mut self.on_wire) {
            chip.port.break_off();
        }
    }

    /// When the transmission that runs ends; the DMA waits for it.
    pub(crate) const fn free_at(&self) -> Duration {
        if self.running { self.ends_at } else { Duration::ZERO }
    }

    /// The host cleared TXRTS.
    pub(crate) fn cancel(&mut self, chip: &mut Chip) {
        self.abort(chip);
        chip.registers.raise(EIR, eir::TXIF);
    }

    /// TXRST was cleared.
    pub(crate) fn reset_ends(&mut self, chip: &mut Chip) {
        let errata = chip.cx.config.errata;
        if core::mem::take(&mut self.reset_pending) && chip.rng.tx.chance(errata.probabilities.reset_error) {
            chip.registers.raise(EIR, eir::TXERIF);
        }
    }
}

/// Passes a transmitted frame through the loopback, which errata 9 and 10 make lose and corrupt
/// frames. Returns the frame, and when it began; `None` where it is lost.
pub(crate) fn loop_back(chip: &mut Chip, phy: &Phy, mut bytes: Vec<u8>) -> Option<(Vec<u8>, Duration)> {
    let errata = chip.cx.config.errata;
    let unreliable = if phy.is_full_duplex() {
        errata.e10_phy_loopback
    } else {
        errata.e9_half_duplex_loopback
    };
    if unreliable && chip.rng.loopback.chance(errata.probabilities.loopback) {
        if chip.rng.loopback.chance(0.5) {
            chip.cx.stats.lost_to_errata += 1;
            return None;
        }
        let at = chip.rng.loopback.below(bytes.len());
        bytes[at] ^= 0x10;
    }
    let time = BYTE_TIME * (PREAMBLE_LEN + bytes.len()) as u32;
    let began = chip.cx.now().saturating_sub(time);
    Some((bytes, began))
}

/// Records the violations of the transmission that starts.
fn check(chip: &mut Chip, phy: &Phy) {
    if !chip.is_clock_ready() {
        chip.violation(ViolationKind::StartedTooEarly, "TXRTS before CLKRDY");
    }
    phy.check_duplex(chip);
    let mac = chip.registers.get(MACON3);
    if matches!(mac >> PADCFG_SHIFT, 1 | 3 | 5 | 7) && mac & TXCRCEN == 0 {
        chip.violation(ViolationKind::PaddingWithoutCrc, format!("MACON3 is {mac:#04x}"));
    }
    let (start, end) = (chip.registers.word(ETXST), chip.registers.word(ETXND));
    if end <= start {
        chip.violation(
            ViolationKind::BadTxBuffer,
            format!("from {start:#06x} to {end:#06x}: no frame"),
        );
        return;
    }
    let fifo = chip.fifo();
    let len = end - start + 1 + STATUS_LEN;
    if (0..len).any(|at| fifo.contains(offset(start, at))) {
        chip.violation(
            ViolationKind::BadTxBuffer,
            format!("from {start:#06x} to {end:#06x}, and the status vector: overlaps the FIFO"),
        );
    } else if end + STATUS_LEN >= SIZE {
        chip.violation(
            ViolationKind::BadTxBuffer,
            format!("the status vector after {end:#06x} wraps at the end of the memory"),
        );
    }
}

/// Reads the frame from the memory, pads it and appends the FCS as configured.
fn build_frame(chip: &Chip) -> Frame {
    let (start, end) = (chip.registers.word(ETXST), chip.registers.word(ETXND));
    let control = chip.ram.peek(start);
    let len = end.wrapping_sub(start) % SIZE;
    let mut bytes = Vec::with_capacity(usize::from(len) + 4);
    let mut at = start;
    for _ in 0..len {
        at = next(at);
        bytes.push(chip.ram.peek(at));
    }
    let mac = chip.registers.get(MACON3);
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
        (pad_to, mac & TXCRCEN != 0 || pad_to > 0, mac & macon3::HFRMEN != 0)
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
    let too_long = bytes.len() > usize::from(chip.registers.word(MAMXFL)) && !huge;
    Frame {
        bytes,
        bad_crc,
        too_long,
    }
}

/// The transmit status vector.
fn status_vector(frame: &Frame, collisions: u8, end: TxEnd) -> u64 {
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
            TxEnd::Sent => status::DONE,
            TxEnd::Aborted(why) => why,
            TxEnd::Stuck { .. } => status::LATE_COLLISION,
        }
}

/// The frame as half duplex or the PHY loops it back to the receiver.
fn looped_back(phy: &Phy, frame: &Frame) -> Option<Vec<u8>> {
    let half = !phy.is_full_duplex() && !phy.is_half_duplex_loopback_off();
    (half || phy.is_loopback()).then(|| frame.bytes.clone())
}
