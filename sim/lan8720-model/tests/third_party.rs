//! Third-party drivers on the model of the LAN8720A: they link up as on silicon, and fail where
//! they fail on silicon.

#![allow(missing_docs, reason = "a test binary")]

use core::cell::RefCell;
use core::convert::Infallible;
use core::time::Duration;

use embedded_hal::digital::{InputPin, OutputPin};
use embedded_hal_02::digital::v2 as digital_02;
use eth_mdio_phy::{MdioBus, PhyDriver};
use eth_phy_lan87xx::{PhyLan87xx, PhyLan87xxWithReset};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::LinkModes;
use ethdev_sim::{Clock, Wire, WireConfig};
use ieee802_3_miim::phy::{LAN8720A, PhySpeed};
use ieee802_3_miim::{Miim, Phy};
use lan8720_model::{Lan8720Chip, MdioFault, Part, Partner, PhyConfig, PhyTimes, SimMdio, ViolationKind as Kind};

struct Testbed {
    clock: Clock,
    wire: Wire,
    phy: Lan8720Chip,
}

impl Testbed {
    fn new(config: PhyConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, _peer) = Wire::new(&clock, WireConfig::default());
        let phy = Lan8720Chip::new(&clock, port, config);
        clock.advance(Duration::from_millis(30));
        Self { clock, wire, phy }
    }

    fn lan8720a(partner: Partner) -> Self {
        Self::new(PhyConfig::new(Part::Lan8720a).with_partner(partner))
    }

    fn bus(&self) -> Bus {
        Bus(self.phy.mdio())
    }

    fn kinds(&self) -> Vec<Kind> {
        self.phy.violations().iter().map(|violation| violation.kind).collect()
    }
}

struct Bus(SimMdio);

fn at(phy: u8, register: u8) -> (PhyAddress, RegisterAddress) {
    (PhyAddress::new(phy).unwrap(), RegisterAddress::new(register).unwrap())
}

impl MdioBus for Bus {
    type Error = MdioFault;

    fn read(&mut self, phy: u8, register: u8) -> Result<u16, MdioFault> {
        let (phy, register) = at(phy, register);
        self.0.read(phy, register)
    }

    fn write(&mut self, phy: u8, register: u8, value: u16) -> Result<(), MdioFault> {
        let (phy, register) = at(phy, register);
        self.0.write(phy, register, value)
    }
}

impl Miim for Bus {
    fn read(&mut self, phy: u8, register: u8) -> u16 {
        let (phy, register) = at(phy, register);
        self.0.read(phy, register).unwrap()
    }

    fn write(&mut self, phy: u8, register: u8, value: u16) {
        let (phy, register) = at(phy, register);
        self.0.write(phy, register, value).unwrap();
    }
}

#[test]
fn eth_phy_lan87xx_every_partner_links_up() {
    for partner in Partner::all() {
        let testbed = Testbed::lan8720a(partner);
        let mut bus = testbed.bus();
        let mut driver = PhyLan87xxWithReset::new(0, testbed.phy.reset_pin());
        driver.hardware_reset(&mut testbed.phy.delay()).unwrap();
        driver.init(&mut bus).unwrap();
        testbed.clock.advance(Duration::from_secs(3));
        // It reads the link bit once: the first look is at the past.
        driver.poll_link(&mut bus).unwrap();
        let state = driver.poll_link(&mut bus).unwrap();
        let mode = testbed.wire.link().mode().unwrap();
        assert!(state.up, "{partner:?}");
        let speed = match state.speed {
            eth_mdio_phy::Speed::_100M => 100,
            _ => 10,
        };
        assert_eq!(speed, mode.speed.unwrap().mbps(), "{partner:?}");
        let full = state.duplex == eth_mdio_phy::Duplex::Full;
        assert_eq!(full, mode.duplex == Some(ethdev::Duplex::Full), "{partner:?}");
        assert_eq!(testbed.phy.violations(), []);
    }
}

#[test]
fn eth_phy_lan87xx_other_vendor_or_slow_reset_fails() {
    let testbed = Testbed::new(PhyConfig::new(Part::OtherVendor));
    assert!(matches!(
        PhyLan87xx::new(0).init(&mut testbed.bus()),
        Err(eth_mdio_phy::PhyError::UnsupportedChip { id: 0x0022_1550 })
    ));
    // 500 reads are 12.8 ms; the data sheet allows half a second.
    let slow = PhyConfig::new(Part::Lan8720a).with_soft_reset(Some(Duration::from_millis(100)));
    let testbed = Testbed::new(slow);
    assert!(matches!(
        PhyLan87xx::new(0).init(&mut testbed.bus()),
        Err(eth_mdio_phy::PhyError::ResetTimeout)
    ));
}

#[test]
fn ieee802_3_miim_every_advertisement_links_up() {
    for (abilities, speed) in [
        (LinkModes::TX100_FULL, PhySpeed::FullDuplexBase100Tx),
        (LinkModes::TX100_HALF, PhySpeed::HalfDuplexBase100Tx),
        (LinkModes::T10_FULL, PhySpeed::FullDuplexBase10T),
        (LinkModes::T10_HALF, PhySpeed::HalfDuplexBase10T),
    ] {
        let testbed = Testbed::lan8720a(Partner::negotiating(abilities));
        let mut driver = LAN8720A::new(testbed.bus(), 0);
        driver.phy_init();
        testbed.clock.advance(Duration::from_secs(3));
        // It, too, reads once.
        assert!(!driver.link_established() && driver.link_established());
        assert_eq!(driver.link_speed(), Some(speed));
        testbed.wire.set_link(false);
        testbed.clock.advance(Duration::from_millis(100));
        assert!(!driver.link_established());
        assert_eq!(testbed.phy.violations(), []);
        // It writes the reset bit together with what was in the register before.
        driver.blocking_reset();
        assert_eq!(testbed.kinds(), [Kind::ResetWithOthers]);
    }
}

/// Pins, for embedded-hal 0.2.
struct Old<P>(RefCell<P>);

impl<P: OutputPin<Error = Infallible>> digital_02::OutputPin for Old<P> {
    type Error = Infallible;

    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().set_low()
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().set_high()
    }
}

impl<P: InputPin<Error = Infallible>> digital_02::InputPin for Old<P> {
    type Error = Infallible;

    fn is_high(&self) -> Result<bool, Infallible> {
        self.0.borrow_mut().is_high()
    }

    fn is_low(&self) -> Result<bool, Infallible> {
        self.0.borrow_mut().is_low()
    }
}

/// Half a period of MDC.
struct Timer(Clock);

impl embedded_hal_02::timer::CountDown for Timer {
    type Time = Duration;

    fn start<T: Into<Duration>>(&mut self, _: T) {}

    fn wait(&mut self) -> nb::Result<(), void::Void> {
        self.0.advance(Duration::from_nanos(200));
        Ok(())
    }
}

impl embedded_hal_02::timer::Periodic for Timer {}

#[test]
fn mdio_crate_early_sample_and_contention_are_reported() {
    use mdio::miim::{Read, Write};
    let testbed = Testbed::lan8720a(Partner::default());
    let (mdc, mdio) = testbed.phy.mdio_pins();
    let timer = Timer(testbed.clock.clone());
    let mut bus = mdio::bb::Mdio::new(Old(RefCell::new(mdio)), Old(RefCell::new(mdc)), timer);
    // It takes a bit at the falling edge: 200 ns after the rising one, where the PHY may take 300.
    // At 30 ns, as an older data sheet has it, that is well.
    assert_eq!(bus.read(0, 3), Ok(0xc0f1 >> 1));
    let quick = PhyTimes::default().with_mdio(Duration::from_nanos(30), Duration::ZERO);
    testbed.phy.set_times(quick);
    // The last bit of an odd register's address is 1, and that is as good as letting go of an
    // open-drain line.
    assert_eq!(bus.read(0, 3), Ok(0xc0f1));
    bus.write(0, 4, 0x0101).unwrap();
    assert_eq!(testbed.phy.peek(4), 0x0101);
    assert_eq!(testbed.phy.violations(), []);
    // That of an even one is 0, and stays on the line.
    assert_eq!(bus.read(0, 2), Ok(0));
    assert_eq!(testbed.kinds(), [Kind::Turnaround, Kind::Contention]);
}
