//! The state machine of a clause-22 PHY.

mod control;
mod machine;
mod resolve;

use core::time::Duration;

use super::{LinkModes, NoQuirks, Phy, PhyError, PhyEvent, PhyId, PhyOps, PhyRegisters, bmcr, reg};
use crate::mdio::{Mdio, PhyAddress};
use ethdev::{Duplex, Link, Speed};

/// Any PHY that keeps to clause 22, whoever made it. It is polled: clause 22 matches no interrupts.
pub type GenericPhy = Clause22<NoQuirks>;

impl GenericPhy {
    /// The PHY at `address`.
    #[must_use]
    pub const fn standard(address: PhyAddress) -> Self {
        Self::new(address, NoQuirks)
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

/// What is known of the link since the last look that came to its end. The PHY tells of a loss only once, and the bus may fail right after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Steady,
    /// The bus failed: perhaps the PHY told of a loss, and nobody heard.
    Unknown,
    Lost,
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
/// use ethdev_phy::mdio::PhyAddress;
/// use ethdev_phy::phy::{LinkModes, GenericPhy, Phy, PhyEvent};
/// # use ethdev::{Duplex, ErrorKind, LinkMode, Speed};
/// # use ethdev_phy::{mdio::{Mdio, RegisterAddress}, phy::reg};
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
/// phy.start(&mut mdio, LinkModes::ALL_MODES, now())?;
/// let mode = loop {
///     if let PhyEvent::Up(mode) = phy.poll(&mut mdio, now())? {
///         break mode;
///     }
///     // sleep for phy.next_poll(now()), or do something else: a poll that is not due does nothing
/// };
/// # assert_eq!(mode, LinkMode::new(Speed::MBPS_100, Duplex::Full));
/// # Ok::<(), crate::phy::PhyError<ErrorKind>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Clause22<V> {
    address: PhyAddress,
    vendor: V,
    poll_interval: Duration,
    idle_check: Duration,
    forced: Option<(Speed, Duplex)>,
    advertise: LinkModes,
    state: State,
    since: Since,
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
            advertise: LinkModes::NONE,
            state: State::Stopped,
            since: Since::Steady,
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

    /// Whether what is to be advertised, or forced, is possible at all.
    fn is_possible(advertise: LinkModes, forced: Option<(Speed, Duplex)>) -> bool {
        match forced {
            None => !advertise.modes().is_empty(),
            Some((speed, duplex)) => LinkModes::from_mode(speed, duplex).is_some_and(|bit| advertise.contains(bit)),
        }
    }
}

impl<V: PhyOps> Phy for Clause22<V> {
    fn start<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: LinkModes,
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
            .ack_interrupt(&mut PhyRegisters::new(mdio, self.address))
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
