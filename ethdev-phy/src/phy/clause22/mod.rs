//! The state machine of a clause-22 PHY.

mod resolve;
mod settings;
mod state_machine;

use core::time::Duration;

use super::{LinkModes, NoQuirks, Phy, PhyError, PhyEvent, PhyId, PhyOps, PhyRegisters, bmcr, reg};
use crate::mdio::{Mdio, PhyAddress};
use ethdev::{Duplex, Link, Speed};

/// A PHY that conforms to clause 22. It is polled: clause 22 has no interrupts.
pub type GenericPhy = Clause22<NoQuirks>;

impl GenericPhy {
    /// Creates a driver for the PHY at `address`. Does not access the bus.
    #[must_use]
    pub const fn at(address: PhyAddress) -> Self {
        Self::new(address, NoQuirks)
    }
}

/// The state of a [`Clause22`] PHY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PhyState {
    /// Not started, or stopped.
    Stopped,
    /// The PHY does not respond, has an unsupported identifier, or did not end its reset. Tried
    /// again at every poll.
    NotResponding,
    /// The software reset is in progress.
    Resetting,
    /// Reset, but not configured yet because the bus failed.
    Configuring,
    /// Waiting for a link.
    Down,
    /// The link partner offers no common mode, or the link is up in a mode that the MAC does not
    /// support.
    NoCommonMode,
    /// The link is up.
    Up,
    /// Near-end loopback.
    Loopback,
}

/// ```text
///           start                         bit clear            link
/// Stopped ────────> Resetting ───────────────────────> Down <──────────> Up
///                    ^    │ 0.5 s                       │
///         identified │    v                             │ no response
///                    └─ NotResponding <─────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stopped,
    NotResponding,
    Resetting {
        /// When the reset times out.
        deadline: Duration,
        /// This is the second reset, requested by `PhyOps::after_reset`.
        second: bool,
    },
    Configuring,
    Down {
        /// The lack of a common mode was reported.
        no_common_mode: bool,
    },
    Up,
    Loopback,
}

/// Whether the link was lost since the last complete poll. The PHY reports a loss only once, and
/// the bus may fail after that read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkLoss {
    None,
    /// The bus failed: the PHY may have reported a loss in a read whose result was not received.
    Unknown,
    Reported,
}

/// Why the state is [`State::NotResponding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    NotResponding,
    UnknownId(PhyId),
    ResetTimeout,
}

/// A PHY with clause 22 registers. `O` is what it does beyond the standard.
///
/// - The identifier is read before anything is written.
/// - The software reset is bounded: [`RESET_TIME`](Self::RESET_TIME).
/// - Each poll reads the latched link bit twice: the first read reports a loss since the last poll,
///   the second the present state. A poll is three reads; a link that comes up takes a few more.
/// - The link counts as up only while the PHY is neither powered down nor isolated: some PHYs
///   report a link in power-down.
/// - A PHY whose registers read as all ones or all zeros does not respond: the link is down, and
///   later polls identify the PHY again. A PHY that lost its settings (brownout, reset by another
///   master) is configured again when its link comes up.
/// - After [`BUS_FAILURES`](Self::BUS_FAILURES) failures of the bus in a row the link counts as
///   down.
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
/// let mut phy = GenericPhy::at(PhyAddress::new(0).unwrap());
/// phy.start(&mut mdio, LinkModes::ALL_MODES, now())?;
/// let mode = loop {
///     if let PhyEvent::Up(mode) = phy.poll(&mut mdio, now())? {
///         break mode;
///     }
///     // sleep for `phy.next_poll(now)`: a poll that is not due does nothing
/// };
/// # assert_eq!(mode, LinkMode::new(Speed::MBPS_100, Duplex::Full));
/// # Ok::<(), ethdev_phy::phy::PhyError<ErrorKind>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Clause22<O> {
    address: PhyAddress,
    ops: O,
    poll_interval: Duration,
    watchdog_interval: Duration,
    forced: Option<(Speed, Duplex)>,
    advertise: LinkModes,
    state: State,
    loss: LinkLoss,
    id: Option<PhyId>,
    /// Registers 4 and 0 as read back: not every PHY keeps every bit that is written.
    anar: u16,
    autoneg: u16,
    link: Link,
    /// The link state that the events so far add up to.
    reported: Link,
    due: Duration,
    bus_failures: u8,
    fault: Option<Fault>,
}

impl<O> Clause22<O> {
    /// The longest time of a software reset (IEEE 802.3 clause 22.2.4.1.1).
    pub const RESET_TIME: Duration = Duration::from_millis(500);
    /// Reads of register 0 that take [`RESET_TIME`](Self::RESET_TIME): 64 cycles of MDC each, at
    /// 2.5 MHz (clause 22.2.2.13).
    const RESET_READS: u32 = 19_532;
    /// Interval of polling for the end of a reset.
    const RESET_POLL: Duration = Duration::from_millis(1);
    /// Number of bus failures in a row after which a link that was up counts as down.
    pub const BUS_FAILURES: u8 = 3;
    /// Default of [`with_poll_interval`](Self::with_poll_interval).
    pub const POLL_INTERVAL: Duration = Duration::from_millis(100);
    const NEVER: Duration = Duration::MAX;

    /// Creates a driver for the PHY at `address`. Does not access the bus before
    /// [`start`](Phy::start).
    #[must_use]
    pub const fn new(address: PhyAddress, ops: O) -> Self {
        Self {
            address,
            ops,
            poll_interval: Self::POLL_INTERVAL,
            watchdog_interval: Self::NEVER,
            forced: None,
            advertise: LinkModes::NONE,
            state: State::Stopped,
            loss: LinkLoss::None,
            id: None,
            anar: 0,
            autoneg: 0,
            link: Link::Down,
            reported: Link::Down,
            due: Self::NEVER,
            bus_failures: 0,
            fault: None,
        }
    }

    /// Sets the interval of polling the link without interrupts. The loss of a link is noticed
    /// within it.
    #[must_use]
    pub const fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets the interval of polling the link in spite of interrupts; [`Duration::MAX`], the
    /// default, is never. It covers a PHY that lost its interrupt mask in a brownout.
    #[must_use]
    pub const fn with_watchdog_interval(mut self, interval: Duration) -> Self {
        self.watchdog_interval = interval;
        self
    }

    /// Sets a forced mode of 10 or 100 Mbit/s instead of auto-negotiation. The link partner must be
    /// forced to the same mode.
    #[must_use]
    pub const fn with_forced_mode(mut self, speed: Speed, duplex: Duplex) -> Self {
        self.forced = Some((speed, duplex));
        self
    }

    /// Returns the address on the bus.
    pub const fn address(&self) -> PhyAddress {
        self.address
    }

    /// Returns the operations beyond clause 22.
    pub const fn ops(&self) -> &O {
        &self.ops
    }

    /// Returns the operations beyond clause 22.
    pub const fn ops_mut(&mut self) -> &mut O {
        &mut self.ops
    }

    /// Returns the identifier; `None` before it was first read.
    pub const fn id(&self) -> Option<PhyId> {
        self.id
    }

    /// Returns the state.
    pub const fn state(&self) -> PhyState {
        match self.state {
            State::Stopped => PhyState::Stopped,
            State::NotResponding => PhyState::NotResponding,
            State::Resetting { .. } => PhyState::Resetting,
            State::Configuring => PhyState::Configuring,
            State::Down { no_common_mode: false } => PhyState::Down,
            State::Down { no_common_mode: true } => PhyState::NoCommonMode,
            State::Up => PhyState::Up,
            State::Loopback => PhyState::Loopback,
        }
    }

    /// Returns access to the registers, for functions that this driver does not have. Reading
    /// register 1 hides a short loss of the link from the next poll. A write to registers 0 and
    /// 4 counts as a loss of the settings and is undone.
    pub fn registers<'a, M: Mdio + ?Sized>(&self, mdio: &'a mut M) -> PhyRegisters<'a, M> {
        PhyRegisters::new(mdio, self.address)
    }

    /// Writes register 0. Returns whether it reads back.
    fn write_control<M: Mdio + ?Sized>(&self, mdio: &mut M, control: u16) -> Result<bool, M::Error> {
        mdio.write(self.address, reg::BMCR, control)?;
        Ok(is_stored(control, mdio.read(self.address, reg::BMCR)?))
    }

    /// Waits for the end of a reset: a PHY need not accept writes before.
    fn wait_for_reset<M: Mdio + ?Sized>(&self, mdio: &mut M) -> Result<(), PhyError<M::Error>> {
        let mut control = 0;
        for _ in 0..Self::RESET_READS {
            // All ones count as "in reset": some PHYs do not respond during their reset.
            control = mdio.read(self.address, reg::BMCR).map_err(PhyError::Mdio)?;
            if control & bmcr::RESET == 0 {
                return Ok(());
            }
        }
        Err(if control == u16::MAX {
            PhyError::NotResponding(self.address)
        } else {
            PhyError::ResetTimeout
        })
    }

    /// Returns the next event to report, if any.
    fn next_event(&mut self) -> PhyEvent {
        if self.reported == self.link {
            return PhyEvent::None;
        }
        self.reported = self.link;
        match self.link {
            Link::Up(mode) => PhyEvent::Up(mode),
            Link::Down => PhyEvent::Down,
        }
    }

    /// Returns whether the advertisement contains a mode, or the forced one.
    fn is_possible(advertise: LinkModes, forced: Option<(Speed, Duplex)>) -> bool {
        match forced {
            None => !advertise.without_pause().is_empty(),
            Some((speed, duplex)) => LinkModes::from_mode(speed, duplex).is_some_and(|bit| advertise.contains(bit)),
        }
    }
}

/// Returns whether register 0, which reads as `found`, has the settings in `control`.
const fn is_stored(control: u16, found: u16) -> bool {
    const SETTINGS: u16 = bmcr::RESET
        | bmcr::LOOPBACK
        | bmcr::SPEED_100
        | bmcr::AUTONEG_ENABLE
        | bmcr::POWER_DOWN
        | bmcr::ISOLATE
        | bmcr::FULL_DUPLEX;
    (found ^ control) & SETTINGS == 0
}

impl<O: PhyOps> Phy for Clause22<O> {
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
        let event = self.next_event();
        if event != PhyEvent::None || now < self.due {
            return Ok(event);
        }
        let stepped = self.step(&mut PhyRegisters::new(mdio, self.address), now);
        match stepped {
            Err(PhyError::Mdio(_)) => self.bus_failed(now),
            _ => self.bus_failures = 0,
        }
        stepped.map(|()| self.next_event())
    }

    fn next_poll(&self, now: Duration) -> Duration {
        if self.reported != self.link {
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
        self.ops
            .ack_interrupt(&mut PhyRegisters::new(mdio, self.address))
            .map_err(PhyError::Mdio)
    }

    fn stop<M: Mdio + ?Sized>(&mut self, mdio: &mut M) -> Result<(), PhyError<M::Error>> {
        self.link = Link::Down;
        self.state = State::Stopped;
        self.due = Self::NEVER;
        self.wait_for_reset(mdio)?;
        if self.write_control(mdio, bmcr::POWER_DOWN).map_err(PhyError::Mdio)? {
            Ok(())
        } else {
            Err(PhyError::NotResponding(self.address))
        }
    }

    fn link(&self) -> Link {
        self.link
    }
}
