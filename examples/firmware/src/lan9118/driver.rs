//! The driver: what the chip's state means, in calls that need no trait.

use ethdev::frame::{FCS_LEN, HEADER_LEN, MIN_FRAME_LEN};
use ethdev::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev::phy::{Abilities, PhyError, PhyId, bmcr, bmsr, reg};
use ethdev::{
    Capabilities, Duplex, ErrorKind, Events, Interest, Link, LinkMode, MacAddress, MaxFrameLen, Multicast, RxFilter,
    Stats, check_frame,
};

use super::chip::{Chip, Registers};
use super::error::Error;
use super::regs;

/// 4608 bytes of transmit data FIFO hold three of the longest frames with their commands, 10560 bytes of receive data FIFO six.
pub(super) const CAPABILITIES: Capabilities = Capabilities::ETHERNET
    .with_max_frame_len(MaxFrameLen::ETHERNET)
    .with_queue_frames(6, 3);
/// What the longest frame takes of the transmit data FIFO: two commands, and 1514 bytes in whole words.
const LONGEST_IN_FIFO: usize = 8 + 1516;
/// How many frames that are none are thrown away in one call before it returns.
const MAX_BAD_PER_CALL: usize = 16;

/// Whether frames flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Both directions off.
    Stopped,
    /// Both directions on.
    Running,
    /// The FIFOs are out of step since the chip showed this interrupt status.
    Faulted(u32),
}

/// A LAN9118 behind a bus of [`Registers`], with its built-in PHY. Started on construction.
///
/// What is not here: power management, wake-up, the general-purpose pins, an external PHY. The gaps between certain register accesses that silicon wants
/// are left to the bus.
#[derive(Debug)]
pub struct Lan9118<R> {
    chip: Chip<R>,
    address: MacAddress,
    /// Bits of `MAC_CR` for what is received.
    filter: u32,
    link: Link,
    /// The PHY has not been looked at since it was started.
    link_unknown: bool,
    stats: Stats,
    state: State,
    /// Frames in the chip of which no status has come back.
    queued: u16,
    /// The FIFOs have been emptied since `service` was called last.
    realigned: bool,
    /// What `service` has told of losses.
    told_lost: u32,
}

/// What a receive status word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// A frame of this length, without FCS.
    Good(usize),
    BadFcs,
    BadLength,
    Filtered,
    Error,
}

/// Judges a received frame by its status. The length is only believed where it can be one.
fn judge(status: u32) -> Verdict {
    use regs::rx_status::{BAD_FCS, ERROR, FILTER_FAILED, LENGTH_ERROR, RUNT, TOO_LONG};

    let len = regs::rx_status::len(status);
    if status & (LENGTH_ERROR | RUNT | TOO_LONG) != 0 {
        Verdict::BadLength
    } else if status & BAD_FCS != 0 {
        Verdict::BadFcs
    } else if status & ERROR != 0 {
        Verdict::Error
    } else if status & FILTER_FAILED != 0 {
        Verdict::Filtered
    } else {
        match len.checked_sub(FCS_LEN) {
            Some(len) if (HEADER_LEN..=CAPABILITIES.rx_max_frame_len.bytes()).contains(&len) => Verdict::Good(len),
            _ => Verdict::BadLength,
        }
    }
}

/// The internal PHY's address; the constant is below 32.
const PHY: Option<PhyAddress> = PhyAddress::new(regs::phy::ADDRESS);

impl<R: Registers> Lan9118<R> {
    /// Resets the chip behind `registers`, begins auto-negotiation and turns both directions on. The address is the one the chip has from its EEPROM;
    /// without one it is no unicast address, and `Control::set_mac_address` has to give it one.
    ///
    /// # Errors
    ///
    /// `WrongChip`, `Timeout`, or the PHY does not answer.
    pub fn new(registers: R) -> Result<Self, Error> {
        let mut chip = Chip::new(registers);
        // After power-on the first read may only wake the chip.
        chip.byte_test();
        match chip.byte_test() {
            regs::BYTE_ORDER => {}
            other => return Err(Error::WrongChip(other)),
        }
        chip.reset()?;
        let address = chip.mac_address()?;
        let mut device = Self {
            chip,
            address,
            filter: filter_bits(&RxFilter::DEFAULT),
            link: Link::Down,
            link_unknown: true,
            stats: Stats::ZERO,
            state: State::Stopped,
            queued: 0,
            realigned: false,
            told_lost: 0,
        };
        device.start_phy()?;
        device.run()?;
        Ok(device)
    }

    /// Gives the bus back. The chip is left as it is.
    pub fn release(self) -> R {
        self.chip.into_inner()
    }

    /// The address it receives on.
    pub const fn address(&self) -> MacAddress {
        self.address
    }

    /// The link as last seen.
    pub const fn link_state(&self) -> Link {
        self.link
    }

    /// What became of every frame.
    pub const fn counters(&self) -> Stats {
        self.stats
    }

    fn fault(&self) -> Result<(), Error> {
        match self.state {
            State::Faulted(status) => Err(Error::Fault(status)),
            State::Stopped | State::Running => Ok(()),
        }
    }

    fn start_phy(&mut self) -> Result<(), Error> {
        let phy = PHY.ok_or(Error::Refused(ErrorKind::InvalidInput))?;
        let mdio = &mut self.chip;
        let id = PhyId::from_registers(mdio.read_phy(phy, reg::PHYID1)?, mdio.read_phy(phy, reg::PHYID2)?);
        if id.is_none() {
            return Err(Error::Phy(PhyError::NotResponding(phy)));
        }
        mdio.write_phy(phy, reg::ANAR, Abilities::ALL_MODES.to_register())?;
        if let Some(mask) = RegisterAddress::new(regs::phy::INTERRUPT_MASK) {
            mdio.write_phy(phy, mask, regs::phy::LINK_DOWN | regs::phy::AUTONEG_COMPLETE)?;
        }
        mdio.write_phy(phy, reg::BMCR, bmcr::AUTONEG_ENABLE | bmcr::AUTONEG_RESTART)?;
        self.link_unknown = true;
        Ok(())
    }

    /// Looks at the link; whether it changed since the last look, even if only for a moment.
    fn look_at_link(&mut self) -> Result<bool, Error> {
        let phy = PHY.ok_or(Error::Refused(ErrorKind::InvalidInput))?;
        // First the source, which ends the interrupt: what changes from here on raises it anew.
        if let Some(source) = RegisterAddress::new(regs::phy::INTERRUPT_SOURCE) {
            self.chip.read_phy(phy, source)?;
        }
        // Latched low: the first read tells of a loss since the last look, the second of now.
        let lost = self.chip.read_phy(phy, reg::BMSR)? & bmsr::LINK_UP == 0;
        let status = self.chip.read_phy(phy, reg::BMSR)?;
        let link = if status & bmsr::LINK_UP != 0 && status & bmsr::AUTONEG_COMPLETE != 0 {
            let ours = Abilities::from_register(self.chip.read_phy(phy, reg::ANAR)?);
            let theirs = Abilities::from_register(self.chip.read_phy(phy, reg::ANLPAR)?);
            ours.resolve(theirs).map_or(Link::Down, Link::Up)
        } else {
            Link::Down
        };
        self.link_unknown = false;
        let gone_for_a_moment = lost && self.link.is_up() && link.is_up();
        let changes = if gone_for_a_moment {
            2
        } else {
            u32::from(link.is_up() != self.link.is_up())
        };
        let changed = link != self.link || gone_for_a_moment;
        self.stats.link_changes = self.stats.link_changes.wrapping_add(changes);
        self.link = link;
        if changed && self.state == State::Running {
            self.write_mac_cr(true)?;
        }
        Ok(changed)
    }

    /// Writes the mode, the filter, and which directions are on: `rx` says it of the receiver where frames flow at all.
    fn write_mac_cr(&mut self, rx: bool) -> Result<(), Error> {
        use regs::mac_cr::{DISABLE_RX_OWN, FULL_DUPLEX, RX_ENABLE, TX_ENABLE};

        let half = matches!(
            self.link.mode(),
            Some(LinkMode {
                duplex: Some(Duplex::Half),
                ..
            })
        );
        let duplex = if half { DISABLE_RX_OWN } else { FULL_DUPLEX };
        let enable = match self.state {
            State::Running if rx => TX_ENABLE | RX_ENABLE,
            State::Running => TX_ENABLE,
            State::Stopped | State::Faulted(_) => 0,
        };
        Ok(self.chip.mac_write(regs::mac::MAC_CR, self.filter | duplex | enable)?)
    }

    /// Turns both directions on.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        self.fault()?;
        self.state = State::Running;
        self.chip.write(regs::TX_CFG, regs::tx_cfg::ON);
        self.write_mac_cr(true)?;
        self.link_unknown = true;
        self.look_at_link()?;
        Ok(())
    }

    /// Resets the chip, but not the PHY. What is pending is counted as lost, both directions are off, address and filter are replayed.
    pub(super) fn halt(&mut self) -> Result<(), Error> {
        self.collect();
        self.lose_pending();
        self.state = State::Stopped;
        self.chip.reset()?;
        self.chip.set_mac_address(self.address)?;
        self.write_mac_cr(true)?;
        if self.link.is_up() {
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
        self.link = Link::Down;
        Ok(())
    }

    fn lose_pending(&mut self) {
        let (waiting, _) = self.chip.rx_fifo();
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(u32::from(waiting));
        self.stats.tx_reset = self.stats.tx_reset.wrapping_add(u32::from(self.queued));
        self.queued = 0;
    }

    /// Resets everything and replays address, filter and mode.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        let before = self.state;
        let result = self.halt().and_then(|()| self.start_phy()).and_then(|()| match before {
            State::Stopped => Ok(()),
            State::Running | State::Faulted(_) => self.run(),
        });
        match (result, before) {
            (Ok(()), _) => self.stats.recoveries = self.stats.recoveries.wrapping_add(1),
            (Err(_), State::Stopped) => {}
            // Half way back is no state to go on from: the next recovery begins anew.
            (Err(_), State::Running) => self.state = State::Faulted(0),
            (Err(_), State::Faulted(status)) => self.state = State::Faulted(status),
        }
        result
    }

    pub(super) fn set_address(&mut self, address: MacAddress) -> Result<(), Error> {
        self.chip.set_mac_address(address)?;
        self.address = address;
        Ok(())
    }

    pub(super) fn set_filter(&mut self, filter: &RxFilter<'_>) -> Result<(), Error> {
        self.filter = filter_bits(filter);
        self.write_mac_cr(true)
    }

    /// The length of the next frame. What is no frame is counted, thrown away and passed over.
    ///
    /// # Errors
    ///
    /// `Fault`.
    pub fn next_len(&mut self) -> Result<Option<usize>, Error> {
        self.fault()?;
        if self.state == State::Stopped {
            return Ok(None);
        }
        for _ in 0..MAX_BAD_PER_CALL {
            let (waiting, used) = self.chip.rx_fifo();
            if waiting == 0 {
                if used != 0 {
                    self.realign()?;
                }
                return Ok(None);
            }
            let status = self.chip.read(regs::RX_STATUS_PEEK);
            let total = regs::rx_status::len(status);
            let taken = total.next_multiple_of(4);
            // The last frame's data is all there is; of the others it is a part.
            let believable = if waiting == 1 { taken == used } else { taken < used };
            let counter = match judge(status) {
                Verdict::Good(len) if believable => return Ok(Some(len)),
                Verdict::Good(_) | Verdict::BadLength => &mut self.stats.rx_bad_length,
                Verdict::BadFcs => &mut self.stats.rx_bad_fcs,
                Verdict::Filtered => &mut self.stats.rx_filtered,
                Verdict::Error => &mut self.stats.rx_error,
            };
            *counter = counter.wrapping_add(1);
            if believable {
                self.take(&mut [], total);
            } else {
                self.chip.read(regs::RX_STATUS);
                self.realign()?;
            }
        }
        Ok(None)
    }

    /// Finds the beginning of a frame again when lengths and data do not go together: by emptying the FIFOs.
    fn realign(&mut self) -> Result<(), Error> {
        self.stats.faults = self.stats.faults.wrapping_add(1);
        let emptied = self
            .write_mac_cr(false)
            .and_then(|()| Ok(self.chip.empty_receiver()?))
            .inspect_err(|_| self.state = State::Faulted(0))?;
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(u32::from(emptied));
        self.write_mac_cr(true)
            .inspect_err(|_| self.state = State::Faulted(0))?;
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        self.realigned = true;
        Ok(())
    }

    /// Takes the next frame's status, and its data of `total` bytes with FCS.
    fn take(&mut self, buf: &mut [u8], total: usize) {
        self.chip.read(regs::RX_STATUS);
        self.chip.read_data(buf, total);
    }

    /// Moves the next frame to the start of `buf`; its length.
    ///
    /// # Errors
    ///
    /// `Refused(BufferTooSmall)` with the frame still next, or `Fault`.
    pub fn receive(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Error> {
        let Some(len) = self.next_len()? else { return Ok(None) };
        let Some(buf) = buf.get_mut(..len) else {
            return Err(Error::Refused(ErrorKind::BufferTooSmall { needed: len }));
        };
        self.take(buf, len + FCS_LEN);
        self.stats.count_rx(len);
        Ok(Some(len))
    }

    /// Throws the next frame away; whether there was one.
    ///
    /// # Errors
    ///
    /// `Fault`.
    pub fn discard(&mut self) -> Result<bool, Error> {
        let Some(len) = self.next_len()? else { return Ok(false) };
        self.take(&mut [], len + FCS_LEN);
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        Ok(true)
    }

    /// Collects the statuses of sent frames: how many went out, how many failed.
    fn collect(&mut self) -> (u16, u16) {
        let (mut sent, mut failed) = (0, 0);
        let (_, statuses) = self.chip.tx_fifo();
        for _ in 0..statuses {
            let status = self.chip.read(regs::TX_STATUS);
            self.queued = self.queued.saturating_sub(1);
            if status & regs::tx_status::ERROR == 0 {
                // The tag is the length that was sent with it.
                self.stats.count_tx(usize::from(regs::tx_status::tag(status)));
                sent += 1;
            } else {
                self.stats.tx_aborted = self.stats.tx_aborted.wrapping_add(1);
                failed += 1;
            }
        }
        (sent, failed)
    }

    /// Whether the next frame of any legal length finds room.
    ///
    /// # Errors
    ///
    /// `Fault`.
    pub fn has_room(&mut self) -> Result<bool, Error> {
        self.fault()?;
        self.collect();
        Ok(self.state == State::Running && self.link.is_up() && self.chip.tx_fifo().0 >= LONGEST_IN_FIFO)
    }

    /// Sends one frame that lies in parts.
    ///
    /// # Errors
    ///
    /// `Fault`, or `Refused` with `FrameTooLong`, `FrameTooShort`, `Stopped`, `LinkDown` or `Busy`. The frame was not accepted.
    pub fn send(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.fault()?;
        let len = check_frame(parts, &CAPABILITIES).map_err(Error::Refused)?;
        if self.state != State::Running {
            return Err(Error::Refused(ErrorKind::Stopped));
        }
        if !self.link.is_up() {
            return Err(Error::Refused(ErrorKind::LinkDown));
        }
        if !self.has_room()? {
            return Err(Error::Refused(ErrorKind::Busy));
        }
        // Padded here: silicon would do it, the emulated chip does not. Legal lengths fit 11 bits.
        self.chip.write_frame(parts, len.max(MIN_FRAME_LEN) as u16, len as u16);
        self.queued = self.queued.saturating_add(1);
        Ok(())
    }

    /// Looks after the chip: faults, sent frames, overruns, the link.
    ///
    /// # Errors
    ///
    /// `Fault`, or the PHY could not be read.
    pub fn refresh(&mut self) -> Result<Events, Error> {
        self.fault()?;
        let mut events = Events::NONE;
        if self.state == State::Stopped {
            return Ok(events);
        }
        let interrupts = self.chip.read(regs::INT_STS);
        if interrupts & (regs::int::RX_ERROR | regs::int::TX_ERROR) != 0 {
            self.state = State::Faulted(interrupts);
            self.stats.faults = self.stats.faults.wrapping_add(1);
            return self.fault().map(|()| events);
        }
        (events.tx_completed, events.tx_failed) = self.collect();
        self.stats.rx_overrun = self.stats.rx_overrun.wrapping_add(self.chip.read(regs::RX_DROP));
        if self.link_unknown || interrupts & regs::int::PHY != 0 {
            events.link_changed = self.look_at_link()?;
        }
        events.rx_pending = self.chip.rx_fifo().0 > 0;
        events.recovered = core::mem::take(&mut self.realigned);
        events.tx_room = self.has_room()?;
        events.rx_lost = self.stats.rx_lost() != self.told_lost;
        self.told_lost = self.stats.rx_lost();
        Ok(events)
    }

    /// Masks all interrupts at the chip.
    pub fn mask_interrupts(&mut self) {
        self.chip.write(regs::INT_EN, 0);
    }

    /// Unmasks the interrupts for what is of interest, then looks whether there is such work already.
    ///
    /// # Errors
    ///
    /// `Fault`.
    pub fn unmask_interrupts(&mut self, interest: Interest) -> Result<bool, Error> {
        use regs::int::{PHY, RX_ERROR, RX_STATUS_LEVEL, TX_ERROR, TX_STATUS_LEVEL};

        let mut sources = RX_ERROR | TX_ERROR;
        for (wanted, source) in [
            (interest.rx, RX_STATUS_LEVEL),
            (interest.tx, TX_STATUS_LEVEL),
            (interest.link, PHY),
        ] {
            if wanted {
                sources |= source;
            }
        }
        // Forget what the two levels had latched; errors stay for `refresh`.
        self.chip.write(regs::INT_STS, RX_STATUS_LEVEL | TX_STATUS_LEVEL);
        self.chip.write(regs::INT_EN, sources);
        // The look comes last: what arrives before it is seen, what arrives after it raises the line.
        let levels = RX_STATUS_LEVEL | TX_STATUS_LEVEL;
        Ok(self.chip.read(regs::INT_STS) & sources & !levels != 0
            || (interest.rx && self.next_len()?.is_some())
            || (interest.tx && self.has_room()?))
    }
}

/// `Mdio` by names that do not collide with the chip's own registers, and with errors that say what failed.
trait ReadPhy {
    fn read_phy(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Error>;
    fn write_phy(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Error>;
}

impl<R: Registers> ReadPhy for Chip<R> {
    fn read_phy(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Error> {
        Mdio::read(self, phy, register).map_err(|e| Error::Phy(PhyError::Mdio(e)))
    }

    fn write_phy(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Error> {
        Mdio::write(self, phy, register, value).map_err(|e| Error::Phy(PhyError::Mdio(e)))
    }
}

/// Bits of `MAC_CR` for a filter. A list of groups becomes all groups: the stack looks at the destination itself.
fn filter_bits(filter: &RxFilter<'_>) -> u32 {
    use regs::mac_cr::{NO_BROADCAST, PASS_ALL_MULTICAST, PROMISCUOUS};

    let mut bits = 0;
    if filter.promiscuous {
        bits |= PROMISCUOUS;
    }
    if !filter.broadcast {
        bits |= NO_BROADCAST;
    }
    match filter.multicast {
        Multicast::None | Multicast::List([]) => {}
        Multicast::List(_) | Multicast::All => bits |= PASS_ALL_MULTICAST,
    }
    bits
}
