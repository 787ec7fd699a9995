//! The suite: which checks run on which APIs.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use ethdev::asynch;
use ethdev::{
    CallbackDevice, Control, ErrorKind, ErrorType, EthernetDevice, FrameHandler, LendingDevice, PollReady, Rearm,
};
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::{Buffered, Callback, Erased, IrqDevice};

use super::dut::Dut;
use super::dut_async::{AsyncDut, PollEveryTurn, PollReadyAsync};
use super::dut_callback::{CallbackDut, CallbackOnly};
use super::dut_lending::LendingDut;
use super::dut_pull::PullDut;
use super::fixture::{Fixture, LinkPeer};
use super::outcome::{CheckError, CheckResult};
use super::report::{Entry, Outcome, Report};
use super::requirement::{self, Requirement};
use super::testbed::Testbed;
use super::{
    checks_async, checks_callback, checks_control, checks_lending, checks_link, checks_rearm, checks_rx, checks_tx,
};

/// Length of the buffers in front of a device in bytes. Jumbo devices are checked up to it.
const BUFFER: usize = 2048;
/// Longest real time of one check. Simulated time costs none, so only a driver that hangs exceeds
/// it.
const WATCHDOG: Duration = Duration::from_secs(60);

/// One check.
#[derive(Clone, Copy)]
struct Check {
    group: Group,
    name: &'static str,
    requirement: Requirement,
    run: fn(&mut Testbed<'_>) -> CheckResult,
}

/// Checks with the same requirements on the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "named as in the list of checks")]
enum Group {
    pull,
    caller,
    lend,
    callback,
    control,
    rearm,
    awaited,
    poll_ready,
}

macro_rules! table {
    ($($group:ident { $($name:ident: $requirement:ident in $module:ident;)* })*) => {
        /// Every check, in the order of the contract.
        const CHECKS: &[Check] = &[$($(Check {
            group: Group::$group,
            name: stringify!($name),
            requirement: requirement::$requirement,
            run: $module::$name,
        },)*)*];
    };
}
__conformance_checks!([table]);

/// Runs one check on a new device.
type Runner = fn(&Check) -> CheckResult;

/// The checks for one fixture: choose the APIs, then run.
///
/// ```no_run
/// # use ethdev_conformance::{Fixture, Suite};
/// # fn f<MyNic: Fixture>() where MyNic::Device: ethdev::EthernetDevice + ethdev::Control {
/// let report = Suite::<MyNic>::new().pull().control().run();
/// println!("{report}");
/// # }
/// ```
pub struct Suite<F> {
    apis: Vec<(&'static str, &'static [Group], Runner)>,
    watchdog: Duration,
    only: &'static str,
    fixture: PhantomData<fn() -> F>,
}

impl<F: Fixture> Default for Suite<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// Constructs a device and its peer, wraps the device as `$dut` and runs the check.
macro_rules! on {
    ($f:ident, |$device:ident, $peer:ident| $dut:expr) => {
        |check| {
            let ($device, peer) = $f::new();
            let cell = RefCell::new(peer);
            let $peer: &RefCell<dyn LinkPeer> = &cell;
            let mut dut = $dut;
            run_on(&mut dut, $peer, check)
        }
    };
}

/// The device with buffers in front of it. They are leaked: a few kilobytes a check.
fn buffered<D>(device: D) -> Buffered<'static, D> {
    let [rx, tx] = [0; 2].map(|_| Box::leak(Box::new([0; BUFFER])));
    Buffered::new(device, rx, tx)
}

fn run_on(dut: &mut dyn Dut, peer: &RefCell<dyn LinkPeer>, check: &Check) -> CheckResult {
    (check.run)(&mut Testbed::new(dut, peer, check.requirement)?)
}

impl<F: Fixture> Suite<F> {
    /// Creates a suite without any API.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            apis: Vec::new(),
            watchdog: WATCHDOG,
            only: "",
            fixture: PhantomData,
        }
    }

    /// Sets the longest real time of one check, after which the driver counts as hung. One minute
    /// unless set.
    #[must_use]
    pub const fn with_watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = limit;
        self
    }

    /// Sets a prefix: only checks of requirements whose names begin with it run, for example
    /// `device` or `lending.1`.
    #[must_use]
    pub const fn only(mut self, requirements: &'static str) -> Self {
        self.only = requirements;
        self
    }

    fn add(mut self, api: &'static str, groups: &'static [Group], runner: Runner) -> Self {
        self.apis.push((api, groups, runner));
        self
    }

    /// Adds the device itself: `pull`.
    #[must_use]
    pub fn pull(self) -> Self
    where
        F::Device: EthernetDevice,
    {
        self.add(
            "pull",
            &[Group::pull, Group::caller],
            on!(F, |device, _far| PullDut::new(device)),
        )
    }

    /// Adds the layers of `ethdev-util`: `erased`, `buffered`, `buffered_halves`, `callback`,
    /// `blocking_async`.
    #[must_use]
    pub fn layers(self) -> Self
    where
        F::Device: EthernetDevice,
    {
        self.add("erased", &[Group::pull, Group::caller], |check| {
            let (device, peer) = F::new();
            let peer = RefCell::new(peer);
            let mut erased = Erased::new(device);
            let nic: &mut dyn EthernetDevice<Error = ErrorKind> = &mut erased;
            run_on(&mut PullDut::new(nic), &peer, check)
        })
        .add(
            "buffered",
            &[Group::pull, Group::caller],
            on!(F, |device, _far| PullDut::new(buffered(device))),
        )
        .add(
            "buffered_halves",
            &[Group::pull, Group::caller, Group::lend],
            on!(F, |device, _far| LendingDut(buffered(device))),
        )
        .add(
            "callback",
            &[Group::pull, Group::callback],
            on!(F, |device, _far| CallbackDut::new(Callback::new(buffered(device)))),
        )
        .add(
            "blocking_async",
            &[Group::pull, Group::caller, Group::awaited],
            on!(F, |device, peer| AsyncDut::new(
                BlockingAsync::new(device, PollEveryTurn),
                peer
            )),
        )
    }

    /// Adds the device's own halves: `lending`, `callback_lending`.
    #[must_use]
    pub fn lending(self) -> Self
    where
        F::Device: LendingDevice,
    {
        self.add(
            "lending",
            &[Group::pull, Group::caller, Group::lend],
            on!(F, |device, _far| LendingDut(device)),
        )
        .add(
            "callback_lending",
            &[Group::pull, Group::callback],
            on!(F, |device, _far| CallbackDut::new(Callback::new(device))),
        )
    }

    /// Adds the management of the device: `control`.
    #[must_use]
    pub fn control(self) -> Self
    where
        F::Device: EthernetDevice + Control,
    {
        self.add(
            "control",
            &[Group::control],
            on!(F, |device, _far| PullDut::new(device).with_control()),
        )
    }

    /// Adds management through the layers: `control_erased`, `control_buffered`.
    #[must_use]
    pub fn control_layers(self) -> Self
    where
        F::Device: EthernetDevice + Control,
    {
        self.add(
            "control_erased",
            &[Group::control],
            on!(F, |device, _far| PullDut::new(Erased::new(device)).with_control()),
        )
        .add(
            "control_buffered",
            &[Group::control],
            on!(F, |device, _far| PullDut::new(buffered(device))
                .with_control()
                .with_halves()),
        )
    }

    /// Adds the interrupt of the device: `rearm`.
    #[must_use]
    pub fn rearm(self) -> Self
    where
        F::Device: EthernetDevice + Rearm,
    {
        self.add(
            "rearm",
            &[Group::rearm],
            on!(F, |device, _far| PullDut::new(device).with_rearm()),
        )
    }

    /// Adds the interrupt through the layers, and executors that sleep on it: `rearm_buffered`,
    /// `blocking_async_interrupt`, `irq_device`.
    #[must_use]
    pub fn rearm_layers(self) -> Self
    where
        F::Device: EthernetDevice + Rearm,
    {
        self.add(
            "rearm_buffered",
            &[Group::rearm],
            on!(F, |device, _far| PullDut::new(buffered(device))
                .with_rearm()
                .with_halves()),
        )
        .add(
            "blocking_async_interrupt",
            &[Group::pull, Group::caller, Group::awaited],
            |check| {
                let (device, peer) = F::new();
                let irq = peer.irq_signal()?;
                let peer = RefCell::new(peer);
                run_on(
                    &mut AsyncDut::new(BlockingAsync::with_interrupt(device, &irq), &peer),
                    &peer,
                    check,
                )
            },
        )
        .add(
            "irq_device",
            &[Group::pull, Group::caller, Group::awaited, Group::poll_ready],
            |check| {
                let (device, peer) = F::new();
                let irq = peer.irq_signal()?;
                let peer = RefCell::new(peer);
                run_on(
                    &mut AsyncDut::new(PollReadyAsync(IrqDevice::new(device, &irq)), &peer),
                    &peer,
                    check,
                )
            },
        )
    }

    /// Adds a driver's own [`PollReady`]: `poll_ready`.
    #[must_use]
    pub fn poll_ready(self) -> Self
    where
        F::Device: EthernetDevice + PollReady,
    {
        self.add(
            "poll_ready",
            &[Group::pull, Group::caller, Group::awaited, Group::poll_ready],
            on!(F, |device, peer| AsyncDut::new(PollReadyAsync(device), peer)),
        )
    }

    /// Adds a driver's own callback API: `callback_own`. The device takes `'static` handlers and
    /// queues at least four frames.
    #[must_use]
    pub fn callback_own(self) -> Self
    where
        F::Device: CallbackDevice<'static, dyn FrameHandler<<F::Device as ErrorType>::Error> + 'static>,
    {
        self.add(
            "callback_own",
            &[Group::callback],
            on!(F, |device, _far| CallbackDut::new(CallbackOnly(device))),
        )
    }

    /// Adds an async device: `asynch`.
    #[must_use]
    pub fn asynch(self) -> Self
    where
        F::Device: asynch::EthernetDevice,
    {
        self.add(
            "asynch",
            &[Group::pull, Group::caller, Group::awaited],
            on!(F, |device, peer| AsyncDut::new(device, peer)),
        )
    }

    /// Adds the management of an async device: `asynch_control`.
    #[must_use]
    pub fn asynch_control(self) -> Self
    where
        F::Device: asynch::EthernetDevice + asynch::Control,
    {
        self.add(
            "asynch_control",
            &[Group::control],
            on!(F, |device, peer| AsyncDut::new(device, peer).with_control()),
        )
    }

    /// Runs every check on every chosen API.
    #[must_use]
    pub fn run(&self) -> Report {
        let entries = self
            .apis
            .iter()
            .flat_map(|&(api, groups, runner)| {
                CHECKS
                    .iter()
                    .filter(|check| groups.contains(&check.group) && check.requirement.id.starts_with(self.only))
                    .map(move |check| self.entry(api, runner, check))
            })
            .collect();
        Report { entries }
    }

    fn entry(&self, api: &'static str, runner: Runner, check: &'static Check) -> Entry {
        Entry {
            api,
            check: check.name,
            requirement: check.requirement,
            outcome: run_with_watchdog(self.watchdog, runner, check),
        }
    }

    /// Runs one check on one API as a test: for the tests that [`conformance!`](crate!) writes.
    ///
    /// # Panics
    ///
    /// If the check fails, or there is no such check.
    #[doc(hidden)]
    pub fn test(&self, api: &str, check: &str) {
        let found = self.apis.iter().find(|(name, ..)| *name == api);
        let check = CHECKS.iter().find(|c| c.name == check);
        let (Some(&(api, _, runner)), Some(check)) = (found, check) else {
            panic!("no such check");
        };
        let entry = self.entry(api, runner, check);
        match entry.outcome {
            Outcome::Passed => {}
            Outcome::Skipped { .. } => entry.announce(),
            Outcome::Failed { .. } => panic!("{entry}"),
        }
    }
}

/// Runs the check in its own thread, so that a driver that hangs or panics fails the check.
fn run_with_watchdog(limit: Duration, runner: Runner, check: &'static Check) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().name(format!("check {}", check.name));
    let started = thread.spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(|| runner(check)));
        // The receiver is gone if the watchdog was faster.
        let _ = sender.send(match result {
            Ok(result) => result,
            Err(panic) => Err(panic_to_error(panic, check)),
        });
    });
    let result = match started {
        Ok(_) => receiver.recv_timeout(limit).unwrap_or_else(|_| {
            Err(CheckError::Fail {
                requirement: check.requirement,
                reason: format!(
                    "expected every call to return, one did not within {} s",
                    limit.as_secs_f32()
                ),
            })
        }),
        Err(e) => Err(CheckError::Skip(format!("no thread to run it in: {e}"))),
    };
    match result {
        Ok(()) => Outcome::Passed,
        Err(CheckError::Fail { requirement, reason }) => Outcome::Failed { requirement, reason },
        Err(CheckError::Skip(reason)) => Outcome::Skipped { reason },
    }
}

fn panic_to_error(panic: Box<dyn Any + Send>, check: &Check) -> CheckError {
    let panic = match panic.downcast::<CheckError>() {
        Ok(stop) => return *stop,
        Err(panic) => panic,
    };
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    CheckError::Fail {
        requirement: check.requirement,
        reason: format!("panicked: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readme_table_lists_every_check() {
        let readme = include_str!("../README.md");
        let missing: Vec<_> = CHECKS
            .iter()
            .filter(|check| !readme.contains(&format!("| `{}` |", check.name)))
            .map(|check| check.name)
            .collect();
        assert!(missing.is_empty(), "not in the table: {missing:?}");
        assert_eq!(readme.matches("\n| `").count() - 8, CHECKS.len(), "checks in the table");
        assert!(
            readme.contains(&format!("- {} checks", CHECKS.len())),
            "{} checks",
            CHECKS.len()
        );
    }
}
