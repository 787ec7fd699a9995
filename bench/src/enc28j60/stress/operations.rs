//! Management calls at random moments, with failures of the bus, dropped futures and resets of the
//! chip inside them.
//!
//! After `Ok` the registers of the chip are compared with what was requested. Now and then one
//! `recover` has to bring the device back, and frames have to pass it as its filter says.

use core::time::Duration;
use std::cell::Cell;
use std::rc::Rc;

use enc28j60_model::{ChipConfig, Errata, ModelStats, Revision, ViolationKind};
use ethdev::{MacAddress, Multicast, RxFilter, Stats};
use ethdev_enc28j60::{Config, Error};

use super::super::{CHIP, Testbed};
use super::host::{Call, Host};
use super::scenario::HostKind;

/// One run of management calls.
#[derive(Debug, Clone, Copy)]
pub struct OperationsPlan {
    /// The revision of the chip.
    pub revision: Revision,
    /// The kind of the driver and of the faults.
    pub scenario: OperationsScenario,
    /// How many calls.
    pub operations: u64,
    /// The random seed.
    pub seed: u64,
}

/// The driver, and what happens inside its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationsScenario {
    /// The blocking driver; failures of the bus.
    Blocking,
    /// The async driver; failures of the bus, and dropped futures.
    Async,
    /// The faults of [`Blocking`](Self::Blocking), brownouts and resets of the chip.
    BlockingResets,
    /// The faults of [`Async`](Self::Async), brownouts and resets of the chip.
    AsyncResets,
}

impl OperationsScenario {
    /// All scenarios.
    pub const ALL: [Self; 4] = [Self::Blocking, Self::Async, Self::BlockingResets, Self::AsyncResets];

    const fn host(self) -> HostKind {
        match self {
            Self::Blocking | Self::BlockingResets => HostKind::Polling,
            Self::Async | Self::AsyncResets => HostKind::AsyncLevel,
        }
    }

    const fn has_resets(self) -> bool {
        matches!(self, Self::BlockingResets | Self::AsyncResets)
    }
}

impl core::fmt::Display for OperationsScenario {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Blocking => "management calls, blocking driver: bus failures",
            Self::Async => "management calls, async driver: bus failures, dropped futures",
            Self::BlockingResets => "management calls, blocking driver: bus failures, brownouts and resets",
            Self::AsyncResets => "management calls, async driver: bus failures, dropped futures, brownouts and resets",
        })
    }
}

/// The counters of a run of management calls.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OperationStats {
    /// Calls that returned `Ok`, an error, or nothing because their future was dropped.
    pub ok: u64,
    /// See [`ok`](Self::ok).
    pub failed: u64,
    /// See [`ok`](Self::ok).
    pub dropped: u64,
    /// Injected failures of the bus that struck a call.
    pub bus_failures: u64,
    /// Injected resets and brownouts.
    pub resets: u64,
    /// Checks of the registers of the chip after `Ok`.
    pub verified: u64,
    /// Resets that struck after the last access of a call: the next `service` found them.
    pub after_last_access: u64,
    /// Recoveries with frames in both directions afterwards.
    pub revived: u64,
    /// Frames delivered, and frames accepted.
    pub delivered: u64,
    /// See [`delivered`](Self::delivered).
    pub accepted: u64,
    /// Sends that failed or were dropped: their frame may have been sent.
    pub unknown: u64,
    /// Frames that the chip stored and that the driver neither delivered nor counted.
    pub unaccounted: i64,
    /// Frames that resets removed from the chip: at least one of them is counted each time.
    pub lost_in_reset: u64,
    /// The longest call.
    pub max_call: Duration,
    /// The simulated time of the run.
    pub elapsed: Duration,
    /// The counters of the driver.
    pub driver: Stats,
    /// The counters of the model.
    pub model: ModelStats,
    /// Violated requirements.
    pub violations: Vec<String>,
}

/// Limit of a call.
const MAX_CALL: Duration = Duration::from_millis(100);
/// A reset that struck so shortly before the end of a call may have struck after its last access:
/// a byte, the hold time of chip select, and the gap.
const LAST_ACCESS: Duration = Duration::from_micros(3);
const OTHER: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x29]);
const GROUP: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb]);
const PEER: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Stopped,
    Asleep { running: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Default,
    Group,
    Promiscuous,
}

impl Filter {
    const fn value(self) -> RxFilter<'static> {
        match self {
            Self::Default => RxFilter::DEFAULT,
            Self::Group => RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP])),
            Self::Promiscuous => RxFilter::PROMISCUOUS,
        }
    }

    /// ERXFCON.
    const fn register(self) -> u8 {
        match self {
            Self::Default => 0xa1,
            Self::Group => 0xa5,
            Self::Promiscuous => 0x20,
        }
    }
}

struct Run {
    plan: OperationsPlan,
    testbed: Testbed,
    host: Host,
    random: fastrand::Rng,
    stats: OperationStats,
    state: State,
    address: MacAddress,
    filter: Filter,
    /// A call failed, was dropped, or the chip was reset, and nothing has put that right yet.
    in_doubt: bool,
    /// When the chip was reset last, and what that took from it.
    last_reset: Rc<Cell<Duration>>,
    lost_in_reset: Rc<Cell<u64>>,
}

/// Executes a plan. `progress` is called with the number of calls since its last call.
pub fn run_operations(plan: OperationsPlan, mut progress: impl FnMut(u64)) -> OperationStats {
    let mut errata = Errata::of(plan.revision);
    // Frames are compared one by one.
    errata.probabilities.false_late_collision = 0.0;
    let config = ChipConfig::new(plan.revision).with_errata(errata).with_seed(plan.seed);
    let testbed = Testbed::new(config);
    // A failing bus and a dropped future cut off instructions.
    testbed.chip.allow_violation(ViolationKind::Incomplete);
    testbed.chip.allow_violation(ViolationKind::ShortHold);
    let host = match Host::start(&testbed.chip, plan.scenario.host(), Config::new(CHIP)) {
        Ok(host) => host,
        Err(e) => {
            return OperationStats {
                violations: vec![format!("start failed: {e}")],
                ..OperationStats::default()
            };
        }
    };
    let mut run = Run {
        plan,
        host,
        random: fastrand::Rng::with_seed(plan.seed ^ 0x0b5),
        stats: OperationStats::default(),
        state: State::Running,
        address: CHIP,
        filter: Filter::Default,
        in_doubt: false,
        last_reset: Rc::default(),
        lost_in_reset: Rc::default(),
        testbed,
    };
    let mut until_revival = 10;
    for n in 0..plan.operations {
        run.traffic();
        run.operation(n);
        until_revival -= 1;
        if until_revival == 0 {
            until_revival = run.random.u32(5..30);
            run.revive(n);
        }
        if n % 100 == 99 {
            progress(100);
        }
    }
    progress(plan.operations % 100);
    run.revive(plan.operations);
    run.finish()
}

impl Run {
    fn now(&self) -> Duration {
        self.testbed.clock.now()
    }

    fn violation(&mut self, what: String) {
        if self.stats.violations.len() < 20 {
            self.stats.violations.push(what);
        }
    }

    /// Sets a fault for the next call. Returns when its future is dropped, and whether the bus is to
    /// fail.
    fn inject(&mut self) -> (Option<Duration>, bool) {
        let is_async = self.plan.scenario.host() != HostKind::Polling;
        // Setters are short, everything else takes milliseconds.
        let within = Duration::from_nanos(if self.random.bool() {
            self.random.u64(..100_000)
        } else {
            self.random.u64(..2_500_000)
        });
        match self.random.u32(..10) {
            0 | 1 => {
                self.testbed.chip.fail_bus_at(self.random.u64(..700));
                (None, true)
            }
            2 | 3 if is_async => (Some(self.now() + within), false),
            4 | 5 if self.plan.scenario.has_resets() => {
                let (chip, lost, last) = (
                    self.testbed.chip.clone(),
                    self.lost_in_reset.clone(),
                    self.last_reset.clone(),
                );
                let (at, is_brownout) = (self.now() + within, self.random.bool());
                self.testbed.clock.schedule_at(at, move || {
                    let before = chip.stats().lost_in_reset;
                    if is_brownout {
                        chip.inject_brownout();
                    } else {
                        chip.inject_reset();
                    }
                    lost.set(lost.get() + chip.stats().lost_in_reset - before);
                    last.set(at);
                });
                self.stats.resets += 1;
                (None, false)
            }
            _ => (None, false),
        }
    }

    /// One management call, and the check of what it did.
    fn operation(&mut self, n: u64) {
        let filters = [Filter::Default, Filter::Group, Filter::Promiscuous];
        let (filter, address) = (filters[self.random.usize(..3)], [CHIP, OTHER][self.random.usize(..2)]);
        let from = self.state;
        let (call, to) = match self.random.u32(..9) {
            0 => (Call::Start, State::Running),
            1 => (Call::Stop, State::Stopped),
            2 => match from {
                State::Asleep { .. } => (Call::Sleep, from),
                awake => (
                    Call::Sleep,
                    State::Asleep {
                        running: awake == State::Running,
                    },
                ),
            },
            3 => match from {
                State::Asleep { running: true } => (Call::Wake, State::Running),
                State::Asleep { running: false } => (Call::Wake, State::Stopped),
                awake => (Call::Wake, awake),
            },
            4 => (Call::Recover, from),
            5 => {
                self.address = address;
                (Call::Address(address), from)
            }
            6 | 7 => {
                self.filter = filter;
                (Call::Filter(filter.value()), from)
            }
            // Traffic needs a device that runs.
            _ => (Call::Start, State::Running),
        };
        let (drop_at, bus_fails) = self.inject();
        let began = self.now();
        let result = self.host.manage(call, drop_at);
        if bus_fails {
            self.testbed.chip.fail_bus_at(u64::MAX);
        }
        let reset = self.last_reset.get();
        let was_reset = reset >= began && reset <= self.now() && reset > Duration::ZERO;
        match result {
            Some(Ok(())) => {
                self.stats.ok += 1;
                self.state = to;
                // Other calls have nothing to do, and no access that would show a reset.
                let has_access = from != to || to == State::Running || matches!(call, Call::Recover);
                self.in_doubt = !has_access && (self.in_doubt || was_reset);
                if was_reset && self.now().saturating_sub(reset) <= LAST_ACCESS && !self.is_as_requested() {
                    self.stats.after_last_access += 1;
                    self.in_doubt = true;
                }
                if !self.in_doubt {
                    self.verify(&format!("call {n}: {call:?} from {from:?}"));
                }
            }
            Some(Err(e)) => {
                self.stats.failed += 1;
                self.stats.bus_failures += u64::from(bus_fails);
                self.in_doubt = true;
                let expected = bus_fails || was_reset;
                if !expected {
                    self.violation(format!("call {n}: {call:?} from {from:?} failed without a fault: {e}"));
                }
            }
            None => {
                self.stats.dropped += 1;
                self.in_doubt = true;
            }
        }
        // Let a reset that is still to come strike between the calls.
        if self.random.u32(..4) == 0 {
            let pause = self.random.u64(..3_000);
            self.testbed.clock.advance(Duration::from_micros(pause));
        }
        self.in_doubt |= self.last_reset.get() >= began && self.last_reset.get() > reset;
        if self.random.bool() {
            self.service(n);
        }
    }

    fn service(&mut self, n: u64) {
        let before = self.last_reset.get();
        match self.host.manage(Call::Service, None) {
            Some(Ok(())) if self.last_reset.get() == before && self.state == State::Running => {
                self.in_doubt = false;
                self.verify(&format!("service after call {n}"));
            }
            _ => {}
        }
    }

    fn is_as_requested(&self) -> bool {
        let chip = &self.testbed.chip;
        let (econ1, econ2) = (chip.peek(0, 0x1f) & 0xc4, chip.peek(0, 0x1e) & 0x20);
        let address = [4, 5, 2, 3, 0, 1].map(|register| chip.peek(3, register));
        match self.state {
            State::Stopped => (econ1, econ2) == (0x00, 0x00),
            State::Asleep { .. } => (econ1, econ2) == (0x00, 0x20),
            State::Running => {
                (econ1, econ2) == (0x04, 0x00)
                    && address == self.address.octets()
                    && chip.peek(1, 0x18) == self.filter.register()
                    && (chip.peek(0, 0x0a), chip.peek(0, 0x0b)) == (0xff, 0x13)
                    && (chip.peek(2, 0x00), chip.peek(2, 0x02)) == (0x01, 0x32)
            }
        }
    }

    /// Compares the chip with what was requested.
    fn verify(&mut self, what: &str) {
        self.stats.verified += 1;
        if !self.is_as_requested() {
            let chip = &self.testbed.chip;
            let registers = [(0, 0x1f), (0, 0x1e), (1, 0x18), (3, 0x04), (3, 0x01), (0, 0x0b)]
                .map(|(bank, address)| chip.peek(bank, address));
            self.violation(format!(
                "{what}: Ok, but {:?}, address {}, filter {:?}, and the chip has {registers:02x?}",
                self.state, self.address, self.filter
            ));
        }
    }

    /// Frames in both directions, whatever the state.
    fn traffic(&mut self) {
        for _ in 0..self.random.u32(..3) {
            let len = self.random.usize(60..400);
            self.testbed.peer.send(&frame(self.address, PEER, 0, len));
        }
        if self.random.bool() {
            let pause = self.random.u64(..500);
            self.testbed.clock.advance(Duration::from_micros(pause));
        }
        let (drop_at, bus_fails) = if self.random.u32(..4) == 0 {
            self.inject()
        } else {
            (None, false)
        };
        if self.random.bool() {
            let len = self.random.usize(60..400);
            let there = frame(PEER, self.address, 0, len);
            match self.host.send_until(&there, drop_at) {
                Some(Ok(())) => self.stats.accepted += 1,
                Some(Err(Error::Kind(_))) => {}
                Some(Err(_)) | None => self.stats.unknown += 1,
            }
        } else {
            let mut buf = [0; 1518];
            for _ in 0..self.random.u32(1..4) {
                let Some(Ok(Some(_))) = self.host.recv_until(&mut buf, drop_at) else {
                    break;
                };
                self.stats.delivered += 1;
            }
        }
        if bus_fails {
            self.testbed.chip.fail_bus_at(u64::MAX);
        }
        // A reset, a failure or a dropped future in a call that moves frames is found by the next
        // call, or makes a fault.
        self.in_doubt |= self.plan.scenario.has_resets();
    }

    /// No more faults: one `recover`, then frames pass as the filter says.
    fn revive(&mut self, n: u64) {
        // What was scheduled strikes before.
        self.testbed.clock.advance(Duration::from_millis(3));
        let what = format!("after call {n}");
        if let Some(Err(e)) = self.host.manage(Call::Recover, None) {
            return self.violation(format!("{what}: recover: {e}"));
        }
        self.verify(&format!("{what}: recover"));
        if let Some(Err(e)) = self.host.manage(Call::Start, None) {
            return self.violation(format!("{what}: start: {e}"));
        }
        self.state = State::Running;
        self.in_doubt = false;
        self.verify(&format!("{what}: start"));
        for _ in 0..60 {
            if self.host.is_link_up() {
                break;
            }
            self.testbed.clock.advance(Duration::from_millis(1));
            let _ = self.host.manage(Call::Service, None);
        }
        if let Err(why) = self.exchange() {
            return self.violation(format!("{what}: {why}"));
        }
        self.stats.revived += 1;
    }

    fn exchange(&mut self) -> Result<(), String> {
        while self.receive()?.is_some() {}
        while self.testbed.peer.recv().is_some() {}
        let other = if self.address == CHIP { OTHER } else { CHIP };
        let sent = [
            (self.address, true),
            (other, self.filter == Filter::Promiscuous),
            (GROUP, self.filter != Filter::Default),
            (MacAddress::BROADCAST, true),
        ]
        .map(|(to, passes)| {
            let len = self.random.usize(60..=500);
            (frame(to, PEER, self.random.u8(..), len), passes)
        });
        for (frame, _) in &sent {
            let arrived = self.testbed.peer.send(frame);
            self.testbed.clock.advance_to(arrived + Duration::from_micros(20));
        }
        for (frame, _) in sent.iter().filter(|(_, passes)| *passes) {
            let got = self.receive()?;
            if got.as_ref() != Some(frame) {
                return Err(format!(
                    "frame to {:02x?} not received: {:?}",
                    &frame[..6],
                    got.map(|got| got.len())
                ));
            }
        }
        if self.receive()?.is_some() {
            return Err("a frame passed the filter".to_owned());
        }
        let there = frame(PEER, self.address, self.random.u8(..), 300);
        self.host.send(&there).map_err(|e| format!("send: {e}"))?;
        self.stats.accepted += 1;
        for _ in 0..5 {
            self.testbed.clock.advance(Duration::from_millis(1));
            let _ = self.host.manage(Call::Service, None);
        }
        match self.testbed.peer.recv() {
            Some(got) if got == there => Ok(()),
            got => Err(format!("frame not sent: {:?}", got.map(|got| got.len()))),
        }
    }

    fn receive(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut buf = [0; 1518];
        match self.host.recv(&mut buf) {
            Ok(Some(len)) => {
                self.stats.delivered += 1;
                Ok(Some(buf[..len].to_vec()))
            }
            Ok(None) => Ok(None),
            Err(e) => Err(format!("recv: {e}")),
        }
    }

    fn finish(mut self) -> OperationStats {
        let (driver, model) = (self.host.stats(), self.testbed.chip.stats());
        let mut stats = core::mem::take(&mut self.stats);
        stats.driver = driver;
        stats.model = model;
        stats.max_call = self.host.max_call;
        stats.elapsed = self.now();
        stats.lost_in_reset = self.lost_in_reset.get();
        let counted = u64::from(driver.rx_frames) + u64::from(driver.rx_reset) + u64::from(driver.rx_bad_length);
        stats.unaccounted = model.received as i64 - counted as i64 - i64::from(driver.rx_error);
        let mut check = |holds: bool, what: &str, figures: String| {
            if !holds {
                stats.violations.push(format!("{what}: {figures}"));
            }
        };
        check(
            u64::from(driver.rx_frames) == stats.delivered,
            "rx_frames differs from the deliveries",
            format!("{} and {}", driver.rx_frames, stats.delivered),
        );
        let outcomes = u64::from(driver.tx_frames) + u64::from(driver.tx_lost());
        check(
            (stats.accepted..=stats.accepted + stats.unknown).contains(&outcomes),
            "accepted frames not accounted for",
            format!("{} accepted, {} unknown, {driver:?}", stats.accepted, stats.unknown),
        );
        // Exact without resets. With them, each takes what it takes, and counts one at least.
        let resets = stats.resets as i64;
        let range = -resets..=stats.lost_in_reset as i64;
        check(
            range.contains(&stats.unaccounted),
            "received frames not accounted for",
            format!("{} of {range:?}", stats.unaccounted),
        );
        check(
            stats.max_call <= MAX_CALL,
            "call too long",
            format!("{:?}", stats.max_call),
        );
        check(
            model.balanced(),
            "counters of the model do not balance",
            format!("{model:?}"),
        );
        let protocol = self.testbed.chip.violations();
        check(
            protocol.is_empty(),
            "protocol violations",
            protocol.first().map(ToString::to_string).unwrap_or_default(),
        );
        stats
    }
}

/// A frame that is distinguished by `n`.
fn frame(to: MacAddress, from: MacAddress, n: u8, len: usize) -> Vec<u8> {
    let mut frame = to.octets().to_vec();
    frame.extend(from.octets());
    frame.extend([0x88, 0xb5, n]);
    frame.extend((frame.len()..len).map(|at| (at as u8).wrapping_mul(29) ^ n));
    frame
}
