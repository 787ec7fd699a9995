//! MDIO bit by bit (IEEE 802.3 clause 22.2.4.5; DS00002165B section 3.5 and table 5-9).
//!
//! A bit of the PHY is valid from 300 ns after one rising edge of MDC to the next. A host may
//! sample it just before that next edge, or at any time after those 300 ns. Edges are counted from
//! the first bit of the start: 2 of the start, 2 of the opcode, 5 and 5 of the addresses, 2 of the
//! turnaround, 16 of data.

use core::time::Duration;

use crate::faults::MdioLine;
use crate::mdio::Mdio;
use crate::phy::Phy;
use crate::violations::ViolationKind;

/// Shortest period and pulse of MDC, and setup and hold time (table 5-9).
const PERIOD: Duration = Duration::from_nanos(400);
const PULSE: Duration = Duration::from_nanos(160);
const SETUP_HOLD: Duration = Duration::from_nanos(10);
/// Number of ones before a frame.
const PREAMBLE: u32 = 32;

/// How the host drives MDIO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Drive {
    #[default]
    Released,
    Low,
    High,
}

/// The level that the PHY drives from a time on.
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
    /// Number of bits.
    count: u8,
    /// The preamble was too short: the frame has no effect.
    ignored: bool,
    /// The value that the PHY answers with, where it does.
    answer: Option<u16>,
    contention_reported: bool,
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

/// The two lines, as both ends drive them.
#[derive(Debug, Default)]
pub(crate) struct BitBus {
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
    /// The PHY sampled the host's bit at the latest rising edge.
    sampled: bool,
}

impl BitBus {
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

impl BitBus {
    /// The level that a host reads on MDIO.
    pub(crate) fn host_level(&self, line: MdioLine, now: Duration) -> bool {
        match line {
            MdioLine::StuckHigh | MdioLine::Hung => self.host != Drive::Low,
            MdioLine::StuckLow => false,
            MdioLine::Connected => self.level(now),
        }
    }

    /// The host drives MDIO, or releases it.
    pub(crate) fn drive_mdio(&mut self, phy: &mut Phy, drive: Drive) {
        let now = phy.context.now();
        let before = self.level(now);
        if self.host == drive {
            return;
        }
        self.host = drive;
        if !before && drive == Drive::Released {
            self.high_from = now + phy.context.config.times.mdio_rise;
        }
        if self.level(now) != before {
            self.host_changed = Some(now);
            let early = self.rose.is_some_and(|rose| now - rose < SETUP_HOLD);
            if self.mdc && self.sampled && early {
                phy.context.violation(
                    ViolationKind::SetupHold,
                    "MDIO changed within 10 ns after the rising edge of MDC",
                );
            }
        }
        self.check_contention(phy);
    }

    fn check_contention(&mut self, phy: &mut Phy) {
        let driving = self.output.level.is_some();
        let host = self.host;
        if let Some(frame) = &mut self.frame {
            if driving && host != Drive::Released && !frame.contention_reported {
                frame.contention_reported = true;
                let detail = format!("the host drives MDIO ({host:?}) at bit {} of a read", frame.count);
                phy.context.violation(ViolationKind::Contention, detail);
            }
        }
    }

    /// MDC takes a level.
    pub(crate) fn drive_mdc(&mut self, mdio: &mut Mdio, phy: &mut Phy, high: bool) {
        let now = phy.context.now();
        if self.mdc == high {
            return;
        }
        self.mdc = high;
        if let Some(changed) = self.mdc_changed.replace(now) {
            if now - changed < PULSE {
                let level = if high { "low" } else { "high" };
                phy.context.violation(
                    ViolationKind::MdcPulse,
                    format!("MDC was {level} for {:?}", now - changed),
                );
            }
        }
        if high {
            if let Some(rose) = self.rose.replace(now) {
                if now - rose < PERIOD {
                    phy.context
                        .violation(ViolationKind::MdcTooFast, format!("a period of {:?}", now - rose));
                }
            }
            self.rising_edge(mdio, phy);
        }
    }

    fn rising_edge(&mut self, mdio: &mut Mdio, phy: &mut Phy) {
        let now = phy.context.now();
        let bit = self.level(now);
        let valid = now + phy.context.config.times.mdio_valid;
        let Some(mut frame) = self.frame else {
            self.idle_bit(phy, bit, now);
            return;
        };
        frame.count += 1;
        frame.bits = frame.bits << 1 | u32::from(bit);
        let reading = frame.count > 14 && frame.is_read();
        self.sampled = !reading;
        if !reading {
            self.check_setup(phy, now);
        }
        match frame.count {
            2 if frame.bits & 0b11 != 0b01 => return self.abandon_frame(phy, "start"),
            4 if !matches!(frame.bits & 0b11, 0b01 | 0b10) => return self.abandon_frame(phy, "opcode"),
            15 if reading => {
                if self.host != Drive::Released {
                    phy.context.violation(
                        ViolationKind::Turnaround,
                        format!("the host drives MDIO ({:?}) in the turnaround of a read", self.host),
                    );
                }
                if !frame.ignored {
                    frame.answer = mdio.read(phy, frame.address(), frame.register());
                }
                if frame.answer.is_some() {
                    self.drive(Some(false), valid, now);
                }
            }
            16..=31 if reading => {
                if let Some(value) = frame.answer {
                    let bit = value >> (31 - frame.count) & 1 != 0;
                    self.drive(Some(bit), valid, now);
                }
            }
            16 if frame.bits & 0b11 != 0b10 => {
                phy.context.violation(
                    ViolationKind::Turnaround,
                    format!("the turnaround of a write is {:02b}", frame.bits & 0b11),
                );
            }
            32 => {
                if reading {
                    self.high_from = now + phy.context.config.times.mdio_rise;
                    self.drive(None, now, now);
                } else if !frame.ignored {
                    mdio.write(phy, frame.address(), frame.register(), (frame.bits & 0xffff) as u16);
                }
                self.frame = None;
                self.ones = 0;
                return;
            }
            _ => {}
        }
        self.frame = Some(frame);
        self.check_contention(phy);
    }

    /// A bit outside of frames: of the preamble, or the first one of a start.
    fn idle_bit(&mut self, phy: &mut Phy, bit: bool, now: Duration) {
        self.sampled = true;
        self.check_setup(phy, now);
        if bit {
            self.ones = self.ones.saturating_add(1);
            return;
        }
        let ones = core::mem::take(&mut self.ones);
        if ones < PREAMBLE {
            phy.context
                .violation(ViolationKind::ShortPreamble, format!("{ones} ones before a start"));
        }
        self.frame = Some(Frame {
            bits: 0,
            count: 1,
            ignored: ones < PREAMBLE,
            answer: None,
            contention_reported: false,
        });
    }

    fn check_setup(&self, phy: &mut Phy, now: Duration) {
        if self.host_changed.is_some_and(|at| now - at < SETUP_HOLD) {
            phy.context.violation(
                ViolationKind::SetupHold,
                "MDIO changed within 10 ns before the rising edge of MDC",
            );
        }
    }

    fn abandon_frame(&mut self, phy: &mut Phy, what: &str) {
        phy.context
            .violation(ViolationKind::BadFrame, format!("undefined {what}"));
        self.frame = None;
        self.ones = 0;
    }
}
