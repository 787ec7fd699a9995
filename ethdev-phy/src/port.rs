//! The port: a MAC and its PHY as one device.

use core::task::{Context, Poll};
use core::time::Duration;

use crate::phy::{Phy, PhyError, PhyEvent};
use ethdev::{
    Capabilities, Control, Error as _, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest,
    LendingDevice, Link, MacAddress, MaxFrameLen, PollReady, Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::{Error, Mac, MapErr, NoIrq, PhyIrq};

/// A MAC and its PHY: a complete Ethernet device. It is running on construction.
///
/// Frames, lending, filters, interrupts and counters are those of the MAC.
/// [`service`](EthernetDevice::service) polls the PHY and sets the link of the MAC.
///
/// # Time
///
/// `C` returns the time since any fixed moment and never goes backwards. The port uses it for the
/// reset of the PHY, auto-negotiation, and the interval between two polls of a link without an
/// interrupt line. No call waits: work that is not due yet is done by a later `service`.
/// [`Capabilities::max_service_interval`] has the interval in which to call it. Before
/// [`next_service`](Self::next_service) has passed, no call accesses the MDIO bus.
///
/// # Interrupts
///
/// [`Rearm`] is that of the MAC. If the PHY's interrupt line is connected to the MAC
/// ([`Mac::phy_interrupt`]) or set by [`with_phy_irq`](Self::with_phy_irq), a change of the link
/// causes an interrupt too. Without such a line, [`rearm`](Rearm::rearm) with
/// [`Interest::link`](Interest::link), or with [`Interest::tx`](Interest::tx) while the link is
/// down, returns [`WorkPending`](RearmOutcome::WorkPending) once a
/// poll of the PHY is due, and nothing wakes the host for it: it must sleep no longer than
/// `max_service_interval`. The same holds for [`PollReady`].
#[derive(Debug)]
pub struct EthernetPort<M, P, C, I = NoIrq> {
    mac: M,
    phy: P,
    clock: C,
    irq: I,
    interval: Duration,
    phy_status: PhyStatus,
    state: State,
    /// A transition was begun and did not complete.
    in_transition: bool,
    /// The MAC has the link of the PHY.
    link_applied: bool,
    /// Transitions that the PHY failed. The MAC counts its own faults.
    phy_faults: u32,
    /// What `link` returned at the end of the last successful `service`.
    reported_link: Link,
    /// Events that the MAC reported to a call that failed, for the next one.
    unreported: Events,
}

/// The state that MAC and PHY reached last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stopped,
    Running,
    Asleep {
        /// It was running.
        running: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PhyStatus {
    /// Powered down, or not started yet.
    Off,
    Started,
    /// It failed for another reason than its bus or the link partner.
    Failed,
}

impl<M: Mac, P: Phy, C: FnMut() -> Duration> EthernetPort<M, P, C> {
    /// Default of [`with_max_service_interval`](Self::with_max_service_interval).
    pub const MAX_SERVICE_INTERVAL: Duration = Duration::from_millis(100);

    /// Creates a port of `mac` and `phy` and starts both. `clock` returns the time since any fixed
    /// moment.
    ///
    /// The link comes up in a later [`service`](EthernetDevice::service); auto-negotiation takes up
    /// to a few seconds.
    ///
    /// # Errors
    ///
    /// The MAC does not start, or the PHY does not: it does not respond, or its driver does not
    /// know it.
    pub fn new(mac: M, phy: P, clock: C) -> Result<Self, Error<M::Error>> {
        let mut port = Self {
            mac,
            phy,
            clock,
            irq: NoIrq,
            interval: Self::MAX_SERVICE_INTERVAL,
            phy_status: PhyStatus::Off,
            state: State::Running,
            in_transition: false,
            link_applied: true,
            phy_faults: 0,
            reported_link: Link::Down,
            unreported: Events::NONE,
        };
        port.start_phy()?;
        match port.mac.start() {
            // A MAC without start and stop is always running.
            Err(e) if e.kind() != ErrorKind::Unsupported => Err(Error::Mac(e)),
            _ => Ok(port),
        }
    }

    /// Sets the interrupt line of the PHY if it is not connected to the MAC: an
    /// [`IrqPin`](crate::IrqPin) for example.
    #[must_use]
    pub fn with_phy_irq<I: PhyIrq>(self, irq: I) -> EthernetPort<M, P, C, I> {
        EthernetPort {
            mac: self.mac,
            phy: self.phy,
            clock: self.clock,
            irq,
            interval: self.interval,
            phy_status: self.phy_status,
            state: self.state,
            in_transition: self.in_transition,
            link_applied: self.link_applied,
            phy_faults: self.phy_faults,
            reported_link: self.reported_link,
            unreported: self.unreported,
        }
    }
}

impl<M: Mac, P: Phy, C: FnMut() -> Duration, I: PhyIrq> EthernetPort<M, P, C, I> {
    /// Sets the longest time between two calls of `service`. It bounds the time after which the
    /// loss of a link is noticed without an interrupt.
    #[must_use]
    pub const fn with_max_service_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Returns the time until the next poll of the PHY is due, unless an interrupt comes first.
    pub fn next_service(&mut self) -> Duration {
        self.phy.next_poll((self.clock)())
    }

    /// Returns the MAC, for functions that are specific to it.
    pub const fn mac(&self) -> &M {
        &self.mac
    }

    /// Returns the MAC, for functions that are specific to it.
    pub const fn mac_mut(&mut self) -> &mut M {
        &mut self.mac
    }

    /// Returns the PHY, for functions that are specific to it.
    pub const fn phy(&self) -> &P {
        &self.phy
    }

    /// Calls `f` with the PHY, its bus and the present time.
    pub fn with_phy<R>(
        &mut self,
        f: impl FnOnce(&mut P, &mut dyn crate::mdio::Mdio<Error = M::Error>, Duration) -> R,
    ) -> R {
        let now = (self.clock)();
        f(&mut self.phy, &mut self.mac.mdio(), now)
    }

    /// Releases the parts in their present state.
    pub fn release(self) -> (M, P, C, I) {
        (self.mac, self.phy, self.clock, self.irq)
    }

    fn start_phy(&mut self) -> Result<(), Error<M::Error>> {
        let now = (self.clock)();
        let modes = self.mac.modes();
        let started = self.phy.start(&mut self.mac.mdio(), modes, now);
        started.map_err(Error::Phy)?;
        self.phy_status = PhyStatus::Started;
        Ok(())
    }

    /// Fails after a transition that did not complete.
    #[inline]
    fn check(&self) -> Result<(), Error<M::Error>> {
        if self.in_transition {
            return Err(ErrorKind::Fault.into());
        }
        Ok(())
    }

    /// Brings the port into `target` by `f`. If that fails, the port is in a fault, in its former
    /// state, unless the MAC does not have the transition.
    fn transition(
        &mut self,
        target: State,
        f: impl FnOnce(&mut Self) -> Result<(), Error<M::Error>>,
    ) -> Result<(), Error<M::Error>> {
        match f(self) {
            Ok(()) => (self.state, self.in_transition) = (target, false),
            Err(Error::Mac(e)) if e.kind() == ErrorKind::Unsupported => return Err(Error::Mac(e)),
            Err(e) => {
                if !self.in_transition && matches!(e, Error::Phy(_)) {
                    self.phy_faults = self.phy_faults.wrapping_add(1);
                }
                self.in_transition = true;
                return Err(e);
            }
        }
        Ok(())
    }

    fn bring_up(&mut self) -> Result<(), Error<M::Error>> {
        if self.phy_status == PhyStatus::Off {
            self.start_phy()?;
        }
        self.mac.start().map_err(Error::Mac)
    }

    fn power_down(&mut self) -> Result<(), Error<M::Error>> {
        match self.mac.sleep() {
            Err(e) if e.kind() == ErrorKind::Unsupported => self.mac.stop(),
            slept => slept,
        }
        .map_err(Error::Mac)?;
        // After a failure too, the PHY must be started.
        self.phy_status = PhyStatus::Off;
        let powered_down = self.phy.stop(&mut self.mac.mdio());
        // Otherwise the link would be up again as soon as the MAC wakes.
        self.set_mac_link()?;
        powered_down.map_err(Error::Phy)
    }

    /// Returns whether the PHY decides whether something of `interest` holds: capacity to send comes
    /// with the link.
    fn concerns_phy(&self, interest: Interest) -> bool {
        interest.link || (interest.tx && !self.mac.link().is_up())
    }

    /// Returns whether a poll of the PHY is due, and whether by its interrupt.
    fn phy_due(&mut self) -> Result<(bool, bool), M::Error> {
        let interrupt = match self.irq.active() {
            Some(active) => active,
            None => self.mac.phy_interrupt()? == Some(true),
        };
        let due = interrupt || !self.link_applied || self.next_service().is_zero();
        Ok((due, interrupt))
    }

    /// Sets the link of the MAC to that of the PHY. Tried again by the next poll if the MAC fails.
    fn set_mac_link(&mut self) -> Result<(), Error<M::Error>> {
        let set = self.mac.set_link(self.phy.link());
        // A mode that the MAC does not have stays refused.
        self.link_applied = !matches!(&set, Err(e) if e.kind() != ErrorKind::Unsupported);
        set.map_err(Error::Mac)
    }

    /// Polls the PHY if that is due, and sets the link of the MAC.
    fn poll_phy(&mut self) -> Result<(), Error<M::Error>> {
        let (due, interrupt) = self.phy_due().map_err(Error::Mac)?;
        if !due {
            return Ok(());
        }
        let polled = self.poll_phy_now(interrupt);
        // `phy.link()` is valid after a failure too.
        self.set_mac_link()?;
        match polled {
            // The PHY may be back without a new start.
            Ok(_) if self.phy_status == PhyStatus::Failed && self.phy.link().is_up() => {
                self.phy_status = PhyStatus::Started;
            }
            // Neither is a fault of the PHY.
            Ok(_) | Err(PhyError::Mdio(_) | PhyError::NoCommonMode) => {}
            Err(_) if self.phy_status == PhyStatus::Started => self.phy_status = PhyStatus::Failed,
            Err(_) => {}
        }
        polled.map(drop).map_err(Error::Phy)
    }

    fn poll_phy_now(&mut self, interrupt: bool) -> Result<PhyEvent, PhyError<M::Error>> {
        let now = (self.clock)();
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
    ethdev::forward_ethernet_device!(|this| this.mac; mac_address, link);

    fn capabilities(&self) -> Capabilities {
        self.mac.capabilities().with_max_service_interval(self.interval)
    }

    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.mac.tx_max_frame_len()
    }

    fn stats(&self) -> Stats {
        let mut stats = self.mac.stats();
        stats.faults = stats.faults.wrapping_add(self.phy_faults);
        stats
    }

    #[inline]
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        self.check()?;
        self.mac.recv_frame(buf).map_err(Error::Mac)
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.check()?;
        self.mac.discard_frame().map_err(Error::Mac)
    }

    #[inline]
    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.check()?;
        self.mac.tx_ready().map_err(Error::Mac)
    }

    #[inline]
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.check()?;
        self.mac.send_vectored(parts).map_err(Error::Mac)
    }

    #[inline]
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.check()?;
        self.mac.send_frame(frame).map_err(Error::Mac)
    }

    /// Polls the PHY if that is due, then services the MAC.
    ///
    /// # Errors
    ///
    /// The error of the MAC, otherwise that of the PHY. After an error of the PHY the MAC was
    /// serviced all the same, and later calls poll the PHY again. The link is down while its
    /// state is unknown or its mode is not supported.
    fn service(&mut self) -> Result<Events, Self::Error> {
        self.check()?;
        let polled = self.poll_phy();
        let events = self.mac.service().map_err(Error::Mac)?;
        let mut events = core::mem::take(&mut self.unreported).merge(events);
        if let Err(e) = polled {
            // States, not events: the next report has its own.
            (events.rx_pending, events.tx_ready) = (false, false);
            self.unreported = events;
            return Err(e);
        }
        let link = self.mac.link();
        events.link_changed = core::mem::replace(&mut self.reported_link, link) != link;
        Ok(events)
    }
}

/// The PHY keeps its link where possible, because auto-negotiation takes seconds: `start` and
/// `wake` start it only if it is powered down, `recover` only if it had failed.
///
/// A transition that failed leaves the port in the state that it reached last. Until it is repeated
/// with success, or `recover` brings MAC and PHY back into that state, the methods of
/// [`EthernetDevice`], [`Rearm`] and [`PollReady`] fail with [`Fault`](ErrorKind::Fault).
impl<M: Mac, P: Phy, C: FnMut() -> Duration, I: PhyIrq> Control for EthernetPort<M, P, C, I> {
    fn start(&mut self) -> Result<(), Self::Error> {
        self.transition(State::Running, Self::bring_up)
    }

    /// Stops the MAC. The PHY keeps its link.
    fn stop(&mut self) -> Result<(), Self::Error> {
        self.transition(State::Stopped, |port| port.mac.stop().map_err(Error::Mac))
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        self.mac.set_mac_address(address).map_err(Error::Mac)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Self::Error> {
        self.mac.set_rx_filter(filter).map_err(Error::Mac)
    }

    /// Resets the MAC, and the PHY if it had failed.
    fn recover(&mut self) -> Result<(), Self::Error> {
        self.mac.recover().map_err(Error::Mac)?;
        if self.phy_status == PhyStatus::Failed {
            // If that fails, polls continue.
            self.start_phy()?;
        }
        if self.in_transition {
            let state = self.state;
            self.transition(state, |port| match state {
                State::Running => port.bring_up(),
                State::Stopped => port.mac.stop().map_err(Error::Mac),
                State::Asleep { .. } => port.power_down(),
            })?;
        }
        self.set_mac_link()
    }

    /// Puts the MAC to sleep, or stops it if it has no sleep state, and powers the PHY down.
    fn sleep(&mut self) -> Result<(), Self::Error> {
        let running = matches!(self.state, State::Running | State::Asleep { running: true });
        self.transition(State::Asleep { running }, Self::power_down)
    }

    /// Restarts the PHY and wakes the MAC. A port that was stopped before it slept is stopped
    /// again.
    fn wake(&mut self) -> Result<(), Self::Error> {
        let State::Asleep { running } = self.state else {
            return self.check();
        };
        let target = if running { State::Running } else { State::Stopped };
        self.transition(target, |port| {
            if port.phy_status == PhyStatus::Off {
                port.start_phy()?;
            }
            match port.mac.wake() {
                Err(e) if e.kind() == ErrorKind::Unsupported && running => port.mac.start(),
                Err(e) if e.kind() == ErrorKind::Unsupported => Ok(()),
                woken => woken,
            }
            .map_err(Error::Mac)
        })
    }
}

impl<M: Mac + Rearm, P: Phy, C: FnMut() -> Duration, I: PhyIrq> Rearm for EthernetPort<M, P, C, I> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.mac.disarm().map_err(Error::Mac)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        self.check()?;
        let outcome = self.mac.rearm(interest).map_err(Error::Mac)?;
        // The line is read after the MAC's interrupt was unmasked, so that an interrupt of the PHY from
        // here on is not missed.
        if self.concerns_phy(interest) && self.phy_due().map_err(Error::Mac)?.0 {
            return Ok(RearmOutcome::WorkPending);
        }
        Ok(outcome)
    }
}

/// For MACs that keep a waker. With [`Interest::link`](Interest::link), and with
/// [`Interest::tx`](Interest::tx) while the link is down, the PHY is polled first if that is due.
impl<M: Mac + PollReady, P: Phy, C: FnMut() -> Duration, I: PhyIrq> PollReady for EthernetPort<M, P, C, I> {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, Self::Error>> {
        self.check()?;
        if self.concerns_phy(interest) {
            self.poll_phy()?;
        }
        self.mac.poll_ready(interest, cx).map_err(Error::Mac)
    }
}

impl<M: Mac + LendingDevice, P: Phy, C: FnMut() -> Duration, I: PhyIrq> LendingDevice for EthernetPort<M, P, C, I> {
    type Rx<'a>
        = MapErr<M::Rx<'a>>
    where
        Self: 'a;
    type Tx<'a>
        = MapErr<M::Tx<'a>>
    where
        Self: 'a;

    #[inline]
    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        let (rx, tx) = self.mac.split();
        (MapErr(rx), MapErr(tx))
    }
}
