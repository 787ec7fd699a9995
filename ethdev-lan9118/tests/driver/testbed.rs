//! A driver, a simulated chip, and the link peer.

use std::time::Duration;

use ethdev::{Duplex, EthernetDevice, Link, LinkMode, MacAddress, Speed};
use ethdev_lan9118::{Config, Lan9118};
use ethdev_phy::Mac;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use lan9118_model::{ChipConfig, Lan9118Chip, Part, SimBus};

pub(crate) const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0x91, 0x18, 0x01]);
pub(crate) const FULL: Link = Link::Up(LinkMode::new(Speed::MBPS_100, Duplex::Full));

/// The bus of the model as `Registers`.
pub(crate) struct Bus(pub(crate) SimBus);

impl Registers for Bus {
    fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}

pub(crate) type Driver = Lan9118<Bus, SimDelay>;

/// All but the driver.
pub(crate) struct Testbed {
    pub(crate) clock: Clock,
    pub(crate) wire: Wire,
    pub(crate) peer: Peer,
    pub(crate) chip: Lan9118Chip,
}

impl Testbed {
    pub(crate) fn with_chip(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        Self {
            chip: Lan9118Chip::on_media(port, config),
            clock,
            wire,
            peer: Peer::new(peer),
        }
    }

    pub(crate) fn new() -> Self {
        Self::with_chip(ChipConfig::new(Part::Lan9118))
    }

    pub(crate) fn driver(&self, config: Config) -> Driver {
        let mut driver =
            Lan9118::new(Bus(self.chip.bus()), self.chip.delay(), config).expect("the chip does not start");
        driver.set_link(FULL).expect("set_link failed");
        driver.service().expect("the chip fails");
        driver
    }

    /// A chip and its driver, with the link up.
    pub(crate) fn started() -> (Self, Driver) {
        let bed = Self::new();
        let driver = bed.driver(Config::new());
        (bed, driver)
    }

    pub(crate) fn pass(&self, us: u64) {
        self.clock.advance(Duration::from_micros(us));
    }

    /// Sends a frame to the driver, and waits until it is received.
    pub(crate) fn deliver(&self, frame: &[u8]) {
        self.peer.send(frame);
        self.pass(150);
    }

    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.chip.violations(), []);
    }
}

/// A frame of `len` bytes, at least 14, to the driver.
pub(crate) fn frame(len: usize) -> Vec<u8> {
    frame_to(ADDRESS, len)
}

pub(crate) fn frame_to(address: MacAddress, len: usize) -> Vec<u8> {
    let mut frame = address.octets().to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0xfe, 0x88, 0xb5]);
    frame.extend((frame.len()..len).map(|n| (n * 7) as u8));
    frame
}

/// Receives a frame from the driver.
pub(crate) fn receive(driver: &mut Driver) -> Option<Vec<u8>> {
    let mut buf = vec![0; 1518];
    let meta = driver.recv_frame(&mut buf).expect("the chip fails")?;
    buf.truncate(meta.len);
    Some(buf)
}

/// Receives until nothing is pending. Returns the number of frames.
pub(crate) fn receive_all(driver: &mut Driver) -> usize {
    // More than the FIFO holds.
    for received in 0..1_000 {
        if receive(driver).is_none() {
            return received;
        }
    }
    panic!("frames without end");
}
