//! The INT line: no event is missed, whenever it comes, and an armed line costs nothing.

mod support;

use core::time::Duration;

use embedded_hal::digital::InputPin;
use enc28j60_model::{ChipConfig, Errata, IntPin, Revision, SimSpi, TxOutcome};
use ethdev::{EthernetDevice, Interest, Rearm, RearmOutcome, asynch};
use ethdev_enc28j60::Config;
use ethdev_enc28j60::asynch::{EdgeIrq, Interrupt, LevelIrq};
use ethdev_sim::{SimDelay, block_on, block_on_until};
use support::{Driver, OWN, Testbed, frame};

type Async<INT> = ethdev_enc28j60::asynch::Enc28j60<SimSpi, SimDelay, INT>;

/// From before the call to after it, in steps of the shortest transaction.
const STEP: Duration = Duration::from_nanos(800);
const STEPS: u32 = 75;
const LINK_TIME: Duration = Duration::from_millis(5);
/// Of 1000 bytes, with preamble and FCS.
const FRAME_TIME: Duration = Duration::from_nanos(809_600);

fn testbed() -> Testbed {
    let config = ChipConfig::new(Revision::B7).with_errata(Errata::none());
    Testbed::new(config.with_link_time(LINK_TIME))
}

/// A condition to wait for, and what brings it about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Frame,
    /// A slot becomes free.
    Sent,
    LinkUp,
    LinkDown,
    /// Capacity, because the link comes up.
    LinkUpForTx,
}

const EVENTS: [Event; 5] = [
    Event::Frame,
    Event::Sent,
    Event::LinkUp,
    Event::LinkDown,
    Event::LinkUpForTx,
];

impl Event {
    const fn interest(self) -> Interest {
        match self {
            Self::Frame => Interest::RX,
            Self::Sent | Self::LinkUpForTx => Interest::TX,
            Self::LinkUp | Self::LinkDown => Interest::LINK,
        }
    }

    const fn begins_with_link(self) -> bool {
        !matches!(self, Self::LinkUp | Self::LinkUpForTx)
    }

    /// Lets it happen; `sending`: since when frames are sent. Returns when.
    fn trigger(self, testbed: &Testbed, sending: Duration) -> Duration {
        let (now, soon) = (testbed.clock.now(), STEP * STEPS);
        let (wire, up) = (testbed.wire.clone(), self != Self::LinkDown);
        match self {
            Self::Frame => testbed.peer.send(&frame(1, 60)),
            Self::Sent => sending + FRAME_TIME,
            Self::LinkUp | Self::LinkDown | Self::LinkUpForTx => {
                testbed.clock.schedule_in(soon, move || wire.set_link(up));
                now + soon + if up { LINK_TIME } else { Duration::ZERO }
            }
        }
    }

    fn has_happened(self, nic: &mut Driver) -> bool {
        let events = nic.service().unwrap();
        match self {
            Self::Frame => events.rx_pending,
            Self::Sent | Self::LinkUpForTx => nic.tx_ready().unwrap(),
            Self::LinkUp | Self::LinkDown => events.link_changed,
        }
    }
}

/// The event comes `n` steps after the call begins.
fn rearm_with_event(event: Event, n: u32) -> RearmOutcome {
    let what = format!("{event:?} after {:?}", STEP * n);
    let testbed = testbed();
    let mut nic = testbed.driver(Config::new(OWN));
    testbed.wire.set_link(event.begins_with_link());
    nic.service().unwrap();
    assert_eq!(nic.link().is_up(), event.begins_with_link());
    let mut sending = Duration::ZERO;
    if event == Event::Sent {
        nic.send_frame(&frame(1, 1000)).unwrap();
        sending = testbed.clock.now();
        nic.send_frame(&frame(2, 1000)).unwrap();
    }
    let at = event.trigger(&testbed, sending);
    testbed.clock.advance_to(at - STEP * n);
    let outcome = nic.rearm(event.interest()).unwrap();
    let mut pin = testbed.chip.int_pin();
    testbed.clock.advance(STEP * STEPS);
    assert!(
        outcome == RearmOutcome::WorkPending || pin.is_low().unwrap(),
        "{what}: armed, and INT is high"
    );
    assert!(event.has_happened(&mut nic), "{what}");
    testbed.assert_no_violations();
    outcome
}

#[test]
fn rearm_event_at_any_time_is_pending_or_interrupts() {
    for event in EVENTS {
        let outcomes: Vec<_> = (0..STEPS).map(|n| rearm_with_event(event, n)).collect();
        // Before, while, and after the device is armed.
        assert_eq!(outcomes[0], RearmOutcome::WorkPending, "{event:?}");
        assert_eq!(outcomes[STEPS as usize - 1], RearmOutcome::Armed, "{event:?}");
    }
}

fn ready_with_event<INT: Interrupt>(event: Event, n: u32, interrupt: impl FnOnce(IntPin) -> INT) {
    use asynch::EthernetDevice as _;
    let what = format!("{event:?} after {:?}", STEP * n);
    let testbed = testbed();
    let clock = &testbed.clock;
    let interrupt = interrupt(testbed.chip.int_pin());
    let new = Async::new(
        testbed.chip.spi_device(),
        testbed.chip.delay(),
        interrupt,
        Config::new(OWN),
    );
    let mut nic = block_on(clock, new).unwrap().unwrap();
    block_on(clock, nic.ready(Interest::LINK)).unwrap().unwrap();
    if !event.begins_with_link() {
        testbed.wire.set_link(false);
        block_on(clock, nic.ready(Interest::LINK)).unwrap().unwrap();
    }
    let mut sending = Duration::ZERO;
    if event == Event::Sent {
        block_on(clock, nic.send_frame(&frame(1, 1000))).unwrap().unwrap();
        sending = clock.now();
        block_on(clock, nic.send_frame(&frame(2, 1000))).unwrap().unwrap();
    }
    let at = event.trigger(&testbed, sending);
    clock.advance_to(at - STEP * n);
    let late = at + Duration::from_millis(1);
    let ready = block_on_until(clock, late, nic.ready(event.interest()));
    assert_eq!(ready, Ok(Ok(event.interest())), "{what}");
}

#[test]
fn ready_event_at_any_time_completes() {
    for event in EVENTS {
        for n in 0..STEPS {
            ready_with_event(event, n, LevelIrq);
            ready_with_event(event, n, EdgeIrq);
        }
    }
}

/// A change of the link that a send noticed makes no interrupt, and `service` has not reported it.
#[test]
fn rearm_link_change_noticed_by_other_call_is_pending() {
    use ethdev::Control;
    let testbed = testbed();
    let mut nic = testbed.driver(Config::new(OWN));
    nic.service().unwrap();
    assert_eq!(nic.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    nic.recover().unwrap();
    assert!(!nic.link().is_up(), "the reset drops it");
    assert_eq!(nic.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(nic.service().unwrap().link_changed);
    assert_eq!(nic.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
}

/// Waits for a millisecond. Returns the transactions.
fn wait(testbed: &Testbed, nic: &mut Async<LevelIrq<IntPin>>, interest: Interest) -> u64 {
    use asynch::EthernetDevice as _;
    let (transactions, _) = testbed.cost(|| {
        let until = testbed.clock.now() + Duration::from_millis(1);
        assert!(block_on_until(&testbed.clock, until, nic.ready(interest)).is_err());
    });
    transactions
}

/// While the line is armed for what is asked for, the next wait needs no access, but for the check
/// at every eighth. For anything else EIE is changed.
#[test]
fn ready_again_while_armed_has_no_traffic() {
    let testbed = testbed();
    let mut nic = testbed.by_level(Config::new(OWN));
    wait(&testbed, &mut nic, Interest::RX);
    let again: Vec<u64> = (0..16).map(|_| wait(&testbed, &mut nic, Interest::RX)).collect();
    assert_eq!(again.iter().filter(|n| **n > 0).count(), 2, "{again:?}");
    for interest in [Interest::RX | Interest::LINK, Interest::LINK, Interest::RX] {
        assert!(wait(&testbed, &mut nic, interest) > 0, "{interest:?}");
        // PKTIE and LINKIE.
        let expected = 0x80 | u8::from(interest.rx) << 6 | u8::from(interest.link) << 4;
        assert_eq!(testbed.chip.peek(0, 0x1b), expected, "{interest:?}");
    }
    testbed.assert_no_violations();
}

/// A line that is armed for something else says nothing of what is asked for now: the chip is read,
/// and a reset is found.
#[test]
fn ready_other_interest_after_chip_reset_recovers() {
    let testbed = testbed();
    let mut nic = testbed.by_level(Config::new(OWN));
    for (armed, asked) in [
        (Interest::RX, Interest::LINK),
        (Interest::LINK, Interest::RX),
        (Interest::RX, Interest::RX | Interest::LINK),
    ] {
        wait(&testbed, &mut nic, armed);
        let before = asynch::EthernetDevice::stats(&nic).recoveries;
        testbed.chip.inject_reset();
        let until = testbed.clock.now() + Duration::from_millis(3);
        let _ = block_on_until(&testbed.clock, until, asynch::EthernetDevice::ready(&mut nic, asked));
        let recoveries = asynch::EthernetDevice::stats(&nic).recoveries - before;
        assert_eq!(recoveries, 1, "armed for {armed:?}, asked for {asked:?}");
    }
}

/// Erratum 13 without a flag: no interrupt tells of it. A host that sleeps until INT has to call
/// `service` every `max_service_interval` while it sends.
#[test]
fn silent_stall_ends_with_service_in_time() {
    let testbed = testbed();
    let mut nic = testbed.driver(Config::new(OWN));
    let interval = nic.capabilities().max_service_interval.expect("it stalls");
    testbed.chip.set_tx_outcomes([TxOutcome::FalseLateCollisionSilent]);
    for n in 0..2 {
        nic.send_frame(&frame(n, 1000)).unwrap();
    }
    assert_eq!(nic.rearm(Interest::TX), Ok(RearmOutcome::Armed));
    let mut pin = testbed.chip.int_pin();
    testbed.clock.advance(Duration::from_secs(10));
    assert_eq!(pin.is_high(), Ok(true), "the chip does not tell");
    let mut calls = 0;
    while testbed.peer.recv().is_none() {
        testbed.clock.advance(interval);
        nic.service().unwrap();
        calls += 1;
        assert!(calls <= 20, "{:?}", nic.stats());
    }
    println!("{calls} calls of service, {interval:?} apart");
    let full = Config::new(OWN).with_duplex(ethdev::Duplex::Full);
    assert_eq!(testbed.driver(full).capabilities().max_service_interval, None);
}
