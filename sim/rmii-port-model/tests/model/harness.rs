//! A port at one end of a wire, and a peer at the other.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use rmii_port_model::{Event, RmiiPort, RmiiPortConfig, ViolationKind};

pub type Port = RmiiPort<Vec<u8>>;

pub struct Harness {
    pub clock: Clock,
    pub wire: Wire,
    pub port: Port,
    pub peer: Peer,
    pub events: Rc<RefCell<Vec<(Duration, Event)>>>,
}

pub const fn ns(n: u64) -> Duration {
    Duration::from_nanos(n)
}

/// 60 bytes or more that differ from each other and from other frames.
pub fn frame(len: usize, number: u8) -> Vec<u8> {
    (0..len).map(|n| (n as u8).wrapping_mul(7) ^ number).collect()
}

/// An event comes as soon as it can.
pub fn prompt() -> RmiiPortConfig {
    RmiiPortConfig::default().with_end_latency(Duration::ZERO)
}

impl Harness {
    pub fn new(config: RmiiPortConfig) -> Self {
        let clock = Clock::new();
        let (wire, near, far) = Wire::new(&clock, WireConfig::default());
        Self::with_port(&clock, wire, RmiiPort::new(near, config), Peer::new(far))
    }

    pub fn with_port(clock: &Clock, wire: Wire, port: Port, peer: Peer) -> Self {
        let events = Rc::new(RefCell::new(Vec::new()));
        port.on_event({
            let (events, clock) = (events.clone(), clock.clone());
            move |event| events.borrow_mut().push((clock.now(), event))
        });
        Self {
            clock: clock.clone(),
            wire,
            port,
            peer,
            events,
        }
    }

    /// Receives all frames: takes each one out and restarts the receiver within its event.
    pub fn receive_all(&self) -> Rc<RefCell<Vec<Vec<u8>>>> {
        let received = Rc::new(RefCell::new(Vec::new()));
        self.port.on_event({
            let (port, received) = (self.port.clone(), received.clone());
            move |event| {
                if event == Event::Received {
                    let done = port.rx_done().unwrap();
                    received.borrow_mut().push(done.buffer[..done.len].to_vec());
                    port.start_rx(done.buffer).unwrap();
                }
            }
        });
        self.port.start_rx(vec![0; 1600]).unwrap();
        received
    }

    pub fn settle(&self) {
        while self.clock.step() {}
    }

    pub fn kinds(&self) -> Vec<ViolationKind> {
        self.port.violations().iter().map(|violation| violation.kind).collect()
    }

    #[track_caller]
    pub fn assert_clean(&self) {
        assert_eq!(self.port.violations(), []);
        assert!(self.port.stats().balanced(), "{:?}", self.port.stats());
    }
}
