//! Which checks run on which surfaces, and how.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use ethdev::asynch;
use ethdev::{CallbackDevice, Control, ErrorKind, EthernetDevice, LendingDevice, Rearm};
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::{Buffered, Callback, Erased};

use super::bench::{Bench, Stop, Verdict};
use super::fixture::{Fixture, LinkPeer};
use super::line::{self, Line};
use super::report::{Entry, Outcome, Report};
use super::subject::{Bare, Called, Lent, Pulled, Subject};
use super::subject_async::{Awaited, EachTurn};
use super::{
    checks_async, checks_callback, checks_control, checks_lend, checks_link, checks_rearm, checks_rx, checks_tx,
};

/// Room for one frame in front of a device: a jumbo device is looked at up to this length.
const BUFFER: usize = 2048;
/// How much real time one check may take. Simulated time costs nothing, so that only a driver that hangs gets there.
const WATCHDOG: Duration = Duration::from_secs(60);

/// One check.
#[derive(Clone, Copy)]
struct Check {
    group: Group,
    name: &'static str,
    line: Line,
    run: fn(&mut Bench<'_>) -> Verdict,
}

/// Checks that need the same of a surface.
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
}

macro_rules! table {
    ($($group:ident { $($name:ident: $line:ident in $module:ident;)* })*) => {
        /// Every check, in the order of the contract.
        const CHECKS: &[Check] = &[$($(Check {
            group: Group::$group,
            name: stringify!($name),
            line: line::$line,
            run: $module::$name,
        },)*)*];
    };
}
__conformance_checks!([table]);

/// Runs one check on a new device.
type Runner = fn(&Check) -> Verdict;

/// The checks for one fixture: choose the surfaces, then run.
///
/// ```no_run
/// # use ethdev_conformance::{Fixture, Suite};
/// # fn f<MyNic: Fixture>() where MyNic::Device: ethdev::EthernetDevice + ethdev::Control {
/// let report = Suite::<MyNic>::new().pull().control().run();
/// println!("{report}");
/// # }
/// ```
pub struct Suite<F> {
    surfaces: Vec<(&'static str, &'static [Group], Runner)>,
    watchdog: Duration,
    only: &'static str,
    fixture: PhantomData<fn() -> F>,
}

impl<F: Fixture> Default for Suite<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// Brings up a device and its far end, wraps it as `$subject` and runs the check.
macro_rules! on {
    ($f:ident, |$device:ident, $far:ident| $subject:expr) => {
        |check| {
            let ($device, far) = $f::new();
            let cell = RefCell::new(far);
            let $far: &RefCell<dyn LinkPeer> = &cell;
            let mut subject = $subject;
            judge(&mut subject, $far, check)
        }
    };
}

fn judge(subject: &mut dyn Subject, far: &RefCell<dyn LinkPeer>, check: &Check) -> Verdict {
    (check.run)(&mut Bench::new(subject, far, check.line)?)
}

impl<F: Fixture> Suite<F> {
    /// No surface yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            surfaces: Vec::new(),
            watchdog: WATCHDOG,
            only: "",
            fixture: PhantomData,
        }
    }

    /// How much real time one check may take before the driver counts as hung. One minute unless set.
    #[must_use]
    pub const fn with_watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = limit;
        self
    }

    /// Only the checks of lines whose names begin like this: `device`, `lend.1`.
    #[must_use]
    pub const fn only(mut self, lines: &'static str) -> Self {
        self.only = lines;
        self
    }

    fn add(mut self, surface: &'static str, groups: &'static [Group], runner: Runner) -> Self {
        self.surfaces.push((surface, groups, runner));
        self
    }

    /// The device itself: `pull`.
    #[must_use]
    pub fn pull(self) -> Self
    where
        F::Device: EthernetDevice,
    {
        self.add(
            "pull",
            &[Group::pull, Group::caller],
            on!(F, |device, _far| Pulled::new(device)),
        )
    }

    /// Every surface that a device gets for free: `erased`, `buffered` (its pull surface), `buffered_halves`, `callback`, `awaited`.
    #[must_use]
    pub fn layers(self) -> Self
    where
        F::Device: EthernetDevice,
    {
        self.add("erased", &[Group::pull, Group::caller], |check| {
            let (device, far) = F::new();
            let far = RefCell::new(far);
            let mut erased = Erased::new(device);
            let nic: &mut dyn EthernetDevice<Error = ErrorKind> = &mut erased;
            judge(&mut Pulled::new(nic), &far, check)
        })
        .add(
            "buffered",
            &[Group::pull, Group::caller],
            on!(F, |device, _far| Pulled::new(Buffered::<_, BUFFER>::new(device))),
        )
        .add(
            "buffered_halves",
            &[Group::pull, Group::caller, Group::lend],
            on!(F, |device, _far| Lent(Buffered::<_, BUFFER>::new(device))),
        )
        .add(
            "callback",
            &[Group::pull, Group::callback],
            on!(F, |device, _far| Called::new(Callback::new(
                Buffered::<_, BUFFER>::new(device)
            ))),
        )
        .add(
            "awaited",
            &[Group::pull, Group::caller, Group::awaited],
            on!(F, |device, far| Awaited::new(BlockingAsync::new(device, EachTurn), far)),
        )
    }

    /// The device's own halves: `lent`, `callback_lent`.
    #[must_use]
    pub fn lending(self) -> Self
    where
        F::Device: LendingDevice,
    {
        self.add(
            "lent",
            &[Group::pull, Group::caller, Group::lend],
            on!(F, |device, _far| Lent(device)),
        )
        .add(
            "callback_lent",
            &[Group::pull, Group::callback],
            on!(F, |device, _far| Called::new(Callback::new(device))),
        )
    }

    /// Management of the device itself: `control`.
    #[must_use]
    pub fn control(self) -> Self
    where
        F::Device: EthernetDevice + Control,
    {
        self.add(
            "control",
            &[Group::control],
            on!(F, |device, _far| Pulled::new(device).with_control()),
        )
    }

    /// Management through the layers: `control_erased`, `control_buffered`.
    #[must_use]
    pub fn control_layers(self) -> Self
    where
        F::Device: EthernetDevice + Control,
    {
        self.add(
            "control_erased",
            &[Group::control],
            on!(F, |device, _far| Pulled::new(Erased::new(device)).with_control()),
        )
        .add(
            "control_buffered",
            &[Group::control],
            on!(F, |device, _far| Pulled::new(Buffered::<_, BUFFER>::new(device))
                .with_control()
                .with_halves()),
        )
    }

    /// The interrupt of the device itself: `rearm`.
    #[must_use]
    pub fn rearm(self) -> Self
    where
        F::Device: EthernetDevice + Rearm,
    {
        self.add(
            "rearm",
            &[Group::rearm],
            on!(F, |device, _far| Pulled::new(device).with_rearm()),
        )
    }

    /// The interrupt through the layers, and an executor that sleeps on it: `rearm_buffered`, `awaited_interrupt`.
    #[must_use]
    pub fn rearm_layers(self) -> Self
    where
        F::Device: EthernetDevice + Rearm,
    {
        self.add(
            "rearm_buffered",
            &[Group::rearm],
            on!(F, |device, _far| Pulled::new(Buffered::<_, BUFFER>::new(device))
                .with_rearm()
                .with_halves()),
        )
        .add(
            "awaited_interrupt",
            &[Group::pull, Group::caller, Group::awaited],
            |check| {
                let (device, far) = F::new();
                let bell = far.irq_signal()?;
                let far = RefCell::new(far);
                judge(
                    &mut Awaited::new(BlockingAsync::with_interrupt(device, &bell), &far),
                    &far,
                    check,
                )
            },
        )
    }

    /// A driver's own callback surface: `callback_own`. Handlers of the checks live for ever, so the device takes `'static` ones. It has to hold four frames.
    #[must_use]
    pub fn callback_own(self) -> Self
    where
        F::Device: CallbackDevice<'static>,
    {
        self.add(
            "callback_own",
            &[Group::callback],
            on!(F, |device, _far| Called::new(Bare(device))),
        )
    }

    /// An async device: `awaited_own`.
    #[must_use]
    pub fn awaited_own(self) -> Self
    where
        F::Device: asynch::EthernetDevice,
    {
        self.add(
            "awaited_own",
            &[Group::pull, Group::caller, Group::awaited],
            on!(F, |device, far| Awaited::new(device, far)),
        )
    }

    /// Management of an async device: `control_awaited`.
    #[must_use]
    pub fn control_awaited(self) -> Self
    where
        F::Device: asynch::EthernetDevice + asynch::Control,
    {
        self.add(
            "control_awaited",
            &[Group::control],
            on!(F, |device, far| Awaited::new(device, far).with_control()),
        )
    }

    /// Runs every check on every chosen surface.
    #[must_use]
    pub fn run(&self) -> Report {
        let entries = self
            .surfaces
            .iter()
            .flat_map(|&(surface, groups, runner)| {
                CHECKS
                    .iter()
                    .filter(|check| groups.contains(&check.group) && check.line.id.starts_with(self.only))
                    .map(move |check| self.entry(surface, runner, check))
            })
            .collect();
        Report { entries }
    }

    fn entry(&self, surface: &'static str, runner: Runner, check: &'static Check) -> Entry {
        Entry {
            surface,
            check: check.name,
            line: check.line,
            outcome: watched(self.watchdog, runner, check),
        }
    }

    /// Runs one check on one surface as a test: for the tests that [`conformance!`](crate!) writes.
    ///
    /// # Panics
    ///
    /// If the check fails, or there is no such check.
    #[doc(hidden)]
    pub fn test(&self, surface: &str, check: &str) {
        let found = self.surfaces.iter().find(|(name, ..)| *name == surface);
        let check = CHECKS.iter().find(|c| c.name == check);
        let (Some(&(surface, _, runner)), Some(check)) = (found, check) else {
            panic!("no such check");
        };
        let entry = self.entry(surface, runner, check);
        match entry.outcome {
            Outcome::Passed => {}
            Outcome::Skipped { .. } => entry.announce(),
            Outcome::Failed { .. } => panic!("{entry}"),
        }
    }
}

/// Runs the check in a thread of its own, so that a driver that hangs or panics is a failed check.
fn watched(limit: Duration, runner: Runner, check: &'static Check) -> Outcome {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::Builder::new().name(format!("check {}", check.name));
    let started = thread.spawn(move || {
        let verdict = catch_unwind(AssertUnwindSafe(|| runner(check)));
        // Nobody listens any more when the watchdog was faster.
        let _ = tell.send(match verdict {
            Ok(verdict) => verdict,
            Err(panic) => Err(panicked(panic, check)),
        });
    });
    let verdict = match started {
        Ok(_) => told.recv_timeout(limit).unwrap_or_else(|_| {
            Err(Stop::Fail {
                line: check.line,
                reason: format!("a call of the driver did not return within {} s", limit.as_secs_f32()),
            })
        }),
        Err(e) => Err(Stop::Skip(format!("no thread to run it in: {e}"))),
    };
    match verdict {
        Ok(()) => Outcome::Passed,
        Err(Stop::Fail { line, reason }) => Outcome::Failed { line, reason },
        Err(Stop::Skip(reason)) => Outcome::Skipped { reason },
    }
}

fn panicked(panic: Box<dyn Any + Send>, check: &Check) -> Stop {
    let panic = match panic.downcast::<Stop>() {
        Ok(stop) => return *stop,
        Err(panic) => panic,
    };
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Stop::Fail {
        line: check.line,
        reason: format!("panicked: {message}"),
    }
}
