//! NXP's i.MX 6UltraLite evaluation kit (Cortex-A7, ENET), as QEMU's `mcimx6ul-evk` has it.
//!
//! The processor runs in the secure state, as it comes out of reset. MMU and caches stay off: memory is strongly ordered, DMA sees what the processor wrote, and an
//! access that is not aligned is a fault. (The target's code has none: `strict-align` is one of its features.)

mod mmio;
mod sys;

use core::time::Duration;

use aarch32_cpu::register::{CntVct, Cntfrq, CntvCtl, CntvCval};
pub use aarch32_rt::entry;
use ethdev::MacAddress;
use ethdev_phy::mmio::Registers;

pub use mmio::NicRegisters;
pub use sys::spin;

const NANOSECONDS: u64 = 1_000_000_000;

/// Physical address of the NIC, lower and upper half: offsets of their registers (i.MX 6UltraLite reference manual, chapter of the ENET).
const PALR: usize = 0xe4;
const PAUR: usize = 0xe8;

/// What the program has of the board.
#[derive(Debug)]
pub struct Board {
    /// Registers of the NIC, for its driver.
    pub nic: NicRegisters,
    /// The address that whatever started the program has left in them: a boot loader takes it from the chip's fuses, QEMU from its command line.
    pub address: MacAddress,
}

impl Board {
    /// The board, the first time it is asked for; `None` from then on.
    #[must_use]
    pub fn take() -> Option<Self> {
        let nic = mmio::take()?;
        sys::start();
        let [a, b, c, d] = nic.read(PALR).to_be_bytes();
        let [e, f, ..] = nic.read(PAUR).to_be_bytes();
        Some(Self {
            nic,
            address: MacAddress::new([a, b, c, d, e, f]),
        })
    }
}

/// Time since reset: the processor's own counter, which whatever started the program has set going.
#[must_use]
pub fn now() -> Duration {
    let (ticks, frequency) = (ticks(), u64::from(ticks_per_second()));
    let rest = ticks % frequency * NANOSECONDS / frequency;
    Duration::new(ticks / frequency, rest as u32)
}

/// The counter behind [`now`].
#[must_use]
pub fn ticks() -> u64 {
    CntVct::read().0
}

/// Its rate in Hz.
#[must_use]
pub fn ticks_per_second() -> u32 {
    Cntfrq::read().0.max(1)
}

/// Interrupts at this time; not at all without one.
pub(super) fn set_alarm(at: Option<Duration>) {
    let set = |on| {
        CntvCtl::modify(|control| {
            control.set_enable(on);
            control.set_imask(!on);
        });
    };
    set(false);
    let Some(at) = at else { return };
    // Rounded up, so that the time has come when the interrupt comes.
    let ticks = (at.as_nanos() * u128::from(ticks_per_second())).div_ceil(u128::from(NANOSECONDS));
    CntvCval::write(CntvCval(u64::try_from(ticks).unwrap_or(u64::MAX)));
    set(true);
    sys::unmask(sys::TIMER);
}

/// Unmasks the NIC's interrupt at the processor.
pub fn listen() {
    sys::unmask(sys::NIC);
}

/// Until an interrupt is pending, held back or not.
pub(super) fn sleep() {
    aarch32_cpu::asm::wfi();
}
