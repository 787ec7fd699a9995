//! MDIO frames at the PHY, and the faults of the bus (IEEE 802.3 clause 22.2.4.5).

use std::collections::VecDeque;

use ethdev_sim::random::Rng;

use crate::faults::MdioLine;
use crate::phy::Phy;
use crate::stats::MdioCounters;
use crate::violations::ViolationKind;

/// Highest frequency of MDC in hertz (DS00002165B table 5-9: a period of 400 ns).
const MDC_MAX_HZ: u32 = 2_500_000;

/// The bus with its injected faults.
#[derive(Debug)]
pub(crate) struct Mdio {
    line: MdioLine,
    pub(crate) counters: MdioCounters,
    /// The accesses that fail, counted from now.
    fail_in: VecDeque<u64>,
    /// The read whose value changes, counted from now, and the bits that flip.
    corrupt_in: Option<(u64, u16)>,
    failure_rng: Rng,
    bit_error_rng: Rng,
}

/// The injected faults of an access.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessStart {
    pub(crate) hung: bool,
    pub(crate) fails: bool,
}

impl Mdio {
    pub(crate) fn new(failure_rng: Rng, bit_error_rng: Rng) -> Self {
        Self {
            line: MdioLine::default(),
            counters: MdioCounters::default(),
            fail_in: VecDeque::new(),
            corrupt_in: None,
            failure_rng,
            bit_error_rng,
        }
    }

    pub(crate) const fn line(&self) -> MdioLine {
        self.line
    }

    pub(crate) const fn set_line(&mut self, phy: &mut Phy, line: MdioLine) {
        phy.context.violations.suspend();
        self.line = line;
    }

    pub(crate) fn fail_at(&mut self, n: u64) {
        self.fail_in.push_back(n);
    }

    pub(crate) const fn corrupt_at(&mut self, n: u64, bits: u16) {
        self.corrupt_in = Some((n, bits));
    }

    /// An access in a whole frame starts on a bus with this MDC.
    pub(crate) fn start_access(&mut self, phy: &mut Phy, mdc_hz: u32) -> AccessStart {
        if mdc_hz > MDC_MAX_HZ {
            phy.context
                .violation(ViolationKind::MdcTooFast, format!("MDC is {mdc_hz} Hz"));
        }
        let failure = phy.context.config.faults.failure;
        let mut fails = failure > 0.0 && self.failure_rng.chance(failure);
        self.fail_in.retain_mut(|left| match left.checked_sub(1) {
            None => {
                fails = true;
                false
            }
            Some(fewer) => {
                *left = fewer;
                true
            }
        });
        if fails {
            self.counters.failed += 1;
            phy.context.violations.suspend();
        }
        AccessStart {
            hung: self.line == MdioLine::Hung,
            fails,
        }
    }

    /// A read frame ends. `None`: this PHY does not drive the line.
    pub(crate) fn read(&mut self, phy: &mut Phy, address: u8, register: u8) -> Option<u16> {
        self.counters.reads += 1;
        match self.line {
            MdioLine::StuckHigh => return Some(0xffff),
            MdioLine::StuckLow => return Some(0),
            MdioLine::Connected | MdioLine::Hung => {}
        }
        if !phy.answers_at(address) {
            self.counters.other_address += 1;
            return None;
        }
        let value = phy.read(register);
        Some(value ^ self.bit_errors(phy))
    }

    /// The bits that flip in this read.
    fn bit_errors(&mut self, phy: &mut Phy) -> u16 {
        let mut flips = 0;
        if let Some((left, bits)) = self.corrupt_in.take() {
            match left.checked_sub(1) {
                None => flips = bits,
                Some(fewer) => self.corrupt_in = Some((fewer, bits)),
            }
        }
        let probability = phy.context.config.faults.bit_error;
        if probability > 0.0 && self.bit_error_rng.chance(probability) {
            flips ^= 1 << self.bit_error_rng.below(16);
        }
        if flips != 0 {
            self.counters.corrupted += 1;
            phy.context.violations.suspend();
        }
        flips
    }

    /// A write frame ends.
    pub(crate) fn write(&mut self, phy: &mut Phy, address: u8, register: u8, value: u16) {
        self.counters.writes += 1;
        if self.line != MdioLine::Connected {
            return;
        }
        if phy.answers_at(address) {
            phy.write(register, value);
        } else {
            self.counters.other_address += 1;
        }
    }
}
