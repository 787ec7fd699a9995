//! Power: `WL_REG_ON`, and what it takes until the bus answers.

use core::time::Duration;

use super::ViolationKind;
use super::backplane::Backplane;
use super::bus_registers::BusRegisters;
use super::fifo::Fifo;
use super::gspi::Gspi;
use super::hardware::Model;

/// The shortest time without power after which the chip is certain to have lost its state.
const SHORTEST_OFF: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// `WL_REG_ON` is low.
    #[default]
    Off,
    /// It is high, and the bus does not answer yet.
    Rising,
    /// The bus answers.
    Ready,
    /// It came up with SDIO, and so is deaf to this bus.
    WrongBus,
}

/// The supply, as `WL_REG_ON` switches it.
#[derive(Debug, Default)]
pub(super) struct Power {
    state: State,
    off_since: Option<Duration>,
    /// Counts the times that the chip lost its power: what was scheduled in an earlier life does not happen.
    pub(super) life: u64,
    /// Reads that still show garbage.
    pub(super) garbage: u32,
}

impl Power {
    pub(super) fn is_on(&self) -> bool {
        self.state != State::Off
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }
}

impl Model {
    /// `WL_REG_ON` takes this level. `strap`: whether the data line is low, where it is known.
    pub(super) fn drive_power(&mut self, high: bool, strap: Option<bool>) {
        if high == self.power.is_on() {
            return;
        }
        if high {
            self.switch_on(strap);
        } else {
            self.switch_off();
        }
    }

    fn switch_on(&mut self, strap: Option<bool>) {
        let now = self.clock.now();
        if let Some(since) = self.power.off_since.filter(|since| now - *since < SHORTEST_OFF) {
            self.violation(
                ViolationKind::ShortPowerCycle,
                format!("WL_REG_ON was low for {:?}", now - since),
            );
        }
        if strap == Some(false) {
            self.violation(ViolationKind::StrapNotLow, "the data line was not driven low");
            self.power.state = State::WrongBus;
            return;
        }
        self.power.state = State::Rising;
        self.power.garbage = self.config.garbage_reads;
        self.later(self.config.power_up, |chip| chip.power.state = State::Ready);
    }

    /// Everything is lost.
    pub(super) fn switch_off(&mut self) {
        self.stop_firmware();
        self.power.state = State::Off;
        self.power.off_since = Some(self.clock.now());
        self.registers = BusRegisters::reset();
        self.backplane = Backplane::new(self.config.arm_runs_at_power_up);
        self.fifo = Fifo::default();
        self.gspi.forget();
        self.spurious_irq = false;
        self.tainted = false;
    }
}

impl Gspi {
    /// The chip forgets a transaction under way; the level of chip select stays the host's.
    fn forget(&mut self) {
        self.cut();
    }
}
