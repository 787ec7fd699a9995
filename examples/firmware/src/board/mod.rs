//! The board of the target.
//!
//! All boards have the same API:
//!
//! - [`Board::take`]: the registers of the NIC;
//! - [`now`] and [`Delay`], and [`wake_in`], which sets an interrupt signal after a time;
//! - [`NIC`], the signal that the interrupt of the NIC sets, and [`listen`], which unmasks that
//!   interrupt at the processor;
//! - [`idle`], which sleeps until an interrupt, and counts that in [`CpuStats`].
//!
//! The unsafe code of a board is in its `mmio.rs` and `sys*.rs`.

#[cfg(board = "imx6ul_evk")]
mod imx6ul_evk;
#[cfg(board = "mps2_an385")]
mod mps2_an385;

use core::cell::{Cell, RefCell};
use core::time::Duration;

use critical_section::Mutex;
use embedded_hal::delay::DelayNs;
use ethdev_util::IrqSignal;

#[cfg(board = "imx6ul_evk")]
use imx6ul_evk as this;
#[cfg(board = "mps2_an385")]
use mps2_an385 as this;

pub use this::*;

/// Set by the interrupt of the NIC.
pub static NIC: IrqSignal = IrqSignal::new();

static CPU_STATS: Mutex<Cell<CpuStats>> = Mutex::new(Cell::new(CpuStats::ZERO));

/// The time at which to set a signal.
type Alarm = (Duration, &'static IrqSignal);

/// One alarm for the NIC, one for the stack.
static ALARMS: Mutex<RefCell<[Option<Alarm>; 2]>> = Mutex::new(RefCell::new([None; 2]));

/// Sets `irq_signal` after this time. Replaces the former alarm of this signal.
///
/// There are two alarms; a third signal is set immediately, so that its task polls.
pub fn wake_in(time: Duration, irq_signal: &'static IrqSignal) {
    let stored = critical_section::with(|cs| {
        let mut alarms = ALARMS.borrow_ref_mut(cs);
        let index = alarms
            .iter()
            .position(|alarm| alarm.is_some_and(|(_, other)| core::ptr::eq(irq_signal, other)))
            .or_else(|| alarms.iter().position(Option::is_none));
        let alarm = index.and_then(|index| alarms.get_mut(index));
        let stored = alarm.map(|alarm| *alarm = Some((now().saturating_add(time), irq_signal)));
        set_alarm(alarms.iter().flatten().map(|&(at, _)| at).min());
        stored
    });
    if stored.is_none() {
        irq_signal.signal();
    }
}

/// The handler of the alarm, which may run early.
fn alarm() {
    let due = critical_section::with(|cs| {
        let mut alarms = ALARMS.borrow_ref_mut(cs);
        let now = now();
        let due = alarms.each_mut().map(|alarm| alarm.take_if(|(at, _)| *at <= now));
        set_alarm(alarms.iter().flatten().map(|&(at, _)| at).min());
        due
    });
    for (_, irq_signal) in due.into_iter().flatten() {
        irq_signal.signal();
    }
}

/// A busy wait on the clock of the board.
#[derive(Debug, Clone, Copy)]
pub struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        let begin = now();
        // The clock always runs.
        while now().saturating_sub(begin) < Duration::from_nanos(u64::from(ns)) {}
    }
}

/// Counters of the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuStats {
    /// Number of interrupts of the NIC; wraps.
    pub interrupts: u32,
    /// Number of sleeps; wraps.
    pub sleeps: u32,
    /// Time asleep.
    pub asleep: Duration,
}

impl CpuStats {
    const ZERO: Self = Self {
        interrupts: 0,
        sleeps: 0,
        asleep: Duration::ZERO,
    };

    /// Returns the present values.
    #[must_use]
    pub fn now() -> Self {
        critical_section::with(|cs| CPU_STATS.borrow(cs).get())
    }

    fn update(f: impl FnOnce(&mut Self)) {
        critical_section::with(|cs| {
            let mut stats = CPU_STATS.borrow(cs).get();
            f(&mut stats);
            CPU_STATS.borrow(cs).set(stats);
        });
    }
}

/// The part of the interrupt handler of the NIC that all boards share. The line is masked.
fn handle_nic_interrupt() {
    CpuStats::update(|stats| stats.interrupts = stats.interrupts.wrapping_add(1));
    NIC.signal();
}

/// Stops the processor until an interrupt. Returns immediately if `busy` returns `true`.
pub fn idle(busy: impl FnOnce() -> bool) {
    // Interrupts are masked: one that occurs after the check stays pending and ends the sleep.
    critical_section::with(|_| {
        if busy() {
            return;
        }
        let began = now();
        sleep();
        let slept = now().saturating_sub(began);
        CpuStats::update(|stats| {
            stats.sleeps = stats.sleeps.wrapping_add(1);
            stats.asleep += slept;
        });
    });
}
