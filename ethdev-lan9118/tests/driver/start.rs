//! Finding the chip, and starting it.

use ethdev::{Error as _, ErrorKind, EthernetDevice, Link, MacAddress};
use ethdev_lan9118::{Config, Error, Lan9118, Model, Wait};
use ethdev_phy::mmio::Registers;
use lan9118_model::{ChipConfig, DeviceState, Part};

use crate::rig::{ADDRESS, Bus, Driver, Rig};

fn start(rig: &Rig, config: Config) -> Result<Driver, Error> {
    Lan9118::new(Bus(rig.chip.bus()), rig.chip.delay(), config)
}

#[test]
fn every_chip_of_the_family() {
    let models = [
        Model::Lan9115,
        Model::Lan9116,
        Model::Lan9117,
        Model::Lan9118,
        Model::Lan9210,
        Model::Lan9211,
        Model::Lan9215,
        Model::Lan9216,
        Model::Lan9217,
        Model::Lan9218,
        Model::Lan9220,
        Model::Lan9221,
    ];
    for (part, model) in Part::ALL.into_iter().zip(models) {
        let rig = Rig::with_chip(ChipConfig::new(part));
        let driver = start(&rig, Config::new()).expect("a chip of the family");
        assert_eq!((driver.model(), driver.revision()), (model, 1));
        rig.assert_clean();
    }
}

#[test]
fn starts_with_its_link_down_and_the_address_of_the_eeprom() {
    let rig = Rig::new();
    let driver = start(&rig, Config::new()).unwrap();
    assert_eq!((driver.link(), driver.mac_address()), (Link::Down, ADDRESS));
    let other = MacAddress::new([2, 0, 0, 0, 0, 5]);
    let rig = Rig::new();
    let driver = start(&rig, Config::new().with_mac_address(other)).unwrap();
    assert_eq!(driver.mac_address(), other);
    rig.assert_clean();
}

#[test]
fn no_address_is_an_error() {
    let rig = Rig::with_chip(ChipConfig::new(Part::Lan9118).with_eeprom(None));
    assert!(matches!(start(&rig, Config::new()), Err(Error::NoAddress)));
    // An EEPROM with nonsense is none.
    let rig = Rig::with_chip(ChipConfig::new(Part::Lan9118).with_eeprom(Some([1, 0, 0, 0, 0, 0])));
    assert!(matches!(start(&rig, Config::new()), Err(Error::NoAddress)));
    let group = Config::new().with_mac_address(MacAddress::BROADCAST);
    let error = start(&Rig::new(), group).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn nobody_there() {
    for (presence, found) in [(DeviceState::AllOnes, u32::MAX), (DeviceState::AllZeros, 0)] {
        let rig = Rig::new();
        rig.chip.set_presence(presence);
        match start(&rig, Config::new()) {
            Err(e @ Error::NoChip { found: read }) => {
                assert_eq!((read, e.kind()), (found, ErrorKind::NotPresent));
            }
            Err(e) => panic!("{e}"),
            Ok(_) => panic!("found a chip where there is none"),
        }
        // Zeros look like a chip that is not ready yet: it gets its time, and no more.
        assert!(rig.clock.now().as_millis() < 200);
    }
}

/// A bus with its bytes, or its halves, in another order; and one with another chip on it.
struct Wrong(Bus, Order);

type Order = fn(u32) -> u32;

impl Registers for Wrong {
    fn read(&self, offset: usize) -> u32 {
        self.1(self.0.read(offset))
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, self.1(value));
    }
}

#[test]
fn byte_orders_are_told() {
    let orders: [(Order, u32); 3] = [
        (u32::swap_bytes, 0x2143_6587),
        (|word| word.rotate_left(16), 0x4321_8765),
        (|word| word.rotate_left(16).swap_bytes(), 0x6587_2143),
    ];
    for (order, found) in orders {
        let rig = Rig::new();
        let bus = Wrong(Bus(rig.chip.bus()), order);
        let result = Lan9118::new(bus, rig.chip.delay(), Config::new());
        assert!(
            matches!(result, Err(Error::ByteOrder { found: read }) if read == found),
            "{found:#x}"
        );
    }
}

#[test]
fn a_chip_of_another_family_is_named() {
    /// It answers, with another identity.
    struct Other(Bus);
    impl Registers for Other {
        fn read(&self, offset: usize) -> u32 {
            let value = self.0.read(offset);
            if offset == 0x50 { 0x9311_0002 } else { value }
        }
        fn write(&self, offset: usize, value: u32) {
            self.0.write(offset, value);
        }
    }
    let rig = Rig::new();
    match Lan9118::new(Other(Bus(rig.chip.bus())), rig.chip.delay(), Config::new()) {
        Err(e @ Error::WrongChip { id, revision }) => {
            assert_eq!((id, revision, e.kind()), (0x9311, 2, ErrorKind::NotPresent));
        }
        Err(e) => panic!("{e}"),
        Ok(_) => panic!("took a stranger for a LAN9118"),
    }
}

#[test]
fn a_chip_that_was_left_asleep_is_woken() {
    let rig = Rig::new();
    let mut driver = start(&rig, Config::new()).unwrap();
    ethdev::Control::sleep(&mut driver).unwrap();
    // The host starts anew.
    drop(driver);
    rig.pass(1);
    let driver = start(&rig, Config::new()).unwrap();
    assert_eq!(driver.mac_address(), ADDRESS);
    rig.assert_clean();
}

#[test]
fn a_mac_register_that_stays_busy_is_a_timeout() {
    let rig = Rig::new();
    let mut driver = start(&rig, Config::new()).unwrap();
    rig.chip.stick_mac_registers(true);
    let before = rig.clock.now();
    let result = ethdev::Control::set_mac_address(&mut driver, MacAddress::new([2, 0, 0, 0, 0, 9]));
    assert_eq!(
        result,
        Err(ethdev::ControlError::Device(Error::Timeout(Wait::MacRegister)))
    );
    assert!((rig.clock.now() - before).as_millis() < 10);
    assert_eq!(driver.mac_address(), ADDRESS);
    ethdev::Control::recover(&mut driver).unwrap();
    ethdev::Control::set_mac_address(&mut driver, MacAddress::new([2, 0, 0, 0, 0, 9])).unwrap();
}
