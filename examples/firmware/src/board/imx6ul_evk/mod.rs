//! NXP's i.MX 6UltraLite evaluation kit (Cortex-A7, ENET), as the QEMU machine `mcimx6ul-evk`.
//!
//! The processor runs in the secure state, as after reset. MMU and caches are off: memory is
//! strongly ordered, DMA reads what the processor wrote, and an unaligned access faults (the target
//! has the feature `strict-align`).

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

/// Physical address of the NIC, lower and upper half: offsets of their registers (i.MX 6UltraLite
/// reference manual, chapter of the ENET).
const PALR: usize = 0xe4;
const PAUR: usize = 0xe8;

/// The peripherals of the board.
#[derive(Debug)]
pub struct Board {
    /// Registers of the NIC, for its driver.
    pub nic: NicRegisters,
    /// The MAC address, which the boot loader reads from the fuses, and QEMU from its command line.
    pub address: MacAddress,
}

impl Board {
    /// Returns the board on the first call, `None` afterwards.
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

/// Returns the time since reset, from the counter of the processor, which the boot loader starts.
#[must_use]
pub fn now() -> Duration {
    let (ticks, frequency) = (ticks(), u64::from(ticks_per_second()));
    let rest = ticks % frequency * NANOSECONDS / frequency;
    Duration::new(ticks / frequency, rest as u32)
}

/// Returns the counter of [`now`].
#[must_use]
pub fn ticks() -> u64 {
    CntVct::read().0
}

/// Returns the frequency of the counter, in Hz.
#[must_use]
pub fn ticks_per_second() -> u32 {
    Cntfrq::read().0.max(1)
}

/// Sets the time of the alarm; `None` disables it.
pub(super) fn set_alarm(at: Option<Duration>) {
    let set = |on| {
        CntvCtl::modify(|control| {
            control.set_enable(on);
            control.set_imask(!on);
        });
    };
    set(false);
    let Some(at) = at else { return };
    // Rounded up, so that the alarm is not early.
    let ticks = (at.as_nanos() * u128::from(ticks_per_second())).div_ceil(u128::from(NANOSECONDS));
    CntvCval::write(CntvCval(u64::try_from(ticks).unwrap_or(u64::MAX)));
    set(true);
    sys::unmask(sys::TIMER);
}

/// Unmasks the interrupt of the NIC at the processor.
pub fn listen() {
    sys::unmask(sys::NIC);
}

/// Waits until an interrupt is pending, masked or not.
pub(super) fn sleep() {
    aarch32_cpu::asm::wfi();
}
