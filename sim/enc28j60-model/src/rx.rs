//! Reception: from the wire into the FIFO (DS39662E section 7.2).

use core::time::Duration;
use std::collections::VecDeque;

use crate::chip::Chip;
use crate::dma::Dma;
use crate::filter::{self, CRCEN, Outcome};
use crate::phy::Phy;
use crate::ram::Fifo;
use crate::registers::{EIR, EPKTCNT, ERXFCON, ERXRDPT, ERXWRPT, ESTAT, MACON1, MACON3, MAMXFL, eir, estat, macon3};
use crate::violations::ViolationKind;
use ethdev_sim::{PREAMBLE_LEN, fcs};

/// Shortest frame that the receiver does not ignore, in bytes with FCS.
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

/// A packet in the FIFO that EPKTCNT still counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet {
    start: u16,
    /// Its header was read.
    seen: bool,
}

/// The receiver.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    /// Address of the next packet.
    pub(crate) write_pointer: u16,
    /// The low byte of ERXRDPT, which takes effect with the high byte.
    pub(crate) read_pointer_low: u8,
    /// In the order of EPKTCNT.
    pub(crate) packets: VecDeque<Packet>,
    /// When RXEN was set last, and when it was cleared. A frame is received if it was set at the
    /// first bit.
    on_at: Option<Duration>,
    off_at: Option<Duration>,
    /// A frame was dropped since the last packet.
    dropped: bool,
    /// A pause frame was received: no transmission starts before this time.
    pub(crate) paused_until: Duration,
}

impl Receiver {
    /// The frame that is arriving, if any, is not received.
    pub(crate) fn abort(&mut self) {
        self.on_at = None;
        self.off_at = None;
    }

    /// Whether a frame that began at this time is received.
    fn takes(&self, began: Duration) -> bool {
        self.on_at.is_some_and(|on| on <= began) && self.off_at.is_none_or(|off| began < off)
    }

    /// The oldest packet whose header was not read.
    pub(crate) fn first_unread(&self) -> Option<u16> {
        self.packets
            .iter()
            .find(|packet| !packet.seen)
            .map(|packet| packet.start)
    }

    /// Records that the host read these bytes.
    pub(crate) fn note_read(&mut self, fifo: Fifo, from: u16, count: u16) {
        for packet in &mut self.packets {
            packet.seen |= fifo.distance(from, packet.start) < count;
        }
    }
}

impl Receiver {
    /// RXEN changed.
    pub(crate) fn switch(&mut self, chip: &mut Chip, phy: &Phy, on: bool) {
        let now = chip.cx.now();
        if !on {
            self.off_at = self.on_at.map(|_| now);
            return;
        }
        self.on_at = Some(now);
        self.off_at = None;
        if !chip.is_clock_ready() {
            chip.violation(ViolationKind::StartedTooEarly, "RXEN before CLKRDY");
        }
        phy.check_duplex(chip);
        let fifo = chip.fifo();
        if fifo.start % 2 != 0 || fifo.start >= fifo.end {
            chip.violation(
                ViolationKind::BadFifo,
                format!("from {:#06x} to {:#06x}", fifo.start, fifo.end),
            );
        }
        let kept = chip.registers.word(ERXRDPT);
        if !fifo.contains(kept) {
            chip.violation(
                ViolationKind::BadReadPointer,
                format!("{kept:#06x} is outside the FIFO when reception starts"),
            );
        } else if kept % 2 == 0 {
            chip.violation(
                ViolationKind::EvenReadPointer,
                format!("{kept:#06x} when reception starts"),
            );
        }
    }

    /// ESTAT.RXBUSY.
    pub(crate) fn is_receiving(&self, chip: &Chip, phy: &Phy) -> bool {
        chip.port.incoming_since().is_some_and(|began| self.takes(began)) && phy.link
    }

    /// Takes a frame from the wire, with its FCS, at the time of its last bit.
    pub(crate) fn receive(&mut self, chip: &mut Chip, phy: &Phy, dma: &Dma, frame: &[u8]) {
        chip.cx.stats.arrived += 1;
        let time = BYTE_TIME * (PREAMBLE_LEN + frame.len()) as u32;
        let began = chip.cx.now().saturating_sub(time);
        if !phy.link || phy.is_loopback() {
            chip.cx.stats.rx_disabled += 1;
            return;
        }
        self.take_in(chip, dma, frame, began);
    }

    /// Takes a frame from the wire or from a loopback, which began at this time.
    pub(crate) fn take_in(&mut self, chip: &mut Chip, dma: &Dma, frame: &[u8], began: Duration) {
        let mac = chip.registers.get(MACON1);
        if !self.takes(began) || mac & MARXEN == 0 || !chip.is_mac_ready() {
            chip.cx.stats.rx_disabled += 1;
        } else if frame.len() < SHORTEST {
            chip.cx.stats.runts += 1;
        } else if frame.len() > usize::from(chip.registers.word(MAMXFL)) && !chip.registers.has(MACON3, macon3::HFRMEN)
        {
            chip.cx.stats.giants += 1;
        } else if self.is_control(chip, frame) && mac & PASSALL == 0 {
            chip.cx.stats.control += 1;
        } else {
            self.filter(chip, dma, frame, began);
        }
    }

    /// Whether this is a control frame. A pause frame takes effect.
    fn is_control(&mut self, chip: &Chip, frame: &[u8]) -> bool {
        if frame.get(12..14) != Some(&[0x88, 0x08]) {
            return false;
        }
        if is_pause(frame) && chip.registers.has(MACON1, RXPAUS) && fcs::check(frame).is_some() {
            let quanta = u32::from(u16::from_be_bytes([frame[16], frame[17]]));
            self.paused_until = chip.cx.now() + PAUSE_QUANTUM * quanta;
        }
        true
    }

    fn filter(&mut self, chip: &mut Chip, dma: &Dma, frame: &[u8], began: Duration) {
        let errata = chip.cx.config.errata;
        let good = fcs::check(frame).is_some();
        let accepted = match filter::classify(&chip.registers, frame) {
            Outcome::Accept => true,
            Outcome::Reject => false,
            Outcome::RejectByPattern => errata.e18_pattern && chip.rng.rx.chance(errata.probabilities.pattern),
        };
        if !accepted {
            chip.cx.stats.filtered += 1;
        } else if !good && chip.registers.has(ERXFCON, CRCEN) {
            chip.cx.stats.bad_crc += 1;
        } else if errata.e17_dma_checksum && dma.checksummed_since(began) {
            chip.cx.stats.lost_to_errata += 1;
            self.drop_frame(chip);
        } else if chip.registers.get(EPKTCNT) == 0xff {
            chip.cx.stats.packet_count_full += 1;
            self.drop_frame(chip);
        } else {
            self.store(chip, frame, good);
        }
    }

    /// Drops a frame with RXERIF, and with BUFER as public drivers report it.
    fn drop_frame(&mut self, chip: &mut Chip) {
        self.dropped = true;
        chip.registers.raise(EIR, eir::RXERIF);
        chip.registers.raise(ESTAT, estat::BUFER);
    }

    fn store(&mut self, chip: &mut Chip, frame: &[u8], good: bool) {
        let fifo = chip.fifo();
        let start = self.write_pointer;
        let needed = HEADER_LEN + frame.len() + frame.len() % 2;
        let kept = chip.registers.word(ERXRDPT);
        let size = usize::from(fifo.len());
        if !fifo.contains(start) || needed >= size || needed > usize::from(fifo.free(start, kept)) {
            chip.cx.stats.overflowed += 1;
            self.drop_frame(chip);
            return;
        }
        let after = fifo.offset(start, needed as u16);
        let mut header = [0; HEADER_LEN];
        header[..2].copy_from_slice(&after.to_le_bytes());
        let count = chip.injected.rx_len.take().unwrap_or(frame.len() as u16);
        header[2..4].copy_from_slice(&count.to_le_bytes());
        header[4..].copy_from_slice(&self.status(chip, frame, good).to_le_bytes());
        let errata = chip.cx.config.errata;
        if errata.e14_even_read_pointer && kept % 2 == 0 && chip.rng.rx.chance(errata.probabilities.even_read_pointer) {
            for byte in &mut header {
                *byte ^= chip.rng.rx.below(0x100) as u8;
            }
        }
        let body = chip.ram.put(fifo, start, &header);
        chip.ram.put(fifo, body, frame);
        self.dropped = false;
        self.packets.push_back(Packet { start, seen: false });
        self.write_pointer = after;
        chip.registers.set_word(ERXWRPT, after);
        chip.registers.set(EPKTCNT, chip.registers.get(EPKTCNT) + 1);
        chip.cx.stats.received += 1;
    }

    /// Bits 16 to 31 of the receive status vector.
    fn status(&self, chip: &Chip, frame: &[u8], good: bool) -> u16 {
        let kind = u16::from_be_bytes([frame[12], frame[13]]);
        let data = frame.len() - SHORTEST;
        let is_length = kind <= 1500;
        // Padding makes short frames longer than their length field.
        let wrong_length = is_length && usize::from(kind) != data && !(data == 46 && usize::from(kind) < 46);
        let is_control = kind == 0x8808;
        let broadcast = frame[..6] == [0xff; 6];
        let bits = [
            (0, self.dropped),
            (4, !good),
            (5, wrong_length && chip.registers.has(MACON3, macon3::FRMLNEN)),
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
}

fn is_pause(frame: &[u8]) -> bool {
    frame[..6] == [0x01, 0x80, 0xc2, 0x00, 0x00, 0x01] && frame.get(12..16) == Some(&[0x88, 0x08, 0, 1])
}
