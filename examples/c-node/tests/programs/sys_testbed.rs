//! The reference memory device of the simulator, used by several threads.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ethdev::{
    Capabilities, Control, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress, Rearm,
    RearmOutcome, RxFilter, RxMeta, Stats,
};
use ethdev_sim::{Clock, Peer, RingConfig, RingError, RingNic, Wire, WireConfig};
use ethdev_util::IrqSignal;

/// The simulator: the device, its wire and the peer at the other end.
pub(crate) struct Simulator {
    clock: Clock,
    pub(crate) wire: Wire,
    pub(crate) nic: RingNic,
    pub(crate) peer: Peer,
}

// SAFETY: the parts share state by `Rc`. All owners are in this structure, which a mutex owns: they
// are used by one thread at a time, and move together.
unsafe impl Send for Simulator {}

impl Simulator {
    pub(crate) fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }
}

/// The device in a simulator that the hardware's thread uses too.
#[derive(Clone)]
pub(crate) struct SharedNic(Arc<Mutex<Simulator>>);

impl SharedNic {
    pub(crate) fn new(config: RingConfig, line: Option<Arc<IrqSignal>>) -> Self {
        let clock = Clock::new();
        let config = match line {
            Some(line) => config.with_irq_signal(line),
            None => config,
        };
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        Self(Arc::new(Mutex::new(Simulator { clock, wire, nic, peer })))
    }

    pub(crate) fn simulator(&self) -> MutexGuard<'_, Simulator> {
        self.0.lock().unwrap()
    }
}

impl ErrorType for SharedNic {
    type Error = RingError;
}

impl EthernetDevice for SharedNic {
    fn mac_address(&self) -> MacAddress {
        self.simulator().nic.mac_address()
    }
    fn capabilities(&self) -> Capabilities {
        self.simulator().nic.capabilities()
    }
    fn link(&self) -> Link {
        self.simulator().nic.link()
    }
    fn stats(&self) -> Stats {
        self.simulator().nic.stats()
    }
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, RingError> {
        self.simulator().nic.recv_frame(buf)
    }
    fn discard_frame(&mut self) -> Result<bool, RingError> {
        self.simulator().nic.discard_frame()
    }
    fn tx_ready(&mut self) -> Result<bool, RingError> {
        self.simulator().nic.tx_ready()
    }
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), RingError> {
        self.simulator().nic.send_vectored(parts)
    }
    fn service(&mut self) -> Result<Events, RingError> {
        self.simulator().nic.service()
    }
}

impl Control for SharedNic {
    fn start(&mut self) -> Result<(), RingError> {
        self.simulator().nic.start()
    }
    fn stop(&mut self) -> Result<(), RingError> {
        self.simulator().nic.stop()
    }
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), RingError> {
        self.simulator().nic.set_mac_address(address)
    }
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, RingError> {
        self.simulator().nic.set_rx_filter(filter)
    }
    fn recover(&mut self) -> Result<(), RingError> {
        self.simulator().nic.recover()
    }
}

impl Rearm for SharedNic {
    fn disarm(&mut self) -> Result<(), RingError> {
        self.simulator().nic.disarm()
    }
    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, RingError> {
        self.simulator().nic.rearm(interest)
    }
}
