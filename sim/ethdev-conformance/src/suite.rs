//! The suite: which checks run on which APIs.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
use super::watchdog::{self, Hang};
use super::{
    checks_arrival, checks_async, checks_callback, checks_control, checks_failure, checks_filter, checks_lending,
    checks_lifecycle, checks_link, checks_rearm, checks_rx, checks_tx,
};

/// Length of the buffers in front of a device in bytes. Jumbo devices are checked up to it.
const BUFFER: usize = 2048;

/// One check.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub group: Group,
    pub name: &'static str,
    pub requirement: Requirement,
    /// Hooks of the fixture, methods of `Control` and capabilities without which it is skipped.
    pub needs: &'static [&'static str],
    /// The lines of its documentation.
    pub doc: &'static [&'static str],
    run: fn(&mut Testbed<'_>) -> CheckResult,
}

/// Checks with the same requirements on the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "named as in the list of checks")]
pub(super) enum Group {
    pull,
    caller,
    lend,
    callback,
    control,
    rearm,
    awaited,
    poll_ready,
    /// Events inside calls.
    inside,
    /// Management of the device itself, which layers forward.
    lifecycle,
    /// Dropped futures, management included.
    dropped,
}

macro_rules! table {
    ($($group:ident {
        $($(#[doc = $doc:literal])* $name:ident: $requirement:ident in $module:ident [$($needs:ident),*];)*
    })*) => {
        /// Every check, in the order of the contract.
        pub(super) const CHECKS: &[Check] = &[$($(Check {
            group: Group::$group,
            name: stringify!($name),
            requirement: requirement::$requirement,
            needs: &[$(stringify!($needs)),*],
            doc: &[$($doc),*],
            run: $module::$name,
        },)*)*];
    };
}
__conformance_checks!([table]);

/// Runs one check on a new device.
type Runner = fn(&Check) -> CheckResult;

/// One API of the device.
#[derive(Clone, Copy)]
struct Api {
    name: &'static str,
    groups: &'static [Group],
    /// What all checks on this API need.
    needs: &'static [&'static str],
    runner: Runner,
}

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
    apis: Vec<Api>,
    watchdog: Option<Duration>,
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
            watchdog: None,
            only: "",
            fixture: PhantomData,
        }
    }

    /// Sets the longest real time of one call of the driver, after which the check fails. Unless set,
    /// the number of seconds in the environment variable `ETHDEV_CONFORMANCE_WATCHDOG`, or ten.
    ///
    /// A check in which every call returns fails after 18 times this limit.
    #[must_use]
    pub const fn with_watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = Some(limit);
        self
    }

    /// Sets a prefix: only checks of requirements whose names begin with it run, for example
    /// `device` or `lending.1`.
    #[must_use]
    pub const fn only(mut self, requirements: &'static str) -> Self {
        self.only = requirements;
        self
    }

    fn add(mut self, name: &'static str, groups: &'static [Group], runner: Runner) -> Self {
        self.apis.push(Api {
            name,
            groups,
            needs: &[],
            runner,
        });
        self
    }

    /// [`add`](Self::add) for an API that waits for the interrupt.
    fn add_interrupt(self, name: &'static str, groups: &'static [Group], runner: Runner) -> Self {
        let mut suite = self.add(name, groups, runner);
        if let Some(api) = suite.apis.last_mut() {
            api.needs = &["irq_signal"];
        }
        suite
    }

    /// Adds the device itself: `pull`.
    #[must_use]
    pub fn pull(self) -> Self
    where
        F::Device: EthernetDevice,
    {
        self.add(
            "pull",
            &[Group::pull, Group::caller, Group::inside],
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
            &[Group::pull, Group::caller, Group::inside],
            on!(F, |device, _far| PullDut::new(buffered(device))),
        )
        .add(
            "buffered_halves",
            &[Group::pull, Group::caller, Group::lend, Group::inside],
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
            &[Group::pull, Group::caller, Group::lend, Group::inside],
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
            &[Group::control, Group::lifecycle],
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
        .add_interrupt(
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
        .add_interrupt(
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
            &[Group::pull, Group::caller, Group::awaited, Group::inside],
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
            &[Group::control, Group::lifecycle, Group::dropped],
            on!(F, |device, peer| AsyncDut::new(device, peer).with_control()),
        )
    }

    /// Runs every check on every chosen API.
    #[must_use]
    pub fn run(&self) -> Report {
        let entries = self
            .apis
            .iter()
            .flat_map(|api| {
                CHECKS
                    .iter()
                    .filter(|check| api.groups.contains(&check.group) && check.requirement.id.starts_with(self.only))
                    .map(|check| self.entry(api, check))
            })
            .collect();
        Report { entries }
    }

    fn entry(&self, api: &Api, check: &'static Check) -> Entry {
        let limit = self.watchdog.unwrap_or_else(watchdog::call_limit);
        let outcome = run_with_watchdog(limit, api.runner, check);
        Entry {
            api: api.name,
            check: check.name,
            requirement: check.requirement,
            outcome: match F::MISSING {
                Some(missing) => pin_skip(missing, api, check, outcome),
                None => outcome,
            },
        }
    }

    /// Runs one check on one API as a test: for the tests that [`conformance!`](crate!) writes.
    ///
    /// # Panics
    ///
    /// If the check fails, or there is no such check.
    #[doc(hidden)]
    pub fn test(&self, api: &str, check: &str) {
        let api = self.apis.iter().find(|found| found.name == api);
        let check = CHECKS.iter().find(|found| found.name == check);
        let (Some(api), Some(check)) = (api, check) else {
            panic!("no such check");
        };
        let entry = self.entry(api, check);
        match entry.outcome {
            Outcome::Passed => {}
            Outcome::Skipped { .. } => entry.announce(),
            Outcome::Failed { .. } => panic!("{entry}"),
        }
    }
}

/// Fails a check that is skipped although nothing is missing that it needs, and one that runs
/// although something is.
fn pin_skip(missing: &[&str], api: &Api, check: &Check, outcome: Outcome) -> Outcome {
    let fail = |reason| Outcome::Failed {
        requirement: check.requirement,
        reason,
    };
    let is_needed = |name: &&str| CHECKS.iter().any(|check| check.needs.contains(name));
    if let Some(unknown) = missing.iter().find(|name| !is_needed(name)) {
        return fail(format!("no check needs `{unknown}`, which `Fixture::MISSING` lists"));
    }
    let needed = || check.needs.iter().chain(api.needs);
    let lacks = needed().find(|name| missing.contains(name));
    match (outcome, lacks) {
        (Outcome::Passed, Some(lacks)) => fail(format!(
            "expected to be skipped, because `Fixture::MISSING` lists `{lacks}`, and passed"
        )),
        (Outcome::Skipped { reason }, None) => fail(format!(
            "expected to run, because `Fixture::MISSING` lists nothing that it needs ({}), and was skipped: {reason}",
            needed().copied().collect::<Vec<_>>().join(", ")
        )),
        (outcome, _) => outcome,
    }
}

/// Runs the check in its own thread, so that a driver that hangs or panics fails the check.
fn run_with_watchdog(limit: Duration, runner: Runner, check: &'static Check) -> Outcome {
    let run = move || {
        catch_unwind(AssertUnwindSafe(|| runner(check))).unwrap_or_else(|panic| Err(panic_to_error(panic, check)))
    };
    let hangs = |reason| Outcome::Failed {
        requirement: check.requirement,
        reason,
    };
    match watchdog::run(limit, check.name, run) {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(CheckError::Fail { requirement, reason })) => Outcome::Failed { requirement, reason },
        Ok(Err(CheckError::Skip(reason))) => Outcome::Skipped { reason },
        Err(Hang::Call(call)) => hangs(format!(
            "expected every call to return, {call} did not within {} s",
            limit.as_secs_f32()
        )),
        Err(Hang::Check(limit)) => hangs(format!(
            "expected the check to end, every call returned and it did not within {} s",
            limit.as_secs_f32()
        )),
        Err(Hang::NoThread(e)) => hangs(format!("no thread to run it in: {e}")),
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

    const API: Api = Api {
        name: "",
        groups: &[],
        needs: &[],
        runner: |_| Ok(()),
    };

    fn pinned(missing: &[&str], check: &str, outcome: Outcome) -> Option<String> {
        let check = CHECKS.iter().find(|found| found.name == check).unwrap();
        match pin_skip(missing, &API, check, outcome) {
            Outcome::Failed { reason, .. } => Some(reason),
            _ => None,
        }
    }

    fn skipped() -> Outcome {
        Outcome::Skipped { reason: "why".into() }
    }

    #[test]
    fn pin_skip_as_listed_kept() {
        assert_eq!(
            pinned(&["stall_tx"], "recv_frame_tx_queue_full_delivered", skipped()),
            None
        );
        assert_eq!(
            pinned(&["stall_tx"], "recv_frame_bursts_in_order", Outcome::Passed),
            None
        );
    }

    #[test]
    fn pin_skip_not_listed_fails() {
        let reason = pinned(&["set_link"], "recv_frame_tx_queue_full_delivered", skipped()).unwrap();
        assert!(
            reason.contains("(stall_tx)") && reason.contains("skipped: why"),
            "{reason}"
        );
    }

    #[test]
    fn pin_skip_listed_and_passed_fails() {
        let reason = pinned(&["stall_tx"], "recv_frame_tx_queue_full_delivered", Outcome::Passed).unwrap();
        assert!(reason.contains("`stall_tx`, and passed"), "{reason}");
    }

    #[test]
    fn pin_skip_unknown_entry_fails() {
        let reason = pinned(&["stal_tx"], "recv_frame_bursts_in_order", Outcome::Passed).unwrap();
        assert!(reason.contains("no check needs `stal_tx`"), "{reason}");
    }
}
