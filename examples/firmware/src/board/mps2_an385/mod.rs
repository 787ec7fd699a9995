//! Arm MPS2 with the AN385 image (Cortex-M3, LAN9118), as the QEMU machine `mps2-an385`.

mod mmio;
mod sys;
pub mod sys_device;

use core::cell::RefCell;
use core::time::Duration;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
pub use cortex_m_rt::entry;
use cortex_m_rt::exception;
use critical_section::Mutex;

pub use mmio::NicRegisters;
pub use sys::{nic_interrupt, spin};
pub use sys_device as device;

/// Clock of the processor and of the timer.
const CLOCK_HZ: u32 = 25_000_000;
const TICKS_PER_US: u32 = CLOCK_HZ / 1_000_000;
/// The system timer counts 24 bits: 0.67 s.
const MAX_ALARM_TICKS: u32 = 0x00ff_ffff;

static CLOCK: Mutex<RefCell<Option<Clock>>> = Mutex::new(RefCell::new(None));
static ALARM: Mutex<RefCell<Option<SYST>>> = Mutex::new(RefCell::new(None));

#[derive(Debug)]
struct Clock {
    timer: mmio::TimerRegisters,
    last: u32,
    ticks: u64,
}

impl Clock {
    fn start(timer: mmio::TimerRegisters) -> Self {
        timer.run();
        let last = timer.value();
        Self { timer, last, ticks: 0 }
    }

    fn ticks(&mut self) -> u64 {
        let value = self.timer.value();
        // The timer counts down.
        self.ticks = self.ticks.wrapping_add(u64::from(self.last.wrapping_sub(value)));
        self.last = value;
        self.ticks
    }
}

/// The peripherals of the board.
#[derive(Debug)]
pub struct Board {
    /// Registers of the NIC, for its driver.
    pub nic: NicRegisters,
}

impl Board {
    /// Returns the board on the first call, `None` afterwards.
    #[must_use]
    pub fn take() -> Option<Self> {
        Self::with(cortex_m::Peripherals::take()?.SYST)
    }

    /// As [`take`](Self::take), if a scheduler has taken the peripherals of the processor.
    #[must_use]
    pub fn with(mut timer: SYST) -> Option<Self> {
        let (nic, registers) = mmio::take()?;
        timer.set_clock_source(SystClkSource::Core);
        critical_section::with(|cs| {
            CLOCK.replace(cs, Some(Clock::start(registers)));
            ALARM.replace(cs, Some(timer));
        });
        Some(Self { nic })
    }
}

/// Returns the time since the board was taken. It must be called at least every 171 s, when the
/// timer wraps; no sleep is that long.
#[must_use]
pub fn now() -> Duration {
    Duration::from_micros(ticks() / u64::from(TICKS_PER_US))
}

/// Returns the counter of [`now`].
#[must_use]
pub fn ticks() -> u64 {
    critical_section::with(|cs| CLOCK.borrow_ref_mut(cs).as_mut().map_or(0, Clock::ticks))
}

/// Returns the frequency of the counter, in Hz.
#[must_use]
pub fn ticks_per_second() -> u32 {
    CLOCK_HZ
}

/// Sets the time of the alarm, which is early if that is more than 0.67 s ahead; `None` disables
/// it.
pub(super) fn set_alarm(at: Option<Duration>) {
    let wait = at.map(|at| {
        at.saturating_sub(now())
            .as_micros()
            .saturating_mul(u128::from(TICKS_PER_US))
    });
    critical_section::with(|cs| {
        let mut timer = ALARM.borrow_ref_mut(cs);
        let Some(timer) = timer.as_mut() else { return };
        timer.disable_interrupt();
        timer.disable_counter();
        if let Some(ticks) = wait {
            let ticks = u32::try_from(ticks).map_or(MAX_ALARM_TICKS, |ticks| ticks.clamp(1, MAX_ALARM_TICKS));
            timer.set_reload(ticks);
            timer.clear_current();
            timer.enable_counter();
            timer.enable_interrupt();
        }
    });
}

#[exception]
fn SysTick() {
    super::alarm();
}

/// Unmasks the interrupt of the NIC at the processor.
pub fn listen() {
    sys::unmask(device::Interrupt::ETHERNET);
}

/// Waits until an interrupt is pending, masked or not.
pub(super) fn sleep() {
    cortex_m::asm::wfi();
}
