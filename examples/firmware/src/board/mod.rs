//! The board: ARM MPS2 with the AN385 image (Cortex-M3, LAN9118), as QEMU's `mps2-an385` has it.

mod mmio;
mod sys;

use core::cell::Cell;
use core::fmt;
use core::time::Duration;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use critical_section::Mutex;
use ethdev::Doorbell;

pub use mmio::NicRegisters;

/// Clock of the processor and of the timer.
const CLOCK_HZ: u32 = 25_000_000;
const TICKS_PER_US: u32 = CLOCK_HZ / 1_000_000;
/// The system timer counts 24 bits: 0.67 s.
const LONGEST_SLEEP_TICKS: u32 = 0x00ff_ffff;

/// Rung by the NIC's interrupt.
pub static NIC: Doorbell = Doorbell::new();

static INTERRUPTS: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));

/// Interrupts of the NIC so far; wraps.
#[must_use]
pub fn interrupts() -> u32 {
    critical_section::with(|cs| INTERRUPTS.borrow(cs).get())
}

fn count_interrupt() {
    critical_section::with(|cs| {
        let count = INTERRUPTS.borrow(cs);
        count.set(count.get().wrapping_add(1));
    });
}

/// Time since the start of the program. It has to be asked at least every 171 s, when the timer wraps; a sleep is far shorter.
#[derive(Debug)]
pub struct Clock {
    timer: mmio::TimerRegisters,
    last: u32,
    ticks: u64,
}

impl Clock {
    fn start(mut timer: mmio::TimerRegisters) -> Self {
        timer.run();
        let last = timer.value();
        Self { timer, last, ticks: 0 }
    }

    /// Now.
    pub fn now(&mut self) -> Duration {
        let value = self.timer.value();
        // It counts down.
        self.ticks = self.ticks.wrapping_add(u64::from(self.last.wrapping_sub(value)));
        self.last = value;
        Duration::from_micros(self.ticks / u64::from(TICKS_PER_US))
    }
}

/// Sleep until an interrupt, or for a time.
pub struct Sleeper {
    timer: SYST,
}

impl Sleeper {
    /// Stops the processor until the NIC's doorbell rings, at most for `at_most` and never for more than 0.67 s. Returns at once when it has rung already.
    pub fn sleep(&mut self, at_most: Duration) {
        let ticks = at_most.as_micros().saturating_mul(u128::from(TICKS_PER_US));
        let ticks = u32::try_from(ticks).map_or(LONGEST_SLEEP_TICKS, |ticks| ticks.min(LONGEST_SLEEP_TICKS));
        if ticks == 0 {
            return;
        }
        self.timer.set_reload(ticks);
        self.timer.clear_current();
        self.timer.enable_counter();
        self.timer.enable_interrupt();
        sys::unmask(sys::Interrupt::Nic);
        // With interrupts held back, what rings between the look and the sleep still ends the sleep: it stays pending.
        cortex_m::interrupt::free(|_| {
            if !NIC.is_rung() {
                cortex_m::asm::wfi();
            }
        });
        self.timer.disable_interrupt();
        self.timer.disable_counter();
    }
}

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleeper").finish_non_exhaustive()
    }
}

/// What the program has of the board.
#[derive(Debug)]
pub struct Board {
    /// Registers of the NIC, for its driver.
    pub nic: NicRegisters,
    /// Time.
    pub clock: Clock,
    /// Sleep.
    pub sleeper: Sleeper,
}

impl Board {
    /// The board, the first time it is asked for; `None` from then on.
    #[must_use]
    pub fn take() -> Option<Self> {
        let core = cortex_m::Peripherals::take()?;
        let (nic, timer) = mmio::take()?;
        let mut syst = core.SYST;
        syst.set_clock_source(SystClkSource::Core);
        Some(Self {
            nic,
            clock: Clock::start(timer),
            sleeper: Sleeper { timer: syst },
        })
    }
}
