//! Testbed: the driver on the model of the chip, with a peer at the other end of the wire.
#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod bus;

use std::time::Duration;

use enc28j60_model::{BusCounters, ChipConfig, Enc28j60Chip, Revision, SimSpi};
use ethdev::{EthernetDevice, Interest, MacAddress, Speed};
use ethdev_enc28j60::{Config, Enc28j60, asynch};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig, block_on};

pub(crate) const OWN: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);
pub(crate) type Driver = Enc28j60<SimSpi, SimDelay>;

/// Chip, wire and link peer.
pub(crate) struct Testbed {
    pub(crate) clock: Clock,
    pub(crate) wire: Wire,
    pub(crate) chip: Enc28j60Chip,
    pub(crate) peer: Peer,
}

impl Testbed {
    pub(crate) fn new(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
        let chip = Enc28j60Chip::new(&clock, port, config);
        Self {
            clock,
            wire,
            chip,
            peer: Peer::new(peer),
        }
    }

    /// A chip of this revision with all its errata.
    pub(crate) fn of(revision: Revision) -> Self {
        Self::new(ChipConfig::new(revision))
    }

    /// The driver, its link up.
    pub(crate) fn driver(&self, config: Config) -> Driver {
        let mut driver = Enc28j60::new(self.chip.spi_device(), self.chip.delay(), config).expect("the chip starts");
        self.wait_for_link(&mut driver);
        driver
    }

    pub(crate) fn wait_for_link(&self, driver: &mut impl EthernetDevice) {
        for _ in 0..1000 {
            let _ = driver.service();
            if driver.link().is_up() {
                return;
            }
            self.clock.advance(Duration::from_millis(1));
        }
        panic!("the link does not come up");
    }

    /// The async driver with the INT line by its level, its link up.
    pub(crate) fn by_level(
        &self,
        config: Config,
    ) -> asynch::Enc28j60<SimSpi, SimDelay, asynch::LevelIrq<enc28j60_model::IntPin>> {
        use ethdev::asynch::EthernetDevice;
        let line = asynch::LevelIrq(self.chip.int_pin());
        let driver = asynch::Enc28j60::new(self.chip.spi_device(), self.chip.delay(), line, config);
        let mut driver = block_on(&self.clock, driver)
            .expect("the future never completes")
            .expect("the chip starts");
        block_on(&self.clock, driver.ready(Interest::LINK))
            .expect("the future never completes")
            .expect("the link comes up");
        driver
    }

    /// Frames that the peer sends, one after another, all of them arrived.
    pub(crate) fn arrive(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        for frame in frames {
            let arrived = self.peer.send(&frame);
            self.clock.advance_to(arrived + Duration::from_micros(20));
        }
    }

    /// Returns the transactions and bytes of `f` on the bus.
    pub(crate) fn cost(&self, f: impl FnOnce()) -> (u64, u64) {
        let before: BusCounters = self.chip.bus();
        f();
        let after = self.chip.bus();
        (after.transactions - before.transactions, after.bytes - before.bytes)
    }

    /// Fails if the model recorded a protocol violation.
    pub(crate) fn assert_no_violations(&self) {
        let violations = self.chip.violations();
        assert!(
            violations.is_empty(),
            "{} violations, first: {}",
            violations.len(),
            violations[0]
        );
    }
}

/// A frame of `len` bytes for the driver, with a number in it.
pub(crate) fn frame(number: u32, len: usize) -> Vec<u8> {
    let mut bytes = OWN.octets().to_vec();
    bytes.extend([0x02, 0x5e]);
    bytes.extend(number.to_be_bytes());
    bytes.extend([0x88, 0xb5]);
    bytes.extend((bytes.len()..len).map(|at| (at as u32 ^ number) as u8 | 1));
    bytes.truncate(len);
    bytes
}
