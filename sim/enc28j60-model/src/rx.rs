//! Reception: from the wire into the FIFO (DS39662E section 7.2).

use core::time::Duration;
use std::collections::VecDeque;

use super::ViolationKind;
use super::filter::{self, CRCEN, Verdict};
use super::hardware::Model;
use super::ram::Fifo;
use super::registers::{EIR, EPKTCNT, ERXFCON, ERXRDPT, ERXWRPT, ESTAT, MACON1, MACON3, MAMXFL, eir, estat};
use ethdev_sim::{PREAMBLE_LEN, fcs};

/// The receiver ignores what is shorter, in bytes with FCS.
const SHORTEST: usize = 18;
/// Bytes before each packet in the FIFO: pointer to the next one and status vector.
const HEADER_LEN: usize = 6;
/// A byte on a wire of 10 Mbit/s.
const BYTE_TIME: Duration = Duration::from_nanos(800);
/// One unit of a pause frame: 512 bit times.
const PAUSE_QUANTUM: Duration = Duration::from_nanos(51_200);

/// Bits of MACON1.
const MARXEN: u8 = 0x01;
const PASSALL: u8 = 0x02;
const RXPAUS: u8 = 0x04;
/// Bits of MACON3.
const FRMLNEN: u8 = 0x02;
pub(super) const HFRMEN: u8 = 0x04;

/// A packet in the FIFO that the host has not taken off the count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    start: u16,
    /// Its header was read.
    seen: bool,
}

/// The receiver.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    /// Where the next packet goes.
    pub(super) write_pointer: u16,
    /// The half of ERXRDPT that waits for the other one.
    pub(super) read_pointer_low: u8,
    /// In the order of EPKTCNT.
    pub(super) packets: VecDeque<Packet>,
    /// When RXEN was set last, and when it was cleared; a frame is received where it was set at the frame's first bit.
    on_at: Option<Duration>,
    off_at: Option<Duration>,
    /// Something was dropped since the last packet.
    dropped: bool,
    /// No transmission starts before: a pause frame came.
    pub(super) paused_until: Duration,
}

impl Receiver {
    /// The frame that is arriving, if any, is not received.
    pub(super) fn abort(&mut self) {
        self.on_at = None;
        self.off_at = None;
    }

    /// Whether a frame that began then is received.
    fn takes(&self, began: Duration) -> bool {
        self.on_at.is_some_and(|on| on <= began) && self.off_at.is_none_or(|off| began < off)
    }

    /// The oldest packet whose header nobody read.
    pub(super) fn first_unread(&self) -> Option<u16> {
        self.packets
            .iter()
            .find(|packet| !packet.seen)
            .map(|packet| packet.start)
    }

    /// The host read these bytes.
    pub(super) fn note_read(&mut self, fifo: Fifo, from: u16, count: u16) {
        for packet in &mut self.packets {
            packet.seen |= fifo.distance(from, packet.start) < count;
        }
    }
}

impl Model {
    /// RXEN changed.
    pub(super) fn switch_receiver(&mut self, on: bool) {
        let now = self.clock.now();
        if !on {
            self.rx.off_at = self.rx.on_at.map(|_| now);
            return;
        }
        self.rx.on_at = Some(now);
        self.rx.off_at = None;
        if !self.is_clock_ready() {
            self.violation(ViolationKind::StartedTooEarly, "RXEN before CLKRDY");
        }
        self.check_duplex();
        let fifo = self.fifo();
        if fifo.start % 2 != 0 || fifo.start >= fifo.end {
            self.violation(
                ViolationKind::BadFifo,
                format!("from {:#06x} to {:#06x}", fifo.start, fifo.end),
            );
        }
        let kept = self.registers.word(ERXRDPT);
        if !fifo.contains(kept) {
            self.violation(
                ViolationKind::BadReadPointer,
                format!("{kept:#06x} is outside the FIFO when reception starts"),
            );
        } else if kept % 2 == 0 {
            self.violation(
                ViolationKind::EvenReadPointer,
                format!("{kept:#06x} when reception starts"),
            );
        }
    }

    pub(super) fn check_duplex(&mut self) {
        if self.is_full_duplex() != self.phy.is_full_duplex() {
            self.violation(
                ViolationKind::DuplexMismatch,
                format!(
                    "MACON3.FULDPX is {}, PHCON1.PDPXMD is not",
                    u8::from(self.is_full_duplex())
                ),
            );
        }
    }

    /// ESTAT.RXBUSY.
    pub(super) fn is_receiving(&self) -> bool {
        self.port.incoming_since().is_some_and(|began| self.rx.takes(began)) && self.phy.link
    }

    /// A frame from the wire, with its FCS: the last bit is in.
    pub(super) fn receive(&mut self, frame: &[u8]) {
        self.stats.arrived += 1;
        let time = BYTE_TIME * (PREAMBLE_LEN + frame.len()) as u32;
        let began = self.clock.now().saturating_sub(time);
        if !self.phy.link || self.phy.is_loopback() {
            self.stats.deaf += 1;
            return;
        }
        self.take_in(frame, began);
    }

    /// A frame from the wire or from a loopback, which began then.
    pub(super) fn take_in(&mut self, frame: &[u8], began: Duration) {
        let mac = self.registers.get(MACON1);
        if !self.rx.takes(began) || mac & MARXEN == 0 || !self.is_mac_ready() {
            self.stats.deaf += 1;
        } else if frame.len() < SHORTEST {
            self.stats.runts += 1;
        } else if frame.len() > usize::from(self.registers.word(MAMXFL)) && !self.registers.has(MACON3, HFRMEN) {
            self.stats.giants += 1;
        } else if self.is_control(frame) && mac & PASSALL == 0 {
            self.stats.control += 1;
        } else {
            self.filter(frame, began);
        }
    }

    /// Whether this is a control frame; obeys it where it is a pause.
    fn is_control(&mut self, frame: &[u8]) -> bool {
        if frame.get(12..14) != Some(&[0x88, 0x08]) {
            return false;
        }
        if is_pause(frame) && self.registers.has(MACON1, RXPAUS) && fcs::check(frame).is_some() {
            let quanta = u32::from(u16::from_be_bytes([frame[16], frame[17]]));
            self.rx.paused_until = self.clock.now() + PAUSE_QUANTUM * quanta;
        }
        true
    }

    fn filter(&mut self, frame: &[u8], began: Duration) {
        let errata = self.config.errata;
        let good = fcs::check(frame).is_some();
        let accepted = match filter::judge(&self.registers, frame) {
            Verdict::Accept => true,
            Verdict::Reject => false,
            Verdict::RejectByPattern => errata.e18_pattern && self.rng.rx.chance(errata.odds.pattern),
        };
        if !accepted {
            self.stats.filtered += 1;
        } else if !good && self.registers.has(ERXFCON, CRCEN) {
            self.stats.bad_crc += 1;
        } else if self.was_checksummed_during(began) {
            self.stats.killed += 1;
            self.drop_for_error();
        } else if self.registers.get(EPKTCNT) == 0xff {
            self.stats.packet_count_full += 1;
            self.drop_for_error();
        } else {
            self.store(frame, good);
        }
    }

    /// RXERIF, and BUFER as seen in the field.
    fn drop_for_error(&mut self) {
        self.rx.dropped = true;
        self.registers.raise(EIR, eir::RXERIF);
        self.registers.raise(ESTAT, estat::BUFER);
    }

    fn store(&mut self, frame: &[u8], good: bool) {
        let fifo = self.fifo();
        let start = self.rx.write_pointer;
        let needed = HEADER_LEN + frame.len() + frame.len() % 2;
        let kept = self.registers.word(ERXRDPT);
        let size = usize::from(fifo.len());
        if !fifo.contains(start) || needed >= size || needed > usize::from(fifo.free(start, kept)) {
            self.stats.overflowed += 1;
            self.drop_for_error();
            return;
        }
        let after = fifo.offset(start, needed as u16);
        let mut header = [0; HEADER_LEN];
        header[..2].copy_from_slice(&after.to_le_bytes());
        let count = self.forged_count.take().unwrap_or(frame.len() as u16);
        header[2..4].copy_from_slice(&count.to_le_bytes());
        header[4..].copy_from_slice(&self.status(frame, good).to_le_bytes());
        let errata = self.config.errata;
        if errata.e14_even_read_pointer && kept % 2 == 0 && self.rng.rx.chance(errata.odds.even_read_pointer) {
            for byte in &mut header {
                *byte ^= self.rng.rx.below(0x100) as u8;
            }
        }
        let body = self.ram.put(fifo, start, &header);
        self.ram.put(fifo, body, frame);
        self.rx.dropped = false;
        self.rx.packets.push_back(Packet { start, seen: false });
        self.rx.write_pointer = after;
        self.registers.set_word(ERXWRPT, after);
        self.registers.set(EPKTCNT, self.registers.get(EPKTCNT) + 1);
        self.stats.received += 1;
    }

    /// Bits 16 to 31 of the receive status vector.
    fn status(&self, frame: &[u8], good: bool) -> u16 {
        let kind = u16::from_be_bytes([frame[12], frame[13]]);
        let data = frame.len() - SHORTEST;
        let is_length = kind <= 1500;
        // Padding makes short frames longer than they say.
        let wrong_length = is_length && usize::from(kind) != data && !(data == 46 && usize::from(kind) < 46);
        let is_control = kind == 0x8808;
        let broadcast = frame[..6] == [0xff; 6];
        let bits = [
            (0, self.rx.dropped),
            (4, !good),
            (5, wrong_length && self.registers.has(MACON3, FRMLNEN)),
            (6, !is_length),
            (7, good),
            (8, frame[0] & 1 == 1 && !broadcast),
            (9, broadcast),
            (11, is_control),
            (12, is_control && is_pause(frame)),
            (13, is_control && frame.get(14..16) != Some(&[0, 1])),
            (14, kind == 0x8100),
        ];
        bits.iter().filter(|(_, set)| *set).map(|(bit, _)| 1 << bit).sum()
    }

    fn was_checksummed_during(&self, began: Duration) -> bool {
        self.config.errata.e17_dma_checksum && self.checksum_ran.is_some_and(|(_, ended)| ended > began)
    }
}

fn is_pause(frame: &[u8]) -> bool {
    frame[..6] == [0x01, 0x80, 0xc2, 0x00, 0x00, 0x01] && frame.get(12..16) == Some(&[0x88, 0x08, 0, 1])
}
