//! MDIO bit by bit: masters of both schools, and what they do wrong.

use core::time::Duration;

use embedded_hal::digital::{InputPin, OutputPin};
use lan8720_model::{MdcPin, MdioLine, MdioPin, PhyTimes, ViolationKind as Kind};

use crate::host::*;

/// A master with its own idea of when to do what.
struct Master {
    host: Host,
    mdc: MdcPin,
    mdio: MdioPin,
    /// From data to the rising edge, and from there to the falling edge.
    low: Duration,
    high: Duration,
    preamble: u32,
    /// Takes each bit after the falling edge, instead of before the rising one.
    late: bool,
}

const fn ns(n: u64) -> Duration {
    Duration::from_nanos(n)
}

impl Master {
    fn new(open_drain: bool, late: bool) -> Self {
        let host = Host::new(lan8720a());
        let (mdc, mdio) = if open_drain {
            host.phy.mdio_pins()
        } else {
            host.phy.mdio_pins_push_pull()
        };
        Self {
            host,
            mdc,
            mdio,
            low: ns(200),
            high: ns(200),
            preamble: 32,
            late,
        }
    }

    fn pulse(&mut self) {
        self.host.pass(self.low);
        self.mdc.set_high().unwrap();
        self.host.pass(self.high);
        self.mdc.set_low().unwrap();
    }

    fn put(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            if value >> bit & 1 != 0 {
                self.mdio.set_high().unwrap();
            } else {
                self.mdio.set_low().unwrap();
            }
            self.pulse();
        }
    }

    fn take(&mut self) -> u32 {
        if self.late {
            self.pulse();
            // The PHY takes up to 300 ns from the rising edge.
            self.host.pass(ns(100));
            u32::from(self.mdio.is_high().unwrap())
        } else {
            self.host.pass(self.low);
            let bit = u32::from(self.mdio.is_high().unwrap());
            self.mdc.set_high().unwrap();
            self.host.pass(self.high);
            self.mdc.set_low().unwrap();
            bit
        }
    }

    fn header(&mut self, op: u32, phy: u8, register: u8) {
        self.mdio.set_high().unwrap();
        self.mdio.set_as_output();
        for _ in 0..self.preamble {
            self.pulse();
        }
        self.put(0b01, 2);
        self.put(op, 2);
        self.put(phy.into(), 5);
        self.put(register.into(), 5);
    }

    /// `None` where the turnaround is not driven low.
    fn read(&mut self, phy: u8, register: u8) -> Option<u16> {
        self.header(0b10, phy, register);
        self.mdio.set_high().unwrap();
        self.mdio.set_as_input();
        let turnaround = if self.late {
            self.take()
        } else {
            self.take();
            self.take()
        };
        let value = (0..16).fold(0, |value, _| value << 1 | self.take());
        if self.late {
            self.pulse();
        }
        (turnaround == 0).then_some(value as u16)
    }

    fn write(&mut self, phy: u8, register: u8, value: u16) {
        self.header(0b01, phy, register);
        self.put(0b10, 2);
        self.put(value.into(), 16);
        self.mdio.set_high().unwrap();
        self.mdio.set_as_input();
    }
}

#[test]
fn mdio_bits_both_sampling_points_read_and_write() {
    for (open_drain, late) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut master = Master::new(open_drain, late);
        if open_drain {
            master.mdio.set_as_output();
        }
        assert_eq!(
            master.read(0, 2),
            Some(0x0007),
            "open drain: {open_drain}, late: {late}"
        );
        assert_eq!(master.read(0, 3), Some(0xc0f1));
        assert_eq!(master.read(1, 3), None);
        assert_eq!(master.read(31, 3), None);
        master.write(0, 4, 0x0101);
        master.write(1, 4, 0x0181);
        assert_eq!(master.read(0, 4), Some(0x0101));
        assert_eq!(master.host.get(4), 0x0101, "the same registers by whole frames");
        master.host.assert_clean();
        let counters = master.host.phy.mdio_counters();
        assert_eq!((counters.reads, counters.writes, counters.other_address), (6, 2, 3));
    }
}

#[test]
fn mdio_bits_every_value_round_trips() {
    let mut master = Master::new(false, false);
    for bit in 0..16 {
        // The LAN8720A's IMR stores bits 1 to 7; the model reports the others.
        master.write(0, 30, 1 << bit);
        assert_eq!(master.read(0, 30), Some(1 << bit & 0xfe));
    }
    assert_eq!(master.host.kinds(), [Kind::ReservedBits; 9]);
}

#[test]
fn mdio_bits_fast_mdc_reports_violations() {
    let mut master = Master::new(false, false);
    (master.low, master.high) = (ns(199), ns(200));
    master.read(0, 2);
    assert!(master.host.kinds().iter().all(|kind| *kind == Kind::MdcTooFast));
    assert!(!master.host.kinds().is_empty());
    let mut master = Master::new(false, false);
    (master.low, master.high) = (ns(300), ns(150));
    assert_eq!(master.read(0, 2), Some(7));
    assert!(
        master.host.kinds().contains(&Kind::MdcPulse),
        "{:?}",
        master.host.kinds()
    );
    let mut master = Master::new(false, false);
    (master.low, master.high) = (ns(5), ns(500));
    master.read(0, 2);
    let kinds = master.host.kinds();
    assert!(
        kinds.contains(&Kind::SetupHold) && kinds.contains(&Kind::MdcPulse),
        "{kinds:?}"
    );
}

#[test]
fn mdio_bits_early_sample_reads_previous_bit() {
    let mut master = Master::new(false, true);
    // Late school at full speed: the bit is there 300 ns after the rising edge, and this looks
    // after 200 + 0.
    let valid = |valid| PhyTimes::default().with_mdio(valid, Duration::ZERO);
    master.host.phy.set_times(valid(ns(301)));
    assert_ne!(master.read(0, 2), Some(0x0007));
    master.host.phy.set_times(valid(ns(30)));
    assert_eq!(master.read(0, 2), Some(0x0007));
}

#[test]
fn mdio_bits_short_preamble_is_ignored() {
    let mut master = Master::new(false, false);
    master.preamble = 31;
    assert_eq!(master.read(0, 2), None);
    assert_eq!(master.host.kinds(), [Kind::ShortPreamble]);
    master.preamble = 32;
    assert_eq!(master.read(0, 2), Some(7), "it finds its way back");
    master.preamble = 33;
    assert_eq!(master.read(0, 2), Some(7));
    master.preamble = 0;
    master.write(0, 4, 0x0101);
    master.preamble = 32;
    assert_eq!(master.read(0, 4), Some(0x01e1));
    assert_eq!(master.host.kinds(), [Kind::ShortPreamble; 2]);
}

#[test]
fn mdio_bits_host_drives_during_read_reports_contention() {
    let mut master = Master::new(false, false);
    master.header(0b10, 0, 3);
    // Still an output, and it stays one.
    master.mdio.set_high().unwrap();
    for _ in 0..18 {
        master.take();
    }
    assert_eq!(master.host.kinds(), [Kind::Turnaround, Kind::Contention]);
    let mut master = Master::new(true, false);
    master.header(0b10, 0, 3);
    master.mdio.set_low().unwrap();
    for _ in 0..18 {
        master.take();
    }
    assert_eq!(master.host.kinds(), [Kind::Turnaround, Kind::Contention]);
}

#[test]
fn mdio_bits_undefined_frame_reports_violation() {
    let mut master = Master::new(false, false);
    master.header(0b01, 0, 4);
    master.put(0b11, 2);
    master.put(0x0101, 16);
    assert_eq!(master.host.kinds(), [Kind::Turnaround]);
    let mut master = Master::new(false, false);
    master.header(0b11, 0, 4);
    assert_eq!(master.host.kinds()[0], Kind::BadFrame);
    let mut master = Master::new(false, false);
    master.mdio.set_as_output();
    master.put(u32::MAX, 32);
    master.put(0b00, 2);
    assert_eq!(master.host.kinds()[0], Kind::BadFrame);
}

#[test]
fn mdio_bits_slow_pull_up_reads_low() {
    let times = PhyTimes::default().with_mdio(ns(300), Duration::from_micros(1));
    let mut master = Master::new(true, false);
    master.mdio.set_as_output();
    master.host.phy.set_times(times);
    assert_ne!(master.read(0, 3), Some(0xc0f1), "a weak pull-up at 2.5 MHz");
    (master.low, master.high) = (Duration::from_micros(2), Duration::from_micros(2));
    master.preamble = 64;
    assert_eq!(master.read(0, 3), Some(0xc0f1));
    // Nor is it high at once when the PHY releases a zero.
    master.high = Duration::from_nanos(400);
    assert_eq!(master.read(0, 0), Some(0x3000));
    assert!(master.mdio.is_low().unwrap());
    master.host.pass(Duration::from_micros(1));
    assert!(master.mdio.is_high().unwrap());
}

#[test]
fn mdio_bits_stuck_line_reads_constant() {
    let mut master = Master::new(false, false);
    master.host.phy.set_mdio_line(MdioLine::StuckHigh);
    assert_eq!(master.read(0, 2), None);
    master.host.phy.set_mdio_line(MdioLine::StuckLow);
    assert_eq!(master.read(0, 2), Some(0));
    master.host.phy.set_mdio_line(MdioLine::Connected);
    assert_eq!(master.read(0, 2), Some(7));
}
