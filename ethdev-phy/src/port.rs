//! The port: a MAC and its PHY, as one device.

use core::time::Duration;

use crate::phy::{Phy, PhyError, PhyEvent};
use ethdev::{
    Capabilities, Control, ControlError, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest,
    LendingDevice, Link, MacAddress, Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::halves::{PortRx, PortTx};
use crate::{Error, Mac, NoIrq, PhyIrq};

/// A MAC and its PHY: a whole Ethernet device.
///
/// It does what the MAC does (frames, lending, filters, interrupts, counters: see there), looks after the PHY in [`service`](EthernetDevice::service), and
/// tells the MAC what link there is. Started on construction.
///
/// # Time
///
/// A PHY needs time: for its reset, for auto-negotiation, and between two looks at a link that has no interrupt line. `C` tells the time since any fixed
/// moment and never goes backwards. Nothing waits: what is not due yet is done by a later `service`. How often that has to be called is in
/// [`Capabilities::max_service_interval`]; until [`next_service`](Self::next_service) has passed, calls do not touch the MDIO bus.
///
/// # Interrupts
///
/// [`Rearm`] is the MAC's. Where the PHY's line ends in the MAC ([`Mac::phy_interrupt`]), or is given by [`with_phy_irq`](Self::with_phy_irq), a change of
/// the link is an interrupt as well. Without, [`rearm`](Rearm::rearm) with [`Interest::link`](Interest::link) says
/// [`WorkPending`](RearmOutcome::WorkPending) once a look at the PHY is due, and nothing wakes the host for that: it has to sleep no longer than the interval.
#[derive(Debug)]
pub struct EthernetPort<M, P, C, I = NoIrq> {
    mac: M,
    phy: P,
    clock: C,
    line: I,
    interval: Duration,
    /// The PHY has failed otherwise than by its bus or its partner.
    phy_lost: bool,
    stopped: bool,
    asleep: bool,
    /// Noticed in a call that failed, for the next one.
    untold: Events,
}

impl<M: Mac, P: Phy, C: FnMut() -> Duration> EthernetPort<M, P, C> {
    /// How often `service` has to be called, unless [told otherwise](Self::with_max_service_interval).
    pub const MAX_SERVICE_INTERVAL: Duration = Duration::from_millis(100);

    /// Puts `mac` and `phy` together and starts both. `clock` tells the time since any fixed moment.
    ///
    /// The link comes up in some later [`service`](EthernetDevice::service): with auto-negotiation that takes up to a few seconds.
    ///
    /// # Errors
    ///
    /// The MAC does not start, or nobody that `phy` matches answers on its bus.
    pub fn new(mac: M, phy: P, clock: C) -> Result<Self, Error<M::Error>> {
        let mut port = Self {
            mac,
            phy,
            clock,
            line: NoIrq,
            interval: Self::MAX_SERVICE_INTERVAL,
            phy_lost: false,
            stopped: false,
            asleep: false,
            untold: Events::NONE,
        };
        port.start_phy().map_err(Error::Phy)?;
        match port.mac.start() {
            // A MAC without start and stop is always started.
            Ok(()) | Err(ControlError::Unsupported) => Ok(port),
            Err(ControlError::Device(e)) => Err(Error::Mac(e)),
            Err(ControlError::InvalidInput) => Err(Error::Refused(ErrorKind::InvalidInput)),
        }
    }

    /// The same with the PHY's interrupt on a line of its own, a [`IrqPin`](crate::IrqPin) for instance.
    #[must_use]
    pub fn with_phy_irq<I: PhyIrq>(self, line: I) -> EthernetPort<M, P, C, I> {
        EthernetPort {
            mac: self.mac,
            phy: self.phy,
            clock: self.clock,
            line,
            interval: self.interval,
            phy_lost: self.phy_lost,
            stopped: self.stopped,
            asleep: self.asleep,
            untold: self.untold,
        }
    }
}

impl<M: Mac, P: Phy, C: FnMut() -> Duration, I: PhyIrq> EthernetPort<M, P, C, I> {
    /// The same with another interval between two calls of `service`: a loss of the link is seen within it.
    #[must_use]
    pub const fn with_max_service_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How long until the next `service` has to do with the PHY, if no interrupt comes before.
    pub fn next_service(&mut self) -> Duration {
        self.phy.next_poll((self.clock)())
    }

    /// The MAC, for what is specific to it.
    pub const fn mac(&self) -> &M {
        &self.mac
    }

    /// The MAC, for what is specific to it.
    pub const fn mac_mut(&mut self) -> &mut M {
        &mut self.mac
    }

    /// The PHY, for what is specific to it.
    pub const fn phy(&self) -> &P {
        &self.phy
    }

    /// Does something with the PHY and its bus, at the present time.
    pub fn with_phy<R>(
        &mut self,
        f: impl FnOnce(&mut P, &mut dyn crate::mdio::Mdio<Error = M::Error>, Duration) -> R,
    ) -> R {
        let now = (self.clock)();
        f(&mut self.phy, &mut self.mac.mdio(), now)
    }

    /// Gives the parts back, as they are.
    pub fn release(self) -> (M, P, C, I) {
        (self.mac, self.phy, self.clock, self.line)
    }

    fn start_phy(&mut self) -> Result<(), PhyError<M::Error>> {
        let now = (self.clock)();
        let modes = self.mac.modes();
        self.phy.start(&mut self.mac.mdio(), modes, now)?;
        self.phy_lost = false;
        Ok(())
    }

    /// Whether the PHY wants to be looked at, and whether it says so itself.
    fn phy_wants(&mut self) -> Result<(bool, bool), M::Error> {
        let interrupt = match self.line.active() {
            Some(active) => active,
            None => self.mac.phy_interrupt()? == Some(true),
        };
        Ok((interrupt || self.next_service().is_zero(), interrupt))
    }

    /// Looks at the PHY if that is due, and tells the MAC what link there is.
    fn look_at_phy(&mut self) -> Result<bool, Error<M::Error>> {
        let (due, interrupt) = self.phy_wants().map_err(Error::Mac)?;
        if !due {
            return Ok(false);
        }
        let now = (self.clock)();
        let polled = self.ask_phy(interrupt, now);
        let before = self.mac.stats().link_changes;
        // Its link is the truth after a failure as well; a short loss it tells as `Down` now and `Up` in its next poll.
        self.mac.set_link(self.phy.link()).map_err(Error::Mac)?;
        let changed = self.mac.stats().link_changes != before;
        match polled {
            Ok(_) => Ok(changed),
            Err(e) => {
                self.untold.link_changed |= changed;
                self.phy_lost |= !matches!(e, PhyError::Mdio(_) | PhyError::NoCommonMode);
                Err(Error::Phy(e))
            }
        }
    }

    fn ask_phy(&mut self, interrupt: bool, now: Duration) -> Result<PhyEvent, PhyError<M::Error>> {
        let mut mdio = self.mac.mdio();
        if interrupt {
            self.phy.on_interrupt(&mut mdio, now)?;
        }
        self.phy.poll(&mut mdio, now)
    }
}

impl<M: Mac, P, C, I> ErrorType for EthernetPort<M, P, C, I> {
    type Error = Error<M::Error>;
}

impl<M: Mac, P: Phy, C: FnMut() -> Duration, I: PhyIrq> EthernetDevice for EthernetPort<M, P, C, I> {
    #[inline]
    fn mac_address(&self) -> MacAddress {
        self.mac.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.mac.capabilities().with_max_service_interval(self.interval)
    }

    #[inline]
    fn link(&self) -> Link {
        self.mac.link()
    }

    fn stats(&self) -> Stats {
        self.mac.stats()
    }

    #[inline]
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        self.mac.recv_frame(buf).map_err(Error::Mac)
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.mac.discard_frame().map_err(Error::Mac)
    }

    #[inline]
    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.mac.tx_ready().map_err(Error::Mac)
    }

    #[inline]
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.mac.send_vectored(parts).map_err(Error::Mac)
    }

    #[inline]
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.mac.send_frame(frame).map_err(Error::Mac)
    }

    /// Looks after the PHY where that is due, then after the MAC.
    ///
    /// # Errors
    ///
    /// The MAC's, else the PHY's. An error of the PHY stops neither the MAC nor later looks at the PHY; where it says that the link cannot be known or
    /// cannot be used, the link is down.
    fn service(&mut self) -> Result<Events, Self::Error> {
        let looked = self.look_at_phy();
        let events = self.mac.service().map_err(Error::Mac)?;
        let mut events = core::mem::take(&mut self.untold).merge(events);
        match looked {
            Ok(changed) => {
                events.link_changed |= changed;
                Ok(events)
            }
            Err(e) => {
                self.untold = events;
                Err(e)
            }
        }
    }
}

impl<M: Mac, P: Phy, C: FnMut() -> Duration, I: PhyIrq> Control for EthernetPort<M, P, C, I> {
    fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.mac.start().map_err(|e| e.map(Error::Mac))?;
        self.stopped = false;
        Ok(())
    }

    /// Stops the MAC. The PHY keeps its link.
    fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.mac.stop().map_err(|e| e.map(Error::Mac))?;
        self.stopped = true;
        Ok(())
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        self.mac.set_mac_address(address).map_err(|e| e.map(Error::Mac))
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        self.mac.set_rx_filter(filter).map_err(|e| e.map(Error::Mac))
    }

    /// Resets the MAC, and the PHY where it had failed: a PHY that works keeps its link, because to negotiate one takes seconds.
    fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.mac.recover().map_err(|e| e.map(Error::Mac))?;
        if self.phy_lost {
            self.start_phy().map_err(|e| ControlError::Device(Error::Phy(e)))?;
        }
        Ok(())
    }

    /// Puts the MAC to sleep, or stops it where it has no sleep, and powers the PHY down.
    fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        match self.mac.sleep() {
            Err(ControlError::Unsupported) => self.mac.stop(),
            slept => slept,
        }
        .map_err(|e| e.map(Error::Mac))?;
        self.asleep = true;
        let powered_down = self.phy.stop(&mut self.mac.mdio());
        // Or it would be up again at once when the MAC wakes.
        let told = self.mac.set_link(Link::Down).map_err(Error::Mac);
        powered_down.map_err(Error::Phy).and(told).map_err(ControlError::Device)
    }

    /// Powers the PHY up, which begins anew, and wakes the MAC. One that was stopped before it slept stays stopped.
    fn wake(&mut self) -> Result<(), ControlError<Self::Error>> {
        if !self.asleep {
            return Ok(());
        }
        self.start_phy().map_err(|e| ControlError::Device(Error::Phy(e)))?;
        match self.mac.wake() {
            Err(ControlError::Unsupported) if self.stopped => Ok(()),
            Err(ControlError::Unsupported) => self.mac.start(),
            woken => woken,
        }
        .map_err(|e| e.map(Error::Mac))?;
        self.asleep = false;
        Ok(())
    }
}

impl<M: Mac + Rearm, P: Phy, C: FnMut() -> Duration, I: PhyIrq> Rearm for EthernetPort<M, P, C, I> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.mac.disarm().map_err(Error::Mac)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        let outcome = self.mac.rearm(interest).map_err(Error::Mac)?;
        // After the MAC's, so that an interrupt of the PHY that comes from here on is one.
        if interest.link && self.phy_wants().map_err(Error::Mac)?.0 {
            return Ok(RearmOutcome::WorkPending);
        }
        Ok(outcome)
    }
}

impl<M: Mac + LendingDevice, P: Phy, C: FnMut() -> Duration, I: PhyIrq> LendingDevice for EthernetPort<M, P, C, I> {
    type Rx<'a>
        = PortRx<M::Rx<'a>>
    where
        Self: 'a;
    type Tx<'a>
        = PortTx<M::Tx<'a>>
    where
        Self: 'a;

    #[inline]
    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        let (rx, tx) = self.mac.split();
        (PortRx(rx), PortTx(tx))
    }
}
