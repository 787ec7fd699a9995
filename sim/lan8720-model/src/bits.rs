//! MDIO bit by bit (IEEE 802.3 clause 22.2.4.5; DS00002165B section 3.5 and table 5-9).
//!
//! A bit of the PHY's is there from 300 ns after one rising edge of MDC to the next. A host may take it just before that next edge, or at any time after those
//! 300 ns. Edges are counted from the first bit of the start: 2 of the start, 2 of the opcode, 5 and 5 of the addresses, 2 of the turnaround, 16 of data.

use core::time::Duration;

use super::hardware::Model;
use super::{MdioLine, ViolationKind};

/// Table 5-9.
const PERIOD: Duration = Duration::from_nanos(400);
const PULSE: Duration = Duration::from_nanos(160);
const SETUP_HOLD: Duration = Duration::from_nanos(10);
/// Ones before a frame.
const PREAMBLE: u32 = 32;

/// What the host does to MDIO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Drive {
    #[default]
    Released,
    Low,
    High,
}

/// What the PHY drives, from a time on.
#[derive(Debug, Default, Clone, Copy)]
struct Output {
    level: Option<bool>,
    before: Option<bool>,
    from: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    /// The bits since the start, the latest one last.
    bits: u32,
    /// How many.
    count: u8,
    /// The preamble was too short: the frame passes unheard.
    ignored: bool,
    /// What the PHY answers with, where it does.
    answer: Option<u16>,
    /// Contention was reported.
    blamed: bool,
}

impl Frame {
    const fn is_read(&self) -> bool {
        self.field(10, 2) == 0b10
    }

    const fn address(&self) -> u8 {
        self.field(5, 5) as u8
    }

    const fn register(&self) -> u8 {
        self.field(0, 5) as u8
    }

    /// A field of the fourteen bits of the header, by the bits after it.
    const fn field(&self, after: u32, len: u32) -> u32 {
        let header = if self.count <= 14 {
            self.bits
        } else {
            self.bits >> (self.count - 14)
        };
        header >> after & ((1 << len) - 1)
    }
}

/// Both ends of the two lines.
#[derive(Debug, Default)]
pub(super) struct Wiggler {
    mdc: bool,
    mdc_changed: Option<Duration>,
    rose: Option<Duration>,
    host: Drive,
    host_changed: Option<Duration>,
    output: Output,
    /// The pull-up has raised the line by then.
    high_from: Duration,
    ones: u32,
    frame: Option<Frame>,
    /// The PHY took the host's bit at the latest rising edge.
    sampled: bool,
}

impl Wiggler {
    fn output_at(&self, now: Duration) -> Option<bool> {
        if now >= self.output.from {
            self.output.level
        } else {
            self.output.before
        }
    }

    fn drive(&mut self, level: Option<bool>, from: Duration, now: Duration) {
        self.output = Output {
            level,
            before: self.output_at(now),
            from,
        };
    }

    /// The level of MDIO.
    fn level(&self, now: Duration) -> bool {
        match (self.host, self.output_at(now)) {
            (Drive::Low, _) | (_, Some(false)) => false,
            (Drive::High, _) | (_, Some(true)) => true,
            (Drive::Released, None) => now >= self.high_from,
        }
    }
}

impl Model {
    /// What a host reads on MDIO.
    pub(super) fn mdio_level(&self) -> bool {
        match self.smi.line {
            MdioLine::StuckHigh | MdioLine::Hung => self.wiggler.host != Drive::Low,
            MdioLine::StuckLow => false,
            MdioLine::Connected => self.wiggler.level(self.now()),
        }
    }

    /// The host drives MDIO, or lets go of it.
    pub(super) fn drive_mdio(&mut self, drive: Drive) {
        let now = self.now();
        let before = self.wiggler.level(now);
        if self.wiggler.host == drive {
            return;
        }
        self.wiggler.host = drive;
        if !before && drive == Drive::Released {
            self.wiggler.high_from = now + self.config.times.mdio_rise;
        }
        if self.wiggler.level(now) != before {
            self.wiggler.host_changed = Some(now);
            let early = self.wiggler.rose.is_some_and(|rose| now - rose < SETUP_HOLD);
            if self.wiggler.mdc && self.wiggler.sampled && early {
                self.violation(
                    ViolationKind::SetupHold,
                    "MDIO changed within 10 ns after the rising edge of MDC",
                );
            }
        }
        self.check_contention();
    }

    fn check_contention(&mut self) {
        let driving = self.wiggler.output.level.is_some();
        let host = self.wiggler.host;
        if let Some(frame) = &mut self.wiggler.frame {
            if driving && host != Drive::Released && !frame.blamed {
                frame.blamed = true;
                let detail = format!("the host drives MDIO ({host:?}) at bit {} of a read", frame.count);
                self.violation(ViolationKind::Contention, detail);
            }
        }
    }

    /// MDC takes a level.
    pub(super) fn drive_mdc(&mut self, high: bool) {
        let now = self.now();
        if self.wiggler.mdc == high {
            return;
        }
        self.wiggler.mdc = high;
        if let Some(changed) = self.wiggler.mdc_changed.replace(now) {
            if now - changed < PULSE {
                let level = if high { "low" } else { "high" };
                self.violation(
                    ViolationKind::MdcPulse,
                    format!("MDC was {level} for {:?}", now - changed),
                );
            }
        }
        if high {
            if let Some(rose) = self.wiggler.rose.replace(now) {
                if now - rose < PERIOD {
                    self.violation(ViolationKind::MdcTooFast, format!("a period of {:?}", now - rose));
                }
            }
            self.rising_edge();
        }
    }

    fn rising_edge(&mut self) {
        let now = self.now();
        let bit = self.wiggler.level(now);
        let valid = now + self.config.times.mdio_valid;
        let Some(mut frame) = self.wiggler.frame else {
            self.idle_bit(bit, now);
            return;
        };
        frame.count += 1;
        frame.bits = frame.bits << 1 | u32::from(bit);
        let reading = frame.count > 14 && frame.is_read();
        self.wiggler.sampled = !reading;
        if !reading {
            self.check_setup(now);
        }
        match frame.count {
            2 if frame.bits & 0b11 != 0b01 => return self.abandon_frame("start"),
            4 if !matches!(frame.bits & 0b11, 0b01 | 0b10) => return self.abandon_frame("opcode"),
            15 if reading => {
                if self.wiggler.host != Drive::Released {
                    self.violation(
                        ViolationKind::Turnaround,
                        format!(
                            "the host drives MDIO ({:?}) in the turnaround of a read",
                            self.wiggler.host
                        ),
                    );
                }
                if !frame.ignored {
                    frame.answer = self.answer(frame.address(), frame.register());
                }
                if frame.answer.is_some() {
                    self.wiggler.drive(Some(false), valid, now);
                }
            }
            16..=31 if reading => {
                if let Some(value) = frame.answer {
                    let bit = value >> (31 - frame.count) & 1 != 0;
                    self.wiggler.drive(Some(bit), valid, now);
                }
            }
            16 if frame.bits & 0b11 != 0b10 => {
                self.violation(
                    ViolationKind::Turnaround,
                    format!("the turnaround of a write is {:02b}", frame.bits & 0b11),
                );
            }
            32 => {
                if reading {
                    self.wiggler.high_from = now + self.config.times.mdio_rise;
                    self.wiggler.drive(None, now, now);
                } else if !frame.ignored {
                    self.take(frame.address(), frame.register(), (frame.bits & 0xffff) as u16);
                }
                self.wiggler.frame = None;
                self.wiggler.ones = 0;
                return;
            }
            _ => {}
        }
        self.wiggler.frame = Some(frame);
        self.check_contention();
    }

    /// A bit outside of frames: of the preamble, or the first one of a start.
    fn idle_bit(&mut self, bit: bool, now: Duration) {
        self.wiggler.sampled = true;
        self.check_setup(now);
        if bit {
            self.wiggler.ones = self.wiggler.ones.saturating_add(1);
            return;
        }
        let ones = core::mem::take(&mut self.wiggler.ones);
        if ones < PREAMBLE {
            self.violation(ViolationKind::ShortPreamble, format!("{ones} ones before a start"));
        }
        self.wiggler.frame = Some(Frame {
            bits: 0,
            count: 1,
            ignored: ones < PREAMBLE,
            answer: None,
            blamed: false,
        });
    }

    fn check_setup(&mut self, now: Duration) {
        if self.wiggler.host_changed.is_some_and(|at| now - at < SETUP_HOLD) {
            self.violation(
                ViolationKind::SetupHold,
                "MDIO changed within 10 ns before the rising edge of MDC",
            );
        }
    }

    fn abandon_frame(&mut self, what: &str) {
        self.violation(ViolationKind::BadFrame, format!("no such {what}"));
        self.wiggler.frame = None;
        self.wiggler.ones = 0;
    }
}
