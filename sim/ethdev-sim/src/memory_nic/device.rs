//! The driver: the traits of ethdev on the rings of the chip.

use core::cell::RefCell;
use std::rc::Rc;

use ethdev::{Capabilities, ErrorType, EthernetDevice, Events, Link, MacAddress, MaxFrameLen, RxMeta, Stats, TxHalf};
use ethdev::{lending, lending::LendingDevice};

use super::chip::{Chip, Filter};
use super::chip_state::LinkCache;
use super::config::RingConfig;
use super::error::RingError;
use super::halves::{RingRx, RingTx, RxSide, TxSide};
use super::handle::RingHandle;
use crate::{Clock, Peer, Port, Wire, WireConfig};

/// The reference *memory device*: a NIC with descriptor rings in the host's memory, as with DMA.
///
/// It lends the buffers of the rings: a frame is copied once on each side of the wire. Its receive
/// filter is exact, it counts every frame, and its interrupt can be masked by source.
///
/// ```
/// use ethdev::{EthernetDevice, MacAddress};
/// use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
///
/// # fn main() -> Result<(), ethdev_sim::RingError> {
/// let clock = Clock::new();
/// let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1]));
/// let (_wire, mut nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
/// nic.send_frame(&[0xff; 100])?;
/// while clock.step() {}
/// assert_eq!(peer.recv(), Some(vec![0xff; 100]));
/// assert_eq!(nic.stats().tx_frames, 1);
/// # Ok(()) }
/// ```
///
/// # Behavior
///
/// - Started on construction unless [`RingConfig::started`] says otherwise; started or not, the
///   interrupt is masked.
/// - [`sleep`](ethdev::Control::sleep) drops pending frames, as `stop` does.
/// - A frame whose transmission has begun when the device is stopped or recovered is completed and
///   counted in `tx_frames`.
/// - Every frame that arrives is counted, in this order: wrong length, wrong FCS, filtered, lost in
///   a fault (`rx_reset`), overrun. A stopped or sleeping device receives and counts no frames.
/// - [`Events::rx_dropped`] does not report frames that were filtered or discarded by the caller.
/// - In a fault, `start`, `stop`, `sleep`, and `wake` of a sleeping device reset the chip; the
///   setters store the value for [`recover`](ethdev::Control::recover) and fail.
/// - In a fault, a lent frame stays lent. [`recover`](ethdev::Control::recover) drops it and counts
///   it in `rx_reset`.
#[derive(Debug)]
pub struct RingNic {
    pub(super) hw: Rc<RefCell<Chip>>,
    pub(super) rx: RxSide,
    pub(super) tx: TxSide,
    pub(super) reported_link: Link,
    pub(super) reported_lost: u32,
    pub(super) capabilities: Capabilities,
    /// The requested settings, which are restored after a reset.
    pub(super) mac_address: MacAddress,
    pub(super) filter: Filter,
    /// The mode that the chip reached last.
    pub(super) started: bool,
    pub(super) asleep: bool,
}

impl RingNic {
    /// A device at the end of a wire.
    ///
    /// # Panics
    ///
    /// Where a ring has no slot, or more than 65535; or where the address is not one that a station
    /// can have.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: RingConfig) -> Self {
        let frames = |slots: usize| {
            let frames = u16::try_from(slots).unwrap_or(0);
            assert!(frames > 0, "the number of slots must be 1 to 65535, found {slots}");
            frames
        };
        assert!(
            config.mac_address.is_unicast(),
            "not a unicast address: {}",
            config.mac_address
        );
        let capabilities = Capabilities::ETHERNET
            .with_max_frame_len(config.max_frame_len)
            .with_queue_frames(Some(frames(config.rx_slots)), Some(frames(config.tx_slots)));
        let hw = Chip::new(clock, port, &config);
        let mut nic = Self {
            rx: RxSide {
                hw: hw.clone(),
                lent: None,
                stats: Stats::ZERO,
            },
            tx: TxSide::new(hw.clone(), LinkCache::DOWN, config.max_frame_len.bytes()),
            hw,
            reported_link: Link::Down,
            reported_lost: 0,
            capabilities,
            mac_address: config.mac_address,
            filter: Filter::from(ethdev::RxFilter::DEFAULT),
            started: config.started,
            asleep: false,
        };
        // A new chip responds.
        let _ = nic.program(config.started, false);
        // The state on construction is no change.
        nic.reported_link = nic.tx.link.link;
        nic.hw.borrow_mut().stats = Stats::ZERO;
        nic
    }

    /// A wire with a device at each end.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new) and [`Wire::new`].
    #[must_use]
    pub fn pair(clock: &Clock, wire: WireConfig, a: RingConfig, b: RingConfig) -> (Wire, Self, Self) {
        let (wire, port_a, port_b) = Wire::new(clock, wire);
        (wire, Self::new(clock, port_a, a), Self::new(clock, port_b, b))
    }

    /// A wire with a device at its first end and a [`Peer`] at the other.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new) and [`Wire::new`].
    #[must_use]
    pub fn with_peer(clock: &Clock, wire: WireConfig, config: RingConfig) -> (Wire, Self, Peer) {
        let (wire, port_a, port_b) = Wire::new(clock, wire);
        (wire, Self::new(clock, port_a, config), Peer::new(port_b))
    }

    /// Returns direct access to the chip: faults, stalls, and the rings. It is usable while the
    /// device is borrowed or wrapped.
    #[must_use]
    pub fn hardware(&self) -> RingHandle {
        RingHandle::new(self.hw.clone())
    }

    /// Writes address, filter and mode to the chip. The mode is stored once the chip has it.
    pub(super) fn program(&mut self, started: bool, asleep: bool) -> Result<(), RingError> {
        let mut chip = Chip::access(&self.hw);
        chip.check()?;
        chip.mac_address = self.mac_address;
        chip.filter = self.filter.clone();
        if started && !asleep {
            chip.start();
        } else {
            chip.stop();
        }
        self.tx.link.refresh(&chip);
        (self.started, self.asleep) = (started, asleep);
        Ok(())
    }
}

impl ErrorType for RingNic {
    type Error = RingError;
}

impl LendingDevice for RingNic {
    type Rx<'a> = RingRx<'a>;
    type Tx<'a> = RingTx<'a>;

    #[inline]
    fn split(&mut self) -> (RingRx<'_>, RingTx<'_>) {
        (RingRx(&mut self.rx), RingTx::new(&mut self.tx))
    }
}

impl EthernetDevice for RingNic {
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.capabilities.tx_max_frame_len
    }

    fn link(&self) -> Link {
        self.tx.link.link
    }

    fn stats(&self) -> Stats {
        self.hw.borrow().stats().wrapping_add(&self.rx.stats)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, RingError> {
        Chip::access(&self.hw).check()?;
        lending::recv_by_copy(self.split().0, buf)
    }

    fn discard_frame(&mut self) -> Result<bool, RingError> {
        Chip::access(&self.hw).check()?;
        lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, RingError> {
        let mut chip = Chip::access(&self.hw);
        chip.check()?;
        self.tx.link.refresh(&chip);
        Ok(chip.may_send().is_ok() && (self.tx.spare.is_some() || chip.tx.has_free()))
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), RingError> {
        Chip::access(&self.hw).check()?;
        self.split().1.send_vectored(parts)
    }

    fn service(&mut self) -> Result<Events, RingError> {
        let mut chip = Chip::access(&self.hw);
        chip.check()?;
        self.tx.link.refresh(&chip);
        let stats = chip.stats().wrapping_add(&self.rx.stats);
        let lost = stats
            .rx_lost()
            .wrapping_sub(stats.rx_filtered)
            .wrapping_sub(stats.rx_discarded);
        let mut events = Events::NONE;
        events.link_changed = self.tx.link.link != self.reported_link;
        events.rx_pending = self.rx.lent.is_some() || chip.rx.pending() > 0;
        events.rx_dropped = lost != self.reported_lost;
        events.tx_ready = chip.may_send().is_ok() && (self.tx.spare.is_some() || chip.tx.has_free());
        events.tx_completed = core::mem::take(&mut chip.tx_completed);
        events.tx_failed = core::mem::take(&mut chip.tx_failed);
        self.reported_link = self.tx.link.link;
        self.reported_lost = lost;
        Ok(events)
    }
}
