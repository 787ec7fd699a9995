//! A PHY on its cable, and a host that reads and writes its registers.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Part, PhyConfig, SimMdio, ViolationKind};

pub const BMCR: u8 = 0;
pub const BMSR: u8 = 1;
pub const ANAR: u8 = 4;
pub const ANLPAR: u8 = 5;
pub const ANER: u8 = 6;
pub const MCSR: u8 = 17;
pub const SMR: u8 = 18;
pub const SECR: u8 = 26;
pub const SCSIR: u8 = 27;
pub const ISR: u8 = 29;
pub const IMR: u8 = 30;
pub const PSCSR: u8 = 31;

pub struct Host {
    pub clock: Clock,
    pub wire: Wire,
    pub peer: Peer,
    pub phy: Lan8720Chip,
    pub mdio: SimMdio,
    /// Falling edges of nINT.
    pub interrupts: Rc<Cell<u32>>,
}

pub fn lan8720a() -> PhyConfig {
    PhyConfig::new(Part::Lan8720a)
}

pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

impl Host {
    /// At power-up.
    pub fn new(config: PhyConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let phy = Lan8720Chip::new(&clock, port, config);
        let interrupts = Rc::new(Cell::new(0));
        phy.on_int_falling({
            let interrupts = interrupts.clone();
            move || interrupts.set(interrupts.get() + 1)
        });
        let mut host = Self {
            mdio: phy.mdio(),
            peer: Peer::new(peer),
            clock,
            wire,
            phy,
            interrupts,
        };
        host.pass(Duration::from_micros(1));
        host
    }

    /// With the link as the partner lets it come up.
    pub fn linked(config: PhyConfig) -> Self {
        let mut host = Self::new(config);
        host.pass(ms(3000));
        host.get(BMSR);
        host.get(ISR);
        host
    }

    pub fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
    }

    pub fn read(&mut self, address: u8, register: u8) -> u16 {
        let (address, register) = (
            PhyAddress::new(address).unwrap(),
            RegisterAddress::new(register).unwrap(),
        );
        self.mdio.read(address, register).unwrap()
    }

    pub fn get(&mut self, register: u8) -> u16 {
        self.read(0, register)
    }

    pub fn set(&mut self, register: u8, value: u16) {
        let (address, register) = (PhyAddress::new(0).unwrap(), RegisterAddress::new(register).unwrap());
        self.mdio.write(address, register, value).unwrap();
    }

    /// Whether the link is up, by two reads.
    pub fn is_up(&mut self) -> bool {
        self.get(BMSR);
        self.get(BMSR) & 4 != 0
    }

    pub fn is_int_low(&self) -> bool {
        use embedded_hal::digital::InputPin;
        self.phy.int_pin().is_low().unwrap()
    }

    pub fn kinds(&self) -> Vec<ViolationKind> {
        self.phy.violations().iter().map(|violation| violation.kind).collect()
    }

    #[track_caller]
    pub fn assert_clean(&self) {
        assert_eq!(self.phy.violations(), []);
        assert!(self.phy.stats().balanced(), "{:?}", self.phy.stats());
    }
}
