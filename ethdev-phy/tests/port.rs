//! A port's duties towards its MAC and its PHY, on a MAC and a PHY that do as they are told.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use embedded_hal::digital;
use ethdev::{
    Capabilities, Control, ControlError, Duplex, Error as _, ErrorKind, ErrorType, EthernetDevice, Events, Interest,
    Link, LinkMode, MacAddress, Rearm, RearmOutcome, RxMeta, Speed, Stats,
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

/// What the test sees of both, and what it makes them do.
#[derive(Debug, Default)]
struct Script {
    now: Cell<Duration>,
    link: Cell<Link>,
    link_changes: Cell<u32>,
    interrupt: Cell<Option<bool>>,
    fault: Cell<bool>,
    events: Cell<Events>,
    starts_fail: Cell<bool>,
    mac_refuses: Cell<bool>,
    /// What the PHY says next; nothing new where it is empty.
    says: RefCell<VecDeque<Result<PhyEvent, PhyError<ErrorKind>>>>,
    did: RefCell<Vec<&'static str>>,
}

impl Script {
    fn did(&self, what: &'static str) {
        self.did.borrow_mut().push(what);
    }

    fn take_did(&self) -> Vec<&'static str> {
        self.did.take()
    }

    fn say(&self, what: Result<PhyEvent, PhyError<ErrorKind>>) {
        self.says.borrow_mut().push_back(what);
    }

    fn advance(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

struct ToldMac(Rc<Script>);

impl ErrorType for ToldMac {
    type Error = ErrorKind;
}

impl EthernetDevice for ToldMac {
    fn mac_address(&self) -> MacAddress {
        MacAddress::new([2, 0, 0, 0, 0, 1])
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
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
        self.0.did("service");
        if self.0.fault.get() {
            return Err(ErrorKind::Fault);
        }
        Ok(self.0.events.take())
    }
}

impl Control for ToldMac {
    fn start(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.did("start");
        if self.0.mac_refuses.get() {
            return Err(ControlError::InvalidInput);
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.did("stop");
        Ok(())
    }

    fn recover(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.did("recover");
        self.0.fault.set(false);
        Ok(())
    }
}

impl Rearm for ToldMac {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }

    fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.0.did("rearm");
        Ok(RearmOutcome::Armed)
    }
}

impl Mac for ToldMac {
    fn modes(&self) -> LinkModes {
        LinkModes::TX100_FULL
    }

    fn mdio(&mut self) -> impl Mdio<Error = ErrorKind> {
        Silent
    }

    fn set_link(&mut self, link: Link) -> Result<(), ErrorKind> {
        if link != self.0.link.replace(link) {
            self.0.link_changes.set(self.0.link_changes.get() + 1);
        }
        Ok(())
    }

    fn phy_interrupt(&mut self) -> Result<Option<bool>, ErrorKind> {
        Ok(self.0.interrupt.get())
    }
}

/// A bus that never answers.
struct Silent;

impl Mdio for Silent {
    type Error = ErrorKind;

    fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, ErrorKind> {
        Err(ErrorKind::Timeout)
    }

    fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> {
        Err(ErrorKind::Timeout)
    }
}

struct ToldPhy {
    script: Rc<Script>,
    due: Cell<Duration>,
    link: Link,
}

impl ToldPhy {
    fn new(script: &Rc<Script>) -> Self {
        Self {
            script: script.clone(),
            due: Cell::new(POLL),
            link: Link::Down,
        }
    }
}

impl Phy for ToldPhy {
    fn start<M: Mdio + ?Sized>(
        &mut self,
        _: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        assert_eq!(advertise, LinkModes::TX100_FULL);
        self.script.did("phy start");
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
        self.script.did("poll");
        self.due.set(now + POLL);
        let said = self.script.says.borrow_mut().pop_front().unwrap_or(Ok(PhyEvent::None));
        match said {
            Ok(PhyEvent::Up(mode)) => self.link = Link::Up(mode),
            Ok(PhyEvent::Down) => self.link = Link::Down,
            Ok(PhyEvent::None) => {}
            // Its error is the bus' own.
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
        said.map_err(|_| PhyError::ResetTimeout)
    }

    fn next_poll(&self, now: Duration) -> Duration {
        match self.script.interrupt.get() {
            // Only an interrupt makes it due.
            Some(_) if !self.due.get().is_zero() => Duration::MAX,
            _ => self.due.get().saturating_sub(now),
        }
    }

    fn on_interrupt<M: Mdio + ?Sized>(&mut self, _: &mut M, _: Duration) -> Result<(), PhyError<M::Error>> {
        self.script.did("interrupt");
        // Reading the cause releases the line.
        self.script.interrupt.set(Some(false));
        self.due.set(Duration::ZERO);
        Ok(())
    }

    fn stop<M: Mdio + ?Sized>(&mut self, _: &mut M) -> Result<(), PhyError<M::Error>> {
        self.script.did("phy stop");
        self.link = Link::Down;
        Ok(())
    }

    fn link(&self) -> Link {
        self.link
    }
}

fn port(script: &Rc<Script>) -> EthernetPort<ToldMac, ToldPhy, impl FnMut() -> Duration> {
    let clock = script.clone();
    let port = EthernetPort::new(ToldMac(script.clone()), ToldPhy::new(script), move || clock.now.get());
    let port = port.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(script.take_did(), ["phy start", "start"]);
    port
}

#[test]
fn the_phy_is_left_alone_between_two_looks() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.say(Ok(PhyEvent::Up(MODE)));
    assert_eq!(port.next_service(), POLL);
    for _ in 0..49 {
        script.advance(Duration::from_millis(1));
        assert!(!port.service().unwrap().link_changed);
    }
    assert_eq!(script.take_did(), ["service"; 49]);

    script.advance(Duration::from_millis(1));
    assert!(port.service().unwrap().link_changed);
    assert_eq!((port.link(), port.stats().link_changes), (Link::Up(MODE), 1));
    assert_eq!(script.take_did(), ["poll", "service"]);
    assert_eq!(port.next_service(), POLL);
}

#[test]
fn with_a_line_the_phy_is_looked_at_when_it_asks() {
    let script = Rc::new(Script::default());
    script.interrupt.set(Some(false));
    let mut port = port(&script);
    script.advance(Duration::from_secs(3600));
    port.service().unwrap();
    assert_eq!(script.take_did(), ["service"]);

    script.interrupt.set(Some(true));
    script.say(Ok(PhyEvent::Up(MODE)));
    assert_eq!(port.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(port.service().unwrap().link_changed);
    assert_eq!(script.take_did(), ["rearm", "interrupt", "poll", "service"]);
    assert_eq!(port.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
}

#[test]
fn a_look_that_is_due_is_work_for_whom_the_link_concerns() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    assert_eq!(port.rearm(Interest::ALL), Ok(RearmOutcome::Armed));
    script.advance(POLL);
    assert_eq!(port.rearm(Interest::ALL), Ok(RearmOutcome::WorkPending));
    assert_eq!(port.rearm(Interest::RX), Ok(RearmOutcome::Armed));
}

#[test]
fn no_common_mode_takes_the_link_down_and_is_said_once() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.say(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.say(Err(PhyError::NoCommonMode));
    script.advance(POLL);
    assert_eq!(port.service(), Err(Error::Phy(PhyError::NoCommonMode)));
    assert_eq!(port.link(), Link::Down);
    // The call that failed had something to tell.
    assert!(port.service().unwrap().link_changed);
    assert!(!port.service().unwrap().link_changed);
    // A partner is no fault of the PHY: recovery leaves it alone.
    script.take_did();
    port.recover().unwrap();
    assert_eq!(script.take_did(), ["recover"]);
}

#[test]
fn an_error_of_the_bus_says_nothing_about_the_link() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.say(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.say(Err(PhyError::Mdio(ErrorKind::Other)));
    script.advance(POLL);
    assert_eq!(port.service(), Err(Error::Phy(PhyError::Mdio(ErrorKind::Timeout))));
    assert_eq!((port.link(), port.stats().link_changes), (Link::Up(MODE), 1));
    assert_eq!(port.next_service(), POLL);
}

#[test]
fn a_phy_that_is_gone_is_started_anew_by_recovery() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.say(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.say(Err(PhyError::NotResponding(ADDRESS)));
    script.advance(POLL);
    let error = port.service().unwrap_err();
    assert_eq!(error, Error::Phy(PhyError::NotResponding(ADDRESS)));
    assert_eq!(error.kind(), ErrorKind::NotPresent);
    assert_eq!(port.link(), Link::Down);

    script.starts_fail.set(true);
    script.take_did();
    assert_eq!(port.recover(), Err(ControlError::Device(error)));
    script.starts_fail.set(false);
    port.recover().unwrap();
    port.recover().unwrap();
    assert_eq!(
        script.take_did(),
        ["recover", "phy start", "recover", "phy start", "recover"]
    );
}

#[test]
fn an_error_of_the_phy_does_not_stop_the_mac_nor_hide_what_it_saw() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    let mut seen = Events::NONE;
    seen.rx_pending = true;
    seen.tx_completed = 3;
    script.events.set(seen);
    script.say(Err(PhyError::NotResponding(ADDRESS)));
    script.advance(POLL);
    assert!(port.service().is_err());
    assert_eq!(script.take_did(), ["poll", "service"]);
    assert_eq!(port.service(), Ok(seen));
    assert_eq!(port.service(), Ok(Events::NONE));
}

#[test]
fn an_error_of_the_mac_keeps_its_cause() {
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
fn a_port_whose_phy_does_not_answer_is_not_made() {
    let script = Rc::new(Script::default());
    script.starts_fail.set(true);
    let made = EthernetPort::new(ToldMac(script.clone()), ToldPhy::new(&script), || Duration::ZERO);
    assert_eq!(made.err(), Some(Error::Phy(PhyError::NotResponding(ADDRESS))));
}

#[test]
fn a_port_whose_mac_does_not_start_is_not_made() {
    let script = Rc::new(Script::default());
    script.mac_refuses.set(true);
    let made = EthernetPort::new(ToldMac(script.clone()), ToldPhy::new(&script), || Duration::ZERO);
    let error = made.err().expect("no port");
    assert_eq!(error, Error::Refused(ErrorKind::InvalidInput));
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn without_a_sleep_of_its_own_the_mac_is_stopped() {
    let script = Rc::new(Script::default());
    let mut port = port(&script);
    script.say(Ok(PhyEvent::Up(MODE)));
    script.advance(POLL);
    port.service().unwrap();
    script.take_did();
    port.sleep().unwrap();
    port.service().unwrap();
    assert_eq!(port.link(), Link::Down);
    port.wake().unwrap();
    port.wake().unwrap();
    assert_eq!(script.take_did(), ["stop", "phy stop", "service", "phy start", "start"]);

    port.stop().unwrap();
    port.sleep().unwrap();
    port.wake().unwrap();
    // Stopped before, stopped after.
    assert_eq!(script.take_did(), ["stop", "stop", "phy stop", "phy start"]);
    port.start().unwrap();
    assert_eq!(script.take_did(), ["start"]);
}

#[test]
fn the_interval_is_in_the_capabilities() {
    let script = Rc::new(Script::default());
    let port = port(&script).with_max_service_interval(POLL);
    assert_eq!(port.capabilities().max_service_interval, Some(POLL));
}

/// A pin of the host, or what is left of it.
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
fn a_line_of_its_own_is_active_low() {
    assert_eq!(IrqPin(Pin(Ok(true))).active(), Some(false));
    assert_eq!(IrqPin(Pin(Ok(false))).active(), Some(true));
    assert_eq!(IrqPin(Pin(Err(digital::ErrorKind::Other))).active(), Some(true));
}

#[test]
fn a_line_of_its_own_is_believed_before_the_mac() {
    let script = Rc::new(Script::default());
    let mut port = port(&script).with_phy_irq(IrqPin(Pin(Ok(false))));
    port.service().unwrap();
    assert_eq!(script.take_did(), ["interrupt", "poll", "service"]);
    let (_, _, _, IrqPin(pin)) = port.release();
    assert_eq!(pin.0, Ok(false));
}
