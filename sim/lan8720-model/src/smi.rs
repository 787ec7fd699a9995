//! MDIO in whole frames: what a MAC with an MDIO block does (IEEE 802.3 clause 22.2.4.5).

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};

use super::hardware::{Model, Shared};
use super::{Lan8720Chip, MdioFault, MdioLine, ViolationKind};
use ethdev_sim::Clock;

/// MDC periods of one frame: preamble, and 32 bits.
const FRAME_BITS: u64 = 64;
/// MDC at most (DS00002165B table 5-9: a period of 400 ns).
const MDC_MAX_HZ: u32 = 2_500_000;

/// The injected faults of the bus.
#[derive(Debug, Default)]
pub(super) struct Smi {
    pub(super) line: MdioLine,
    /// The accesses that fail, counted from now.
    pub(super) fail_in: VecDeque<u64>,
    /// The read whose value changes, counted from now, and the bits that flip.
    pub(super) corrupt_in: Option<(u64, u16)>,
}

impl Model {
    /// Whether this access fails by an injected fault. Counts it.
    fn access_fails(&mut self) -> bool {
        let mut fails = self.config.faults.failure > 0.0 && self.rng.failure.chance(self.config.faults.failure);
        self.smi.fail_in.retain_mut(|left| match left.checked_sub(1) {
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
            self.mdio.failed += 1;
            self.tainted = true;
        }
        fails
    }

    /// A read frame ends. `None`: this PHY does not drive the line.
    pub(super) fn answer(&mut self, address: u8, register: u8) -> Option<u16> {
        self.mdio.reads += 1;
        match self.smi.line {
            MdioLine::StuckHigh => return Some(0xffff),
            MdioLine::StuckLow => return Some(0),
            MdioLine::Connected | MdioLine::Hung => {}
        }
        if !self.answers_at(address) {
            self.mdio.elsewhere += 1;
            return None;
        }
        self.check_reset();
        let value = self.read(register);
        Some(value ^ self.corruption())
    }

    /// The bits that flip in this read.
    fn corruption(&mut self) -> u16 {
        let mut flips = 0;
        if let Some((left, bits)) = self.smi.corrupt_in.take() {
            match left.checked_sub(1) {
                None => flips = bits,
                Some(fewer) => self.smi.corrupt_in = Some((fewer, bits)),
            }
        }
        let odds = self.config.faults.bit_error;
        if odds > 0.0 && self.rng.bit_error.chance(odds) {
            flips ^= 1 << self.rng.bit_error.below(16);
        }
        if flips != 0 {
            self.mdio.corrupted += 1;
            self.tainted = true;
        }
        flips
    }

    /// A write frame ends.
    pub(super) fn take(&mut self, address: u8, register: u8, value: u16) {
        self.mdio.writes += 1;
        if self.smi.line != MdioLine::Connected {
            return;
        }
        if self.answers_at(address) {
            self.check_reset();
            self.write(register, value);
        } else {
            self.mdio.elsewhere += 1;
        }
    }
}

/// An MDIO bus with PHYs on it: [`ethdev_phy::mdio::Mdio`] in virtual time, an access taking the 64 bits that it takes.
///
/// Addresses where nobody answers read `0xffff`. Clones are the same bus.
#[derive(Clone)]
pub struct SimMdio {
    clock: Clock,
    mdc_hz: u32,
    phys: Vec<Rc<Shared>>,
}

impl fmt::Debug for SimMdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimMdio")
            .field("mdc_hz", &self.mdc_hz)
            .field("phys", &self.phys.len())
            .finish_non_exhaustive()
    }
}

impl SimMdio {
    pub(super) fn new(shared: &Rc<Shared>) -> Self {
        let mdc_hz = shared.core.borrow().config.mdc_hz;
        Self {
            clock: shared.clock.clone(),
            mdc_hz,
            phys: vec![shared.clone()],
        }
    }

    /// The same bus with another PHY on it. Injected faults are those of the first one.
    #[must_use]
    pub fn with(mut self, phy: &Lan8720Chip) -> Self {
        self.phys.push(phy.0.clone());
        self
    }

    /// How long one access takes.
    #[must_use]
    pub fn access_time(&self) -> Duration {
        Duration::from_nanos((FRAME_BITS * 1_000_000_000).div_ceil(u64::from(self.mdc_hz)))
    }

    /// One frame passes.
    fn frame(&self) -> Result<(), MdioFault> {
        for phy in &self.phys {
            phy.access.call(());
        }
        let Some(first) = self.phys.first() else {
            return Ok(());
        };
        let (hung, fails, timeout) = first.with(|phy| {
            if self.mdc_hz > MDC_MAX_HZ {
                phy.violation(ViolationKind::MdcTooFast, format!("MDC runs at {} Hz", self.mdc_hz));
            }
            let hung = phy.smi.line == MdioLine::Hung;
            (hung, phy.access_fails(), phy.config.times.mdio_timeout)
        });
        if hung {
            self.clock.advance(timeout);
            return Err(MdioFault::Timeout);
        }
        self.clock.advance(self.access_time());
        if fails { Err(MdioFault::Injected) } else { Ok(()) }
    }
}

impl Mdio for SimMdio {
    type Error = MdioFault;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, MdioFault> {
        self.frame()?;
        // The line is open drain: a zero of anybody wins.
        Ok(self.phys.iter().fold(0xffff, |line, shared| {
            line & shared
                .with(|core| core.answer(phy.get(), register.get()))
                .unwrap_or(0xffff)
        }))
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), MdioFault> {
        self.frame()?;
        for shared in &self.phys {
            shared.with(|core| core.take(phy.get(), register.get(), value));
        }
        Ok(())
    }
}
