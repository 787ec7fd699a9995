//! The driver: what the chip's state means, and the way from one state into another.

use embedded_hal::delay::DelayNs;
use ethdev::{Capabilities, Duplex, ErrorKind, Events, FilterOutcome, Link, MacAddress, Pause, RxFilter, Stats};

use super::chip::Chip;
use super::config::Config;
use super::error::{Error, Fault};
use super::filter::Filter;
use super::id::Model;
use super::regs::{self, fifo_inf};
use crate::trace::warning;
use ethdev_phy::mmio::Registers;

/// Whether frames flow.
///
/// ```text
/// Stopped <-> Running      start, stop
/// either   -> Asleep       sleep;    Asleep -> as before: wake
/// any      -> Faulted      the chip is out of step, or left half way;    Faulted -> as before: recover
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Both directions off.
    Stopped,
    /// Both directions on.
    Running,
    /// Both directions off, and the chip takes no accesses.
    Asleep,
    /// The chip is out of step since then.
    Faulted(Fault),
}

/// A LAN9118 or one of its relatives, behind a bus of [`Registers`]. Started on construction, with its link [told](ethdev_phy::Mac::set_link) by somebody.
///
/// See the [module](crate) for what it does and what it does not.
#[derive(Debug)]
pub struct Lan9118<R, D> {
    pub(super) chip: Chip<R, D>,
    pub(super) config: Config,
    pub(super) capabilities: Capabilities,
    /// The longest frame without FCS, in bytes.
    pub(super) max_len: u16,
    /// What the longest frame takes of the transmit data FIFO.
    pub(super) max_room: u32,
    model: Model,
    revision: u16,
    pub(super) address: MacAddress,
    filter: Filter,
    /// What `set_link` said last.
    pub(super) told: Link,
    pub(super) state: State,
    /// What it is to be when it is neither asleep nor at fault: running or stopped.
    runs: bool,
    /// The interrupts that are unmasked.
    pub(super) armed: u32,
    /// Frames may be sent: running, and told a link.
    pub(super) open: bool,
    pub(super) stats: Stats,
    /// Frames in the chip of which no status has come back. It holds a few dozen; one that never tells makes this wrap, and is noticed then.
    pub(super) queued: u16,
    /// What `service` has told already: losses, and changes of the link.
    told_lost: u32,
    told_changes: u32,
    /// The driver got over a fault since `service` was called last.
    pub(super) recovered: bool,
}

impl<R: Registers, D: DelayNs> Lan9118<R, D> {
    /// Wakes and resets the chip behind `registers`, and turns both directions on.
    ///
    /// # Errors
    ///
    /// - `NoChip`, `ByteOrder`, `WrongChip`: what answers is not one of the family, or not as it should.
    /// - `NoAddress`: there is none in `config` and none in an EEPROM; `Refused(InvalidInput)`: the one in `config` is no station's.
    /// - `Timeout`: the chip did not finish.
    pub fn new(registers: R, delay: D, config: Config) -> Result<Self, Error> {
        if config.mac_address.is_some_and(|address| !address.is_unicast()) {
            return Err(Error::Refused(ErrorKind::InvalidInput));
        }
        let mut chip = Chip::new(registers, delay);
        let (model, revision) = identify(&mut chip)?;
        chip.reset()?;
        let address = match config.mac_address {
            Some(address) => address,
            None => chip.eeprom_address()?.ok_or(Error::NoAddress)?,
        };
        let mut device = Self {
            chip,
            config,
            capabilities: capabilities_of(&config),
            max_len: config.max_frame_len().bytes() as u16,
            max_room: config.longest_in_tx_fifo(),
            model,
            revision,
            address,
            filter: Filter::DEFAULT,
            told: Link::Down,
            state: State::Stopped,
            runs: false,
            armed: 0,
            open: false,
            stats: Stats::ZERO,
            queued: 0,
            told_lost: 0,
            told_changes: 0,
            recovered: false,
        };
        device.set_up()?;
        device.run()?;
        Ok(device)
    }

    /// Which chip it is.
    pub const fn model(&self) -> Model {
        self.model
    }

    /// The chip's revision, the lower half of `ID_REV`.
    pub const fn revision(&self) -> u16 {
        self.revision
    }

    /// Gives bus and delay back. The chip is left as it is.
    pub fn release(self) -> (R, D) {
        self.chip.release()
    }

    pub(super) const fn link_state(&self) -> Link {
        match self.state {
            State::Running | State::Faulted(_) => self.told,
            State::Stopped | State::Asleep => Link::Down,
        }
    }

    #[inline]
    pub(super) const fn fault(&self) -> Result<(), Error> {
        match self.state {
            State::Faulted(fault) => Err(Error::Fault(fault)),
            State::Stopped | State::Running | State::Asleep => Ok(()),
        }
    }

    /// The one place where the state changes, and what follows from it.
    fn set_state(&mut self, state: State) {
        self.state = state;
        self.open = state == State::Running && self.told.is_up();
    }

    /// Nothing goes on until a recovery.
    #[cold]
    pub(super) fn fail(&mut self, fault: Fault) -> Error {
        warning!("{}", fault);
        self.set_state(State::Faulted(fault));
        self.stats.faults = self.stats.faults.wrapping_add(1);
        Error::Fault(fault)
    }

    /// Changes the state, or what was told, and counts what that does to the link.
    fn enter(&mut self, state: State, told: Link) {
        let before = self.link_state();
        self.told = told;
        self.set_state(state);
        if self.link_state() != before {
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
    }

    /// What a reset has taken: everything but the directions.
    fn set_up(&mut self) -> Result<(), Error> {
        use regs::{afc_cfg, fifo, hw_cfg, irq_cfg, mac};

        let kib = self.config.tx_fifo_kib();
        let chip = &mut self.chip;
        chip.write(regs::HW_CFG, hw_cfg::STORE_AND_FORWARD | hw_cfg::tx_fifo_size(kib));
        chip.write(regs::AFC_CFG, afc_cfg::levels(fifo::rx_data(kib)));
        chip.write(regs::INT_EN, self.armed);
        // Any status is above both levels. That of the transmit data FIFO is of no use here: it stays out of reach.
        chip.write(regs::FIFO_INT, 0xff00_0000);
        chip.write(regs::IRQ_CFG, irq_cfg::ENABLE | self.config.irq.irq_cfg());
        chip.write(regs::INT_STS, u32::MAX);
        // Frames begin at the first byte of a word, and end with their last.
        chip.write(regs::RX_CFG, 0);
        chip.set_mac_address(self.address)?;
        if self.config.vlan {
            chip.mac_write(mac::VLAN1, u32::from(ETHERTYPE_VLAN))?;
        }
        self.write_filter()?;
        self.write_flow()
    }

    fn write_filter(&mut self) -> Result<(), Error> {
        let hash = self.filter.hash;
        self.chip.mac_write(regs::mac::HASHH, (hash >> 32) as u32)?;
        self.chip.mac_write(regs::mac::HASHL, hash as u32)?;
        self.write_control(true)
    }

    /// Writes the mode, the filter, and which directions are on: `rx` says it of the receiver where frames flow at all.
    fn write_control(&mut self, rx: bool) -> Result<(), Error> {
        use regs::cr::{DISABLE_RX_OWN, FULL_DUPLEX, PASS_BAD, RX_ENABLE, TX_ENABLE};

        let half = self.told.mode().is_some_and(|mode| mode.duplex == Some(Duplex::Half));
        let duplex = if half { DISABLE_RX_OWN } else { FULL_DUPLEX };
        let runts = if self.config.count_runts { PASS_BAD } else { 0 };
        let enable = match self.state {
            State::Running if rx => TX_ENABLE | RX_ENABLE,
            State::Running => TX_ENABLE,
            State::Stopped | State::Asleep | State::Faulted(_) => 0,
        };
        self.chip
            .mac_write(regs::mac::CR, self.filter.bits | duplex | runts | enable)
    }

    /// PAUSE both ways, as the link was told.
    fn write_flow(&mut self) -> Result<(), Error> {
        use regs::{afc_cfg, flow};

        let pause = self.told.mode().map_or(Pause::default(), |mode| mode.pause);
        let levels = afc_cfg::levels(regs::fifo::rx_data(self.config.tx_fifo_kib()));
        let ask = if pause.tx { afc_cfg::ON_ANY_FRAME } else { 0 };
        self.chip.write(regs::AFC_CFG, levels | ask);
        let honour = if pause.rx { flow::ENABLE } else { 0 };
        let time = if pause.tx { flow::LONGEST_PAUSE } else { 0 };
        self.chip.mac_write(regs::mac::FLOW, time | honour)
    }

    /// Turns both directions on.
    fn run(&mut self) -> Result<(), Error> {
        self.runs = true;
        self.enter(State::Running, self.told);
        self.write_flow()?;
        self.chip.write(regs::TX_CFG, regs::tx_cfg::ON);
        self.write_control(true)
    }

    pub(super) fn start_frames(&mut self) -> Result<(), Error> {
        self.fault()?;
        match self.state {
            State::Stopped => self.run().map_err(|e| self.half_way(e)),
            State::Asleep => {
                self.runs = true;
                self.wake_up()
            }
            State::Running | State::Faulted(_) => Ok(()),
        }
    }

    /// Turns both directions off as the chip wants it, and where it does not obey, by a reset. What is pending is lost and counted.
    pub(super) fn stop_frames(&mut self) -> Result<(), Error> {
        self.fault()?;
        self.runs = false;
        if self.state != State::Running {
            return Ok(());
        }
        self.mask(0);
        match self.empty_transmitter().and_then(|()| self.empty_receiver()) {
            Ok(_) => {
                self.enter(State::Stopped, self.told);
                self.write_control(true)
            }
            Err(Error::Timeout(wait)) => {
                warning!("{}: the chip is reset", wait);
                self.enter(State::Stopped, self.told);
                self.reset()
            }
            // Out of step: only a recovery helps, to be stopped as well.
            Err(e) => Err(e),
        }
        .map_err(|e| self.half_way(e))
    }

    /// Unmasks these interrupts, and masks all others.
    pub(super) fn mask(&mut self, armed: u32) {
        self.armed = armed;
        self.chip.write(regs::INT_EN, armed);
    }

    /// A state that was not reached is no state to go on from.
    fn half_way(&mut self, error: Error) -> Error {
        match error {
            Error::Timeout(wait) => self.fail(Fault::HalfWay(wait)),
            other => other,
        }
    }

    /// Stops the transmitter, counts what has been sent and what will not be, and leaves it off.
    fn empty_transmitter(&mut self) -> Result<(), Error> {
        let stopped = self.chip.stop_transmitter();
        self.reap()?;
        self.stats.tx_reset = self.stats.tx_reset.wrapping_add(u32::from(self.queued));
        self.queued = 0;
        stopped?;
        self.chip.empty_transmitter()
    }

    /// Stops the receiver and throws away what has come. Returns how many frames that were.
    fn empty_receiver(&mut self) -> Result<u32, Error> {
        self.chip.write(regs::INT_STS, regs::int::RX_STOPPED);
        self.write_control(false)?;
        let stopped = self.chip.wait_for_receiver();
        let waiting = self.lose_received();
        stopped?;
        self.chip.empty_receiver()?;
        Ok(waiting)
    }

    /// Counts the frames that wait in the receive FIFO as lost.
    fn lose_received(&mut self) -> u32 {
        let info = self.chip.read(regs::RX_FIFO_INF);
        // More than it can hold is no number of frames.
        let waiting = if self.rx_plausible(info) {
            fifo_inf::statuses(info)
        } else {
            0
        };
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(waiting);
        waiting
    }

    #[inline]
    pub(super) const fn rx_plausible(&self, info: u32) -> bool {
        let kib = self.config.tx_fifo_kib();
        fifo_inf::statuses(info) as usize <= regs::fifo::rx_statuses(kib)
            && fifo_inf::data(info) as usize <= regs::fifo::rx_data(kib)
    }

    /// Finds the beginning of a frame again when lengths and data do not go together: by emptying the receive FIFOs.
    #[cold]
    pub(super) fn realign(&mut self) -> Result<(), Error> {
        warning!("receive FIFO out of step: emptied");
        let emptied = self.empty_receiver().and_then(|_| self.write_control(true));
        match emptied {
            Ok(()) => {
                self.stats.faults = self.stats.faults.wrapping_add(1);
                self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
                self.recovered = true;
                Ok(())
            }
            Err(e) => Err(self.half_way(e)),
        }
    }

    /// Resets all but the PHY, and sets up what that took. Both directions are off then.
    fn reset(&mut self) -> Result<(), Error> {
        self.chip.reset()?;
        self.set_up()
    }

    /// Resets the chip, whatever state it is in, and brings it back to what it is to be.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        let before = self.state;
        if !self.is_asleep() {
            self.lose_received();
            self.stats.tx_reset = self.stats.tx_reset.wrapping_add(u32::from(self.queued));
            self.queued = 0;
        }
        let link_before = self.link_state();
        // A chip that is gone, or another one in its place, changes nothing.
        self.find_again()?;
        self.set_state(State::Stopped);
        let result = self.come_back(before);
        match result {
            Ok(()) => self.stats.recoveries = self.stats.recoveries.wrapping_add(1),
            Err(Error::Timeout(wait)) => self.set_state(State::Faulted(Fault::HalfWay(wait))),
            Err(_) => {}
        }
        // It was not down for anybody who did not look meanwhile.
        if self.link_state() != link_before {
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
        result
    }

    /// Wakes the chip if need be, and makes sure that it is the one that was there.
    fn find_again(&mut self) -> Result<(), Error> {
        let (model, revision) = identify(&mut self.chip)?;
        if model == self.model {
            return Ok(());
        }
        let id = model.id();
        Err(Error::WrongChip { id, revision })
    }

    fn come_back(&mut self, before: State) -> Result<(), Error> {
        self.reset()?;
        if before == State::Asleep {
            self.chip.sleep();
            self.set_state(State::Asleep);
        } else if self.runs {
            self.set_state(State::Running);
            self.chip.write(regs::TX_CFG, regs::tx_cfg::ON);
            self.write_control(true)?;
        }
        Ok(())
    }

    /// Stops, and goes to the state of least power: D2, out of which a write to `BYTE_TEST` leads (section 3.10).
    pub(super) fn go_to_sleep(&mut self) -> Result<(), Error> {
        if self.is_asleep() {
            return Ok(());
        }
        let runs = self.runs;
        self.stop_frames()?;
        self.runs = runs;
        self.chip.sleep();
        self.enter(State::Asleep, self.told);
        Ok(())
    }

    pub(super) fn wake_up(&mut self) -> Result<(), Error> {
        self.fault()?;
        if !self.is_asleep() {
            return Ok(());
        }
        self.wake_chip()?;
        self.enter(State::Stopped, self.told);
        if self.runs { self.start_frames() } else { Ok(()) }
    }

    fn wake_chip(&mut self) -> Result<(), Error> {
        self.chip.wake()?;
        match self.chip.byte_test() {
            regs::BYTE_ORDER => Ok(()),
            found => Err(self.fail(Fault::Gone(found))),
        }
    }

    pub(super) const fn is_asleep(&self) -> bool {
        matches!(self.state, State::Asleep)
    }

    /// Does something with the chip, and wakes it for that where it sleeps.
    pub(super) fn awake<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if !self.is_asleep() {
            return act(self);
        }
        self.wake_chip()?;
        let result = act(self);
        self.chip.sleep();
        result
    }

    pub(super) fn set_address(&mut self, address: MacAddress) -> Result<(), Error> {
        self.awake(|device| device.chip.set_mac_address(address))?;
        self.address = address;
        Ok(())
    }

    pub(super) fn set_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Error> {
        let (filter, outcome) = Filter::new(filter);
        self.filter = filter;
        self.awake(Self::write_filter)?;
        Ok(outcome)
    }

    /// Takes note of the link, and tells the chip.
    pub(super) fn tell_link(&mut self, link: Link) -> Result<(), Error> {
        if link == self.told {
            return Ok(());
        }
        self.enter(self.state, link);
        // Otherwise `run`, a wake-up or a recovery tells the chip.
        let result = match self.state {
            State::Running if link.is_up() => self.write_control(true).and_then(|()| self.write_flow()),
            State::Running => self.drop_queue(),
            State::Stopped => self.write_control(true).and_then(|()| self.write_flow()),
            State::Asleep | State::Faulted(_) => Ok(()),
        };
        if result.is_err() {
            self.enter(self.state, Link::Down);
        }
        result
    }

    /// Without a link nothing that waits is sent. The transmitter is on again at the end.
    fn drop_queue(&mut self) -> Result<(), Error> {
        self.reap()?;
        if self.queued == 0 {
            return Ok(());
        }
        match self.empty_transmitter() {
            Ok(()) => {
                self.chip.write(regs::TX_CFG, regs::tx_cfg::ON);
                Ok(())
            }
            // A transmitter that waits for a medium that is gone does not stop.
            Err(Error::Timeout(_)) => {
                self.lose_received();
                self.reset().and_then(|()| self.run()).map_err(|e| self.half_way(e))
            }
            Err(e) => Err(e),
        }
    }

    /// Looks after the chip: whether it is there, faults, sent frames, overruns.
    pub(super) fn look_after(&mut self) -> Result<Events, Error> {
        use regs::int::{RX_ERROR, TX_ERROR};

        self.fault()?;
        let mut events = Events::NONE;
        if self.state == State::Running {
            match self.chip.byte_test() {
                regs::BYTE_ORDER => {}
                found => return Err(self.fail(Fault::Gone(found))),
            }
            let interrupts = self.chip.read(regs::INT_STS);
            if interrupts & TX_ERROR != 0 {
                return Err(self.fail(Fault::Transmitter(interrupts)));
            }
            if interrupts & RX_ERROR != 0 {
                self.realign()?;
            }
            let (room, sent, failed) = self.reap()?;
            (events.tx_completed, events.tx_failed) = (sent, failed);
            events.tx_ready = self.open && room >= self.max_room;
            self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(self.chip.read(regs::RX_DROP));
            events.rx_pending = self.next_len()?.is_some();
        }
        events.recovered = core::mem::take(&mut self.recovered);
        let (lost, changes) = (self.stats.rx_lost(), self.stats.link_changes);
        events.rx_dropped = lost != self.told_lost;
        events.link_changed = changes != self.told_changes;
        (self.told_lost, self.told_changes) = (lost, changes);
        Ok(events)
    }

    /// Whether `service` has a change of the link to tell.
    pub(super) const fn link_untold(&self) -> bool {
        self.stats.link_changes != self.told_changes
    }
}

fn capabilities_of(config: &Config) -> Capabilities {
    let (rx, tx) = config.queue_frames();
    Capabilities::ETHERNET
        .with_max_frame_len(config.max_frame_len())
        .with_queue_frames(rx, tx)
}

/// The Ethertype of an IEEE 802.1Q tag.
const ETHERTYPE_VLAN: u16 = 0x8100;

/// Wakes whatever is there, and finds out whether it is a chip of the family.
fn identify<R: Registers, D: DelayNs>(chip: &mut Chip<R, D>) -> Result<(Model, u16), Error> {
    let ready = chip.wake_if_asleep();
    let found = chip.byte_test();
    match found {
        regs::BYTE_ORDER => ready?,
        // Each byte, and each half, in another place.
        0x2143_6587 | 0x4321_8765 | 0x6587_2143 => return Err(Error::ByteOrder { found }),
        _ => return Err(Error::NoChip { found }),
    }
    let id_rev = chip.read(regs::ID_REV);
    let (id, revision) = ((id_rev >> 16) as u16, id_rev as u16);
    let model = Model::from_id(id).ok_or(Error::WrongChip { id, revision })?;
    Ok((model, revision))
}
