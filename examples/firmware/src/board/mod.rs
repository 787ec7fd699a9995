//! The board that this is built for: one for each target.
//!
//! All boards offer the same, so that programs differ in nothing but who schedules what:
//!
//! - [`Board::take`]: what there is only one of, which is the NIC's registers;
//! - [`now`] and [`Delay`], and [`wake_in`], which rings a interrupt signal after a time;
//! - [`NIC`], the irq_signal that the NIC's interrupt rings, and [`listen`], which unmasks that interrupt at the processor;
//! - [`idle`], which sleeps until an interrupt comes, and books it in an [`Account`].
//!
//! `mmio.rs` and `sys*.rs` of a board hold all of its unsafe code.

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

/// Rung by the NIC's interrupt.
pub static NIC: IrqSignal = IrqSignal::new();

static ACCOUNT: Mutex<Cell<Account>> = Mutex::new(Cell::new(Account::NONE));

/// When to ring which interrupt signal.
type Alarm = (Duration, &'static IrqSignal);

/// Two are enough for every program here: one for the NIC, one for the stack.
static ALARMS: Mutex<RefCell<[Option<Alarm>; 2]>> = Mutex::new(RefCell::new([None; 2]));

/// Rings `irq_signal` after this time, instead of when it was to be rung before.
///
/// There can be two such interrupt signals at a time; a third is rung at once, so that who waits for it looks too often rather than never.
pub fn wake_in(time: Duration, irq_signal: &'static IrqSignal) {
    let entered = critical_section::with(|cs| {
        let mut alarms = ALARMS.borrow_ref_mut(cs);
        let place = alarms
            .iter()
            .position(|alarm| alarm.is_some_and(|(_, other)| core::ptr::eq(irq_signal, other)))
            .or_else(|| alarms.iter().position(Option::is_none));
        let alarm = place.and_then(|place| alarms.get_mut(place));
        let entered = alarm.map(|alarm| *alarm = Some((now().saturating_add(time), irq_signal)));
        set_alarm(alarms.iter().flatten().map(|&(at, _)| at).min());
        entered
    });
    if entered.is_none() {
        irq_signal.signal();
    }
}

/// What the handler of the alarm does. It may come too early.
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

/// Waits by the board's clock, without sleeping.
#[derive(Debug, Clone, Copy)]
pub struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        let begin = now();
        // The clock goes on whatever happens.
        while now().saturating_sub(begin) < Duration::from_nanos(u64::from(ns)) {}
    }
}

/// How the processor has spent its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Interrupts of the NIC; wraps.
    pub interrupts: u32,
    /// Times that the processor went to sleep; wraps.
    pub sleeps: u32,
    /// Time for which it slept.
    pub asleep: Duration,
}

impl Account {
    const NONE: Self = Self {
        interrupts: 0,
        sleeps: 0,
        asleep: Duration::ZERO,
    };

    /// So far.
    #[must_use]
    pub fn so_far() -> Self {
        critical_section::with(|cs| ACCOUNT.borrow(cs).get())
    }

    fn enter(f: impl FnOnce(&mut Self)) {
        critical_section::with(|cs| {
            let mut account = ACCOUNT.borrow(cs).get();
            f(&mut account);
            ACCOUNT.borrow(cs).set(account);
        });
    }
}

/// What the handler of the NIC's interrupt does, after it has masked the line.
fn nic_has_rung() {
    Account::enter(|account| account.interrupts = account.interrupts.wrapping_add(1));
    NIC.signal();
}

/// Stops the processor until an interrupt comes. Returns at once when there is something to do, as `busy` tells.
pub fn idle(busy: impl FnOnce() -> bool) {
    // With interrupts held back, what comes between the look and the sleep still ends the sleep: it stays pending.
    critical_section::with(|_| {
        if busy() {
            return;
        }
        let began = now();
        sleep();
        let slept = now().saturating_sub(began);
        Account::enter(|account| {
            account.sleeps = account.sleeps.wrapping_add(1);
            account.asleep += slept;
        });
    });
}
