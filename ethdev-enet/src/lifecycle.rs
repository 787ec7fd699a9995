//! The driver, its construction, and the transitions between its states, in the order that the
//! reference manual requires.

use embedded_hal::delay::DelayNs;
use ethdev::frame::{FCS_LEN, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};
use ethdev::{Duplex, ErrorKind, Events, FilterOutcome, Interest, Link, LinkMode, MacAddress, RxFilter, Speed, Stats};
use ethdev_phy::dma::{BUFFER_LEN, Dma, NonCacheable, Ring, RingStorage};
use ethdev_phy::mmio::Registers;

use crate::bus::{Bus, wait};
use crate::config::{Config, Interface};
use crate::error::{Error, Fault};
use crate::filter::Filter;
use crate::regs::{self, ecr, event, rcr, tcr};
use crate::rx::Receiver;
use crate::stats::{self, RxCounters};
use crate::tx::Transmitter;

/// Timeout of the MAC reset in microseconds. It takes eight cycles of the module clock (description
/// of `ECR[RESET]`).
const RESET_US: u32 = 100;
/// Timeout of the frame in transfer in microseconds: 1522 bytes with preamble take 1224 at 10
/// Mbit/s. A frame that collides repeatedly is cut off.
const LAST_FRAME_US: u32 = 1300;
/// Time in which the DMA engine empties the receive FIFO into a ring with free buffers, in
/// microseconds: at most 8 KiB at not less than 400 MB/s.
const EMPTY_FIFO_US: u32 = 20;
/// Poll interval in microseconds.
const INTERVAL_US: u32 = 10;

/// The state that the MAC reached last.
///
/// ```text
/// Stopped <-> Running      start, stop
/// ```
///
/// A fault stands beside it: a bus error, a MAC that other software disabled, or a call that did
/// not take its whole effect. `start` and `stop` reset the MAC in a fault; `recover` restores the
/// state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Stopped,
}

/// Addresses of the descriptor tables on the bus of the DMA engine.
#[derive(Debug, Clone, Copy)]
struct Tables {
    rx: u32,
    tx: u32,
}

/// The NXP ENET. See the [crate documentation](crate).
///
/// `BUS` are its registers, `D` is a delay (for MDIO and resets; sending and receiving never wait),
/// `DMA` is what its memory requires. Running on construction, with the link down.
#[derive(Debug)]
pub struct Enet<BUS, D, DMA = NonCacheable> {
    pub(crate) bus: Bus<BUS, DMA>,
    pub(crate) delay: D,
    pub(crate) rx: Receiver,
    pub(crate) tx: Transmitter,
    tables: Tables,
    /// With the requested address. The MAC has address and filter while it is running without a
    /// fault.
    pub(crate) config: Config,
    filter: Filter,
    state: State,
    fault: Option<Fault>,
    /// The link that was set last.
    link: Link,
    /// The mode of the last link that was up.
    mode: LinkMode,
    counters: RxCounters,
    /// Counters that belong to no direction.
    stats: Stats,
    /// What the last `service` reported: the link, lost frames.
    reported_link: Link,
    reported_lost: u32,
}

impl<BUS: Registers, D: DelayNs> Enet<BUS, D> {
    /// Resets and starts the MAC, with its link down: [`set_link`](ethdev_phy::Mac::set_link) or an
    /// [`EthernetPort`](ethdev_phy::EthernetPort) sets the link.
    ///
    /// The clocks of the module must be on, and its pins multiplexed. `memory` is a `&'static mut`
    /// to [`Rings`](crate::Rings), or the result of [`RingStorage::from_parts`].
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: the address in `config` is a group address or all zeros.
    /// - `Unreachable`: the DMA engine cannot access `memory`.
    /// - `ResetTimeout`.
    /// - `Fault`: the MAC did not store a setting.
    pub fn new<M: Into<RingStorage>>(registers: BUS, memory: M, delay: D, config: Config) -> Result<Self, Error> {
        Self::with_dma(registers, memory, delay, NonCacheable, config)
    }
}

impl<BUS: Registers, D: DelayNs, DMA: Dma> Enet<BUS, D, DMA> {
    /// As [`new`](Enet::new), for memory that is cached, or that has other addresses on the bus of
    /// the DMA engine.
    ///
    /// # Errors
    ///
    /// As [`new`](Enet::new).
    pub fn with_dma<M: Into<RingStorage>>(
        registers: BUS,
        memory: M,
        delay: D,
        dma: DMA,
        config: Config,
    ) -> Result<Self, Error> {
        if !config.mac_address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        let memory = memory.into();
        let (rx, rx_table) = Ring::new(memory.rx, &dma).map_err(|_| Error::Unreachable)?;
        let (tx, tx_table) = Ring::new(memory.tx, &dma).map_err(|_| Error::Unreachable)?;
        let max = if config.vlan { MAX_VLAN_FRAME_LEN } else { MAX_FRAME_LEN };
        let mut enet = Self {
            bus: Bus { registers, dma },
            delay,
            rx: Receiver::new(rx, max),
            tx: Transmitter::new(tx, max),
            tables: Tables {
                rx: rx_table,
                tx: tx_table,
            },
            config,
            filter: Filter::new(RxFilter::DEFAULT).0,
            state: State::Stopped,
            fault: None,
            link: Link::Down,
            mode: LinkMode::UNKNOWN,
            counters: RxCounters::default(),
            stats: Stats::ZERO,
            reported_link: Link::Down,
            reported_lost: 0,
        };
        enet.reset()?;
        enet.run()?;
        Ok(enet)
    }

    /// Stops the MAC and releases its parts.
    pub fn release(mut self) -> (BUS, RingStorage, D, DMA) {
        self.bus.registers.write(regs::EIMR, 0);
        self.halt();
        let memory = RingStorage {
            rx: self.rx.ring.into_memory(),
            tx: self.tx.ring.into_memory(),
        };
        (self.bus.registers, memory, self.delay, self.bus.dma)
    }

    // State

    /// Checks that the MAC is still enabled.
    #[inline]
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match self.fault {
            Some(fault) => Err(Error::Fault(fault)),
            None if self.state == State::Running && !self.is_enabled() => Err(self.stopped_by_itself()),
            None => Ok(()),
        }
    }

    #[inline]
    fn is_enabled(&self) -> bool {
        self.bus.registers.read(regs::ECR) & (ecr::RESET | ecr::ETHEREN) == ecr::ETHEREN
    }

    #[cold]
    fn stopped_by_itself(&mut self) -> Error {
        let events = self.bus.registers.read(regs::EIR);
        // A module without clock may read as all ones.
        self.fail(if events & event::EBERR != 0 && events != u32::MAX {
            Fault::Bus
        } else {
            Fault::Disabled
        })
    }

    fn fail(&mut self, fault: Fault) -> Error {
        if self.fault.is_none() {
            self.stats.faults = self.stats.faults.wrapping_add(1);
        }
        self.set_state(self.state, Some(fault));
        Error::Fault(fault)
    }

    /// A call that failed leaves the MAC between two states: a fault.
    fn fail_call(&mut self, error: Error) -> Error {
        self.fail(match error {
            Error::Fault(fault) => fault,
            _ => Fault::Disabled,
        });
        error
    }

    fn set_state(&mut self, state: State, fault: Option<Fault>) {
        (self.state, self.fault) = (state, fault);
        self.rx.set_fault(fault);
        self.tx.set_fault(fault);
        self.tx.stopped = state == State::Stopped;
        self.update_can_send();
    }

    fn update_can_send(&mut self) {
        self.tx.can_send = self.is_active() && self.link.is_up();
    }

    /// Running, without a fault.
    fn is_active(&self) -> bool {
        self.state == State::Running && self.fault.is_none()
    }

    #[inline]
    pub(crate) const fn link_state(&self) -> Link {
        match self.state {
            State::Stopped => Link::Down,
            State::Running => self.link,
        }
    }

    /// Counts a change of `link_state()` since `before`.
    fn count_link_change(&mut self, before: Link) {
        self.update_can_send();
        if self.link_state() != before {
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
    }

    /// Returns whether a legal frame would be accepted.
    pub(crate) fn is_tx_ready(&mut self) -> bool {
        self.tx.can_send && matches!(self.tx.has_buffer(&self.bus), Ok(true))
    }

    /// Returns which conditions hold.
    pub(crate) fn pending(&mut self) -> Interest {
        Interest {
            rx: self.is_active() && self.rx.has_work(&self.bus),
            tx: self.is_tx_ready(),
            link: self.link_state() != self.reported_link,
        }
    }

    pub(crate) fn total_stats(&self) -> Stats {
        let stats = self.stats.wrapping_add(&self.rx.stats).wrapping_add(&self.tx.stats());
        self.counters.add_to(stats, self.rx.marked_overruns)
    }

    // Transitions

    pub(crate) fn start_mac(&mut self) -> Result<(), Error> {
        if self.fault.is_some() {
            return self.restart(State::Running);
        }
        if self.state == State::Running {
            return self.check();
        }
        let before = self.link_state();
        self.write_settings()
            .and_then(|()| self.run())
            .map_err(|e| self.fail_call(e))?;
        self.count_link_change(before);
        Ok(())
    }

    pub(crate) fn stop_mac(&mut self) -> Result<(), Error> {
        if self.fault.is_some() {
            return self.restart(State::Stopped);
        }
        self.check()?;
        if self.state == State::Stopped {
            return Ok(());
        }
        let before = self.link_state();
        self.flush_rx();
        self.halt();
        self.rx.flush(&self.bus);
        self.counters.read(&self.bus.registers);
        self.rx.reset(&self.bus.dma);
        self.tx.reset(&self.bus.registers);
        self.verify_enabled(false).map_err(|e| self.fail_call(e))?;
        self.set_state(State::Stopped, None);
        self.count_link_change(before);
        Ok(())
    }

    pub(crate) fn change_address(&mut self, address: MacAddress) -> Result<(), Error> {
        self.config.mac_address = address;
        self.apply(Self::write_address)
    }

    pub(crate) fn change_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Error> {
        let (filter, outcome) = Filter::new(filter);
        self.filter = filter;
        self.apply(Self::write_filter)?;
        Ok(outcome)
    }

    /// Writes a setting to a running MAC. Otherwise `start` and `recover` write it.
    fn apply(&mut self, write: impl FnOnce(&Self) -> Result<(), Error>) -> Result<(), Error> {
        self.check()?;
        if self.state == State::Stopped {
            return Ok(());
        }
        write(self).map_err(|e| self.fail_call(e))
    }

    pub(crate) fn change_link(&mut self, link: Link) -> Result<(), Error> {
        let unsupported = link
            .mode()
            .and_then(|mode| mode.speed)
            .filter(|speed| *speed != Speed::MBPS_10 && *speed != Speed::MBPS_100);
        let link = if unsupported.is_some() { Link::Down } else { link };
        if link != self.link {
            let before = self.link_state();
            let applied = self.apply_link(link);
            if applied.is_err() {
                self.link = Link::Down;
            }
            self.count_link_change(before);
            applied.map_err(|e| self.fail_call(e))?;
        }
        match unsupported {
            Some(speed) => Err(Error::UnsupportedSpeed(speed)),
            None => Ok(()),
        }
    }

    fn apply_link(&mut self, link: Link) -> Result<(), Error> {
        // Without a link the mode does not matter.
        let mode = link.mode().unwrap_or(self.mode);
        let mode_changed = self.settings(mode) != self.settings(self.mode);
        let dropped = !link.is_up() && self.tx.queued() > 0;
        let restart = self.is_active() && (mode_changed || dropped);
        if restart {
            self.halt();
            self.tx.reset(&self.bus.registers);
            self.rx.rotate(&self.bus.dma);
        }
        (self.link, self.mode) = (link, mode);
        if restart {
            self.write_mode()?;
            self.run()?;
        }
        Ok(())
    }

    /// Resets the MAC and restores the state that it reached last.
    pub(crate) fn recover_mac(&mut self) -> Result<(), Error> {
        self.restart(self.state)
    }

    /// Resets the MAC and brings it into `target`.
    fn restart(&mut self, target: State) -> Result<(), Error> {
        let before = self.link_state();
        if self.is_active() {
            self.flush_rx();
            self.halt();
        }
        // Also if the MAC stopped by itself: counts the frames in the rings.
        self.rx.flush(&self.bus);
        self.tx.reclaim(&self.bus.registers);
        // A module that was reset or has no clock lost the counters, and the byte order.
        if self.bus.registers.read(regs::ECR) & (ecr::RESET | ecr::DBSWP) == ecr::DBSWP {
            self.counters.read(&self.bus.registers);
        }
        let result = self.reset().and_then(|()| match target {
            State::Running => self.run(),
            State::Stopped => Ok(()),
        });
        if let Err(e) = result {
            return Err(self.fail_call(e));
        }
        self.set_state(target, None);
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        self.count_link_change(before);
        Ok(())
    }

    /// Resets the MAC and writes all settings. Afterwards it is stopped, with empty rings.
    fn reset(&mut self) -> Result<(), Error> {
        self.bus.registers.write(regs::ECR, ecr::RESET);
        let registers = &self.bus.registers;
        if !wait(&mut self.delay, RESET_US, INTERVAL_US, || {
            registers.read(regs::ECR) & ecr::RESET == 0
        }) {
            return Err(Error::ResetTimeout);
        }
        registers.write(regs::EIMR, 0);
        registers.write(regs::EIR, u32::MAX);
        registers.write(regs::MSCR, self.config.mscr());
        stats::clear(registers);
        self.counters.skip(registers);
        self.tx.counters.skip(registers);
        registers.write(regs::OPD, regs::OPD_PAUSE);
        // A frame of the length of a buffer is truncated, so that it never takes two.
        registers.write(regs::FTRL, BUFFER_LEN as u32);
        registers.write(regs::MRBR, BUFFER_LEN as u32);
        registers.write(regs::TFWR, regs::TFWR_STRFWD);
        registers.write(regs::RACC, 0);
        registers.write(regs::TACC, 0);
        registers.write(regs::RDSR, self.tables.rx);
        registers.write(regs::TDSR, self.tables.tx);
        // No unicast address other than the own one.
        registers.write(regs::IAUR, 0);
        registers.write(regs::IALR, 0);
        self.rx.reset(&self.bus.dma);
        self.tx.reset(&self.bus.registers);
        self.write_settings()
    }

    /// Enables the MAC. The DMA engine begins at the first descriptors.
    fn run(&mut self) -> Result<(), Error> {
        // The DMA engine reads the rings next.
        self.bus.dma.barrier_before_doorbell();
        self.bus.registers.write(regs::ECR, ecr::ETHEREN | ecr::DBSWP);
        self.bus.registers.write(regs::RDAR, regs::ACTIVE);
        self.verify_enabled(true)?;
        self.set_state(State::Running, None);
        Ok(())
    }

    /// Disables the MAC after the frame that is being sent. A frame that is being received is lost.
    fn halt(&mut self) {
        let (_, transmit, _) = self.settings(self.mode);
        self.bus.registers.write(regs::EIR, event::GRA);
        self.bus.registers.write(regs::TCR, transmit | tcr::GTS);
        let registers = &self.bus.registers;
        // After a timeout the frame is cut off, and counted as lost.
        let _ = wait(&mut self.delay, LAST_FRAME_US, INTERVAL_US, || {
            registers.read(regs::EIR) & event::GRA != 0
        });
        self.bus.registers.write(regs::ECR, ecr::DBSWP);
        self.bus.registers.write(regs::TCR, transmit);
        self.bus.registers.write(regs::EIR, event::GRA);
        // Makes the last writes of the DMA engine visible.
        self.bus.dma.barrier();
    }

    /// Drops all pending frames, including those in the receive FIFO, which the DMA engine moves
    /// into the ring.
    fn flush_rx(&mut self) {
        let ring_full = self.bus.registers.read(regs::RDAR) == 0;
        self.rx.flush(&self.bus);
        if ring_full {
            self.delay.delay_us(EMPTY_FIFO_US);
            self.rx.flush(&self.bus);
        }
    }

    // Settings

    /// Compares a register with what was written: a module without clock, or in its reset, accepts
    /// every write.
    fn verify(&self, register: usize, value: u32, mask: u32) -> Result<(), Error> {
        let found = self.bus.registers.read(register);
        if (found ^ value) & mask == 0 {
            Ok(())
        } else {
            let register = register as u16;
            Err(Error::Fault(Fault::RegisterMismatch { register, found }))
        }
    }

    fn verify_enabled(&self, enabled: bool) -> Result<(), Error> {
        let enable = if enabled { ecr::ETHEREN } else { 0 };
        self.verify(regs::ECR, enable | ecr::DBSWP, ecr::RESET | ecr::ETHEREN | ecr::DBSWP)
    }

    fn write_settings(&mut self) -> Result<(), Error> {
        self.write_address()?;
        self.write_mode()
    }

    fn write_address(&self) -> Result<(), Error> {
        let [a, b, c, d, e, f] = self.config.mac_address.octets();
        let (low, high) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, 0, 0]));
        self.bus.registers.write(regs::PALR, low);
        self.bus.registers.write(regs::PAUR, high);
        self.verify(regs::PALR, low, u32::MAX)?;
        // The lower half is the type of PAUSE frames.
        self.verify(regs::PAUR, high, 0xffff_0000)
    }

    /// Returns the contents of `RCR`, `TCR` and `RSEM` for a link mode.
    fn settings(&self, mode: LinkMode) -> (u32, u32, u32) {
        let half = mode.duplex == Some(Duplex::Half);
        let max = self.tx.max_len() + FCS_LEN;
        let mut receive = (max as u32) << rcr::MAX_FL | rcr::MII_MODE;
        if self.config.interface == Interface::Rmii {
            receive |= rcr::RMII_MODE;
            if mode.speed == Some(Speed::MBPS_10) {
                receive |= rcr::RMII_10T;
            }
        }
        if half {
            receive |= rcr::DRT;
        }
        if mode.pause.rx {
            receive |= rcr::FCE;
        }
        let transmit = if half { 0 } else { tcr::FDEN };
        (receive, transmit, if mode.pause.tx { regs::RSEM_PAUSE } else { 0 })
    }

    /// Writes the link mode. The MAC must be disabled.
    fn write_mode(&mut self) -> Result<(), Error> {
        let (_, transmit, pause) = self.settings(self.mode);
        self.tx.set_half_duplex(transmit & tcr::FDEN == 0);
        self.bus.registers.write(regs::RSEM, pause);
        self.bus.registers.write(regs::TCR, transmit);
        self.write_filter()
    }

    /// Writes the filter. The MAC may be enabled.
    fn write_filter(&self) -> Result<(), Error> {
        let (receive, _, _) = self.settings(self.mode);
        let receive = receive | self.filter.control;
        self.bus.registers.write(regs::GAUR, (self.filter.groups >> 32) as u32);
        self.bus.registers.write(regs::GALR, self.filter.groups as u32);
        self.bus.registers.write(regs::RCR, receive);
        self.verify(regs::RCR, receive, rcr::VERIFIED)
    }

    // Housekeeping

    /// Checks that the MAC is enabled, reclaims sent frames, reads the counters, and repeats a lost
    /// `TDAR` write.
    pub(crate) fn poll_mac(&mut self) -> Result<Events, Error> {
        self.check()?;
        let mut events = Events::NONE;
        if self.is_active() {
            self.tx.reclaim(&self.bus.registers);
            self.counters.read(&self.bus.registers);
            if self.tx.queued() > 0 && self.bus.registers.read(regs::TDAR) == 0 {
                // ERR006358. If the DMA engine has just sent the last frame, the write has no
                // effect.
                self.bus.registers.write(regs::TDAR, regs::ACTIVE);
            }
            events.rx_pending = matches!(self.rx.find(&self.bus), Ok(true));
            events.tx_ready = self.is_tx_ready();
        }
        let link = self.link_state();
        events.link_changed = core::mem::replace(&mut self.reported_link, link) != link;
        let received = self.counters.add_to(self.rx.stats, self.rx.marked_overruns);
        let lost = received.rx_lost().wrapping_sub(received.rx_discarded);
        events.rx_dropped = core::mem::replace(&mut self.reported_lost, lost) != lost;
        (events.tx_completed, events.tx_failed) = self.tx.take_completed();
        Ok(events)
    }
}
