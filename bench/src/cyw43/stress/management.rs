//! Management calls at random moments, while frames flow, the bus fails and futures are dropped.
//!
//! The harness keeps the set of states that the driver may be in. A call that succeeded must have
//! its whole effect, which the model shows: the chip runs or not, has the address and the filter
//! that were requested, has joined the network or left it. A call that failed or was dropped leaves
//! the previous state or the next one; then the call is repeated, or the driver recovers, or the
//! next call comes. One `recover` on a working bus must always succeed, and frames must flow in
//! both directions after it.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::collections::BTreeMap;

use cyw43439_model::{AccessPoint, Boot, BusFault, ChipConfig, Images, PowerPin, ViolationKind};
use ethdev::{
    Control as _, Error as _, ErrorKind, EthernetDevice as _, FilterOutcome, MacAddress, Multicast, RxFilter, Stats,
    asynch::{Control as _, EthernetDevice as _},
};
use ethdev_cyw43::{Cyw43, Error, FirmwareImages, Network, asynch};
use ethdev_sim::{SimDelay, block_on_until};

use super::super::{MAC, ModelBus, PASSPHRASE, SSID, Testbed};
use super::frame_log::FrameLog;
use super::host;
use super::stats::RunStats;
use crate::enc28j60::{build, number};

/// Limit of one call: a boot and a join whose responses are missing.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// Limit of the time after a call on a working bus until frames flow in both directions: the driver
/// joins the network, and may wait for 200 ms before it does.
const TRAFFIC_LIMIT: Duration = Duration::from_secs(3);
/// Frames in each direction that show that frames flow.
const PROBES: u64 = 2;
/// The firmware is short, so that a boot takes few transactions.
const FIRMWARE_LEN: usize = 2_000;

/// The result of a call; `None` where its future was dropped.
type Outcome<T> = Option<Result<T, Error<BusFault>>>;
type Blocking<'m> = Cyw43<'m, ModelBus, PowerPin, SimDelay, FirmwareImages<'m>>;
type Async<'m> = asynch::Cyw43<'m, ModelBus, PowerPin, SimDelay, FirmwareImages<'m>>;

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Whether the driver is the async one, whose futures are dropped.
    pub is_async: bool,
    /// The number of operations.
    pub operations: u64,
    /// The random seed.
    pub seed: u64,
}

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "see Display")]
pub enum Operation {
    Start,
    Stop,
    Sleep,
    Wake,
    Recover,
    SetFilter,
    SetAddress,
    Join,
    Leave,
    Traffic,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Start,
        Self::Stop,
        Self::Sleep,
        Self::Wake,
        Self::Recover,
        Self::SetFilter,
        Self::SetAddress,
        Self::Join,
        Self::Leave,
        Self::Traffic,
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Sleep => "sleep",
            Self::Wake => "wake",
            Self::Recover => "recover",
            Self::SetFilter => "set_rx_filter",
            Self::SetAddress => "set_mac_address",
            Self::Join => "join",
            Self::Leave => "disconnect",
            Self::Traffic => "service, send, receive",
        })
    }
}

/// The calls of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Calls {
    /// All of them.
    pub all: u64,
    /// Those that succeeded, and whose effect the model shows.
    pub succeeded: u64,
    /// Those that returned an error.
    pub failed: u64,
    /// Those whose future was dropped.
    pub dropped: u64,
    /// The longest one.
    pub max: Duration,
}

impl Calls {
    /// Combines the calls of two runs.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            all: self.all + other.all,
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed + other.failed,
            dropped: self.dropped + other.dropped,
            max: self.max.max(other.max),
        }
    }
}

/// The results of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Management {
    /// The calls by kind.
    pub calls: BTreeMap<Operation, Calls>,
    /// Recoveries on a working bus, after each of which the driver works again.
    pub recoveries: u64,
    /// Those that failed.
    pub failed_recoveries: u64,
    /// Times at which frames were exchanged to show that they flow.
    pub exchanges: u64,
    /// The longest time until they did.
    pub max_silence: Duration,
    /// The counters of frames.
    pub stats: RunStats,
}

/// A state of the lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stopped,
    Running,
    /// And whether it was running before.
    Asleep(bool),
}

/// A filter for group addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Groups {
    /// The first groups of the list.
    First(usize),
    All,
}

/// Whether the driver is to be in the network; `None` if the last call of `join` or `disconnect`
/// failed.
type Joined = Option<bool>;

enum Nic<'m> {
    Blocking(Box<Blocking<'m>>),
    Async(Box<Async<'m>>),
}

/// Calls the driver. An async call is polled at most `$polls` times.
macro_rules! call {
    ($self:ident, $polls:expr, $nic:ident => $call:expr) => {
        match &mut $self.nic {
            Nic::Blocking($nic) => Some($call),
            Nic::Async($nic) => drive($self.testbed, $polls, &mut $self.cut_off, $call),
        }
    };
}

/// Reads from the driver.
macro_rules! get {
    ($self:ident, $nic:ident => $call:expr) => {
        match &$self.nic {
            Nic::Blocking($nic) => $call,
            Nic::Async($nic) => $call,
        }
    };
}

/// Runs a future, or polls it `polls` times and drops it. Increments `cut_off` where the read of a
/// frame was running then: neither the host nor the driver knows what it read.
fn drive<T>(testbed: &Testbed, polls: Option<u32>, cut_off: &mut u64, future: impl Future<Output = T>) -> Option<T> {
    let before;
    let outcome = {
        let mut future = pin!(future);
        let mut left = polls;
        let limited = poll_fn(|cx| {
            if left == Some(0) {
                return Poll::Ready(None);
            }
            left = left.map(|left| left - 1);
            future.as_mut().poll(cx).map(Some)
        });
        // A future that never ends is a call that takes too long.
        let deadline = testbed.clock.now() + 2 * CALL_LIMIT;
        let outcome = block_on_until(&testbed.clock, deadline, limited).unwrap_or_default();
        before = testbed.chip.stats();
        outcome
    };
    *cut_off += u64::from(testbed.chip.stats() != before);
    outcome
}

/// What happens during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    None,
    /// The transaction after this many fails.
    BusFails(u64),
    /// The future is dropped after this many polls.
    Dropped(u32),
}

struct Run<'m> {
    plan: Plan,
    testbed: &'m Testbed,
    nic: Nic<'m>,
    network: Network,
    random: fastrand::Rng,
    states: Vec<State>,
    joined: Joined,
    groups: Groups,
    /// The requested address; at first the chip's own.
    address: Option<MacAddress>,
    rx: FrameLog,
    tx: FrameLog,
    /// Reads of frames that ended because a future was dropped.
    cut_off: u64,
    /// Sends that failed or were dropped: whether the chip has their frames is unknown.
    tx_unknown: u64,
    results: Management,
}

/// Executes a plan, up to the first violation. `progress` is called after each operation.
pub fn run(plan: Plan, mut progress: impl FnMut()) -> Management {
    let mut results = Management::default();
    let images = Images::pseudo_random(plan.seed);
    let firmware = images.firmware.clone().unwrap_or_default();
    let images = images.with_firmware(firmware.get(..FIRMWARE_LEN).unwrap_or_default());
    let testbed = Testbed::with_images(ChipConfig::default().with_seed(plan.seed), images);
    testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    if plan.is_async {
        // A dropped transaction raises chip select at once. Whether a frame was sent is unknown
        // then, and its sequence number is used again.
        testbed.chip.allow_violation(ViolationKind::CutOff);
        testbed.chip.allow_violation(ViolationKind::BadSequence);
    }
    let mut rx_queue = host::rx_queue();
    let has_irq_line = plan.seed.is_multiple_of(2);
    let (nic, network) = match (
        Nic::new(&testbed, plan.is_async, has_irq_line, &mut rx_queue),
        Network::wpa2(SSID, PASSPHRASE),
    ) {
        (Ok(nic), Ok(network)) => (nic, network),
        (nic, network) => {
            results
                .stats
                .violation(format!("no driver: {:?}, {:?}", nic.err(), network.err()));
            return results;
        }
    };
    let mut run = Run {
        plan,
        testbed: &testbed,
        nic,
        network,
        random: fastrand::Rng::with_seed(plan.seed ^ 0x3a4a),
        states: vec![State::Stopped],
        joined: Some(false),
        groups: Groups::First(0),
        address: None,
        rx: FrameLog::default(),
        tx: FrameLog::default(),
        cut_off: 0,
        tx_unknown: 0,
        results,
    };
    for _ in 0..plan.operations {
        run.step();
        progress();
        if run.has_failed() {
            break;
        }
    }
    run.finish()
}

impl<'m> Nic<'m> {
    fn new(testbed: &'m Testbed, is_async: bool, has_irq_line: bool, rx_queue: &'m mut [u8]) -> host::Result<Self> {
        let bus = ModelBus::new(testbed.chip.word_bus(), has_irq_line);
        let (power, delay) = (testbed.chip.power_pin(), testbed.chip.delay());
        let (images, config) = (testbed.driver_images(), host::clocked_config(&testbed.clock));
        Ok(if is_async {
            let nic = asynch::Cyw43::new(bus, power, delay, images, rx_queue, config)?;
            Self::Async(Box::new(nic))
        } else {
            Self::Blocking(Box::new(Cyw43::new(bus, power, delay, images, rx_queue, config)?))
        })
    }
}

impl State {
    /// The state after an operation that succeeded in this state.
    const fn after(self, operation: Operation) -> Self {
        match (operation, self) {
            (Operation::Start | Operation::Join, _) | (Operation::Wake, Self::Asleep(true)) => Self::Running,
            (Operation::Stop, _) | (Operation::Wake, Self::Asleep(false)) => Self::Stopped,
            (Operation::Sleep, Self::Running) => Self::Asleep(true),
            (Operation::Sleep, Self::Stopped) => Self::Asleep(false),
            _ => self,
        }
    }
}

/// Adds a state that is not in the set.
fn add(states: &mut Vec<State>, state: State) {
    if !states.contains(&state) {
        states.push(state);
    }
}

/// A number below 1024, small ones more often.
fn small(random: &mut fastrand::Rng) -> u32 {
    let bits = random.u32(..=10);
    random.u32(..1 << bits)
}

fn is_refusal(operation: Operation, kind: ErrorKind) -> bool {
    use Operation::{Join, Leave, Traffic};
    kind == ErrorKind::Stopped && matches!(operation, Join | Leave | Traffic)
}

impl Run<'_> {
    fn now(&self) -> Duration {
        self.testbed.clock.now()
    }

    fn has_failed(&self) -> bool {
        !self.results.stats.violations.is_empty()
    }

    fn violation(&mut self, what: impl fmt::Display) {
        let at = self.now();
        let (states, joined) = (&self.states, self.joined);
        let text = format!("{what} (at {at:?}; states {states:?}, joined {joined:?})");
        self.results.stats.violation(text);
    }

    fn mac_address(&self) -> MacAddress {
        get!(self, nic => nic.mac_address())
    }

    fn is_link_up(&self) -> bool {
        get!(self, nic => nic.link()).is_up()
    }

    fn stats(&self) -> Stats {
        get!(self, nic => nic.stats())
    }

    /// Whether the interface of the chip is up.
    fn is_chip_up(&self) -> bool {
        self.testbed.chip.boot() == Boot::Running && self.testbed.chip.is_up()
    }

    fn step(&mut self) {
        let operation = Operation::ALL[self.random.usize(..Operation::ALL.len())];
        match operation {
            Operation::SetFilter => {
                self.groups = match self.random.usize(..16) {
                    15 => Groups::All,
                    n => Groups::First(n),
                };
            }
            Operation::SetAddress => {
                let n = self.random.u8(..4);
                self.address = Some(MacAddress::new([2, 0, 0, 0, 0x43, n]));
            }
            _ => {}
        }
        for _ in 0..self.random.u32(..3) {
            self.peer_send();
        }
        self.testbed
            .clock
            .advance(Duration::from_micros(self.random.u64(..2_000)));
        let disturbance = match self.random.u32(..4) {
            0 => Disturbance::BusFails(small(&mut self.random).into()),
            // The first poll is that which stores what is requested.
            1 if self.plan.is_async => Disturbance::Dropped(1 + small(&mut self.random)),
            _ => Disturbance::None,
        };
        let outcome = self.execute(operation, disturbance);
        if outcome != Some(Ok(())) {
            match self.random.u32(..3) {
                0 => self.repeat(operation),
                1 => self.recover(),
                _ => {}
            }
        }
        if self.random.u32(..16) == 0 {
            self.recover();
        }
    }

    /// Calls the driver, and checks the effect. Returns the kind of an error, and `None` where the
    /// future was dropped.
    fn execute(&mut self, operation: Operation, disturbance: Disturbance) -> Option<Result<(), ErrorKind>> {
        let began = self.now();
        let polls = match disturbance {
            Disturbance::Dropped(polls) => Some(polls),
            Disturbance::BusFails(n) => {
                self.testbed.chip.fail_bus_at(n);
                None
            }
            Disturbance::None => None,
        };
        let outcome = self.call(operation, polls);
        // No fault is left for the next call.
        self.testbed.chip.fail_bus_at(u64::MAX);
        let took = self.now() - began;
        let calls = self.results.calls.entry(operation).or_default();
        calls.all += 1;
        calls.max = calls.max.max(took);
        match &outcome {
            Some(Ok(())) => calls.succeeded += 1,
            Some(Err(e)) => {
                calls.failed += 1;
                self.results.stats.count_error(e);
            }
            None => calls.dropped += 1,
        }
        if took > CALL_LIMIT {
            self.violation(format_args!("{operation} took {took:?}"));
        }
        if disturbance == Disturbance::None && outcome.is_none() {
            self.violation(format_args!("{operation} does not return"));
        }
        let outcome = outcome.map(|outcome| outcome.map_err(|e| (e.kind(), format!("{e:?}"))));
        if std::env::var("TRACE").is_ok() {
            let st = self.stats();
            eprintln!(
                "{:?} {operation} {disturbance:?} -> {outcome:?}  was {:?} rx {} lost {} model {:?}",
                self.now(),
                self.states,
                st.rx_frames,
                st.rx_lost(),
                self.testbed.chip.stats().delivered
            );
        }
        self.update(operation, &outcome);
        if disturbance == Disturbance::None
            && self.states == [State::Running]
            && let Some(Err((kind, error))) = &outcome
            && is_refusal(operation, *kind)
        {
            self.violation(format_args!("{operation} of a running device failed: {error}"));
        }
        outcome.map(|outcome| outcome.map_err(|(kind, _)| kind))
    }

    fn call(&mut self, operation: Operation, polls: Option<u32>) -> Outcome<()> {
        match operation {
            Operation::Start => call!(self, polls, nic => nic.start()),
            Operation::Stop => call!(self, polls, nic => nic.stop()),
            Operation::Sleep => call!(self, polls, nic => nic.sleep()),
            Operation::Wake => call!(self, polls, nic => nic.wake()),
            Operation::Recover => call!(self, polls, nic => nic.recover()),
            Operation::Join => call!(self, polls, nic => nic.join(&self.network)),
            Operation::Leave => call!(self, polls, nic => nic.disconnect()),
            Operation::SetAddress => {
                let address = self.address.unwrap_or(MAC);
                call!(self, polls, nic => nic.set_mac_address(address))
            }
            Operation::SetFilter => {
                let (list, expected) = match self.groups {
                    Groups::First(n) if n > 10 => (groups(n), FilterOutcome::Superset),
                    Groups::First(n) => (groups(n), FilterOutcome::Exact),
                    Groups::All => (Vec::new(), FilterOutcome::Exact),
                };
                let multicast = match self.groups {
                    Groups::First(0) => Multicast::None,
                    Groups::First(_) => Multicast::List(&list),
                    Groups::All => Multicast::All,
                };
                let filter = RxFilter::DEFAULT.with_multicast(multicast);
                let outcome = call!(self, polls, nic => nic.set_rx_filter(filter));
                if let Some(Ok(result)) = outcome
                    && result != expected
                {
                    let groups = self.groups;
                    self.violation(format_args!("{groups:?} is {result:?}"));
                }
                outcome.map(|outcome| outcome.map(drop))
            }
            Operation::Traffic => self.traffic(polls),
        }
    }

    /// A few frames in both directions, until an error.
    fn traffic(&mut self, polls: Option<u32>) -> Outcome<()> {
        let rounds = self.random.u32(1..5);
        // The round in which a future is dropped.
        let limited = self.random.u32(..rounds);
        for round in 0..rounds {
            self.peer_send();
            self.testbed
                .clock
                .advance(Duration::from_micros(self.random.u64(..3_000)));
            let mut polls = polls.filter(|_| round == limited);
            // Each of the three kinds of calls is the one that is dropped.
            let mut next = |of: u32, random: &mut fastrand::Rng| {
                if random.u32(..of) == 0 { polls.take() } else { None }
            };
            let polls = [
                next(3, &mut self.random),
                next(2, &mut self.random),
                next(1, &mut self.random),
            ];
            match call!(self, polls[0], nic => nic.service())? {
                Ok(_) => {}
                Err(e) => return Some(Err(e)),
            }
            if let Err(e) = self.send(polls[1])? {
                return Some(Err(e));
            }
            if let Err(e) = self.receive(polls[2])? {
                return Some(Err(e));
            }
        }
        Some(Ok(()))
    }

    /// Sends a frame where there is room. Without a link that is no error.
    fn send(&mut self, polls: Option<u32>) -> Outcome<()> {
        match call!(self, None, nic => nic.tx_ready())? {
            Ok(true) => {}
            Ok(false) => return Some(Ok(())),
            Err(e) => return Some(Err(e)),
        }
        let frame = build(self.tx.next(), false, self.random.usize(32..600));
        let began = self.now();
        let outcome = call!(self, polls, nic => nic.send_frame(&frame));
        match &outcome {
            Some(Ok(())) => self.tx.record(began, true),
            Some(Err(e)) if matches!(e.kind(), ErrorKind::Busy | ErrorKind::LinkDown | ErrorKind::Stopped) => {
                if e.kind() == ErrorKind::Busy {
                    self.violation("busy after tx_ready returned true");
                }
                return Some(Ok(()));
            }
            // The chip may have it: its number is not used again.
            Some(Err(_)) | None => {
                self.tx.record(began, false);
                self.tx_unknown += 1;
            }
        }
        outcome
    }

    /// Receives all frames that the driver has.
    fn receive(&mut self, polls: Option<u32>) -> Outcome<()> {
        let mut buf = [0; 1514];
        let mut polls = polls;
        loop {
            match call!(self, polls.take(), nic => nic.recv_frame(&mut buf))? {
                Ok(Some(meta)) => {
                    let frame = &mut buf[..meta.len];
                    frame[..6].copy_from_slice(&MAC.octets());
                    self.rx.arrive(number(frame, true));
                }
                Ok(None) => return Some(Ok(())),
                Err(e) => return Some(Err(e)),
            }
        }
    }

    fn peer_send(&mut self) {
        let mut frame = build(self.rx.next(), true, self.random.usize(60..600));
        frame[..6].copy_from_slice(&self.mac_address().octets());
        let at = self.testbed.peer.send(&frame);
        self.rx.record(at, true);
    }

    fn peer_receive(&mut self) -> u64 {
        let before = self.tx.unique;
        while let Some(frame) = self.testbed.peer.recv() {
            self.tx.arrive(number(&frame, false));
        }
        self.tx.unique - before
    }

    /// Updates the states in which the driver may be, and checks the effect of a call that
    /// succeeded.
    fn update(&mut self, operation: Operation, outcome: &Option<Result<(), (ErrorKind, String)>>) {
        let before = self.states.clone();
        match outcome {
            Some(Ok(())) => {
                self.states.clear();
                for state in before {
                    add(&mut self.states, state.after(operation));
                }
                self.joined = match operation {
                    Operation::Join => Some(true),
                    Operation::Leave => Some(false),
                    _ => self.joined,
                };
                self.check_effect(operation);
            }
            Some(Err((kind, _))) if is_refusal(operation, *kind) => {}
            Some(Err(_)) | None => {
                for state in before {
                    add(&mut self.states, state.after(operation));
                }
                if matches!(operation, Operation::Join | Operation::Leave) {
                    self.joined = None;
                }
            }
        }
        let (link_changes, up) = (self.stats().link_changes, self.is_link_up());
        if (link_changes % 2 == 1) != up {
            self.violation(format_args!(
                "after {operation}: {link_changes} link changes, and the link is up: {up}"
            ));
        }
        let address = self.mac_address();
        if self.address.is_some_and(|requested| requested != address) {
            self.violation(format_args!("after {operation}: mac_address is {address}"));
        }
    }

    /// Checks that the chip shows what a call that succeeded has done.
    fn check_effect(&mut self, operation: Operation) {
        let (boot, up) = (self.testbed.chip.boot(), self.is_chip_up());
        let lifecycle = matches!(
            operation,
            Operation::Start
                | Operation::Stop
                | Operation::Sleep
                | Operation::Wake
                | Operation::Recover
                | Operation::Join
        );
        if lifecycle {
            let possible = self.states.clone();
            self.states.retain(|state| match state {
                State::Running => up,
                State::Stopped => !up,
                State::Asleep(_) => boot == Boot::Off,
            });
            if self.states.is_empty() {
                self.states = possible;
                self.violation(format_args!(
                    "{operation} succeeded, the chip is {boot:?}, its interface up: {up}"
                ));
            }
        }
        let running = self.states == [State::Running];
        let applies_all = matches!(operation, Operation::Start | Operation::Wake | Operation::Recover);
        if running && (applies_all || operation == Operation::SetFilter) {
            self.check_filter(operation);
        }
        if running && (applies_all || operation == Operation::SetAddress) {
            self.check_address(operation);
        }
        let association = self.testbed.chip.association();
        let keyed = association.is_some_and(|association| association.keyed);
        let link_up = self.is_link_up();
        if operation == Operation::Join && !(keyed && link_up) {
            self.violation(format_args!("join succeeded: {association:?}, link up: {link_up}"));
        }
        let parts = matches!(operation, Operation::Leave | Operation::Stop | Operation::Sleep);
        if parts && (association.is_some() || link_up) {
            self.violation(format_args!(
                "{operation} succeeded: {association:?}, link up: {link_up}"
            ));
        }
    }

    fn check_filter(&mut self, operation: Operation) {
        let (list, all) = (self.testbed.chip.multicast_list(), self.testbed.chip.all_multicast());
        let right = match self.groups {
            Groups::First(n) if n <= 10 => !all && list == groups(n).iter().map(|mac| mac.octets()).collect::<Vec<_>>(),
            _ => all,
        };
        if !right {
            let groups = self.groups;
            self.violation(format_args!(
                "{operation} succeeded: {groups:?} requested, the chip has {list:x?}, all: {all}"
            ));
        }
    }

    fn check_address(&mut self, operation: Operation) {
        let has = self.testbed.chip.mac_address();
        let requested = self.address.unwrap_or(MAC).octets();
        if has != requested {
            self.violation(format_args!(
                "{operation} succeeded: the address of the chip is {has:x?}"
            ));
        }
    }

    /// Repeats an operation on a working bus: it does its whole work or reports a fault, which
    /// `recover` ends.
    fn repeat(&mut self, operation: Operation) {
        match self.execute(operation, Disturbance::None) {
            Some(Ok(())) => {}
            Some(Err(kind)) if is_refusal(operation, kind) => {}
            Some(Err(ErrorKind::Fault)) => {
                self.recover();
                match self.execute(operation, Disturbance::None) {
                    Some(Err(kind)) if !is_refusal(operation, kind) => {
                        self.violation(format_args!("{operation} after recover failed: {kind:?}"));
                    }
                    _ => {}
                }
            }
            Some(Err(kind)) => self.violation(format_args!("{operation} repeated failed: {kind:?}")),
            None => self.violation(format_args!("{operation} repeated does not return")),
        }
    }

    /// Recovers on a working bus. In half of the cases frames must flow then.
    fn recover(&mut self) {
        let outcome = self.execute(Operation::Recover, Disturbance::None);
        self.results.recoveries += 1;
        if outcome != Some(Ok(())) {
            self.results.failed_recoveries += 1;
            return self.violation(format_args!("recover failed: {outcome:?}"));
        }
        if self.random.bool() {
            self.check_alive();
        }
    }

    /// Starts and joins where necessary, and exchanges frames, on a working bus.
    fn check_alive(&mut self) {
        if self.states != [State::Running] {
            let outcome = self.execute(Operation::Start, Disturbance::None);
            if outcome != Some(Ok(())) {
                return self.violation(format_args!("start failed: {outcome:?}"));
            }
        }
        if self.joined != Some(true) {
            let outcome = self.execute(Operation::Join, Disturbance::None);
            if outcome != Some(Ok(())) {
                return self.violation(format_args!("join failed: {outcome:?}"));
            }
        }
        self.exchange();
    }

    /// Exchanges frames, and compares the counters when none is on its way.
    fn exchange(&mut self) {
        let began = self.now();
        self.results.exchanges += 1;
        let (mut sent, mut received) = (0, 0);
        while sent < PROBES || received < PROBES {
            if self.now() - began > TRAFFIC_LIMIT {
                return self.violation(format_args!(
                    "{sent} frames sent and {received} received in {TRAFFIC_LIMIT:?}, link up: {}",
                    self.is_link_up()
                ));
            }
            if self.is_link_up() {
                self.peer_send();
            }
            let before = self.rx.unique;
            if let Err(e) = self.turn() {
                return self.violation(format_args!("a call failed on a working bus: {e}"));
            }
            received += self.rx.unique - before;
            sent += self.peer_receive();
        }
        let took = self.now() - began;
        self.results.max_silence = self.results.max_silence.max(took);
        for _ in 0..10 {
            if let Err(e) = self.turn() {
                return self.violation(format_args!("a call failed on a working bus: {e}"));
            }
        }
        self.peer_receive();
        self.check_counters();
    }

    /// A turn of an application's loop: service, send, receive.
    fn turn(&mut self) -> Result<(), String> {
        self.testbed.clock.advance(Duration::from_millis(1));
        let serviced = call!(self, None, nic => nic.service()).map(|outcome| outcome.map(drop));
        for outcome in [serviced, self.send(None), self.receive(None)] {
            match outcome {
                Some(Ok(())) => {}
                Some(Err(e)) => return Err(format!("{e:?}")),
                None => return Err("a call does not return".to_owned()),
            }
        }
        Ok(())
    }

    /// Compares the counters of the driver, the model and the harness while no frame is on its way.
    fn check_counters(&mut self) {
        let (driver, model) = (self.stats(), self.testbed.chip.stats());
        let read = model.delivered + model.delivered_corrupted;
        let counted = u64::from(driver.rx_frames) + u64::from(driver.rx_lost());
        // A read that was cut off was that of a frame or of something else.
        if counted.abs_diff(read) > self.cut_off {
            let cut_off = self.cut_off;
            self.violation(format_args!(
                "{read} frames read, {counted} counted, {cut_off} reads cut off: {driver:?}"
            ));
        }
        let delivered = self.rx.unique + self.rx.duplicates + self.rx.corrupt;
        if u64::from(driver.rx_frames) != delivered || self.rx.duplicates + self.rx.corrupt != 0 {
            self.violation(format_args!("received: {}; {driver:?}", self.rx.summary()));
        }
        let accepted = self.tx.accepted..=self.tx.accepted + self.tx_unknown;
        let counted = u64::from(driver.tx_frames) + u64::from(driver.tx_lost());
        if !accepted.contains(&counted) || !accepted.contains(&model.tx_accepted) {
            self.violation(format_args!(
                "{accepted:?} frames accepted, {} in the chip, {driver:?}",
                model.tx_accepted
            ));
        }
        let wrong = self.tx.duplicates + self.tx.corrupt;
        if wrong != 0 || self.tx.unexpected > self.tx_unknown || !model.balanced() {
            self.violation(format_args!("sent: {}; {model:?}", self.tx.summary()));
        }
    }

    fn finish(mut self) -> Management {
        if !self.has_failed() {
            self.recover();
            self.check_alive();
        }
        for violation in self.testbed.chip.violations() {
            self.results.stats.violation(format!("protocol violation: {violation}"));
        }
        let mut results = core::mem::take(&mut self.results);
        let stats = &mut results.stats;
        stats.rx_sent = self.rx.next();
        stats.rx_delivered = self.rx.unique;
        stats.tx_accepted = self.tx.accepted;
        stats.tx_unknown = self.tx_unknown;
        stats.tx_arrived = self.tx.unique;
        stats.tx_unexpected = self.tx.unexpected;
        stats.model = self.testbed.chip.stats();
        stats.driver = self.stats();
        stats.transactions = self.testbed.chip.bus().transactions;
        stats.elapsed = self.now();
        results
    }
}

/// The first groups of the list.
fn groups(count: usize) -> Vec<MacAddress> {
    let group = |n: usize| MacAddress::new([0x01, 0x00, 0x5e, 0, 0, n as u8]);
    (1..=count).map(group).collect()
}
