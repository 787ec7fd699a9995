//! One correct device with one method replaced.

use std::marker::PhantomData;

use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};
use ethdev_conformance::Fixture;

use crate::mem::{Mem, MemPeer, mem};

pub(crate) type Answer<T> = Result<T, ErrorKind>;

/// A defect of a device: every method is the correct one unless overridden.
pub(crate) trait Defect: Default + 'static {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        nic.capabilities()
    }
    fn link(&self, nic: &Mem) -> Link {
        nic.link()
    }
    fn stats(&self, nic: &Mem) -> Stats {
        nic.stats()
    }
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        nic.recv_frame(buf)
    }
    fn tx_ready(&mut self, nic: &mut Mem) -> Answer<bool> {
        nic.tx_ready()
    }
    fn send_parts(&mut self, nic: &mut Mem, parts: &[&[u8]]) -> Answer<()> {
        self.send(nic, &parts.concat())
    }
    /// Gathered already.
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        nic.send_frame(frame)
    }
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        nic.service()
    }
    fn disarm(&mut self, nic: &mut Mem) -> Answer<()> {
        nic.disarm()
    }
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        nic.rearm(interest)
    }
    fn stop(&mut self, nic: &mut Mem) -> Result<(), ErrorKind> {
        nic.stop()
    }
    fn set_rx_filter(&mut self, nic: &mut Mem, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        nic.set_rx_filter(filter)
    }
    fn recover(&mut self, nic: &mut Mem) -> Result<(), ErrorKind> {
        nic.recover()
    }
    fn start(&mut self, nic: &mut Mem) -> Result<(), ErrorKind> {
        nic.start()
    }
    fn sleep(&mut self, nic: &mut Mem) -> Result<(), ErrorKind> {
        nic.sleep()
    }
    fn wake(&mut self, nic: &mut Mem) -> Result<(), ErrorKind> {
        nic.wake()
    }
    fn set_mac_address(&mut self, nic: &mut Mem, address: MacAddress) -> Result<(), ErrorKind> {
        nic.set_mac_address(address)
    }
    fn discard(&mut self, nic: &mut Mem) -> Answer<bool> {
        nic.discard_frame()
    }
}

/// No defect.
#[derive(Default)]
pub(crate) struct Correct;

impl Defect for Correct {}

pub(crate) struct Broken<X> {
    nic: Mem,
    defect: X,
}

/// The fixture of a defective device.
pub(crate) struct DefectFixture<X>(PhantomData<X>);

impl<X: Defect> Fixture for DefectFixture<X> {
    type Device = Broken<X>;
    type LinkPeer = MemPeer;

    fn new() -> (Broken<X>, MemPeer) {
        let (nic, peer) = mem();
        let defect = X::default();
        (Broken { nic, defect }, peer)
    }
}

impl<X> ErrorType for Broken<X> {
    type Error = ErrorKind;
}

impl<X: Defect> EthernetDevice for Broken<X> {
    fn mac_address(&self) -> MacAddress {
        self.nic.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.defect.capabilities(&self.nic)
    }

    fn link(&self) -> Link {
        self.defect.link(&self.nic)
    }

    fn stats(&self) -> Stats {
        self.defect.stats(&self.nic)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        self.defect.recv(&mut self.nic, buf)
    }

    fn discard_frame(&mut self) -> Answer<bool> {
        self.defect.discard(&mut self.nic)
    }

    fn tx_ready(&mut self) -> Answer<bool> {
        self.defect.tx_ready(&mut self.nic)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Answer<()> {
        self.defect.send_parts(&mut self.nic, parts)
    }

    fn service(&mut self) -> Answer<Events> {
        self.defect.service(&mut self.nic)
    }
}

impl<X: Defect> Rearm for Broken<X> {
    fn disarm(&mut self) -> Answer<()> {
        self.defect.disarm(&mut self.nic)
    }

    fn rearm(&mut self, interest: Interest) -> Answer<RearmOutcome> {
        self.defect.rearm(&mut self.nic, interest)
    }
}

impl<X: Defect> Control for Broken<X> {
    fn start(&mut self) -> Result<(), ErrorKind> {
        self.defect.start(&mut self.nic)
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        self.defect.sleep(&mut self.nic)
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        self.defect.wake(&mut self.nic)
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        self.defect.stop(&mut self.nic)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        self.defect.set_mac_address(&mut self.nic, address)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        self.defect.set_rx_filter(&mut self.nic, filter)
    }

    fn recover(&mut self) -> Result<(), ErrorKind> {
        self.defect.recover(&mut self.nic)
    }
}
