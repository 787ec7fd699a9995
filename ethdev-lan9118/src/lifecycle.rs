//! The driver, its construction, and the transitions between its states.

use embedded_hal::delay::DelayNs;
use ethdev::frame::{FCS_LEN, MIN_FRAME_LEN};
use ethdev::{
    Capabilities, Duplex, ErrorKind, Events, FilterOutcome, Link, MacAddress, Pause, RxFilter, Stats, validate_tx_len,
};
use ethdev_phy::mmio::Registers;

use crate::bus::Bus;
use crate::config::Config;
use crate::error::{Error, Fault};
use crate::filter::Filter;
use crate::regs;
use crate::rx::{Receiver, RxFifoError, Taken};
use crate::trace::warning;
use crate::tx::Transmitter;
use crate::variant::Model;

/// The state that the chip reached last.
///
/// ```text
/// Stopped <-> Running      start, stop
/// either  <-> Asleep       sleep, wake
/// ```
///
/// A fault stands beside it: an inconsistent chip, or a call that did not take its whole effect.
/// Every transition that is called in a fault resets the chip; `recover` restores the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Receiver and transmitter are off.
    Stopped,
    /// Receiver and transmitter are on.
    Running,
    /// Receiver and transmitter are off, and the chip accepts no accesses.
    Asleep {
        /// It was running.
        running: bool,
    },
}

/// A LAN9118 or another chip of the family, behind a bus of [`Registers`]. Running on construction,
/// with its link down until [`set_link`](ethdev_phy::Mac::set_link) is called.
///
/// See the [crate documentation](crate) for its features and limits.
#[derive(Debug)]
pub struct Lan9118<BUS, D> {
    pub(crate) bus: Bus<BUS, D>,
    config: Config,
    pub(crate) capabilities: Capabilities,
    /// Longest frame without FCS, in bytes.
    max_len: u16,
    model: Model,
    revision: u16,
    /// The requested address and filter. The chip has them while it is running without a fault.
    pub(crate) address: MacAddress,
    filter: Filter,
    /// The link that was set last.
    link: Link,
    state: State,
    fault: Option<Fault>,
    /// The unmasked interrupts.
    armed: u32,
    /// Running, without a fault.
    can_receive: bool,
    /// That, with the link up.
    can_send: bool,
    rx: Receiver,
    tx: Transmitter,
    pub(crate) stats: Stats,
    /// What the last `service` reported: lost frames, sent frames, failed frames, the link.
    reported_lost: u32,
    reported_sent: u32,
    reported_failed: u32,
    reported_link: Link,
    /// The driver recovered by itself since the last `service`.
    recovered: bool,
}

impl<BUS: Registers, D: DelayNs> Lan9118<BUS, D> {
    /// Wakes and resets the chip behind `registers`, and starts receiver and transmitter.
    ///
    /// # Errors
    ///
    /// - `NoChip`, `ByteOrder`, `WrongChip`: there is no chip of the family, or the bus is wrong.
    /// - `NoAddress`: neither `config` nor an EEPROM has an address.
    /// - `InvalidInput`: the address in `config` is a group address or all zeros.
    /// - `Timeout`: the chip did not finish.
    /// - `Fault(RegisterMismatch)`: the chip did not store a setting.
    pub fn new(registers: BUS, delay: D, config: Config) -> Result<Self, Error> {
        if config.mac_address.is_some_and(|address| !address.is_unicast()) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut bus = Bus::new(registers, delay);
        let (model, revision) = bus.identify()?;
        bus.reset()?;
        let address = match config.mac_address {
            Some(address) => address,
            None => bus.eeprom_address()?.ok_or(Error::NoAddress)?,
        };
        let max_len = config.max_frame_len().bytes() as u16;
        let mut device = Self {
            bus,
            config,
            capabilities: config.capabilities(),
            max_len,
            model,
            revision,
            address,
            filter: Filter::DEFAULT,
            link: Link::Down,
            state: State::Stopped,
            fault: None,
            armed: 0,
            can_receive: false,
            can_send: false,
            rx: Receiver::new(max_len, config.tx_fifo_kib()),
            tx: Transmitter::new(config.longest_in_tx_fifo()),
            stats: Stats::ZERO,
            reported_lost: 0,
            reported_sent: 0,
            reported_failed: 0,
            reported_link: Link::Down,
            recovered: false,
        };
        device.set_up()?;
        device.run()?;
        Ok(device)
    }

    /// Returns which chip of the family it is.
    pub const fn model(&self) -> Model {
        self.model
    }

    /// Returns the revision of the chip, the lower half of `ID_REV`.
    pub const fn revision(&self) -> u16 {
        self.revision
    }

    /// Releases bus and delay. The chip stays in its state.
    pub fn release(self) -> (BUS, D) {
        self.bus.release()
    }

    // Frames

    /// Reads the next frame into the start of `buf` and returns its length.
    #[inline]
    pub(crate) fn receive(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Error> {
        if !self.can_receive {
            return self.check_fault().map(|()| None);
        }
        match self.rx.take_good_frame(&mut self.bus, buf) {
            Taken::Empty => Ok(None),
            Taken::Frame(len) => {
                self.stats.count_rx(len);
                Ok(Some(len))
            }
            Taken::Other => self.receive_any(buf),
        }
    }

    #[inline(never)]
    fn receive_any(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Error> {
        let Some(len) = self.next_len()? else { return Ok(None) };
        let frame = buf.get_mut(..len).ok_or(ErrorKind::BufferTooSmall { needed: len })?;
        self.bus.take_frame(frame);
        self.stats.count_rx(len);
        Ok(Some(len))
    }

    /// Returns the length of the next frame, without FCS. Bad frames before it are dropped and
    /// counted.
    pub(crate) fn next_len(&mut self) -> Result<Option<usize>, Error> {
        if !self.can_receive {
            return self.check_fault().map(|()| None);
        }
        match self.rx.next_len(&mut self.bus, &mut self.stats) {
            Ok(len) => Ok(len),
            Err(RxFifoError::Implausible(info)) => Err(self.fail(Fault::RxFifo(info))),
            Err(RxFifoError::OutOfStep) => self.realign().map(|()| None),
        }
    }

    /// Drops the next frame. Returns whether there was one.
    pub(crate) fn discard(&mut self) -> Result<bool, Error> {
        let Some(len) = self.next_len()? else { return Ok(false) };
        self.bus.skip_frame((len + FCS_LEN) as u32);
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        Ok(true)
    }

    /// Returns whether a frame of the longest length can be sent now.
    #[inline]
    pub(crate) fn is_tx_ready(&mut self) -> Result<bool, Error> {
        if !self.can_send {
            return self.check_fault().map(|()| false);
        }
        match self.tx.is_ready(&mut self.bus, &mut self.stats) {
            Ok(ready) => Ok(ready),
            Err(fault) => Err(self.fail(fault)),
        }
    }

    /// Sends a frame in one piece.
    #[inline]
    pub(crate) fn send_whole(&mut self, frame: &[u8]) -> Result<(), Error> {
        if !self.can_send || frame.len() < MIN_FRAME_LEN || frame.len() > usize::from(self.max_len) {
            return self.send(&[frame]);
        }
        // Usually `tx_ready` has already found the space.
        if !self.tx.has_space() && !self.is_tx_ready()? {
            return Err(ErrorKind::Busy.into());
        }
        self.tx.write_frame(&mut self.bus, frame);
        Ok(())
    }

    pub(crate) fn send(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.check_fault()?;
        let len = validate_tx_len(parts, self.capabilities.tx_max_frame_len)?;
        if self.state != State::Running {
            return Err(ErrorKind::Stopped.into());
        }
        if !self.can_send {
            return Err(ErrorKind::LinkDown.into());
        }
        if !self.is_tx_ready()? {
            return Err(ErrorKind::Busy.into());
        }
        self.tx.write_parts(&mut self.bus, parts, len);
        Ok(())
    }

    fn reap(&mut self) -> Result<(), Error> {
        match self.tx.reap(&mut self.bus, &mut self.stats) {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.fail(fault)),
        }
    }

    // State

    #[inline]
    pub(crate) const fn check_fault(&self) -> Result<(), Error> {
        match self.fault {
            Some(fault) => Err(Error::Fault(fault)),
            None => Ok(()),
        }
    }

    pub(crate) const fn is_asleep(&self) -> bool {
        matches!(self.state, State::Asleep { .. })
    }

    pub(crate) const fn link_state(&self) -> Link {
        match self.state {
            State::Running => self.link,
            State::Stopped | State::Asleep { .. } => Link::Down,
        }
    }

    /// Returns whether the link differs from what the last `service` reported.
    pub(crate) fn is_link_changed(&self) -> bool {
        self.link_state() != self.reported_link
    }

    fn update(&mut self) {
        self.can_receive = self.state == State::Running && self.fault.is_none();
        self.can_send = self.can_receive && self.link.is_up();
    }

    /// Enters a fault, which a transition or a recovery ends.
    #[cold]
    fn fail(&mut self, fault: Fault) -> Error {
        warning!("{}", fault);
        if self.fault.replace(fault).is_none() {
            self.stats.faults = self.stats.faults.wrapping_add(1);
        }
        self.update();
        Error::Fault(fault)
    }

    /// A call that failed leaves the chip between two states: a fault.
    fn fail_call(&mut self, error: Error) -> Error {
        match error {
            Error::Timeout(wait) => self.fail(Fault::Transition(wait)),
            Error::Fault(fault) => self.fail(fault),
            Error::NoChip { found } | Error::ByteOrder { found } => {
                self.fail(Fault::Gone(found));
                error
            }
            Error::WrongChip { id, revision } => {
                self.fail(Fault::Gone(u32::from(id) << 16 | u32::from(revision)));
                error
            }
            Error::Kind(_) | Error::NoAddress => error,
        }
    }

    /// Changes state and link, and counts a change of the reported link.
    fn enter(&mut self, state: State, link: Link) {
        let before = self.link_state();
        (self.state, self.link) = (state, link);
        self.update();
        self.count_link_change(before);
    }

    fn count_link_change(&mut self, before: Link) {
        if self.link_state() != before {
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
    }

    // Settings

    /// Writes the settings that a reset clears, except those that [`run`](Self::run) writes.
    fn set_up(&mut self) -> Result<(), Error> {
        use regs::{afc_cfg, fifo, hw_cfg, irq_cfg, mac};

        let kib = self.config.tx_fifo_kib();
        let bus = &mut self.bus;
        bus.write(regs::HW_CFG, hw_cfg::STORE_AND_FORWARD | hw_cfg::tx_fifo_size(kib));
        bus.write(regs::AFC_CFG, afc_cfg::levels(fifo::rx_data(kib)));
        bus.write(regs::INT_EN, self.armed);
        // Any status word exceeds both status levels. The level of the transmit data FIFO is not used, and
        // set out of reach.
        bus.write(regs::FIFO_INT, 0xff00_0000);
        bus.write(regs::IRQ_CFG, irq_cfg::ENABLE | self.config.irq.irq_cfg());
        bus.write(regs::INT_STS, u32::MAX);
        // Frames begin at the first byte of a word; their end is not padded.
        bus.write(regs::RX_CFG, 0);
        if self.config.vlan {
            // Not read back: QEMU's model ignores it.
            bus.mac_write(mac::VLAN1, u32::from(ETHERTYPE_VLAN))?;
        }
        self.write_control(self.link, 0)
    }

    fn write_filter(&mut self) -> Result<(), Error> {
        let hash = self.filter.hash;
        self.bus
            .mac_write_verified(regs::mac::HASHH, (hash >> 32) as u32, u32::MAX)?;
        self.bus.mac_write_verified(regs::mac::HASHL, hash as u32, u32::MAX)
    }

    /// Returns the duplex mode of `link`, the filter, and the bits in `enable`.
    fn control(&self, link: Link, enable: u32) -> u32 {
        use regs::cr::{DISABLE_RX_OWN, FULL_DUPLEX, PASS_BAD};

        let half = link.mode().is_some_and(|mode| mode.duplex == Some(Duplex::Half));
        let duplex = if half { DISABLE_RX_OWN } else { FULL_DUPLEX };
        let runts = if self.config.count_runts { PASS_BAD } else { 0 };
        self.filter.bits | duplex | runts | enable
    }

    fn write_control(&mut self, link: Link, enable: u32) -> Result<(), Error> {
        let control = self.control(link, enable);
        self.bus.mac_write_verified(regs::mac::CR, control, regs::cr::VERIFIED)
    }

    /// Writes PAUSE in both directions, as negotiated.
    fn write_flow_control(&mut self, link: Link) -> Result<(), Error> {
        use regs::{afc_cfg, flow};

        let pause = link.mode().map_or(Pause::default(), |mode| mode.pause);
        let levels = afc_cfg::levels(regs::fifo::rx_data(self.config.tx_fifo_kib()));
        let send = if pause.tx { afc_cfg::ON_ANY_FRAME } else { 0 };
        self.bus.write(regs::AFC_CFG, levels | send);
        let time = if pause.tx { flow::LONGEST_PAUSE } else { 0 };
        let receive = if pause.rx { flow::ENABLE } else { 0 };
        self.bus.mac_write(regs::mac::FLOW, time | receive)
    }

    /// Unmasks these interrupts and masks all others.
    pub(crate) fn set_interrupts(&mut self, armed: u32) {
        self.armed = armed;
        if !self.is_asleep() {
            self.bus.write(regs::INT_EN, armed);
        }
    }

    pub(crate) fn set_address(&mut self, address: MacAddress) -> Result<(), Error> {
        self.address = address;
        self.apply(|device| device.bus.write_mac_address(address))
    }

    pub(crate) fn set_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Error> {
        let (filter, outcome) = Filter::new(filter);
        self.filter = filter;
        self.apply(|device| {
            device.write_filter()?;
            device.write_control(device.link, ENABLE)
        })?;
        Ok(outcome)
    }

    /// Writes a setting to a running chip. Otherwise `run` writes it.
    fn apply(&mut self, write: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        self.check_fault()?;
        if self.state != State::Running {
            return Ok(());
        }
        write(self).map_err(|e| self.fail_call(e))
    }

    // Transitions

    /// Writes the requested settings and enables receiver and transmitter.
    fn run(&mut self) -> Result<(), Error> {
        self.bus.write_mac_address(self.address)?;
        self.write_filter()?;
        self.write_flow_control(self.link)?;
        self.bus.write(regs::TX_CFG, regs::tx_cfg::ON);
        self.write_control(self.link, ENABLE)?;
        self.enter(State::Running, self.link);
        Ok(())
    }

    pub(crate) fn start_frames(&mut self) -> Result<(), Error> {
        match self.state {
            _ if self.fault.is_some() => self.restart(State::Running),
            // Written again: a chip that was disconnected meanwhile is detected.
            State::Running => self.apply(|device| device.write_control(device.link, ENABLE)),
            State::Stopped => self.run().map_err(|e| self.fail_call(e)),
            State::Asleep { .. } => self
                .wake_chip()
                .and_then(|()| self.run())
                .map_err(|e| self.fail_call(e)),
        }
    }

    pub(crate) fn stop_frames(&mut self) -> Result<(), Error> {
        match self.state {
            _ if self.fault.is_some() => return self.restart(State::Stopped),
            State::Stopped => return Ok(()),
            State::Running => self.halt(),
            State::Asleep { .. } => self.wake_chip(),
        }
        .map_err(|e| self.fail_call(e))?;
        self.enter(State::Stopped, self.link);
        Ok(())
    }

    /// Disables receiver and transmitter in the order of the data sheet, or by a reset if the chip
    /// does not stop. Pending frames are counted as lost.
    fn halt(&mut self) -> Result<(), Error> {
        self.set_interrupts(0);
        let stopped = match self.empty_transmitter() {
            Ok(()) => self.empty_receiver(),
            Err(e) => {
                self.rx.count_lost(&mut self.bus, &mut self.stats);
                Err(e)
            }
        };
        match stopped {
            Ok(()) => self.write_control(self.link, 0),
            Err(Error::Timeout(wait)) => {
                warning!("{}: chip is reset", wait);
                self.reset()
            }
            Err(e) => Err(e),
        }
    }

    /// Stops the transmitter, counts sent and lost frames, and empties the FIFO. The transmitter
    /// stays off.
    fn empty_transmitter(&mut self) -> Result<(), Error> {
        let stopped = self.bus.stop_transmitter();
        self.reap()?;
        self.tx.count_lost(&mut self.stats);
        stopped?;
        self.bus.empty_transmitter()
    }

    /// Stops the receiver and drops the frames in its FIFO.
    fn empty_receiver(&mut self) -> Result<(), Error> {
        self.bus.write(regs::INT_STS, regs::int::RX_STOPPED);
        let disabled = self.write_control(self.link, regs::cr::TX_ENABLE);
        let stopped = disabled.and_then(|()| self.bus.wait_for_receiver());
        self.rx.count_lost(&mut self.bus, &mut self.stats);
        stopped?;
        self.bus.empty_receiver()
    }

    /// Empties the receive FIFO, so that the next frame begins at its start again.
    #[cold]
    fn realign(&mut self) -> Result<(), Error> {
        warning!("receive FIFO out of step: emptied");
        match self
            .empty_receiver()
            .and_then(|()| self.write_control(self.link, ENABLE))
        {
            Ok(()) => {
                self.stats.faults = self.stats.faults.wrapping_add(1);
                self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
                self.recovered = true;
                Ok(())
            }
            Err(e) => Err(self.fail_call(e)),
        }
    }

    /// Resets all but the PHY and writes the settings. Receiver and transmitter are off afterwards.
    fn reset(&mut self) -> Result<(), Error> {
        self.bus.reset()?;
        self.set_up()
    }

    /// Resets the chip and restores the state that it reached last.
    pub(crate) fn recover_chip(&mut self) -> Result<(), Error> {
        self.restart(self.state)
    }

    /// Resets the chip in any state and brings it into `target`.
    fn restart(&mut self, target: State) -> Result<(), Error> {
        match self.try_restart(target) {
            Ok(()) => {
                self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
                self.fault = None;
                // The link did not change if it is up again.
                self.enter(target, self.link);
                Ok(())
            }
            Err(e) => Err(self.fail_call(e)),
        }
    }

    fn try_restart(&mut self, target: State) -> Result<(), Error> {
        let (model, revision) = self.bus.identify()?;
        if model != self.model {
            let id = model.id();
            return Err(Error::WrongChip { id, revision });
        }
        if !self.is_asleep() {
            self.rx.count_lost(&mut self.bus, &mut self.stats);
            self.tx.count_lost(&mut self.stats);
        }
        self.reset()?;
        match target {
            State::Running => self.run(),
            State::Stopped => Ok(()),
            State::Asleep { .. } => {
                self.bus.sleep();
                Ok(())
            }
        }
    }

    /// Stops, and enters power state D2 (section 3.10).
    pub(crate) fn go_to_sleep(&mut self) -> Result<(), Error> {
        let running = match self.state {
            State::Asleep { running } => running,
            state => state == State::Running,
        };
        let target = State::Asleep { running };
        if self.fault.is_some() {
            return self.restart(target);
        }
        if self.is_asleep() {
            return Ok(());
        }
        if running {
            self.halt().map_err(|e| self.fail_call(e))?;
        }
        self.check_connected()?;
        self.bus.sleep();
        self.enter(target, self.link);
        Ok(())
    }

    pub(crate) fn wake_up(&mut self) -> Result<(), Error> {
        match self.state {
            State::Asleep { running: true } => self.start_frames(),
            State::Asleep { running: false } => self.stop_frames(),
            State::Stopped | State::Running => self.check_fault(),
        }
    }

    fn wake_chip(&mut self) -> Result<(), Error> {
        self.bus.wake()?;
        self.check_connected()
    }

    fn check_connected(&mut self) -> Result<(), Error> {
        match self.bus.byte_test() {
            regs::BYTE_ORDER => Ok(()),
            found => Err(self.fail(Fault::Gone(found))),
        }
    }

    /// Calls `f`. A chip that is asleep is woken for it.
    pub(crate) fn with_awake<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if !self.is_asleep() {
            return f(self);
        }
        self.wake_chip()?;
        let result = f(self);
        self.bus.sleep();
        result
    }

    pub(crate) fn change_link(&mut self, link: Link) -> Result<(), Error> {
        if link == self.link {
            return Ok(());
        }
        // Otherwise `run` writes the mode.
        let result = match self.can_receive {
            false => Ok(()),
            true if link.is_up() => self
                .write_control(link, ENABLE)
                .and_then(|()| self.write_flow_control(link)),
            true => self.drop_queue(),
        };
        match result {
            Ok(()) => {
                self.enter(self.state, link);
                Ok(())
            }
            Err(e) => {
                self.enter(self.state, Link::Down);
                Err(self.fail_call(e))
            }
        }
    }

    /// Drops the frames that are queued when the link goes down. The transmitter is on afterwards.
    fn drop_queue(&mut self) -> Result<(), Error> {
        self.reap()?;
        if self.tx.is_empty() {
            return Ok(());
        }
        match self.empty_transmitter() {
            Ok(()) => {
                self.bus.write(regs::TX_CFG, regs::tx_cfg::ON);
                Ok(())
            }
            // A transmitter that waits for the medium does not stop.
            Err(Error::Timeout(_)) => {
                self.rx.count_lost(&mut self.bus, &mut self.stats);
                self.reset().and_then(|()| self.run())
            }
            Err(e) => Err(e),
        }
    }

    // Housekeeping

    /// Checks the chip for faults, completes sent frames, and reads the overrun counter.
    pub(crate) fn poll_chip(&mut self) -> Result<Events, Error> {
        use regs::int::{RX_ERROR, TX_ERROR};

        self.check_fault()?;
        let mut events = Events::NONE;
        if self.can_receive {
            self.check_connected()?;
            let interrupts = self.bus.read(regs::INT_STS);
            if interrupts & TX_ERROR != 0 {
                return Err(self.fail(Fault::Transmitter(interrupts)));
            }
            if interrupts & RX_ERROR != 0 {
                self.realign()?;
            }
            self.reap()?;
            events.tx_ready = self.is_tx_ready()?;
            self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(self.bus.read(regs::RX_DROP));
            events.rx_pending = self.next_len()?.is_some();
        }
        events.recovered = core::mem::take(&mut self.recovered);
        let (lost, link) = (self.stats.rx_lost(), self.link_state());
        events.rx_dropped = core::mem::replace(&mut self.reported_lost, lost) != lost;
        events.link_changed = core::mem::replace(&mut self.reported_link, link) != link;
        events.tx_completed = take_delta(&mut self.reported_sent, self.stats.tx_frames);
        events.tx_failed = take_delta(&mut self.reported_failed, self.stats.tx_lost());
        Ok(events)
    }
}

/// Returns the difference of a counter to its last value, and stores the new one.
fn take_delta(last: &mut u32, now: u32) -> u16 {
    let delta = now.wrapping_sub(core::mem::replace(last, now));
    u16::try_from(delta).unwrap_or(u16::MAX)
}

/// Both directions are on.
const ENABLE: u32 = regs::cr::TX_ENABLE | regs::cr::RX_ENABLE;

/// The Ethertype of an IEEE 802.1Q tag.
const ETHERTYPE_VLAN: u16 = 0x8100;
