//! `EthernetPort` on a mock MAC and a mock PHY.

use core::cell::{Cell, RefCell};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::error::Error as _;
use std::rc::Rc;

use embedded_hal::digital;
use ethdev::{
    Capabilities, Control, Duplex, Error as _, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LendingDevice,
    Link, LinkMode, MacAddress, MaxFrameLen, PollReady, Rearm, RearmOutcome, RxFrame, RxHalf, RxMeta, Speed, Stats,
    TxHalf,
};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, reg};
use ethdev_phy::{Error, EthernetPort, IrqPin, Mac, PhyIrq};

const MODE: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
const POLL: Duration = Duration::from_millis(50);
const ADDRESS: PhyAddress = match PhyAddress::new(1) {
    Some(address) => address,
    None => panic!("below 32"),
};

/// The state that a test sets in both mocks, and the calls that they record.
#[derive(Debug, Default)]
struct Script {
    now: Cell<Duration>,
    link: Cell<Link>,
    link_changes: Cell<u32>,
    polled_link: Cell<Link>,
    interrupt: Cell<Option<bool>>,
    fault: Cell<bool>,
    events: Cell<Events>,
    starts_fail: Cell<bool>,
    mac_start_fails: Cell<bool>,
    phy_stop_fails: Cell<bool>,
    set_link_fails: Cell<bool>,
    mac_rejects: Cell<bool>,
    mac_sleeps: Cell<bool>,
    /// The results of the next polls of the PHY; `PhyEvent::None` after them.
    polls: RefCell<VecDeque<Result<PhyEvent, PhyError<ErrorKind>>>>,
    calls: RefCell<Vec<&'static str>>,
}

impl Script {
    fn record(&self, call: &'static str) {
        self.calls.borrow_mut().push(call);
    }

    fn take_calls(&self) -> Vec<&'static str> {
        self.calls.take()
    }

    fn next_poll(&self, result: Result<PhyEvent, PhyError<ErrorKind>>) {
        self.polls.borrow_mut().push_back(result);
    }

    fn advance(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

struct MockMac(Rc<Script>);

impl ErrorType for MockMac {
    type Error = ErrorKind;
}

impl EthernetDevice for MockMac {
    fn mac_address(&self) -> MacAddress {
        MacAddress::new([2, 0, 0, 0, 0, 1])
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET.with_max_frame_len(MaxFrameLen::VLAN)
    }

    fn link(&self) -> Link {
        self.0.link.get()
    }

    fn stats(&self) -> Stats {
        let mut stats = Stats::ZERO;
        stats.link_changes = self.0.link_changes.get();
        stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        if buf.is_empty() {
            return Err(ErrorKind::BufferTooSmall { needed: 60 });
        }
        Ok(None)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        Ok(false)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.link().is_up())
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        Err(ErrorKind::Busy)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.0.record("service");
        if self.0.fault.get() {
            return Err(ErrorKind::Fault);
        }
        Ok(self.0.events.take())
    }
}

impl Control for MockMac {
    fn start(&mut self) -> Result<(), ErrorKind> {
        self.0.record("start");
        if self.0.mac_rejects.get() {
            return Err(ErrorKind::InvalidInput);
        }
        if self.0.mac_start_fails.get() {
            return Err(ErrorKind::Timeout);
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        self.0.record("stop");
        Ok(())
    }

    fn recover(&mut self) -> Result<(), ErrorKind> {
        self.0.record("recover");
        self.0.fault.set(false);
        Ok(())
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        if !self.0.mac_sleeps.get() {
            return Err(ErrorKind::Unsupported);
        }
        self.0.record("sleep");
        Ok(())
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        if !self.0.mac_sleeps.get() {
            return Err(ErrorKind::Unsupported);
        }
        self.0.record("wake");
        Ok(())
    }
}

impl Rearm for MockMac {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.0.record("disarm");
        Ok(())
    }

    fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.0.record("rearm");
        Ok(RearmOutcome::Armed)
    }
}

impl PollReady for MockMac {
    fn poll_ready(&mut self, interest: Interest, _: &mut Context<'_>) -> Poll<Result<Interest, ErrorKind>> {
        self.0.record("poll_ready");
        let link = self.0.link.get();
        if interest.link && self.0.polled_link.replace(link) != link {
            return Poll::Ready(Ok(Interest::LINK));
        }
        Poll::Pending
    }
}

/// Lends one frame. Transmission fails with `Busy`, a commit with `LinkDown`.
struct Half<'a>(&'a MockMac, [u8; 60]);

impl RxHalf for Half<'_> {
    type Error = ErrorKind;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        Ok(RxFrame::new(&mut self.1, RxMeta::new(60)))
    }

    fn release(&mut self) -> Result<(), ErrorKind> {
        self.0.0.record("release");
        Ok(())
    }

    fn discard(&mut self) -> Result<(), ErrorKind> {
        Err(ErrorKind::Fault)
    }
}

impl TxHalf for Half<'_> {
    type Error = ErrorKind;

    fn ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, ErrorKind> {
        Ok(self.1.get_mut(..len))
    }

    fn commit(&mut self, _: usize) -> Result<(), ErrorKind> {
        Err(ErrorKind::LinkDown)
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        Err(ErrorKind::Busy)
    }
}

impl LendingDevice for MockMac {
    type Rx<'a> = Half<'a>;
    type Tx<'a> = Half<'a>;

    fn split(&mut self) -> (Half<'_>, Half<'_>) {
        (Half(self, [0xee; 60]), Half(self, [0; 60]))
    }
}

impl Mac for MockMac {
    fn modes(&self) -> LinkModes {
        LinkModes::TX100_FULL
    }

    fn mdio(&mut self) -> impl Mdio<Error = ErrorKind> {
        DeadBus
    }

    fn set_link(&mut self, link: Link) -> Result<(), ErrorKind> {
        if self.0.set_link_fails.get() {
            self.0.link.set(Link::Down);
            return Err(ErrorKind::Timeout);
        }
        if link != self.0.link.replace(link) {
            self.0.link_changes.set(self.0.link_changes.get() + 1);
        }
        Ok(())
    }

    fn phy_interrupt(&mut self) -> Result<Option<bool>, ErrorKind> {
        Ok(self.0.interrupt.get())
    }
}

/// A bus on which every access times out.
struct DeadBus;

impl Mdio for DeadBus {
    type Error = ErrorKind;

    fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, ErrorKind> {
        Err(ErrorKind::Timeout)
    }

    fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> {
        Err(ErrorKind::Timeout)
    }
}

struct MockPhy {
    script: Rc<Script>,
    due: Cell<Duration>,
    link: Link,
}

impl MockPhy {
    fn new(script: &Rc<Script>) -> Self {
        Self {
            script: script.clone(),
            due: Cell::new(POLL),
            link: Link::Down,
        }
    }
}

impl Phy for MockPhy {
    fn start<M: Mdio + ?Sized>(
        &mut self,
        _: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        assert_eq!(advertise, LinkModes::TX100_FULL);
        self.script.record("phy start");
        self.due.set(now + POLL);
        if self.script.starts_fail.get() {
            return Err(PhyError::NotResponding(ADDRESS));
        }
        Ok(())
    }

    fn poll<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>> {
        if now < self.due.get() {
            return Ok(PhyEvent::None);
        }
        self.script.record("poll");
        self.due.set(now + POLL);
        let result = self.script.polls.borrow_mut().pop_front().unwrap_or(Ok(PhyEvent::None));
        match result {
            Ok(PhyEvent::Up(mode)) => self.link = Link::Up(mode),
            Ok(PhyEvent::Down) => self.link = Link::Down,
            Ok(_) => {}
            // The error comes from the bus.
            Err(PhyError::Mdio(_)) => {
                return Err(mdio
                    .read(ADDRESS, reg::BMSR)
                    .map_or_else(PhyError::Mdio, |_| PhyError::ResetTimeout));
            }
            Err(error) => {
                self.link = Link::Down;
                return Err(match error {
                    PhyError::NoCommonMode => PhyError::NoCommonMode,
                    _ => PhyError::NotResponding(ADDRESS),
                });
            }
        }
        result.map_err(|_| PhyError::ResetTimeout)
    }

    fn next_poll(&self, now: Duration) -> Duration {
        match self.script.interrupt.get() {
            // With a line, only an interrupt makes a poll due.
            Some(_) if !self.due.get().is_zero() => Duration::MAX,
            _ => self.due.get().saturating_sub(now),
        }
    }

    fn on_interrupt<M: Mdio + ?Sized>(&mut self, _: &mut M, _: Duration) -> Result<(), PhyError<M::Error>> {
        self.script.record("interrupt");
        // Reading the cause releases the line.
        self.script.interrupt.set(Some(false));
        self.due.set(Duration::ZERO);
        Ok(())
    }

    fn stop<M: Mdio + ?Sized>(&mut self, _: &mut M) -> Result<(), PhyError<M::Error>> {
        self.script.record("phy stop");
        self.link = Link::Down;
        if self.script.phy_stop_fails.get() {
            return Err(PhyError::NotResponding(ADDRESS));
        }
        Ok(())
    }

    fn link(&self) -> Link {
        self.link
    }
}

fn port(script: &Rc<Script>) -> EthernetPort<MockMac, MockPhy, impl FnMut() -> Duration> {
    let clock = script.clone();
    let port = EthernetPort::new(MockMac(script.clone()), MockPhy::new(script), move || clock.now.get());
    let port = port.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(script.take_calls(), ["phy start", "start"]);
    port
}

#[test]
fn service_phy_not_due_no_mdio_access() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    assert_eq!(port.next_service(), POLL);
    for _ in 0..49 {
        script.advance(Duration::from_millis(1));
        assert!(!port.service().unwrap().link_changed);
    }
    assert_eq!(script.take_calls(), ["service"; 49]);

    script.advance(Duration::from_millis(1));
    assert!(port.service().unwrap().link_changed);
    assert_eq!((port.link(), port.stats().link_changes), (Link::Up(MODE), 1));
    assert_eq!(script.take_calls(), ["poll", "service"]);
    assert_eq!(port.next_service(), POLL);
}

#[test]
fn service_phy_interrupt_polls_phy() {
    let script = Rc::new(Script::default());
    script.interrupt.set(Some(false));
    let mut port = port(&script);
    script.advance(Duration::from_secs(3600));
    port.service().unwrap();
    assert_eq!(script.take_calls(), ["service"]);

    script.interrupt.set(Some(true));
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    assert_eq!(port.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(port.service().unwrap().link_changed);
    assert_eq!(script.take_calls(), ["rearm", "interrupt", "poll", "service"]);
    assert_eq!(port.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
}

/// A MAC to which no interrupt line of a PHY is connected.
struct WithoutLine(MockMac);

impl ErrorType for WithoutLine {
    type Error = ErrorKind;
}

impl EthernetDevice for WithoutLine {
    ethdev::forward_ethernet_device!(|this| this.0);
}

impl Control for WithoutLine {
    ethdev::forward_control!(|this| this.0);
}

impl Mac for WithoutLine {
    fn modes(&self) -> LinkModes {
        self.0.modes()
    }

    fn mdio(&mut self) -> impl Mdio<Error = ErrorKind> {
        self.0.mdio()
    }

    fn set_link(&mut self, link: Link) -> Result<(), ErrorKind> {
        self.0.set_link(link)
    }
}

#[test]
fn service_mac_without_phy_line_polls_when_due() {
    let script = Rc::new(Script::default());
    let mut mac = WithoutLine(MockMac(script.clone()));
    assert_eq!(mac.phy_interrupt(), Ok(None));
    let clock = script.clone();
    let mut port = EthernetPort::new(mac, MockPhy::new(&script), move || clock.now.get()).unwrap();
    script.take_calls();
    port.service().unwrap();
    assert_eq!(script.take_calls(), ["service"]);
    script.advance(POLL);
    port.service().unwrap();
    assert_eq!(script.take_calls(), ["poll", "service"]);
}

#[test]
fn rearm_phy_due_work_pending_for_link_and_tx() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    assert_eq!(port.rearm(Interest::ALL), Ok(RearmOutcome::Armed));
    port.disarm().unwrap();
    assert_eq!(script.take_calls(), ["rearm", "disarm"]);
    script.advance(POLL);
    assert_eq!(port.rearm(Interest::ALL), Ok(RearmOutcome::WorkPending));
    assert_eq!(port.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    // Capacity to send comes with the link.
    assert_eq!(port.rearm(Interest::TX), Ok(RearmOutcome::WorkPending));
    let mut cx = Context::from_waker(Waker::noop());
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.take_calls();
    assert_eq!(port.poll_ready(Interest::TX, &mut cx), Poll::Pending);
    assert_eq!(script.take_calls(), ["poll", "poll_ready"]);
    assert!(port.link().is_up());
    script.advance(POLL);
    assert_eq!(port.rearm(Interest::TX), Ok(RearmOutcome::Armed));
}

#[test]
fn service_no_common_mode_link_down_reported_once() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.next_poll(Err(PhyError::NoCommonMode));
    script.advance(POLL);
    assert_eq!(port.service(), Err(Error::Phy(PhyError::NoCommonMode)));
    assert_eq!(port.link(), Link::Down);
    // The change during the failed call is reported by the next one.
    assert!(port.service().unwrap().link_changed);
    assert!(!port.service().unwrap().link_changed);
    // The lack of a common mode is no fault of the PHY.
    script.take_calls();
    port.recover().unwrap();
    assert_eq!(script.take_calls(), ["recover"]);
}

#[test]
fn service_mdio_error_link_unchanged() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.next_poll(Err(PhyError::Mdio(ErrorKind::Other)));
    script.advance(POLL);
    assert_eq!(port.service(), Err(Error::Phy(PhyError::Mdio(ErrorKind::Timeout))));
    assert_eq!((port.link(), port.stats().link_changes), (Link::Up(MODE), 1));
    assert_eq!(port.next_service(), POLL);
}

#[test]
fn recover_failed_phy_restarts_it() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.next_poll(Err(PhyError::NotResponding(ADDRESS)));
    script.advance(POLL);
    let error = port.service().unwrap_err();
    assert_eq!(error, Error::Phy(PhyError::NotResponding(ADDRESS)));
    assert_eq!(error.kind(), ErrorKind::NotPresent);
    assert_eq!(port.link(), Link::Down);

    script.starts_fail.set(true);
    script.take_calls();
    assert_eq!(port.recover(), Err(error));
    script.starts_fail.set(false);
    port.recover().unwrap();
    port.recover().unwrap();
    assert_eq!(
        script.take_calls(),
        ["recover", "phy start", "recover", "phy start", "recover"]
    );
}

#[test]
fn service_phy_error_keeps_mac_events() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    let mut seen = Events::NONE;
    (seen.rx_dropped, seen.recovered) = (true, true);
    seen.tx_completed = 3;
    let mut events = seen;
    // Read before the next report.
    events.rx_pending = true;
    script.events.set(events);
    script.next_poll(Err(PhyError::NotResponding(ADDRESS)));
    script.advance(POLL);
    assert!(port.service().is_err());
    assert_eq!(script.take_calls(), ["poll", "service"]);
    assert_eq!(port.service(), Ok(seen));
    assert_eq!(port.service(), Ok(Events::NONE));
}

#[test]
fn service_mac_error_keeps_cause() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.fault.set(true);
    let error = port.service().unwrap_err();
    assert_eq!((error, error.kind()), (Error::Mac(ErrorKind::Fault), ErrorKind::Fault));
    let too_small = port.recv_frame(&mut []).unwrap_err();
    assert_eq!(too_small.kind(), ErrorKind::BufferTooSmall { needed: 60 });
    port.recover().unwrap();
    assert!(port.service().is_ok());
}

#[test]
fn new_phy_not_responding_error() {
    let script = Rc::new(Script::default());
    script.starts_fail.set(true);
    let made = EthernetPort::new(MockMac(script.clone()), MockPhy::new(&script), || Duration::ZERO);
    assert_eq!(made.err(), Some(Error::Phy(PhyError::NotResponding(ADDRESS))));
}

#[test]
fn new_mac_start_rejected_error() {
    let script = Rc::new(Script::default());
    script.mac_rejects.set(true);
    let made = EthernetPort::new(MockMac(script.clone()), MockPhy::new(&script), || Duration::ZERO);
    let error = made.err().expect("no port");
    assert_eq!(error, Error::Mac(ErrorKind::InvalidInput));
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn sleep_mac_without_sleep_stops_mac() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.take_calls();
    port.sleep().unwrap();
    port.service().unwrap();
    assert_eq!(port.link(), Link::Down);
    port.wake().unwrap();
    port.wake().unwrap();
    assert_eq!(
        script.take_calls(),
        ["stop", "phy stop", "service", "phy start", "start"]
    );

    port.stop().unwrap();
    port.sleep().unwrap();
    port.wake().unwrap();
    // It was stopped before it slept.
    assert_eq!(script.take_calls(), ["stop", "stop", "phy stop", "phy start"]);
    port.start().unwrap();
    assert_eq!(script.take_calls(), ["start"]);
}

const FAULT: Error<ErrorKind> = Error::Kind(ErrorKind::Fault);

fn assert_fault(port: &mut EthernetPort<MockMac, MockPhy, impl FnMut() -> Duration>) {
    assert_eq!(port.service(), Err(FAULT));
    assert_eq!(port.recv_frame(&mut [0; 60]), Err(FAULT));
    assert_eq!(port.discard_frame(), Err(FAULT));
    assert_eq!(port.tx_ready(), Err(FAULT));
    assert_eq!(port.send_frame(&[0; 60]), Err(FAULT));
    assert_eq!(port.send_vectored(&[&[0; 60]]), Err(FAULT));
    assert_eq!(port.rearm(Interest::ALL), Err(FAULT));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(port.poll_ready(Interest::ALL, &mut cx), Poll::Ready(Err(FAULT)));
}

#[test]
fn sleep_phy_failed_fault_until_repeated() {
    let script = Rc::new(Script::default());
    script.mac_sleeps.set(true);
    let mut port = port_with_link(&script);
    script.phy_stop_fails.set(true);
    let failed = Err(Error::Phy(PhyError::NotResponding(ADDRESS)));
    assert_eq!(port.sleep(), failed);
    assert_fault(&mut port);
    // It did not fall asleep.
    assert_eq!(port.wake(), Err(FAULT));
    assert_eq!(port.sleep(), failed);
    assert_eq!(port.stats().faults, 1);
    script.phy_stop_fails.set(false);
    script.take_calls();
    port.sleep().unwrap();
    port.service().unwrap();
    // It was running.
    port.wake().unwrap();
    assert_eq!(
        script.take_calls(),
        ["sleep", "phy stop", "service", "phy start", "wake"]
    );
}

#[test]
fn recover_after_failed_sleep_starts_both() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    script.phy_stop_fails.set(true);
    assert!(port.sleep().is_err());
    script.take_calls();
    port.recover().unwrap();
    port.service().unwrap();
    assert_eq!(script.take_calls(), ["recover", "phy start", "start", "service"]);

    port.stop().unwrap();
    assert!(port.sleep().is_err());
    script.take_calls();
    port.recover().unwrap();
    assert_eq!(script.take_calls(), ["recover", "stop"]);
}

#[test]
fn recover_after_failed_wake_asleep() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    port.sleep().unwrap();
    script.mac_start_fails.set(true);
    assert_eq!(port.wake(), Err(Error::Mac(ErrorKind::Timeout)));
    assert_fault(&mut port);
    script.mac_start_fails.set(false);
    script.take_calls();
    port.recover().unwrap();
    assert_eq!(script.take_calls(), ["recover", "stop", "phy stop"]);
    port.wake().unwrap();
    assert_eq!(script.take_calls(), ["phy start", "start"]);
}

#[test]
fn start_failed_fault_until_any_transition() {
    for start in [false, true] {
        let script = Rc::new(Script::default());
        let mut port = port_with_link(&script);
        port.stop().unwrap();
        script.mac_start_fails.set(true);
        assert_eq!(port.start(), Err(Error::Mac(ErrorKind::Timeout)));
        assert_fault(&mut port);
        // The MAC counts its faults itself.
        assert_eq!(port.stats().faults, 0);
        script.mac_start_fails.set(false);
        if start {
            port.start().unwrap();
        } else {
            port.stop().unwrap();
        }
        port.service().unwrap();
    }
}

/// A PHY whose line is connected is not polled again by itself.
#[test]
fn service_set_link_failed_repeated_without_interrupt() {
    let script = Rc::new(Script::default());
    script.interrupt.set(Some(false));
    let mut port = port(&script);
    script.interrupt.set(Some(true));
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.set_link_fails.set(true);
    assert_eq!(port.service(), Err(Error::Mac(ErrorKind::Timeout)));
    assert_eq!(port.link(), Link::Down);
    script.set_link_fails.set(false);
    assert_eq!(port.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(port.service().unwrap().link_changed);
    assert_eq!(port.link(), Link::Up(MODE));
    assert_eq!(port.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
}

#[test]
fn recover_mac_without_link_sets_it() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    script.link.set(Link::Down);
    port.recover().unwrap();
    assert_eq!(port.link(), Link::Up(MODE));
}

#[test]
fn capabilities_service_interval_set() {
    let script = Rc::new(Script::default());
    let port = port(&script).with_max_service_interval(POLL);
    assert_eq!(port.capabilities().max_service_interval, Some(POLL));
    assert_eq!(port.tx_max_frame_len(), MaxFrameLen::VLAN);
}

fn port_with_link(script: &Rc<Script>) -> EthernetPort<MockMac, MockPhy, impl FnMut() -> Duration> {
    let mut port = port(script);
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    assert!(port.service().unwrap().link_changed);
    script.take_calls();
    port
}

#[test]
fn sleep_mac_with_sleep_no_stop() {
    let script = Rc::new(Script::default());
    script.mac_sleeps.set(true);
    let mut port = port_with_link(&script);
    port.sleep().unwrap();
    port.wake().unwrap();
    assert_eq!(script.take_calls(), ["sleep", "phy stop", "phy start", "wake"]);
}

#[test]
fn start_asleep_restarts_phy() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    port.sleep().unwrap();
    script.take_calls();
    port.start().unwrap();
    // Awake: there is nothing to wake.
    port.wake().unwrap();
    assert_eq!(script.take_calls(), ["phy start", "start"]);
}

#[test]
fn stop_asleep_phy_off_until_start() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    port.sleep().unwrap();
    port.stop().unwrap();
    port.recover().unwrap();
    script.take_calls();
    port.wake().unwrap();
    assert_eq!(script.take_calls(), [""; 0]);
    port.start().unwrap();
    assert_eq!(script.take_calls(), ["phy start", "start"]);
}

#[test]
fn wake_phy_start_failed_repeated() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    port.sleep().unwrap();
    script.starts_fail.set(true);
    assert_eq!(port.wake(), Err(Error::Phy(PhyError::NotResponding(ADDRESS))));
    script.starts_fail.set(false);
    script.take_calls();
    port.wake().unwrap();
    assert_eq!(script.take_calls(), ["phy start", "start"]);
}

/// A PHY that came back by itself needs no restart.
#[test]
fn recover_phy_back_with_link_not_restarted() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    script.next_poll(Err(PhyError::NotResponding(ADDRESS)));
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    for _ in 0..2 {
        script.advance(POLL);
        let _ = port.service();
    }
    assert!(port.link().is_up());
    script.take_calls();
    port.recover().unwrap();
    assert_eq!(script.take_calls(), ["recover"]);
}

#[test]
fn service_link_changed_outside_service_reported_once() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    script.link.set(Link::Down);
    assert!(port.service().unwrap().link_changed);
    assert!(!port.service().unwrap().link_changed);
}

#[test]
fn poll_ready_phy_due_reports_link_change_once() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    let mut cx = Context::from_waker(Waker::noop());
    script.next_poll(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    assert_eq!(port.poll_ready(Interest::RX, &mut cx), Poll::Pending);
    assert_eq!(script.take_calls(), ["poll_ready"]);
    assert_eq!(port.poll_ready(Interest::ALL, &mut cx), Poll::Ready(Ok(Interest::LINK)));
    assert_eq!(script.take_calls(), ["poll", "poll_ready"]);
    assert_eq!(port.poll_ready(Interest::ALL, &mut cx), Poll::Pending);
    assert!(port.service().unwrap().link_changed);

    script.next_poll(Err(PhyError::NoCommonMode));
    script.advance(POLL);
    let error = Error::Phy(PhyError::NoCommonMode);
    assert_eq!(port.poll_ready(Interest::LINK, &mut cx), Poll::Ready(Err(error)));
    assert!(port.service().unwrap().link_changed);
}

#[test]
fn split_mac_error_is_error_mac() {
    let script = Rc::new(Script::default());
    let mut port = port_with_link(&script);
    let (mut rx, mut tx) = port.split();
    assert_eq!(rx.peek().unwrap().map(|frame| frame.len()), Some(60));
    assert_eq!(rx.pending(), Ok(true));
    assert_eq!(rx.release(), Ok(()));
    assert_eq!(rx.discard(), Err(Error::Mac(ErrorKind::Fault)));
    assert_eq!(tx.ready(), Ok(true));
    assert_eq!(tx.reserve(61), Ok(None));
    assert_eq!(
        tx.reserve(14).map(|memory| memory.map(|memory| memory.len())),
        Ok(Some(14))
    );
    assert_eq!(tx.commit(14), Err(Error::Mac(ErrorKind::LinkDown)));
    assert_eq!(tx.send_vectored(&[&[0; 14]]), Err(Error::Mac(ErrorKind::Busy)));
    assert_eq!(script.take_calls(), ["release"]);
}

#[test]
fn error_from_kind_round_trips() {
    let port = Error::<ErrorKind>::from(ErrorKind::BufferTooSmall { needed: 60 });
    assert_eq!(port.kind(), ErrorKind::BufferTooSmall { needed: 60 });
    assert_eq!(port.to_string(), ErrorKind::BufferTooSmall { needed: 60 }.to_string());
    let phy = Error::Phy(PhyError::Mdio(ErrorKind::Timeout));
    assert_eq!(phy.kind(), ErrorKind::Timeout);
    assert_eq!(phy.to_string(), "PHY: MDIO error: timed out waiting for the device");
    assert!(phy.source().is_none());
}

/// A pin of the host with a fixed level or error.
struct Pin(Result<bool, digital::ErrorKind>);

impl digital::ErrorType for Pin {
    type Error = digital::ErrorKind;
}

impl digital::InputPin for Pin {
    fn is_high(&mut self) -> Result<bool, digital::ErrorKind> {
        self.0
    }

    fn is_low(&mut self) -> Result<bool, digital::ErrorKind> {
        self.0.map(|high| !high)
    }
}

#[test]
fn irq_pin_low_or_failed_active() {
    assert_eq!(IrqPin(Pin(Ok(true))).active(), Some(false));
    assert_eq!(IrqPin(Pin(Ok(false))).active(), Some(true));
    assert_eq!(IrqPin(Pin(Err(digital::ErrorKind::Other))).active(), Some(true));
}

#[test]
fn with_phy_irq_overrides_mac_line() {
    let script = Rc::new(Script::default());
    let mut port = port(&script).with_phy_irq(IrqPin(Pin(Ok(false))));
    port.service().unwrap();
    assert_eq!(script.take_calls(), ["interrupt", "poll", "service"]);
    let (_, _, _, IrqPin(pin)) = port.release();
    assert_eq!(pin.0, Ok(false));
}
