//! The driver on the model of its chip.

use std::time::Duration;

use ethdev::{Duplex, Link, LinkMode, MacAddress, Speed};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use nxp_enet_model::{BusMemory, ChipConfig, EnetChip};

pub(crate) const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);
pub(crate) const CONFIG: Config = Config::new(ADDRESS, 66_000_000);
pub(crate) const FULL: Link = Link::Up(LinkMode::new(Speed::MBPS_100, Duplex::Full));
pub(crate) const HALF_10: Link = Link::Up(LinkMode::new(Speed::MBPS_10, Duplex::Half));

pub(crate) struct Bus(pub(crate) EnetChip);

impl Registers for Bus {
    fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}

pub(crate) struct Memory(pub(crate) HostMemory);

impl BusMemory for Memory {
    fn read(&self, address: u32, into: &mut [u8]) -> bool {
        self.0.read(address, into)
    }

    fn write(&self, address: u32, from: &[u8]) -> bool {
        self.0.write(address, from)
    }
}

pub(crate) type Nic = Enet<Bus, SimDelay, HostMemory>;

/// A driver and its chip, with the link up, and the link peer.
pub(crate) struct Testbed {
    pub(crate) nic: Nic,
    pub(crate) chip: EnetChip,
    pub(crate) wire: Wire,
    pub(crate) peer: Peer,
    pub(crate) clock: Clock,
}

pub(crate) fn rings<const RX: usize, const TX: usize>() -> &'static mut Rings<RX, TX> {
    Box::leak(Box::new(Rings::new()))
}

impl Testbed {
    pub(crate) fn new<const RX: usize, const TX: usize>() -> Self {
        Self::with::<RX, TX>(CONFIG, ChipConfig::default())
    }

    pub(crate) fn with<const RX: usize, const TX: usize>(config: Config, chip: ChipConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let memory = HostMemory::new();
        let chip = EnetChip::new(port, Memory(memory.clone()), chip);
        let mut nic =
            Enet::with_dma(Bus(chip.clone()), rings::<RX, TX>(), chip.delay(), memory, config).expect("new failed");
        nic.set_link(FULL).expect("set_link failed");
        Self {
            nic,
            chip,
            wire,
            peer: Peer::new(peer),
            clock,
        }
    }

    pub(crate) fn pass(&self, us: u64) {
        self.clock.advance(Duration::from_micros(us));
    }

    /// Waits until no frame is in transfer.
    pub(crate) fn settle(&self) {
        self.pass(20_000);
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        let violations = self.chip.take_violations();
        assert!(
            violations.is_empty() || std::thread::panicking(),
            "protocol violation: {}",
            violations[0]
        );
    }
}

/// Returns a number of cases or steps; fewer in Miri, which is some 1000 times slower.
pub(crate) const fn fewer(number: u32) -> u32 {
    if cfg!(miri) { 2 + number / 64 } else { number }
}

/// A frame to the device that contains a number.
pub(crate) fn numbered(number: u32, len: usize) -> Vec<u8> {
    let mut frame = ADDRESS.octets().to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x88, 0xb5]);
    frame.extend(number.to_be_bytes());
    frame.resize(len.max(18), number as u8);
    frame
}

/// Returns the number in a frame.
pub(crate) fn number(frame: &[u8]) -> u32 {
    u32::from_be_bytes(frame[14..18].try_into().expect("a numbered frame"))
}
