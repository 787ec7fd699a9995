//! The driver as an ethdev device.

use ethdev::{
    Capabilities, Control, ControlError, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    Multicast, Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

use super::chip::Registers;
use super::driver::{CAPABILITIES, Lan9118};
use super::error::Error;

impl<R> ErrorType for Lan9118<R> {
    type Error = Error;
}

impl<R: Registers> EthernetDevice for Lan9118<R> {
    fn mac_address(&self) -> MacAddress {
        self.address()
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn link(&self) -> Link {
        self.link_state()
    }

    fn stats(&self) -> Stats {
        self.counters()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Error> {
        Ok(self.receive(buf)?.map(RxMeta::new))
    }

    fn discard_frame(&mut self) -> Result<bool, Error> {
        self.discard()
    }

    fn tx_ready(&mut self) -> Result<bool, Error> {
        self.has_room()
    }

    fn send_gather(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.send(parts)
    }

    fn service(&mut self) -> Result<Events, Error> {
        self.refresh()
    }
}

/// No `sleep`.
impl<R: Registers> Control for Lan9118<R> {
    fn start(&mut self) -> Result<(), ControlError<Error>> {
        self.run().map_err(ControlError::Device)
    }

    fn stop(&mut self) -> Result<(), ControlError<Error>> {
        self.halt().map_err(ControlError::Device)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Error>> {
        if !address.is_unicast() {
            return Err(ControlError::InvalidInput);
        }
        self.set_address(address).map_err(ControlError::Device)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Error>> {
        self.set_filter(&filter).map_err(ControlError::Device)?;
        Ok(match filter.multicast {
            Multicast::List([_, ..]) if !filter.promiscuous => FilterOutcome::Superset,
            _ => FilterOutcome::Exact,
        })
    }

    fn recover(&mut self) -> Result<(), ControlError<Error>> {
        self.restart().map_err(ControlError::Device)
    }
}

impl<R: Registers> Rearm for Lan9118<R> {
    fn disarm(&mut self) -> Result<(), Error> {
        self.mask_interrupts();
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Error> {
        Ok(if self.unmask_interrupts(interest)? {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
