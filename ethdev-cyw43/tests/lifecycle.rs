//! Start, stop, sleep, wake, recovery and settings: the table of `Control`, and calls that fail or
//! are dropped at any point. Blocking and async.

mod support;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use cyw43439_model::{self as model, ChipConfig, ChipFaults, DataLine, Fault, PowerPin, ViolationKind};
use ethdev::{Error as _, ErrorKind, Events, FilterOutcome, MacAddress, Multicast, RxFilter, Stats};
use ethdev_cyw43::{
    ApConfig, Config, Country, Error, FirmwareImages, Network, PowerSave, ReconnectPolicy, Scan, ScanOptions, asynch,
};
use ethdev_sim::{SimDelay, block_on};
use support::*;

type AsyncNic = asynch::Cyw43<'static, Host, PowerPin, SimDelay, FirmwareImages<'static>>;

const NEW: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x44]);
const GROUPS: [MacAddress; 2] = [
    MacAddress::new([1, 0, 0x5e, 0, 0, 0xfb]),
    MacAddress::new([0x33, 0x33, 0, 0, 0, 1]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Start,
    Stop,
    Sleep,
    Wake,
    Recover,
    Address,
    Filter,
    PowerSave,
    Country,
    Join,
    Disconnect,
    StartAp,
    StopAp,
    Scan,
}

const ALL: [Op; 14] = [
    Op::Start,
    Op::Stop,
    Op::Sleep,
    Op::Wake,
    Op::Recover,
    Op::Address,
    Op::Filter,
    Op::PowerSave,
    Op::Country,
    Op::Join,
    Op::Disconnect,
    Op::StartAp,
    Op::StopAp,
    Op::Scan,
];

fn network() -> Network {
    Network::wpa2(SSID, PASSPHRASE).unwrap()
}

fn own_network() -> ApConfig {
    ApConfig::new(Network::wpa2("pico", PASSPHRASE).unwrap(), 3).unwrap()
}

/// Runs an operation; `$await` is nothing, or `.await`.
macro_rules! run {
    ($nic:expr, $op:expr, $($await:tt)*) => {
        match $op {
            Op::Start => $nic.start()$($await)*,
            Op::Stop => $nic.stop()$($await)*,
            Op::Sleep => $nic.sleep()$($await)*,
            Op::Wake => $nic.wake()$($await)*,
            Op::Recover => $nic.recover()$($await)*,
            Op::Address => $nic.set_mac_address(NEW)$($await)*,
            Op::Filter => {
                let filter = RxFilter::DEFAULT.with_multicast(Multicast::List(&GROUPS));
                $nic.set_rx_filter(filter)$($await)*.map(|outcome| assert_eq!(outcome, FilterOutcome::Exact))
            }
            Op::PowerSave => $nic.set_power_save(PowerSave::Aggressive)$($await)*,
            Op::Country => $nic.set_country(Country::new("DE").unwrap())$($await)*,
            Op::Join => $nic.join(&network())$($await)*,
            Op::Disconnect => $nic.disconnect()$($await)*,
            Op::StartAp => $nic.start_ap(&own_network())$($await)*,
            Op::StopAp => $nic.stop_ap()$($await)*,
            Op::Scan => {
                let mut found = 0;
                let result = $nic.scan(&ScanOptions::new(), |_| found += 1)$($await)*;
                assert!(result.is_err() || found > 0, "nothing found");
                result
            }
        }
    };
}

/// Both drivers, as far as the tests need them.
trait Device: Sized {
    fn new(testbed: &Testbed) -> Self;
    fn call(&mut self, testbed: &Testbed, op: Op) -> Result<(), NicError>;
    fn service(&mut self, testbed: &Testbed) -> Result<Events, NicError>;
    fn recv(&mut self, testbed: &Testbed) -> Result<Option<Vec<u8>>, NicError>;
    fn send(&mut self, testbed: &Testbed, frame: &[u8]) -> Result<(), NicError>;
    fn variable(&mut self, testbed: &Testbed, name: &str) -> u32;
    fn is_up(&self) -> bool;
    fn mac(&self) -> MacAddress;
    fn stats(&self) -> Stats;
}

fn config() -> Config {
    let policy = ReconnectPolicy::PERSISTENT.with_delays(Duration::from_millis(5), Duration::from_millis(20));
    Config::new()
        .with_power_save(PowerSave::Off)
        .with_reconnect(policy)
        .with_join_timeout(Duration::from_secs(2))
        .with_watchdog_polls(8)
}

impl Device for Nic {
    fn new(testbed: &Testbed) -> Self {
        testbed.nic(config())
    }

    fn call(&mut self, _: &Testbed, op: Op) -> Result<(), NicError> {
        use ethdev::Control as _;
        run!(self, op,)
    }

    fn service(&mut self, _: &Testbed) -> Result<Events, NicError> {
        ethdev::EthernetDevice::service(self)
    }

    fn recv(&mut self, _: &Testbed) -> Result<Option<Vec<u8>>, NicError> {
        let mut buf = vec![0; 1514];
        let meta = ethdev::EthernetDevice::recv_frame(self, &mut buf)?;
        Ok(meta.map(|meta| buf[..meta.len].to_vec()))
    }

    fn send(&mut self, _: &Testbed, frame: &[u8]) -> Result<(), NicError> {
        ethdev::EthernetDevice::send_frame(self, frame)
    }

    fn variable(&mut self, _: &Testbed, name: &str) -> u32 {
        let mut value = [0; 4];
        self.iovar_get(name, &[], &mut value).unwrap();
        u32::from_le_bytes(value)
    }

    fn is_up(&self) -> bool {
        ethdev::EthernetDevice::link(self).is_up()
    }

    fn mac(&self) -> MacAddress {
        ethdev::EthernetDevice::mac_address(self)
    }

    fn stats(&self) -> Stats {
        ethdev::EthernetDevice::stats(self)
    }
}

async fn run_async(nic: &mut AsyncNic, op: Op) -> Result<(), NicError> {
    use ethdev::asynch::Control as _;
    run!(nic, op, .await)
}

impl Device for AsyncNic {
    fn new(testbed: &Testbed) -> Self {
        let (host, power, delay) = (
            Host(testbed.chip.word_bus()),
            testbed.chip.power_pin(),
            testbed.chip.delay(),
        );
        let memory = Box::leak(vec![0; 4096].into_boxed_slice());
        asynch::Cyw43::new(host, power, delay, testbed.blobs.images(), memory, config()).unwrap()
    }

    fn call(&mut self, testbed: &Testbed, op: Op) -> Result<(), NicError> {
        block_on(&testbed.clock, run_async(self, op)).expect("the future never completes")
    }

    fn service(&mut self, testbed: &Testbed) -> Result<Events, NicError> {
        block_on(&testbed.clock, ethdev::asynch::EthernetDevice::service(self)).unwrap()
    }

    fn recv(&mut self, testbed: &Testbed) -> Result<Option<Vec<u8>>, NicError> {
        let mut buf = vec![0; 1514];
        let receive = ethdev::asynch::EthernetDevice::recv_frame(self, &mut buf);
        let meta = block_on(&testbed.clock, receive).unwrap()?;
        Ok(meta.map(|meta| buf[..meta.len].to_vec()))
    }

    fn send(&mut self, testbed: &Testbed, frame: &[u8]) -> Result<(), NicError> {
        let parts = [frame];
        block_on(
            &testbed.clock,
            ethdev::asynch::EthernetDevice::send_vectored(self, &parts),
        )
        .unwrap()
    }

    fn variable(&mut self, testbed: &Testbed, name: &str) -> u32 {
        let mut value = [0; 4];
        block_on(&testbed.clock, self.iovar_get(name, &[], &mut value))
            .unwrap()
            .unwrap();
        u32::from_le_bytes(value)
    }

    fn is_up(&self) -> bool {
        ethdev::asynch::EthernetDevice::link(self).is_up()
    }

    fn mac(&self) -> MacAddress {
        ethdev::asynch::EthernetDevice::mac_address(self)
    }

    fn stats(&self) -> Stats {
        ethdev::asynch::EthernetDevice::stats(self)
    }
}

/// A device before an operation: joined, unless the operation needs another state.
fn prepared<D: Device>(op: Op, fresh: bool) -> (Testbed, D) {
    prepare(Testbed::small(), op, fresh)
}

fn prepare<D: Device>(testbed: Testbed, op: Op, fresh: bool) -> (Testbed, D) {
    testbed.chip.allow_violation(ViolationKind::CutOff);
    let mut nic = D::new(&testbed);
    if fresh {
        return (testbed, nic);
    }
    let before: &[Op] = match op {
        Op::Start => &[Op::Start, Op::Join, Op::Stop],
        Op::Wake => &[Op::Start, Op::Join, Op::Sleep],
        Op::Join => &[Op::Start],
        Op::StopAp => &[Op::Start, Op::StartAp],
        _ => &[Op::Start, Op::Join],
    };
    for &op in before {
        nic.call(&testbed, op).unwrap();
    }
    (testbed, nic)
}

fn wait_link<D: Device>(testbed: &Testbed, nic: &mut D, what: &str) {
    for _ in 0..1000 {
        nic.service(testbed).unwrap_or_else(|e| panic!("{what}: {e}"));
        if nic.is_up() {
            return;
        }
        testbed.pass(2);
    }
    panic!("{what}: no link");
}

/// A frame each way.
fn frames_cross<D: Device>(testbed: &Testbed, nic: &mut D, what: &str) {
    testbed.pass(5);
    while nic.recv(testbed).unwrap_or_else(|e| panic!("{what}: {e}")).is_some() {}
    while testbed.station.recv().is_some() {}
    let own = nic.mac().octets();
    let mut frame = vec![0x5a; 300];
    frame[..6].copy_from_slice(&own);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    testbed.station.send(&frame);
    // A radio that sleeps receives with the next beacon.
    let received = (0..60).find_map(|_| {
        testbed.pass(3);
        nic.recv(testbed).unwrap_or_else(|e| panic!("{what}: {e}"))
    });
    assert!(
        received.as_ref() == Some(&frame),
        "{what}: received {:?}",
        received.map(|f| f.len())
    );
    frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[6..12].copy_from_slice(&own);
    nic.send(testbed, &frame).unwrap_or_else(|e| panic!("{what}: {e}"));
    testbed.pass(3);
    let sent = testbed.station.recv();
    assert!(
        sent.as_ref() == Some(&frame),
        "{what}: sent {:?}",
        sent.map(|f| f.len())
    );
}

/// The operation has its whole effect.
fn check_effect<D: Device>(testbed: &Testbed, nic: &mut D, op: Op, joined: bool, what: &str) {
    nic.service(testbed)
        .unwrap_or_else(|e| panic!("{what}: Ok, and then {e}"));
    match op {
        Op::Stop => {
            assert!(!nic.is_up());
            assert_eq!(kind(nic.send(testbed, &[0; 60])), ErrorKind::Stopped, "{what}");
            assert!(testbed.chip.association().is_none(), "{what}: still associated");
            nic.call(testbed, Op::Start).unwrap();
        }
        Op::Sleep => {
            assert_eq!(testbed.chip.boot(), model::Boot::Off, "{what}");
            assert_eq!(kind(nic.send(testbed, &[0; 60])), ErrorKind::Stopped, "{what}");
            nic.call(testbed, Op::Wake).unwrap();
        }
        Op::Address => assert_eq!(nic.mac(), NEW),
        Op::Filter => {
            assert_eq!(testbed.chip.multicast_list(), GROUPS.map(MacAddress::octets), "{what}");
        }
        Op::PowerSave => {
            assert_eq!(nic.variable(testbed, "pm2_sleep_ret"), 2000, "{what}");
        }
        Op::Disconnect => {
            for _ in 0..20 {
                testbed.pass(10);
                nic.service(testbed).unwrap();
            }
            assert!(!nic.is_up(), "{what}");
            assert!(testbed.chip.association().is_none(), "{what}");
            nic.call(testbed, Op::Join).unwrap();
        }
        Op::StartAp => {
            assert!(nic.is_up(), "{what}");
            assert_eq!(testbed.chip.soft_ap(), Some((b"pico".to_vec(), 3)), "{what}");
            assert!(
                testbed.chip.connect_client([2, 0, 0, 0, 0, 0x77], Some(PASSPHRASE)),
                "{what}"
            );
            return;
        }
        Op::StopAp => {
            assert!(!nic.is_up(), "{what}");
            assert_eq!(testbed.chip.soft_ap(), None, "{what}");
            nic.call(testbed, Op::Join).unwrap();
        }
        _ => {}
    }
    if !joined {
        nic.call(testbed, Op::Join).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    wait_link(testbed, nic, what);
    frames_cross(testbed, nic, what);
}

/// After a call that failed or was dropped: the same call again has its whole effect, or is a fault
/// that `recover` ends.
fn check_retry<D: Device>(testbed: &Testbed, nic: &mut D, op: Op, joined: bool, what: &str) {
    let requests = testbed.chip.bus().ioctls;
    let result = nic.call(testbed, op);
    if result.is_ok() && matches!(op, Op::Country | Op::PowerSave | Op::Filter) {
        assert!(testbed.chip.bus().ioctls > requests, "{what}: Ok without a request");
    }
    if let Err(e) = result {
        assert_eq!(e.kind(), ErrorKind::Fault, "{what}: {e}");
        nic.call(testbed, Op::Recover)
            .unwrap_or_else(|e| panic!("{what}: recover: {e}"));
        nic.call(testbed, op)
            .unwrap_or_else(|e| panic!("{what}: after recover: {e}"));
    }
    check_effect(testbed, nic, op, joined, what);
}

/// The first and last 12 numbers, and some between.
fn sample(count: u64) -> impl Iterator<Item = u64> {
    (0..count).filter(move |&n| n < 12 || n + 12 >= count || n % 19 == 3)
}

fn each_bus_failure(op: Op, fresh: bool) {
    let (testbed, mut nic) = prepared::<Nic>(op, fresh);
    let before = testbed.chip.bus().transactions;
    nic.call(&testbed, op).unwrap();
    let count = testbed.chip.bus().transactions - before;
    check_effect(&testbed, &mut nic, op, !fresh, &format!("{op:?}"));
    let mut failed = 0;
    for n in sample(count) {
        let (testbed, mut nic) = prepared::<Nic>(op, fresh);
        testbed.chip.fail_bus_at(n);
        let what = format!("{op:?}, failure {n} of {count}");
        match nic.call(&testbed, op) {
            // What fails is not needed for the effect.
            Ok(()) => check_effect(&testbed, &mut nic, op, !fresh, &what),
            Err(e) => {
                failed += 1;
                assert!(matches!(e, Error::Bus(_)), "{what}: {e}");
                check_retry(&testbed, &mut nic, op, !fresh, &what);
            }
        }
    }
    assert!(failed > 0 || count == 0, "{op:?}: no failure of {count} was reported");
}

/// Polls a future `polls` times at most, and drops it. Returns whether it was complete, and how
/// often it was polled.
fn poll_and_drop(testbed: &Testbed, future: impl Future, polls: u64) -> (bool, u64) {
    let mut future = pin!(future);
    for n in 0..polls {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return (true, n);
        }
        if let Some(next) = testbed.clock.next_event() {
            testbed.clock.advance_to(next);
        }
    }
    (false, polls)
}

fn each_dropped_future(op: Op, fresh: bool) {
    let (testbed, mut nic) = prepared::<AsyncNic>(op, fresh);
    let (complete, count) = poll_and_drop(&testbed, run_async(&mut nic, op), 100_000);
    assert!(complete, "{op:?}");
    for n in sample(count) {
        let (testbed, mut nic) = prepared::<AsyncNic>(op, fresh);
        let what = format!("{op:?}, dropped at {n} of {count}");
        let (complete, _) = poll_and_drop(&testbed, run_async(&mut nic, op), n);
        assert!(!complete, "{what}");
        check_retry(&testbed, &mut nic, op, !fresh, &what);
    }
}

/// All sequences of three transitions, against the table of `Control`.
fn each_sequence<D: Device>(fresh: bool) {
    let transitions = [Op::Start, Op::Stop, Op::Sleep, Op::Wake, Op::Recover];
    for n in 0..transitions.len().pow(3) {
        let sequence = [n / 25, n / 5 % 5, n % 5].map(|n| transitions[n]);
        let (testbed, mut nic) = prepared::<D>(Op::Stop, fresh);
        let (mut running, mut asleep) = (!fresh, false);
        for (step, op) in sequence.into_iter().enumerate() {
            let what = format!("{sequence:?}, step {step}, fresh {fresh}");
            nic.call(&testbed, op).unwrap_or_else(|e| panic!("{what}: {e}"));
            match op {
                Op::Start => (running, asleep) = (true, false),
                Op::Stop => (running, asleep) = (false, false),
                Op::Sleep => asleep = true,
                Op::Wake => asleep = false,
                _ => {}
            }
            nic.service(&testbed).unwrap_or_else(|e| panic!("{what}: {e}"));
            let sent = nic.send(&testbed, &[0; 60]);
            if running && !asleep {
                assert!(sent.is_ok() || kind(sent) == ErrorKind::LinkDown, "{what}");
                assert_eq!(testbed.chip.boot(), model::Boot::Running, "{what}");
            } else {
                assert_eq!(kind(sent), ErrorKind::Stopped, "{what}");
                assert!(!nic.is_up(), "{what}");
                assert!(testbed.chip.association().is_none(), "{what}");
            }
            if asleep {
                assert_eq!(testbed.chip.boot(), model::Boot::Off, "{what}");
            }
        }
        let recoveries = sequence.iter().filter(|&&op| op == Op::Recover).count();
        assert_eq!(nic.stats().recoveries, recoveries as u32);
        if !fresh {
            let what = format!("{sequence:?}");
            nic.call(&testbed, Op::Start).unwrap();
            wait_link(&testbed, &mut nic, &what);
            frames_cross(&testbed, &mut nic, &what);
        }
        testbed.assert_no_violations();
    }
}

#[test]
fn lifecycle_any_sequence_follows_table() {
    each_sequence::<Nic>(true);
    each_sequence::<Nic>(false);
    each_sequence::<AsyncNic>(false);
}

#[test]
fn settings_before_start_are_applied_by_it() {
    for asleep in [false, true] {
        let (testbed, mut nic) = prepared::<Nic>(Op::Stop, !asleep);
        if asleep {
            nic.call(&testbed, Op::Sleep).unwrap();
        }
        let before = testbed.chip.bus().transactions;
        for op in [Op::Address, Op::Filter, Op::PowerSave, Op::Country] {
            nic.call(&testbed, op).unwrap();
        }
        assert_eq!(nic.mac(), NEW, "the requested one");
        assert_eq!(testbed.chip.bus().transactions, before, "nothing to send to");
        nic.call(&testbed, if asleep { Op::Wake } else { Op::Start }).unwrap();
        assert_eq!(nic.mac(), NEW);
        assert_eq!(testbed.chip.multicast_list(), GROUPS.map(MacAddress::octets));
        assert_eq!(nic.variable(&testbed, "pm2_sleep_ret"), 2000);
        if !asleep {
            nic.call(&testbed, Op::Join).unwrap();
        }
        wait_link(&testbed, &mut nic, "joined");
        frames_cross(&testbed, &mut nic, "with the new address");
        testbed.assert_no_violations();
    }
}

#[test]
fn settings_while_stopped_are_applied_at_once() {
    let (testbed, mut nic) = prepared::<Nic>(Op::Start, false);
    for op in [Op::Address, Op::Filter, Op::PowerSave, Op::Country] {
        nic.call(&testbed, op).unwrap();
    }
    assert_eq!(nic.mac(), NEW);
    assert_eq!(testbed.chip.multicast_list(), GROUPS.map(MacAddress::octets));
    assert!(
        !nic.is_up() && testbed.chip.association().is_none(),
        "it is still stopped"
    );
    nic.call(&testbed, Op::Start).unwrap();
    wait_link(&testbed, &mut nic, "joined");
    frames_cross(&testbed, &mut nic, "with the new address");
    // Once more: nothing is left to be done.
    let before = testbed.chip.bus().transactions;
    for op in [Op::Start, Op::Address, Op::Filter] {
        nic.call(&testbed, op).unwrap();
    }
    assert_eq!(testbed.chip.bus().transactions, before);
    testbed.assert_no_violations();
}

#[test]
fn set_rx_filter_rejected_is_sent_again() {
    // By the caller, or by `service`.
    for by_service in [false, true] {
        let (testbed, mut nic) = prepared::<Nic>(Op::Filter, false);
        testbed.chip.inject(Fault::RefuseIoctl(-22));
        let result = nic.call(&testbed, Op::Filter);
        assert!(matches!(result, Err(Error::Rejected { status: -22, .. })), "{result:?}");
        assert_eq!(testbed.chip.multicast_list(), [[0; 6]; 0]);
        if by_service {
            nic.service(&testbed).unwrap();
        } else {
            nic.call(&testbed, Op::Filter).unwrap();
        }
        assert_eq!(testbed.chip.multicast_list(), GROUPS.map(MacAddress::octets));
        frames_cross(&testbed, &mut nic, "the link was not lost");
    }
}

#[test]
fn start_and_wake_running_apply_rejected_filter() {
    for op in [Op::Start, Op::Wake] {
        let (testbed, mut nic) = prepared::<Nic>(Op::Filter, false);
        testbed.chip.inject(Fault::RefuseIoctl(-22));
        nic.call(&testbed, Op::Filter).unwrap_err();
        nic.call(&testbed, op).unwrap();
        assert_eq!(testbed.chip.multicast_list(), GROUPS.map(MacAddress::octets), "{op:?}");
        frames_cross(&testbed, &mut nic, "the link was not lost");
    }
}

#[test]
fn set_country_rejected_keeps_old_one() {
    let (testbed, mut nic) = prepared::<Nic>(Op::Country, false);
    testbed.chip.inject(Fault::RefuseIoctl(-2));
    let result = nic.call(&testbed, Op::Country);
    assert!(matches!(result, Err(Error::Rejected { status: -2, .. })), "{result:?}");
    let before = testbed.chip.bus().ioctls;
    nic.service(&testbed).unwrap();
    assert_eq!(testbed.chip.bus().ioctls, before, "nothing is to be repaired");
    nic.call(&testbed, Op::Country).unwrap();
    assert_eq!(testbed.chip.bus().ioctls, before + 1);
}

#[test]
fn set_mac_address_failed_rejoins_after_recover() {
    let (testbed, mut nic) = prepared::<Nic>(Op::Address, false);
    let before = testbed.chip.bus().transactions;
    nic.call(&testbed, Op::Address).unwrap();
    let count = testbed.chip.bus().transactions - before;
    for n in 0..count {
        let (testbed, mut nic) = prepared::<Nic>(Op::Address, false);
        testbed.chip.fail_bus_at(n);
        if nic.call(&testbed, Op::Address).is_ok() {
            continue;
        }
        let what = format!("failure {n} of {count}");
        assert_eq!(nic.mac(), NEW, "the requested one");
        if let Err(e) = nic.service(&testbed) {
            assert_eq!(e.kind(), ErrorKind::Fault, "{what}");
            assert!(!nic.is_up(), "{what}: up in a fault");
            nic.call(&testbed, Op::Recover).unwrap();
        }
        wait_link(&testbed, &mut nic, &what);
        frames_cross(&testbed, &mut nic, &what);
    }
}

#[test]
fn wake_after_failed_sleep_is_fault() {
    let (testbed, mut nic) = prepared::<Nic>(Op::Sleep, false);
    testbed.chip.fail_bus_at(0);
    assert_eq!(kind(nic.call(&testbed, Op::Sleep)), ErrorKind::Bus);
    assert_eq!(kind(nic.call(&testbed, Op::Wake)), ErrorKind::Fault);
    assert_eq!(kind(nic.service(&testbed)), ErrorKind::Fault);
    // The whole effect, and it is remembered that it ran.
    nic.call(&testbed, Op::Sleep).unwrap();
    check_effect(&testbed, &mut nic, Op::Sleep, true, "sleep repeated");
}

#[test]
fn stop_and_sleep_count_pending_frames() {
    for op in [Op::Stop, Op::Sleep, Op::Recover, Op::Address] {
        for fetched in [false, true] {
            let (testbed, mut nic) = prepared::<Nic>(op, false);
            frames_cross(&testbed, &mut nic, "joined");
            let mut frame = vec![0x5a; 300];
            frame[..6].copy_from_slice(&nic.mac().octets());
            for _ in 0..3 {
                testbed.station.send(&frame);
            }
            testbed.pass(5);
            if fetched {
                // To the queue of the driver.
                nic.service(&testbed).unwrap();
            }
            let before = nic.stats();
            nic.call(&testbed, op).unwrap();
            let stats = nic.stats().delta_since(&before);
            assert_eq!((stats.rx_reset, stats.rx_lost()), (3, 3), "{op:?}, fetched {fetched}");
            assert_eq!(nic.recv(&testbed).unwrap(), None);
        }
    }
}

/// A line that is broken during an operation, and intact again after it.
#[test]
fn lifecycle_broken_data_line_is_error_until_retry() {
    for line in [DataLine::Stuck(0), DataLine::Stuck(u32::MAX), DataLine::Random] {
        for op in ALL {
            let (testbed, mut nic) = prepared::<Nic>(op, false);
            let what = format!("{op:?}, {line:?}");
            testbed.chip.set_data_line(line);
            let before = testbed.clock.now();
            let result = nic.call(&testbed, op);
            assert!(testbed.clock.now() - before < Duration::from_secs(10), "{what}");
            let e = result.expect_err(&what);
            let kinds = [
                ErrorKind::Fault,
                ErrorKind::NotPresent,
                ErrorKind::Timeout,
                ErrorKind::Bus,
            ];
            assert!(kinds.contains(&e.kind()), "{what}: {e}");
            testbed.chip.set_data_line(DataLine::Connected);
            check_retry(&testbed, &mut nic, op, true, &what);
        }
    }
}

/// Replies that are lost, late, repeated, refused or corrupted during an operation, and bits that
/// flip.
#[test]
fn lifecycle_random_faults_never_ok_without_effect() {
    let none = ChipFaults::NONE;
    let kinds = [
        none.with_replies(0.1, 0.1, 0.1).with_refused_ioctl(0.05),
        none.with_corrupted_frame(0.15),
        none.with_invalid_status(0.1).with_bus_failure(0.005),
        none.with_read_bit_error(0.02),
    ];
    let mut failed = 0;
    for (kind, faults) in kinds.into_iter().enumerate() {
        // A scan loses results with the frames that carry them.
        for op in ALL.into_iter().filter(|&op| op != Op::Scan) {
            for seed in 0..3 {
                let testbed = Testbed::small_with(ChipConfig::default().with_seed(seed));
                let (testbed, mut nic) = prepare::<Nic>(testbed, op, false);
                testbed.chip.set_faults(faults);
                let before = testbed.clock.now();
                let result = nic.call(&testbed, op);
                let what = format!("{op:?}, faults {kind}, seed {seed}, {result:?}");
                assert!(testbed.clock.now() - before < Duration::from_secs(30), "{what}");
                testbed.chip.set_faults(none);
                // Late replies come within 3 s.
                testbed.pass(4000);
                if result.is_ok() {
                    check_effect(&testbed, &mut nic, op, true, &what);
                } else {
                    failed += 1;
                    check_retry(&testbed, &mut nic, op, true, &what);
                }
            }
        }
    }
    assert!(failed > 15, "{failed} calls failed");
}

#[test]
fn access_point_survives_other_calls() {
    let (testbed, mut nic) = prepared::<Nic>(Op::StopAp, false);
    for calls in [
        &[Op::Disconnect][..],
        &[Op::Address],
        &[Op::Stop, Op::Start],
        &[Op::Sleep, Op::Wake],
        &[Op::Recover],
        &[Op::Disconnect, Op::Recover],
        &[Op::Filter, Op::PowerSave, Op::Country],
    ] {
        for &op in calls {
            nic.call(&testbed, op).unwrap();
        }
        check_effect(&testbed, &mut nic, Op::StartAp, true, &format!("{calls:?}"));
    }
    assert_eq!(nic.mac(), NEW);
    nic.call(&testbed, Op::StopAp).unwrap();
    check_effect(&testbed, &mut nic, Op::StopAp, true, "stopped");
    testbed.assert_no_violations();
}

#[test]
fn next_result_dropped_scan_is_done() {
    let (testbed, mut nic) = prepared::<AsyncNic>(Op::Scan, false);
    let options = ScanOptions::new();
    poll_and_drop(&testbed, nic.start_scan(&options), 1);
    let step = block_on(&testbed.clock, nic.next_result()).unwrap().unwrap();
    assert_eq!(
        step,
        Scan::Done {
            missed: 0,
            aborted: true
        }
    );
    // A transition ends a scan too.
    for op in [Op::Stop, Op::Recover, Op::Address, Op::StartAp] {
        block_on(&testbed.clock, nic.start_scan(&options)).unwrap().unwrap();
        nic.call(&testbed, op).unwrap();
        if op == Op::Stop {
            nic.call(&testbed, Op::Start).unwrap();
        }
        let step = block_on(&testbed.clock, nic.next_result()).unwrap().unwrap();
        assert_eq!(
            step,
            Scan::Done {
                missed: 0,
                aborted: true
            },
            "{op:?}"
        );
    }
}

#[test]
fn disarm_writes_only_to_running_firmware() {
    use ethdev::{Interest, Rearm as _, RearmOutcome};
    let (testbed, mut nic) = prepared::<Nic>(Op::Start, true);
    let transactions = |nic: &mut Nic| {
        let before = testbed.chip.bus().transactions;
        nic.disarm().unwrap();
        testbed.chip.bus().transactions - before
    };
    assert_eq!(transactions(&mut nic), 0, "never started");
    nic.call(&testbed, Op::Start).unwrap();
    assert_eq!(transactions(&mut nic), 1, "a start arms it");
    assert_eq!(transactions(&mut nic), 0, "it is disarmed");
    assert_eq!(nic.rearm(Interest::ALL), Ok(RearmOutcome::Armed));
    nic.call(&testbed, Op::Stop).unwrap();
    assert_eq!(transactions(&mut nic), 1, "stopped, and the firmware runs");
    nic.call(&testbed, Op::Sleep).unwrap();
    assert_eq!(transactions(&mut nic), 0, "asleep");
    nic.call(&testbed, Op::Start).unwrap();
    testbed.chip.halt_firmware();
    assert!((0..100).any(|_| nic.service(&testbed).is_err()), "the firmware halted");
    assert_eq!(transactions(&mut nic), 0, "in a fault");
}

#[test]
fn lifecycle_bus_failure_retry_has_whole_effect() {
    each_bus_failure(Op::Start, true);
    for op in ALL {
        each_bus_failure(op, false);
    }
}

#[test]
fn lifecycle_dropped_future_retry_has_whole_effect() {
    each_dropped_future(Op::Start, true);
    for op in ALL {
        each_dropped_future(op, false);
    }
}
