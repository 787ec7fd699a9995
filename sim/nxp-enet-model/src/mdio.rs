//! The management interface (MMFR and MSCR).

use core::time::Duration;

use crate::context::{Context, Effect, MdioFrame, Timer};
use crate::registers::{Registers, at, eir};
use crate::violations::ViolationKind;

/// Bits of a frame with its preamble.
const FRAME_BITS: u64 = 64;

/// The management interface.
#[derive(Debug, Default)]
pub(crate) struct Mdio {
    /// Counts frames; only the latest one ends.
    number: u64,
    busy: bool,
}

impl Mdio {
    pub(crate) const fn reset(&mut self) {
        self.number += 1;
        self.busy = false;
    }

    /// `MMFR` was written.
    pub(crate) fn start(&mut self, context: &mut Context, registers: &mut Registers, value: u32) {
        if self.busy {
            context.violation(ViolationKind::MiiBusy, format!("{value:#x} to MMFR"));
        }
        registers.set(at::MMFR, value);
        let divider = registers.get(at::MSCR) >> 1 & 0x3f;
        if divider == 0 {
            // MDC is off.
            return;
        }
        let mdc = context.config.module_clock_hz / (2 * (divider + 1));
        if mdc > 2_500_000 {
            context.violation(ViolationKind::MdcTooFast, format!("MDC is {mdc} Hz"));
        }
        let write = match value >> 28 {
            0b0110 => None,
            0b0101 => Some(value as u16),
            _ => {
                context.violation(ViolationKind::BadSettings, format!("{value:#x} to MMFR"));
                return;
            }
        };
        let frame = MdioFrame {
            phy: (value >> 23 & 0x1f) as u8,
            register: (value >> 18 & 0x1f) as u8,
            write,
        };
        self.number += 1;
        self.busy = true;
        let time = Duration::from_nanos(FRAME_BITS * 1_000_000_000 / u64::from(mdc.max(1)));
        let number = self.number;
        context.timer_in(time, Timer::MdioEnd { number, frame });
    }

    /// The last bit is out: the bus is asked for its answer.
    pub(crate) fn last_bit(context: &mut Context, number: u64, frame: MdioFrame) {
        context.effect(Effect::Mdio { number, frame });
    }

    /// The bus answered; `None`: the frame never ends.
    pub(crate) fn end(&mut self, registers: &mut Registers, number: u64, frame: MdioFrame, answer: Option<u16>) {
        if self.number != number {
            return;
        }
        let Some(answer) = answer else { return };
        if frame.write.is_none() {
            let value = registers.get(at::MMFR) & !0xffff | u32::from(answer);
            registers.set(at::MMFR, value);
        }
        self.busy = false;
        registers.raise(eir::MII);
    }
}
