//! The state machine of a clause-22 PHY.

use core::time::Duration;

use super::{Abilities, Phy, PhyError, PhyEvent, PhyId, PhyRegisters, Standard, Vendor, aner, bmcr, bmsr, reg};
use crate::mdio::{Mdio, PhyAddress};
use crate::{Duplex, Link, LinkMode, Speed};

/// Any PHY that keeps to clause 22, whoever made it. It is polled: clause 22 knows no interrupts.
pub type GenericPhy = Clause22<Standard>;

impl GenericPhy {
    /// The PHY at `address`.
    #[must_use]
    pub const fn standard(address: PhyAddress) -> Self {
        Self::new(address, Standard)
    }
}

/// Where a [`Clause22`] PHY stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PhyState {
    /// Not started, or stopped.
    Stopped,
    /// Nobody answers, somebody else does, or the reset does not end. Tried again at every poll.
    Absent,
    /// In its software reset.
    Resetting,
    /// Out of its reset, and not yet set up: the bus failed meanwhile.
    Configuring,
    /// Waiting for a link.
    Down,
    /// The partner offers no mode in common, or the link is up in a mode that the MAC cannot do.
    Refused,
    /// The link is up.
    Up,
    /// In near-end loopback.
    Loopback,
}

/// ```text
///           start                    bit clear             link
/// Stopped ────────> Resetting ──────────────> Watching <──────────> Up
///                    ^    │ 0.5 s                 │
///         identified │    v                       │ no answer
///                    └─ Absent <──────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stopped,
    Absent,
    Resetting {
        /// When it is over at the latest.
        until: Duration,
        /// It is the second one, which the vendor asked for.
        again: bool,
    },
    Configuring,
    Watching {
        /// It was told that there is no common mode.
        refused: bool,
    },
    Up,
    Loopback,
}

/// What ends in [`State::Absent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    NotResponding,
    UnknownId(PhyId),
    ResetTimeout,
}

/// A PHY with clause-22 registers; `V` is what is particular about it.
///
/// - Before anything is written, the PHY's identity is read.
/// - The software reset is bounded by time: [`RESET_TIME`](Self::RESET_TIME).
/// - The latching link bit is read twice at each look: the first read tells of a loss since the last look, the second of now. A look is three reads; coming up
///   takes a few more.
/// - The link counts as up only while the PHY is neither powered down nor isolated: some PHYs show a link in power-down.
/// - A PHY whose registers read all ones or all zeros does not answer: the link is down, and it is looked for from then on. A PHY that lost its settings
///   (a dip of its supply, a reset by somebody else) is set up again when its link comes back.
/// - After [`BUS_FAILURES`](Self::BUS_FAILURES) failures of the bus in a row the link counts as down.
///
/// ```
/// use core::time::Duration;
/// use ethdev::mdio::PhyAddress;
/// use ethdev::phy::{Abilities, GenericPhy, Phy, PhyEvent};
/// # use ethdev::{Duplex, ErrorKind, LinkMode, Speed, mdio::{Mdio, RegisterAddress}, phy::reg};
/// # struct Bus;
/// # impl Mdio for Bus {
/// #     type Error = ErrorKind;
/// #     fn read(&mut self, _: PhyAddress, register: RegisterAddress) -> Result<u16, ErrorKind> {
/// #         Ok([0x1000, 0x782d, 0x22, 0x1450, 0x01e1, 0x41e1, 1].get(usize::from(register.get())).copied().unwrap_or(0xffff))
/// #     }
/// #     fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> { Ok(()) }
/// # }
/// # let mut mdio = Bus;
/// # let mut clock = Duration::ZERO;
/// # let mut now = || { clock += Duration::from_millis(1); clock };
/// let mut phy = GenericPhy::standard(PhyAddress::new(0).unwrap());
/// phy.start(&mut mdio, Abilities::ALL_MODES, now())?;
/// let mode = loop {
///     if let PhyEvent::Up(mode) = phy.poll(&mut mdio, now())? {
///         break mode;
///     }
///     // sleep for phy.next_poll(now()), or do something else: a poll that is not due does nothing
/// };
/// # assert_eq!(mode, LinkMode::new(Speed::MBPS_100, Duplex::Full));
/// # Ok::<(), ethdev::phy::PhyError<ErrorKind>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Clause22<V> {
    address: PhyAddress,
    vendor: V,
    poll_interval: Duration,
    idle_check: Duration,
    forced: Option<(Speed, Duplex)>,
    advertise: Abilities,
    state: State,
    id: Option<PhyId>,
    /// What registers 4 and 0 read after they were written: not every PHY gives back what it was given.
    anar: u16,
    autoneg: u16,
    link: Link,
    /// The link that the events so far add up to.
    told: Link,
    due: Duration,
    bus_failures: u8,
    fault: Option<Fault>,
}

impl<V> Clause22<V> {
    /// How long a software reset may take (IEEE 802.3 clause 22.2.4.1.1).
    pub const RESET_TIME: Duration = Duration::from_millis(500);
    /// How often a reset is looked at.
    const RESET_POLL: Duration = Duration::from_millis(1);
    /// How many failures of the bus in a row make a link that was up count as down.
    pub const BUS_FAILURES: u8 = 3;
    /// How often the link is looked at, unless told otherwise: a loss is seen within it.
    pub const POLL_INTERVAL: Duration = Duration::from_millis(100);
    const NEVER: Duration = Duration::MAX;

    /// The PHY at `address`. Nothing is sent to it before [`start`](Phy::start).
    #[must_use]
    pub const fn new(address: PhyAddress, vendor: V) -> Self {
        Self {
            address,
            vendor,
            poll_interval: Self::POLL_INTERVAL,
            idle_check: Self::NEVER,
            forced: None,
            advertise: Abilities::NONE,
            state: State::Stopped,
            id: None,
            anar: 0,
            autoneg: 0,
            link: Link::Down,
            told: Link::Down,
            due: Self::NEVER,
            bus_failures: 0,
            fault: None,
        }
    }

    /// The same with another interval between two looks at the link.
    #[must_use]
    pub const fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// The same with a look at the link from time to time although interrupts are used; [`Duration::MAX`], the default, is never. A PHY that lost its
    /// interrupt mask in a dip of its supply raises no interrupt.
    #[must_use]
    pub const fn with_idle_check(mut self, interval: Duration) -> Self {
        self.idle_check = interval;
        self
    }

    /// The same without auto-negotiation, in this mode: 10 or 100 Mbit/s. The partner has to be set to the same by hand.
    #[must_use]
    pub const fn with_forced_mode(mut self, speed: Speed, duplex: Duplex) -> Self {
        self.forced = Some((speed, duplex));
        self
    }

    /// Its address on the bus.
    pub const fn address(&self) -> PhyAddress {
        self.address
    }

    /// What is particular about it.
    pub const fn vendor(&self) -> &V {
        &self.vendor
    }

    /// What is particular about it.
    pub const fn vendor_mut(&mut self) -> &mut V {
        &mut self.vendor
    }

    /// Who it is; `None` before it was first identified.
    pub const fn id(&self) -> Option<PhyId> {
        self.id
    }

    /// Where it stands.
    pub const fn state(&self) -> PhyState {
        match self.state {
            State::Stopped => PhyState::Stopped,
            State::Absent => PhyState::Absent,
            State::Resetting { .. } => PhyState::Resetting,
            State::Configuring => PhyState::Configuring,
            State::Watching { refused: false } => PhyState::Down,
            State::Watching { refused: true } => PhyState::Refused,
            State::Up => PhyState::Up,
            State::Loopback => PhyState::Loopback,
        }
    }

    /// Its registers, for what this driver has no name for. Reading register 1 hides a short loss of the link from the next poll; what is written to
    /// registers 0 and 4 is taken for a loss of the settings, and undone.
    pub fn registers<'a, M: Mdio + ?Sized>(&self, mdio: &'a mut M) -> PhyRegisters<'a, M> {
        PhyRegisters::new(mdio, self.address)
    }

    /// The event that is due, if any.
    fn tell(&mut self) -> PhyEvent {
        if self.told == self.link {
            return PhyEvent::None;
        }
        self.told = self.link;
        match self.link {
            Link::Up(mode) => PhyEvent::Up(mode),
            Link::Down => PhyEvent::Down,
        }
    }

    fn can_do(&self, mode: LinkMode) -> bool {
        let (Some(speed), Some(duplex)) = (mode.speed, mode.duplex) else {
            return false;
        };
        Abilities::from_mode(speed, duplex).is_some_and(|bit| self.advertise.contains(bit))
    }

    /// Whether what is to be advertised, or forced, is possible at all.
    fn is_possible(advertise: Abilities, forced: Option<(Speed, Duplex)>) -> bool {
        match forced {
            None => !advertise.modes().is_empty(),
            Some((speed, duplex)) => Abilities::from_mode(speed, duplex).is_some_and(|bit| advertise.contains(bit)),
        }
    }

    fn give_up<E>(&mut self, fault: Fault, now: Duration) -> Result<(), PhyError<E>> {
        self.state = State::Absent;
        self.link = Link::Down;
        self.due = now.saturating_add(self.poll_interval);
        if self.fault == Some(fault) {
            return Ok(());
        }
        self.fault = Some(fault);
        Err(match fault {
            Fault::NotResponding => PhyError::NotResponding(self.address),
            Fault::UnknownId(id) => PhyError::UnknownId(id),
            Fault::ResetTimeout => PhyError::ResetTimeout,
        })
    }

    fn bus_failed(&mut self, now: Duration) {
        let pause = match self.state {
            State::Resetting { .. } => Self::RESET_POLL,
            _ => self.poll_interval,
        };
        self.due = now.saturating_add(pause);
        self.bus_failures = self.bus_failures.saturating_add(1);
        if self.bus_failures >= Self::BUS_FAILURES && self.state == State::Up {
            self.state = State::Watching { refused: false };
            self.link = Link::Down;
        }
    }
}

impl<V: Vendor> Clause22<V> {
    /// Advertises something else from now on, and negotiates anew. Remembered where the PHY is not there yet.
    ///
    /// # Errors
    ///
    /// `NoCommonMode`, with nothing changed, where there is no mode in it, or not the one that is forced. The bus failed: the next poll goes on.
    pub fn set_advertise<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: Abilities,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        if !Self::is_possible(advertise, self.forced) {
            return Err(PhyError::NoCommonMode);
        }
        self.advertise = advertise;
        self.restart(mdio, now)
    }

    /// Forces a mode from now on, or negotiates again with `None`. Remembered where the PHY is not there yet.
    ///
    /// # Errors
    ///
    /// `NoCommonMode`, with nothing changed, where the MAC cannot do the mode. The bus failed: the next poll goes on.
    pub fn force<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mode: Option<(Speed, Duplex)>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        if self.state != State::Stopped && !Self::is_possible(self.advertise, mode) {
            return Err(PhyError::NoCommonMode);
        }
        self.forced = mode;
        self.restart(mdio, now)
    }

    /// Writes the settings again and begins auto-negotiation anew: the link goes down. Does nothing where the PHY is not there yet, because that comes anyway.
    ///
    /// # Errors
    ///
    /// The bus failed: the next poll goes on.
    pub fn restart<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        if matches!(self.state, State::Stopped | State::Absent | State::Resetting { .. }) {
            return Ok(());
        }
        self.link = Link::Down;
        self.state = State::Configuring;
        self.due = now;
        self.configure(&mut PhyRegisters::new(mdio, self.address), now)
            .map_err(PhyError::Mdio)
    }

    /// Near-end loopback: what the MAC sends comes back to it, in this mode, and nothing goes out. The link counts as up. `None` ends it, and negotiates anew.
    ///
    /// # Errors
    ///
    /// `NotStarted`: stopped, absent or in its reset. `NoCommonMode`: a mode that the MAC cannot do. The bus failed.
    pub fn loopback<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        mode: Option<(Speed, Duplex)>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let Some((speed, duplex)) = mode else {
            return if self.state == State::Loopback {
                self.restart(mdio, now)
            } else {
                Ok(())
            };
        };
        if matches!(self.state, State::Stopped | State::Absent | State::Resetting { .. }) {
            return Err(PhyError::NotStarted);
        }
        if !Self::is_possible(self.advertise, mode) {
            return Err(PhyError::NoCommonMode);
        }
        let control = bmcr::LOOPBACK | mode_bits(speed, duplex);
        mdio.write(self.address, reg::BMCR, control).map_err(PhyError::Mdio)?;
        self.state = State::Loopback;
        self.link = Link::Up(LinkMode::new(speed, duplex));
        self.due = now.saturating_add(self.poll_interval);
        Ok(())
    }

    fn step<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        match self.state {
            State::Stopped => {
                self.due = Self::NEVER;
                Ok(())
            }
            State::Absent => self.begin(phy, now),
            State::Resetting { until, again } => self.wait_reset(phy, until, again, now),
            State::Configuring => self.configure(phy, now).map_err(PhyError::Mdio),
            State::Watching { .. } | State::Up => self.look(phy, now),
            State::Loopback => {
                let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
                if control == u16::MAX {
                    return self.give_up(Fault::NotResponding, now);
                }
                if control & bmcr::LOOPBACK == 0 {
                    return self.begin(phy, now);
                }
                self.due = now.saturating_add(self.poll_interval);
                Ok(())
            }
        }
    }

    fn begin<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.link = Link::Down;
        self.state = State::Absent;
        self.due = now.saturating_add(self.poll_interval);
        let id1 = phy.read(reg::PHYID1).map_err(PhyError::Mdio)?;
        let id2 = phy.read(reg::PHYID2).map_err(PhyError::Mdio)?;
        let Some(id) = PhyId::from_registers(id1, id2) else {
            return self.give_up(Fault::NotResponding, now);
        };
        if !self.vendor.knows(id) {
            return self.give_up(Fault::UnknownId(id), now);
        }
        self.id = Some(id);
        self.reset(phy, false, now).map_err(PhyError::Mdio)
    }

    /// No other bit is written along with the reset: it would be lost.
    fn reset<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        again: bool,
        now: Duration,
    ) -> Result<(), M::Error> {
        phy.write(reg::BMCR, bmcr::RESET)?;
        let until = now.saturating_add(Self::RESET_TIME);
        self.state = State::Resetting { until, again };
        self.due = now.saturating_add(Self::RESET_POLL);
        Ok(())
    }

    fn wait_reset<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        until: Duration,
        again: bool,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        // All ones count as "not yet": some PHYs do not answer during their reset.
        let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
        if control & bmcr::RESET != 0 {
            if now < until {
                self.due = now.saturating_add(Self::RESET_POLL);
                return Ok(());
            }
            let silent = control == u16::MAX;
            return self.give_up(
                if silent {
                    Fault::NotResponding
                } else {
                    Fault::ResetTimeout
                },
                now,
            );
        }
        if self.vendor.after_reset(phy).map_err(PhyError::Mdio)? && !again {
            return self.reset(phy, true, now).map_err(PhyError::Mdio);
        }
        self.state = State::Configuring;
        self.configure(phy, now).map_err(PhyError::Mdio)
    }

    fn configure<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>, now: Duration) -> Result<(), M::Error> {
        self.vendor.configure(phy)?;
        let control = match self.forced {
            Some((speed, duplex)) => mode_bits(speed, duplex),
            None => {
                phy.write(reg::ANAR, self.advertise.to_register())?;
                self.anar = phy.read(reg::ANAR)?;
                bmcr::AUTONEG_ENABLE | bmcr::AUTONEG_RESTART
            }
        };
        phy.write(reg::BMCR, control)?;
        self.autoneg = phy.read(reg::BMCR)? & bmcr::AUTONEG_ENABLE;
        self.state = State::Watching { refused: false };
        self.fault = None;
        // Not at once: what the registers tell now may be of the link before.
        self.due = now.saturating_add(self.poll_interval);
        Ok(())
    }

    fn look<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let since = phy.read(reg::BMSR).map_err(PhyError::Mdio)?;
        let status = phy.read(reg::BMSR).map_err(PhyError::Mdio)?;
        let control = phy.read(reg::BMCR).map_err(PhyError::Mdio)?;
        let silent = |status: u16| status == 0 || status == u16::MAX;
        if silent(since) || silent(status) || control == u16::MAX {
            return self.give_up(Fault::NotResponding, now);
        }
        let changed = (control & bmcr::AUTONEG_ENABLE) ^ self.autoneg;
        if changed | (control & (bmcr::RESET | bmcr::LOOPBACK)) != 0 {
            return self.begin(phy, now);
        }
        let negotiated = self.forced.is_some() || status & bmsr::AUTONEG_COMPLETE != 0;
        let up = status & bmsr::LINK_UP != 0 && negotiated && control & (bmcr::POWER_DOWN | bmcr::ISOLATE) == 0;
        let lost = since & bmsr::LINK_UP == 0;

        match self.state {
            State::Up if up && !lost => {
                self.due = now.saturating_add(self.pause_while_up());
                Ok(())
            }
            State::Up => {
                self.link = Link::Down;
                self.state = State::Watching { refused: false };
                // It came back meanwhile, perhaps in another mode: `Up` is the next poll's.
                self.due = now;
                if up {
                    Ok(())
                } else {
                    self.wait(phy, status, now).map_err(PhyError::Mdio)
                }
            }
            State::Watching { refused: true } if up && !lost => {
                self.due = now.saturating_add(self.pause_while_up());
                Ok(())
            }
            _ if up => self.come_up(phy, now),
            State::Watching { refused } => {
                let hopeless = self.is_hopeless(phy).map_err(PhyError::Mdio)?;
                self.state = State::Watching { refused: hopeless };
                self.wait(phy, status, now).map_err(PhyError::Mdio)?;
                if hopeless && !refused {
                    Err(PhyError::NoCommonMode)
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }

    fn pause_while_up(&self) -> Duration {
        if self.vendor.interrupts() {
            self.idle_check
        } else {
            self.poll_interval
        }
    }

    /// The link is down: when to look again.
    fn wait<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        status: u16,
        now: Duration,
    ) -> Result<(), M::Error> {
        // There is an interrupt for the completion of auto-negotiation, none for a link: once the one has come, or without it, the other is looked for.
        let interrupt = self.vendor.interrupts() && self.forced.is_none() && status & bmsr::AUTONEG_COMPLETE == 0;
        let pause = if interrupt { self.idle_check } else { self.poll_interval };
        let pause = pause.min(self.vendor.while_down(phy, now)?);
        self.due = now.saturating_add(pause);
        Ok(())
    }

    /// Whether the partner is known to have no mode in common with this end.
    fn is_hopeless<M: Mdio + ?Sized>(&self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        if self.forced.is_some() {
            return Ok(false);
        }
        let partner = Abilities::from_register(phy.read(reg::ANLPAR)?);
        Ok(!partner.modes().is_empty() && Abilities::from_register(self.anar).resolve(partner).is_none())
    }

    fn come_up<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        let same = self.forced.is_some() || phy.read(reg::ANAR).map_err(PhyError::Mdio)? == self.anar;
        if !same || !self.vendor.intact(phy).map_err(PhyError::Mdio)? {
            return self.begin(phy, now);
        }
        let mode = self.resolve(phy).map_err(PhyError::Mdio)?;
        self.due = now.saturating_add(self.pause_while_up());
        match mode {
            Some(mode) if self.can_do(mode) => {
                self.vendor.came_up(phy).map_err(PhyError::Mdio)?;
                self.state = State::Up;
                self.link = Link::Up(mode);
                Ok(())
            }
            _ => {
                self.state = State::Watching { refused: true };
                Err(PhyError::NoCommonMode)
            }
        }
    }

    fn resolve<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<Option<LinkMode>, M::Error> {
        if let Some((speed, duplex)) = self.forced {
            return Ok(Some(LinkMode::new(speed, duplex)));
        }
        let own = self.vendor.negotiated(phy)?;
        let partner = Abilities::from_register(phy.read(reg::ANLPAR)?);
        let expansion = phy.read(reg::ANER)?;
        Ok(resolve(own, Abilities::from_register(self.anar), partner, expansion))
    }
}

/// The mode of a link that auto-negotiation or parallel detection brought up: by the PHY's own word where it has one, or else by what both ends advertise.
fn resolve(own: Option<(Speed, Duplex)>, here: Abilities, partner: Abilities, expansion: u16) -> Option<LinkMode> {
    let agreed = here.resolve(partner);
    if expansion & aner::PARTNER_AUTONEG_ABLE == 0 {
        // Parallel detection sees the speed alone (clause 28.2.3.1): nobody agreed on full duplex, or on PAUSE.
        let half = |mode: LinkMode| Some(LinkMode::new(mode.speed?, Duplex::Half));
        return match own {
            Some((speed, duplex)) => Some(LinkMode::new(speed, duplex)),
            None => agreed.and_then(half),
        };
    }
    match (own, agreed) {
        (None, agreed) => agreed,
        (Some((speed, Duplex::Full)), Some(agreed)) => {
            Some(LinkMode::new(speed, Duplex::Full).with_pause(agreed.pause))
        }
        (Some((speed, duplex)), _) => Some(LinkMode::new(speed, duplex)),
    }
}

fn mode_bits(speed: Speed, duplex: Duplex) -> u16 {
    let speed = if speed == Speed::MBPS_100 { bmcr::SPEED_100 } else { 0 };
    speed | if duplex == Duplex::Full { bmcr::FULL_DUPLEX } else { 0 }
}

impl<V: Vendor> Phy for Clause22<V> {
    fn start<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: Abilities,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>> {
        self.link = Link::Down;
        self.fault = None;
        self.bus_failures = 0;
        if !Self::is_possible(advertise, self.forced) {
            self.state = State::Stopped;
            self.due = Self::NEVER;
            return Err(PhyError::NoCommonMode);
        }
        self.advertise = advertise;
        self.begin(&mut PhyRegisters::new(mdio, self.address), now)
    }

    fn poll<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>> {
        let event = self.tell();
        if event != PhyEvent::None || now < self.due {
            return Ok(event);
        }
        let stepped = self.step(&mut PhyRegisters::new(mdio, self.address), now);
        match stepped {
            Err(PhyError::Mdio(_)) => self.bus_failed(now),
            _ => self.bus_failures = 0,
        }
        stepped.map(|()| self.tell())
    }

    fn next_poll(&self, now: Duration) -> Duration {
        if self.told != self.link {
            Duration::ZERO
        } else if self.due == Self::NEVER {
            Self::NEVER
        } else {
            self.due.saturating_sub(now)
        }
    }

    fn on_interrupt<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        if self.state != State::Stopped {
            self.due = now;
        }
        self.vendor
            .acknowledge(&mut PhyRegisters::new(mdio, self.address))
            .map_err(PhyError::Mdio)
    }

    fn stop<M: Mdio + ?Sized>(&mut self, mdio: &mut M) -> Result<(), PhyError<M::Error>> {
        self.link = Link::Down;
        self.state = State::Stopped;
        self.due = Self::NEVER;
        mdio.write(self.address, reg::BMCR, bmcr::POWER_DOWN)
            .map_err(PhyError::Mdio)
    }

    fn link(&self) -> Link {
        self.link
    }
}
