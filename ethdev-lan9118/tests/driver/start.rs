//! Detection of the chip, and start.

use ethdev::{Error as _, ErrorKind, EthernetDevice, Link, MacAddress};
use ethdev_lan9118::{Config, Error, Fault, Lan9118, Model, WaitFor};
use ethdev_phy::mmio::Registers;
use lan9118_model::{ChipConfig, DeviceState, Part};

use crate::testbed::{ADDRESS, Bus, Driver, Testbed};

fn start(bed: &Testbed, config: Config) -> Result<Driver, Error> {
    Lan9118::new(Bus(bed.chip.bus()), bed.chip.delay(), config)
}

#[test]
fn new_each_chip_reports_model() {
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
        let bed = Testbed::with_chip(ChipConfig::new(part));
        let driver = start(&bed, Config::new()).expect("the chip does not start");
        assert_eq!((driver.model(), driver.revision()), (model, 1));
        bed.assert_clean();
    }
}

#[test]
fn new_eeprom_uses_its_address_link_down() {
    let bed = Testbed::new();
    let driver = start(&bed, Config::new()).unwrap();
    assert_eq!((driver.link(), driver.mac_address()), (Link::Down, ADDRESS));
    let other = MacAddress::new([2, 0, 0, 0, 0, 5]);
    let bed = Testbed::new();
    let driver = start(&bed, Config::new().with_mac_address(other)).unwrap();
    assert_eq!(driver.mac_address(), other);
    bed.assert_clean();
}

#[test]
fn new_without_address_no_address_error() {
    let bed = Testbed::with_chip(ChipConfig::new(Part::Lan9118).with_eeprom(None));
    assert!(matches!(start(&bed, Config::new()), Err(Error::NoAddress)));
    // An EEPROM with a group address is ignored.
    let bed = Testbed::with_chip(ChipConfig::new(Part::Lan9118).with_eeprom(Some([1, 0, 0, 0, 0, 0])));
    assert!(matches!(start(&bed, Config::new()), Err(Error::NoAddress)));
    let group = Config::new().with_mac_address(MacAddress::BROADCAST);
    let error = start(&Testbed::new(), group).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn new_without_chip_no_chip_error() {
    for (presence, found) in [(DeviceState::AllOnes, u32::MAX), (DeviceState::AllZeros, 0)] {
        let bed = Testbed::new();
        bed.chip.set_device_state(presence);
        match start(&bed, Config::new()) {
            Err(e @ Error::NoChip { found: read }) => {
                assert_eq!((read, e.kind()), (found, ErrorKind::NotPresent));
            }
            Err(e) => panic!("{e}"),
            Ok(_) => panic!("detected a chip without a chip"),
        }
        // Zeros look like a chip that is not ready yet: bounded by the reset timeout.
        assert!(bed.clock.now().as_millis() < 200);
    }
}

/// A bus that changes the order of bytes or half-words.
struct SwappedBus(Bus, Order);

type Order = fn(u32) -> u32;

impl Registers for SwappedBus {
    fn read(&self, offset: usize) -> u32 {
        self.1(self.0.read(offset))
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, self.1(value));
    }
}

#[test]
fn new_swapped_bus_byte_order_error() {
    let orders: [(Order, u32); 3] = [
        (u32::swap_bytes, 0x2143_6587),
        (|word| word.rotate_left(16), 0x4321_8765),
        (|word| word.rotate_left(16).swap_bytes(), 0x6587_2143),
    ];
    for (order, found) in orders {
        let bed = Testbed::new();
        let bus = SwappedBus(Bus(bed.chip.bus()), order);
        let result = Lan9118::new(bus, bed.chip.delay(), Config::new());
        assert!(
            matches!(result, Err(Error::ByteOrder { found: read }) if read == found),
            "{found:#x}"
        );
    }
}

#[test]
fn new_other_chip_wrong_chip_error() {
    /// A chip with another identifier.
    struct OtherChip(Bus);
    impl Registers for OtherChip {
        fn read(&self, offset: usize) -> u32 {
            let value = self.0.read(offset);
            if offset == 0x50 { 0x9311_0002 } else { value }
        }
        fn write(&self, offset: usize, value: u32) {
            self.0.write(offset, value);
        }
    }
    let bed = Testbed::new();
    match Lan9118::new(OtherChip(Bus(bed.chip.bus())), bed.chip.delay(), Config::new()) {
        Err(e @ Error::WrongChip { id, revision }) => {
            assert_eq!((id, revision, e.kind()), (0x9311, 2, ErrorKind::NotPresent));
        }
        Err(e) => panic!("{e}"),
        Ok(_) => panic!("accepted an unknown chip"),
    }
}

#[test]
fn new_sleeping_chip_wakes_it() {
    let bed = Testbed::new();
    let mut driver = start(&bed, Config::new()).unwrap();
    ethdev::Control::sleep(&mut driver).unwrap();
    // The host restarts.
    drop(driver);
    bed.pass(1);
    let driver = start(&bed, Config::new()).unwrap();
    assert_eq!(driver.mac_address(), ADDRESS);
    bed.assert_clean();
}

#[test]
fn set_mac_address_busy_mac_register_fault() {
    let bed = Testbed::new();
    let mut driver = start(&bed, Config::new()).unwrap();
    bed.chip.hang_mac_registers(true);
    let before = bed.clock.now();
    let result = ethdev::Control::set_mac_address(&mut driver, MacAddress::new([2, 0, 0, 0, 0, 9]));
    assert_eq!(result, Err(Error::Fault(Fault::Transition(WaitFor::MacRegister))));
    assert!((bed.clock.now() - before).as_millis() < 10);
    // Requested, and not applied before the recovery.
    assert_eq!(driver.mac_address(), MacAddress::new([2, 0, 0, 0, 0, 9]));
    ethdev::Control::recover(&mut driver).unwrap();
}
