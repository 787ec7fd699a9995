//! A far end on the simulated wire, for every chip model that is plugged into one.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::Doorbell;

use super::fixture::{FarEnd, Power, Unsupported};
use crate::{Clock, Station, Wire};

/// The [`FarEnd`] of a device on a simulated [`Wire`]: the station at the other end of it.
///
/// Traffic, bad frames and the link are the wire's; what only the model of the chip can do is added with `with_...`.
pub struct WireEnd {
    clock: Clock,
    wire: Wire,
    station: Station,
    stall_tx: Option<Box<dyn FnMut(bool)>>,
    fault: Option<Box<dyn FnMut()>>,
    accesses: Option<Rc<dyn Fn() -> u64>>,
    doorbell: Option<Arc<Doorbell>>,
}

impl WireEnd {
    /// The station at the other end of this wire.
    #[must_use]
    pub const fn new(clock: Clock, wire: Wire, station: Station) -> Self {
        Self {
            clock,
            wire,
            station,
            stall_tx: None,
            fault: None,
            accesses: None,
            doorbell: None,
        }
    }

    /// With the power [`stall_tx`](FarEnd::stall_tx).
    #[must_use]
    pub fn with_stall_tx(mut self, stall: impl FnMut(bool) + 'static) -> Self {
        self.stall_tx = Some(Box::new(stall));
        self
    }

    /// With the power [`inject_fault`](FarEnd::inject_fault).
    #[must_use]
    pub fn with_fault(mut self, inject: impl FnMut() + 'static) -> Self {
        self.fault = Some(Box::new(inject));
        self
    }

    /// With the power [`accesses`](FarEnd::accesses).
    #[must_use]
    pub fn with_accesses(mut self, count: impl Fn() -> u64 + 'static) -> Self {
        self.accesses = Some(Rc::new(count));
        self
    }

    /// With the power [`doorbell`](FarEnd::doorbell): the one that the device was made with.
    #[must_use]
    pub fn with_doorbell(mut self, doorbell: Arc<Doorbell>) -> Self {
        self.doorbell = Some(doorbell);
        self
    }
}

impl FarEnd for WireEnd {
    fn peer_send(&mut self, frame: &[u8]) {
        self.station.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.station.recv()
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    fn now(&self) -> Power<Duration> {
        Ok(self.clock.now())
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.wire.set_link(up);
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.station.send_raw(bytes);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        match &mut self.stall_tx {
            Some(stall) => {
                stall(stalled);
                Ok(())
            }
            None => Err(Unsupported(
                "the chip's transmitter cannot be stalled (`with_stall_tx`)",
            )),
        }
    }

    fn inject_fault(&mut self) -> Power {
        match &mut self.fault {
            Some(inject) => {
                inject();
                Ok(())
            }
            None => Err(Unsupported("the chip cannot be broken (`with_fault`)")),
        }
    }

    fn accesses(&self) -> Power<u64> {
        self.accesses
            .as_ref()
            .map(|count| count())
            .ok_or(Unsupported("accesses to the chip are not counted (`with_accesses`)"))
    }

    fn doorbell(&self) -> Power<Arc<Doorbell>> {
        self.doorbell
            .clone()
            .ok_or(Unsupported("the device has no interrupt line (`with_doorbell`)"))
    }
}
