//! Start, stop, sleep, wake, recover, address and filter: from every state, with a fault at every
//! transaction. After `Ok` the chip is as requested; after an error, a dropped future or a reset, a
//! retry, `recover` or `service` makes it so.

mod support;

use core::cell::Cell;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use enc28j60_model::{ChipConfig, Errata, Revision, SpiFault, ViolationKind};
use ethdev::{
    Control, Error as _, ErrorKind, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress, Multicast,
    Rearm, RearmOutcome, RxFilter, Stats, asynch,
};
use ethdev_enc28j60::asynch::Polled;
use ethdev_enc28j60::{Config, Enc28j60, Error};
use ethdev_sim::{Clock, SimDelay, block_on};
use support::bus::{Fault, Faults, FaultySpi, Lie};
use support::{OWN, Testbed, frame};

const OTHER: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x77]);
const GROUP: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa]);
const GROUPS: RxFilter<'_> = RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP]));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Stopped,
    AsleepRunning,
    AsleepStopped,
}

use State::{AsleepRunning, AsleepStopped, Running, Stopped};

const STATES: [State; 4] = [Running, Stopped, AsleepRunning, AsleepStopped];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Start,
    Stop,
    Sleep,
    Wake,
    Recover,
    Address,
    Filter,
}

const OPS: [Op; 7] = [
    Op::Start,
    Op::Stop,
    Op::Sleep,
    Op::Wake,
    Op::Recover,
    Op::Address,
    Op::Filter,
];

/// The table of `Control`.
const fn after(from: State, op: Op) -> State {
    match (op, from) {
        (Op::Start, _) | (Op::Wake, AsleepRunning) => Running,
        (Op::Stop, _) | (Op::Wake, AsleepStopped) => Stopped,
        (Op::Sleep, Running) => AsleepRunning,
        (Op::Sleep, Stopped) => AsleepStopped,
        (Op::Sleep | Op::Wake | Op::Recover | Op::Address | Op::Filter, from) => from,
    }
}

type Result<T> = core::result::Result<T, Error<SpiFault>>;
type Blocking = Enc28j60<FaultySpi, SimDelay>;
type Async = ethdev_enc28j60::asynch::Enc28j60<FaultySpi, SimDelay, Polled>;

enum Nic {
    Blocking(Box<Blocking>),
    Async(Box<Async>),
}

/// The driver on a bus with faults, and what was requested of it.
struct Dut {
    testbed: Testbed,
    faults: Faults,
    nic: Nic,
    /// How often the next future is polled before it is dropped.
    polls_left: Cell<Option<usize>>,
    address: MacAddress,
    groups: bool,
}

/// Calls a method. `None`: its future was dropped.
macro_rules! call {
    ($dut:expr, $trait:ident, $method:ident($($arg:expr),*)) => {
        match &mut $dut.nic {
            Nic::Blocking(nic) => Some($trait::$method(nic.as_mut(), $($arg),*)),
            Nic::Async(nic) => run(
                &$dut.testbed.clock,
                &$dut.polls_left,
                asynch::$trait::$method(nic.as_mut(), $($arg),*),
            ),
        }
    };
}

impl Dut {
    /// A driver that runs, its link up. `is_async`: the async driver.
    fn new(is_async: bool) -> Self {
        let config = ChipConfig::new(Revision::B7)
            .with_errata(Errata::none())
            .with_link_time(Duration::from_micros(100));
        let testbed = Testbed::new(config);
        let faults = Faults::default();
        let spi = FaultySpi {
            spi: testbed.chip.spi_device(),
            chip: testbed.chip.clone(),
            faults: faults.clone(),
        };
        let (delay, config) = (testbed.chip.delay(), Config::new(OWN));
        let nic = if is_async {
            let new = Async::new(spi, delay, Polled, config);
            Nic::Async(Box::new(block_on(&testbed.clock, new).unwrap().unwrap()))
        } else {
            Nic::Blocking(Box::new(Blocking::new(spi, delay, config).unwrap()))
        };
        let mut dut = Self {
            testbed,
            faults,
            nic,
            polls_left: Cell::new(None),
            address: OWN,
            groups: false,
        };
        dut.wait_for_link();
        dut
    }

    /// The same in this state.
    fn in_state(is_async: bool, state: State) -> Self {
        let mut dut = Self::new(is_async);
        if matches!(state, Stopped | AsleepStopped) {
            dut.op(Op::Stop).unwrap().unwrap();
        }
        if matches!(state, AsleepRunning | AsleepStopped) {
            dut.op(Op::Sleep).unwrap().unwrap();
        }
        dut
    }

    fn op(&mut self, op: Op) -> Option<Result<()>> {
        match op {
            Op::Start => call!(self, Control, start()),
            Op::Stop => call!(self, Control, stop()),
            Op::Sleep => call!(self, Control, sleep()),
            Op::Wake => call!(self, Control, wake()),
            Op::Recover => call!(self, Control, recover()),
            Op::Address => {
                self.address = OTHER;
                call!(self, Control, set_mac_address(OTHER))
            }
            Op::Filter => {
                self.groups = true;
                let outcome = call!(self, Control, set_rx_filter(GROUPS));
                outcome.map(|outcome| outcome.map(|outcome| assert_eq!(outcome, FilterOutcome::Superset)))
            }
        }
    }

    fn service(&mut self) -> Result<Events> {
        call!(self, EthernetDevice, service()).expect("nothing is dropped")
    }

    fn recv(&mut self, buf: &mut [u8]) -> Result<Option<usize>> {
        let received = call!(self, EthernetDevice, recv_frame(buf)).expect("nothing is dropped");
        received.map(|meta| meta.map(|meta| meta.len))
    }

    fn send(&mut self, frame: &[u8]) -> Result<()> {
        call!(self, EthernetDevice, send_vectored(&[frame])).expect("nothing is dropped")
    }

    fn link(&self) -> Link {
        match &self.nic {
            Nic::Blocking(nic) => nic.link(),
            Nic::Async(nic) => asynch::EthernetDevice::link(nic.as_ref()),
        }
    }

    fn stats(&self) -> Stats {
        match &self.nic {
            Nic::Blocking(nic) => nic.stats(),
            Nic::Async(nic) => asynch::EthernetDevice::stats(nic.as_ref()),
        }
    }

    fn reported_address(&self) -> MacAddress {
        match &self.nic {
            Nic::Blocking(nic) => nic.mac_address(),
            Nic::Async(nic) => asynch::EthernetDevice::mac_address(nic.as_ref()),
        }
    }

    fn wait_for_link(&mut self) {
        for _ in 0..20 {
            self.service().unwrap();
            if self.link().is_up() {
                return;
            }
            self.testbed.clock.advance(Duration::from_micros(100));
        }
        panic!("the link does not come up");
    }

    /// The state of the chip, read without the driver.
    fn chip_state(&self) -> &'static str {
        let chip = &self.testbed.chip;
        let (econ1, econ2) = (chip.peek(0, 0x1f), chip.peek(0, 0x1e));
        match (econ1 & 0xc4, econ2 & 0x20) {
            (0x04, 0) => "receives",
            (0x00, 0) => "quiet",
            (0x00, 0x20) => "sleeps",
            _ => "undefined",
        }
    }

    /// Whether the chip has the address and the filter that were requested.
    fn chip_is_configured(&self) -> bool {
        let chip = &self.testbed.chip;
        let address = [4, 5, 2, 3, 0, 1].map(|register| chip.peek(3, register));
        let hash: Vec<u8> = (0..8).map(|register| chip.peek(1, register)).collect();
        // Unicast, FCS, broadcast; the hash table with bit 28.
        let (filter, bits) = if self.groups {
            (0xa5, 1 << 28_u64)
        } else {
            (0xa1, 0_u64)
        };
        address == self.address.octets()
            && chip.peek(1, 0x18) == filter
            && (!self.groups || hash == bits.to_le_bytes())
            && (chip.peek(0, 0x0a), chip.peek(0, 0x0b)) == (0xff, 0x13)
    }

    /// Checks that the chip is in `state`, and that the driver says so.
    #[track_caller]
    fn assert_state(&mut self, state: State, what: &str) {
        let expected = match state {
            Running => "receives",
            Stopped => "quiet",
            AsleepRunning | AsleepStopped => "sleeps",
        };
        assert_eq!(self.chip_state(), expected, "{what}");
        assert_eq!(self.reported_address(), self.address, "{what}");
        if state == Running {
            assert!(self.chip_is_configured(), "{what}");
        } else {
            assert_eq!(self.link(), Link::Down, "{what}");
            let refused = self.send(&frame(1, 60)).map_err(|e| e.kind());
            assert_eq!(refused, Err(ErrorKind::Stopped), "{what}");
            assert_eq!(self.recv(&mut [0; 1514]), Ok(None), "{what}");
        }
    }

    /// Starts the device and passes a frame each way, and one to the group.
    #[track_caller]
    fn assert_works_after_start(&mut self, what: &str) {
        self.op(Op::Start)
            .unwrap()
            .unwrap_or_else(|e| panic!("{what}: start: {e}"));
        self.assert_state(Running, what);
        self.wait_for_link();
        let mut buf = [0; 1514];
        while self.recv(&mut buf).unwrap().is_some() {}
        while self.testbed.peer.recv().is_some() {}
        let there = |to: MacAddress, n| {
            let mut frame = frame(n, 80);
            frame[..6].copy_from_slice(&to.octets());
            frame
        };
        let stranger = if self.address == OWN { OTHER } else { OWN };
        self.testbed
            .arrive([there(stranger, 1), there(GROUP, 2), there(self.address, 3)]);
        let mut got = vec![];
        while let Some(len) = self.recv(&mut buf).unwrap() {
            got.push(buf[..len].to_vec());
        }
        let mut expected = vec![there(self.address, 3)];
        if self.groups {
            expected.insert(0, there(GROUP, 2));
        }
        assert_eq!(got, expected, "{what}");
        self.send(&frame(9, 100)).unwrap();
        self.testbed.clock.advance(Duration::from_millis(1));
        self.service().unwrap();
        assert_eq!(self.testbed.peer.recv(), Some(frame(9, 100)), "{what}");
    }

    /// Two frames that wait, and one that was sent.
    fn load(&mut self) {
        self.testbed.arrive([frame(21, 70), frame(22, 61)]);
        self.send(&frame(23, 90)).unwrap();
    }

    /// Checks that each frame of `load` was counted once.
    #[track_caller]
    fn assert_load_counted(&mut self, before: &Stats, exact: bool, what: &str) {
        let (mut buf, mut delivered) = ([0; 1514], 0);
        while let Ok(Some(_)) = self.recv(&mut buf) {
            delivered += 1;
        }
        self.testbed.clock.advance(Duration::from_millis(1));
        self.service().unwrap();
        let stats = self.stats().delta_since(before);
        let sent = std::iter::from_fn(|| self.testbed.peer.recv()).count() as u32;
        assert_eq!(stats.tx_frames + stats.tx_lost(), 1, "{what}: {stats:?}");
        assert!(stats.tx_frames <= sent, "{what}: counted as sent, not sent: {stats:?}");
        assert_eq!(stats.rx_frames, delivered, "{what}");
        if exact {
            assert_eq!(delivered + stats.rx_lost(), 2, "{what}: {stats:?}");
        } else {
            // A reset clears EPKTCNT: one at least is counted.
            assert!(delivered == 2 || stats.rx_reset >= 1, "{what}: {stats:?}");
        }
    }
}

#[test]
fn every_op_from_every_state_follows_table() {
    for is_async in [false, true] {
        for from in STATES {
            for op in OPS {
                let what = format!("{from:?}, {op:?}, async {is_async}");
                let mut dut = Dut::in_state(is_async, from);
                dut.assert_state(from, &what);
                for _ in 0..2 {
                    dut.op(op).unwrap().unwrap();
                    dut.assert_state(after(from, op), &what);
                    dut.service().unwrap();
                    dut.assert_state(after(from, op), &what);
                }
                assert_eq!(dut.stats().faults, 0, "{what}");
                dut.assert_works_after_start(&what);
                dut.testbed.assert_no_violations();
            }
        }
    }
}

#[test]
fn start_and_wake_of_running_device_keep_pending_frames() {
    for op in [Op::Start, Op::Wake, Op::Address, Op::Filter] {
        let mut dut = Dut::new(false);
        dut.testbed.arrive([frame(1, 70), frame(2, 80)]);
        dut.op(op).unwrap().unwrap();
        let mut buf = [0; 1514];
        assert_eq!(dut.recv(&mut buf), Ok(Some(70)), "{op:?}");
        assert_eq!(dut.recv(&mut buf), Ok(Some(80)), "{op:?}");
        assert_eq!(dut.stats().rx_lost(), 0, "{op:?}");
        dut.testbed.assert_no_violations();
    }
}

/// Frames that arrive while the call runs are counted or delivered as well: the chip counts what it
/// stored.
#[test]
fn frames_arriving_during_call_are_counted() {
    for op in [Op::Recover, Op::Stop, Op::Sleep, Op::Filter] {
        for offset in (0..600).step_by(7) {
            let mut dut = Dut::new(false);
            let before = dut.testbed.chip.stats().received;
            for n in 0..30 {
                dut.testbed.peer.send(&frame(n, 60 + n as usize % 7));
            }
            dut.testbed.clock.advance(Duration::from_micros(offset));
            dut.op(op).unwrap().unwrap();
            dut.testbed.clock.advance(Duration::from_millis(4));
            dut.op(Op::Start).unwrap().unwrap();
            let mut buf = [0; 1514];
            while dut.recv(&mut buf).unwrap().is_some() {}
            let stored = dut.testbed.chip.stats().received - before;
            let stats = dut.stats();
            let counted = u64::from(stats.rx_frames + stats.rx_lost());
            assert_eq!(counted, stored, "{op:?} after {offset} us: {stats:?}");
        }
    }
}

/// What ends a fault.
#[derive(Debug, Clone, Copy)]
enum Cure {
    Retry,
    Recover,
    Service,
    /// `stop` and `start`.
    Restart,
}

const CURES: [Cure; 4] = [Cure::Retry, Cure::Recover, Cure::Service, Cure::Restart];

/// Makes one call with a fault at the `n`-th transaction. Returns whether it got that far.
fn one(is_async: bool, from: State, op: Op, fault: Fault, n: u32, cure: Cure) -> bool {
    let what = format!("{from:?}, {op:?}, {fault:?} at {n}, {cure:?}, async {is_async}");
    let mut dut = Dut::in_state(is_async, from);
    // The bus cuts off instructions, not the driver.
    dut.testbed.chip.allow_violation(ViolationKind::Incomplete);
    dut.testbed.chip.allow_violation(ViolationKind::ShortHold);
    let before = dut.stats();
    if from == Running {
        dut.load();
    }
    dut.faults.set(n, fault);
    let result = dut.op(op);
    if !dut.faults.end() {
        assert!(matches!(result, Some(Ok(()))), "{what}: {result:?}");
        dut.assert_state(after(from, op), &what);
        return false;
    }
    let is_reset = matches!(fault, Fault::Reset | Fault::Brownout);
    if !is_reset {
        assert!(matches!(result, None | Some(Err(Error::Spi(_)))), "{what}: {result:?}");
    }
    if let Some(Ok(())) = result {
        dut.assert_state(after(from, op), &what);
    } else {
        let state = match cure {
            Cure::Retry => {
                let retried = dut.op(op).unwrap();
                retried.unwrap_or_else(|e| panic!("{what}: retry: {e}"));
                after(from, op)
            }
            Cure::Recover => {
                let recovered = dut.op(Op::Recover).unwrap();
                recovered.unwrap_or_else(|e| panic!("{what}: recover: {e}"));
                // The state that was reached last.
                from
            }
            Cure::Service => {
                dut.service().unwrap_or_else(|e| panic!("{what}: service: {e}"));
                from
            }
            Cure::Restart => {
                dut.op(Op::Stop).unwrap().unwrap();
                dut.op(Op::Start).unwrap().unwrap();
                Running
            }
        };
        dut.assert_state(state, &what);
    }
    if from == Running {
        dut.assert_load_counted(&before, !is_reset, &what);
    }
    dut.assert_works_after_start(&what);
    dut.testbed.assert_no_violations();
    true
}

/// Bounds the number of runs: each of the first transactions, then every `STEP`-th.
const ALL_BELOW: u32 = 14;
const STEP: usize = 11;

fn every_transaction(is_async: bool, faults: &[Fault]) {
    for (row, from) in STATES.into_iter().enumerate() {
        for (column, op) in OPS.into_iter().enumerate() {
            for (nth, fault) in faults.iter().enumerate() {
                let later = (ALL_BELOW..).skip(row + column + nth).step_by(STEP);
                for (turn, n) in (0..ALL_BELOW).chain(later).enumerate() {
                    if !one(is_async, from, op, *fault, n, CURES[turn % CURES.len()]) {
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn bus_failure_at_any_transaction_is_error_and_retry_works() {
    every_transaction(false, &[Fault::FailBefore, Fault::FailAfter]);
}

#[test]
fn chip_reset_at_any_transaction_is_noticed() {
    every_transaction(false, &[Fault::Reset, Fault::Brownout]);
}

#[test]
fn future_dropped_at_any_transaction_has_no_silent_effect() {
    every_transaction(true, &[Fault::DropBefore, Fault::DropAfter]);
}

#[test]
fn async_bus_failure_or_reset_at_any_transaction_is_noticed() {
    every_transaction(true, &[Fault::FailAfter, Fault::Reset]);
}

/// The same at any poll: in the middle of a transaction, and in a delay.
#[test]
fn future_dropped_at_any_poll_has_no_silent_effect() {
    for (from, op, step) in [
        (Running, Op::Filter, 1),
        (Running, Op::Address, 1),
        (Running, Op::Sleep, 1),
        (Running, Op::Recover, 7),
        (AsleepRunning, Op::Wake, 7),
        (Stopped, Op::Start, 7),
    ] {
        let mut turn = 0;
        while drop_at_poll(from, op, turn * step + turn % step) {
            turn += 1;
        }
        assert!(turn > 50, "{from:?}, {op:?}: {turn}");
    }
}

fn drop_at_poll(from: State, op: Op, n: usize) -> bool {
    let what = format!("{from:?}, {op:?} dropped at poll {n}");
    let mut dut = Dut::in_state(true, from);
    dut.testbed.chip.allow_violation(ViolationKind::Incomplete);
    dut.testbed.chip.allow_violation(ViolationKind::ShortHold);
    let before = dut.stats();
    if from == Running {
        dut.load();
    }
    dut.polls_left.set(Some(n));
    let result = dut.op(op);
    dut.polls_left.set(None);
    let dropped = result.is_none();
    if dropped {
        dut.op(op).unwrap().unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    dut.assert_state(after(from, op), &what);
    if from == Running {
        dut.assert_load_counted(&before, true, &what);
    }
    dut.assert_works_after_start(&what);
    dut.testbed.assert_no_violations();
    dropped
}

/// Runs a call to its end, or drops it when it was polled so often.
fn run<T>(clock: &Clock, polls_left: &Cell<Option<usize>>, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let limited = poll_fn(|cx| match polls_left.get() {
        Some(0) => Poll::Ready(None),
        left => {
            polls_left.set(left.map(|left| left - 1));
            call.as_mut().poll(cx).map(Some)
        }
    });
    block_on(clock, limited).ok().flatten()
}

/// A bus that does not deliver the answers of the chip.
#[test]
fn lying_bus_is_error_and_retry_works() {
    let lies = [Lie::Constant(0x00), Lie::Constant(0xff), Lie::Noise, Lie::Stale];
    for from in STATES {
        for op in OPS {
            for lie in lies {
                for seed in 0..if lie == Lie::Noise { 20 } else { 1 } {
                    let what = format!("{from:?}, {op:?}, {lie:?}, seed {seed}");
                    let mut dut = Dut::in_state(false, from);
                    let transactions = dut.faults.transactions();
                    dut.faults.lie(lie, seed);
                    let result = dut.op(op).unwrap();
                    dut.faults.end();
                    let used_bus = dut.faults.transactions() > transactions;
                    assert_eq!(result.is_err(), used_bus, "{what}: {result:?}");
                    if used_bus {
                        dut.op(op).unwrap().unwrap_or_else(|e| panic!("{what}: {e}"));
                    }
                    dut.assert_state(after(from, op), &what);
                    dut.assert_works_after_start(&what);
                }
            }
        }
    }
}

/// The chip resets itself inside a setter: the receiver, which the setter turns on, would make it
/// look alive. The next frame has to go out, and the next one to come in.
#[test]
fn chip_reset_in_setter_loses_no_frame_afterwards() {
    for op in [Op::Address, Op::Filter] {
        let mut n = 0;
        loop {
            let mut dut = Dut::new(false);
            dut.faults.set(n, Fault::Reset);
            dut.op(op).unwrap().unwrap();
            if !dut.faults.end() {
                break;
            }
            assert_eq!((dut.stats().faults, dut.stats().recoveries), (1, 1), "{op:?} at {n}");
            assert!(dut.service().unwrap().recovered, "{op:?} at {n}");
            dut.assert_works_after_start(&format!("{op:?} at {n}"));
            n += 1;
        }
        assert!(n > 20, "{op:?}: {n} transactions");
    }
}

/// A fault is counted once, however often the repair fails.
#[test]
fn fault_that_lasts_is_counted_once() {
    let mut dut = Dut::new(false);
    dut.faults.lie(Lie::Constant(0), 0);
    for _ in 0..5 {
        assert!(dut.service().is_err());
        assert_eq!(dut.recv(&mut [0; 1514]).map_err(|e| e.kind()), Err(ErrorKind::Fault));
        assert_eq!(dut.send(&frame(1, 60)).map_err(|e| e.kind()), Err(ErrorKind::Fault));
    }
    assert_eq!((dut.stats().faults, dut.stats().recoveries), (1, 0));
    dut.faults.end();
    assert!(dut.service().unwrap().recovered);
    assert_eq!((dut.stats().faults, dut.stats().recoveries), (1, 1));
}

/// Frames do not move between a call that failed and what ends the fault.
#[test]
fn call_that_failed_leaves_device_in_fault() {
    for (from, op) in [
        (Running, Op::Address),
        (Running, Op::Filter),
        (Running, Op::Stop),
        (Running, Op::Sleep),
        (Running, Op::Recover),
        (Stopped, Op::Sleep),
        (Stopped, Op::Start),
        (AsleepRunning, Op::Wake),
    ] {
        for n in [4, 5, 6, 20] {
            let what = format!("{from:?}, {op:?} at {n}");
            let mut dut = Dut::in_state(false, from);
            dut.faults.set(n, Fault::FailAfter);
            dut.op(op).unwrap().unwrap_err();
            let fault = Err(ErrorKind::Fault);
            assert_eq!(
                dut.recv(&mut [0; 60]).map_err(|e| e.kind()),
                fault.map(|()| None),
                "{what}"
            );
            assert_eq!(dut.send(&frame(1, 60)).map_err(|e| e.kind()), fault, "{what}");
            assert!(dut.service().unwrap().recovered, "{what}");
            assert_eq!((dut.stats().faults, dut.stats().recoveries), (1, 1), "{what}");
            dut.assert_state(from, &what);
        }
    }
}

/// A transaction that does not reach the chip, and no error: what was not executed is noticed.
#[test]
fn swallowed_transaction_is_noticed() {
    for (from, op) in [
        (Running, Op::Stop),
        (Running, Op::Sleep),
        (Stopped, Op::Sleep),
        (Running, Op::Filter),
        (Running, Op::Address),
        (Running, Op::Recover),
        (Stopped, Op::Start),
    ] {
        for n in 0.. {
            let what = format!("{from:?}, {op:?}, {n} swallowed");
            let mut dut = Dut::in_state(false, from);
            let began = dut.testbed.clock.now();
            dut.faults.set(n, Fault::Swallow);
            let result = dut.op(op).unwrap();
            let happened = dut.faults.end();
            if result.is_err() {
                dut.op(op).unwrap().unwrap_or_else(|e| panic!("{what}: {e}"));
            }
            dut.assert_state(after(from, op), &what);
            if matches!(op, Op::Recover | Op::Start) {
                assert!(dut.testbed.chip.last_reset() > began, "{what}: not reset");
            }
            if !happened {
                break;
            }
        }
    }
}

/// A frame that is over when the device is stopped was sent, and the one that waits is reported.
#[test]
fn stop_counts_frame_that_is_over_as_sent() {
    let mut dut = Dut::new(false);
    dut.send(&frame(1, 60)).unwrap();
    dut.testbed.arrive([frame(2, 60)]);
    dut.testbed.clock.advance(Duration::from_millis(1));
    dut.op(Op::Stop).unwrap().unwrap();
    let stats = dut.stats();
    assert_eq!((stats.tx_frames, stats.tx_reset, stats.rx_reset), (1, 0, 1));
    let events = dut.service().unwrap();
    assert!(events.rx_dropped && events.link_changed);
    assert_eq!((events.tx_completed, events.tx_failed), (1, 0));
}

/// What was armed stays armed: the host that sleeps does not know that the chip was reset.
#[test]
fn recover_and_repair_keep_interrupt_armed() {
    for op in [Op::Recover, Op::Filter] {
        let mut dut = Dut::new(false);
        let Nic::Blocking(nic) = &mut dut.nic else {
            unreachable!()
        };
        while nic.rearm(Interest::RX).unwrap() == RearmOutcome::WorkPending {
            nic.service().unwrap();
        }
        dut.faults.set(5, Fault::Reset);
        dut.op(op).unwrap().unwrap();
        dut.faults.end();
        dut.testbed.clock.advance(Duration::from_millis(1));
        let mut pin = dut.testbed.chip.int_pin();
        dut.testbed.arrive([{
            let mut frame = frame(1, 60);
            frame[..6].copy_from_slice(&dut.address.octets());
            frame
        }]);
        assert_eq!(embedded_hal::digital::InputPin::is_low(&mut pin), Ok(true), "{op:?}");
    }
}

/// Events report the frames that a stop gives up, and keep the ones that were sent before it.
#[test]
fn stop_reports_completed_and_failed_frames() {
    let mut dut = Dut::new(false);
    dut.send(&frame(1, 60)).unwrap();
    dut.testbed.clock.advance(Duration::from_millis(1));
    dut.send(&frame(2, 1500)).unwrap();
    dut.send(&frame(3, 1500)).unwrap();
    dut.op(Op::Stop).unwrap().unwrap();
    dut.op(Op::Start).unwrap().unwrap();
    let events = dut.service().unwrap();
    assert_eq!((events.tx_completed, events.tx_failed), (1, 2));
    assert_eq!((dut.stats().tx_frames, dut.stats().tx_reset), (1, 2));
}
