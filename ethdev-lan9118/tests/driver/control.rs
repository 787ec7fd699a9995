//! Management of a chip that fails meanwhile: what a call did not apply is an error, and applied
//! after a recovery.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use ethdev::{
    Control, Duplex, ErrorKind, EthernetDevice, FilterOutcome, Link, LinkMode, MacAddress, Multicast, Pause, RxFilter,
    Speed,
};
use ethdev_lan9118::{Config, Error, Lan9118};
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::mmio::Registers;
use ethdev_phy::phy::reg;
use ethdev_sim::SimDelay;

use crate::testbed::{ADDRESS, Bus, FULL, Testbed, frame, frame_to};

const NEW_ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x77]);
const GROUP: MacAddress = MacAddress::new([0x01, 0, 0x5e, 0, 0, 0xfb]);
const GROUPS: RxFilter<'_> = RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP]));

/// What the bus reads while the chip does not get its accesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    Zeros,
    Ones,
    Noise,
    /// Each register reads as it did last.
    Stale,
}

const ALL_READS: [Reads; 4] = [Reads::Zeros, Reads::Ones, Reads::Noise, Reads::Stale];

/// The bus of the chip, until it is disconnected.
struct LooseBus {
    chip: Bus,
    disconnected: Rc<Cell<Option<Reads>>>,
    noise: Cell<u32>,
    last: RefCell<HashMap<usize, u32>>,
}

impl Registers for LooseBus {
    fn read(&self, offset: usize) -> u32 {
        match self.disconnected.get() {
            None => {
                let value = self.chip.read(offset);
                self.last.borrow_mut().insert(offset, value);
                value
            }
            Some(Reads::Zeros) => 0,
            Some(Reads::Ones) => u32::MAX,
            Some(Reads::Noise) => {
                let noise = self.noise.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                self.noise.set(noise);
                // The lower bits of this generator are not random.
                noise.rotate_left(16)
            }
            Some(Reads::Stale) => self.last.borrow().get(&offset).copied().unwrap_or(0),
        }
    }

    fn write(&self, offset: usize, value: u32) {
        if self.disconnected.get().is_none() {
            self.chip.write(offset, value);
        }
    }
}

type Driver = Lan9118<LooseBus, SimDelay>;

fn started() -> (Testbed, Rc<Cell<Option<Reads>>>, Driver) {
    let bed = Testbed::new();
    let disconnected = Rc::new(Cell::new(None));
    let bus = LooseBus {
        chip: Bus(bed.chip.bus()),
        disconnected: Rc::clone(&disconnected),
        noise: Cell::new(1),
        last: RefCell::default(),
    };
    let mut driver = Lan9118::new(bus, bed.chip.delay(), Config::new()).expect("the chip does not start");
    driver.set_link(FULL).expect("set_link failed");
    driver.service().expect("the chip fails");
    (bed, disconnected, driver)
}

/// Returns whether a frame to this address is received.
fn receives(bed: &Testbed, driver: &mut Driver, to: MacAddress) -> bool {
    bed.deliver(&frame_to(to, 100));
    let mut buf = [0; 1514];
    driver.recv_frame(&mut buf).expect("recv_frame failed").is_some()
}

fn assert_running(bed: &Testbed, driver: &mut Driver, address: MacAddress, case: &str) {
    assert_eq!((driver.mac_address(), driver.link()), (address, FULL), "{case}");
    assert!(receives(bed, driver, address), "{case}: nothing received");
    driver.send_frame(&frame(100)).unwrap();
    bed.pass(50);
    assert_eq!(bed.peer.recv(), Some(frame(100)), "{case}: nothing sent");
}

#[test]
fn start_disconnected_error_until_retried() {
    for reads in ALL_READS {
        let (bed, disconnected, mut driver) = started();
        driver.stop().unwrap();
        disconnected.set(Some(reads));
        for _ in 0..2 {
            let result = driver.start();
            assert!(result.is_err(), "{reads:?}: {result:?}");
        }
        assert!(driver.service().is_err(), "{reads:?}: no fault");
        disconnected.set(None);
        driver.start().unwrap();
        assert_running(&bed, &mut driver, ADDRESS, &format!("{reads:?}"));
    }
}

#[test]
fn start_running_disconnected_error() {
    for reads in ALL_READS {
        let (bed, disconnected, mut driver) = started();
        // The last access that a stale bus repeats is another one.
        driver.mdio().read(PhyAddress::from_low_bits(1), reg::BMSR).unwrap();
        disconnected.set(Some(reads));
        let result = driver.start();
        assert!(result.is_err(), "{reads:?}: {result:?}");
        disconnected.set(None);
        driver.recover().unwrap();
        assert_running(&bed, &mut driver, ADDRESS, &format!("{reads:?}"));
    }
}

#[test]
fn set_mac_address_disconnected_error_applied_by_recover() {
    for reads in ALL_READS {
        let (bed, disconnected, mut driver) = started();
        disconnected.set(Some(reads));
        for _ in 0..2 {
            let result = driver.set_mac_address(NEW_ADDRESS);
            assert!(result.is_err(), "{reads:?}: {result:?}");
        }
        disconnected.set(None);
        let result = driver.service();
        assert!(
            matches!(result, Err(Error::Fault(_))),
            "{reads:?}: the address is not applied, service returns {result:?}"
        );
        driver.recover().unwrap();
        assert_running(&bed, &mut driver, NEW_ADDRESS, &format!("{reads:?}"));
        assert!(!receives(&bed, &mut driver, ADDRESS));
    }
}

#[test]
fn set_rx_filter_disconnected_error_applied_by_recover() {
    for reads in ALL_READS {
        let (bed, disconnected, mut driver) = started();
        disconnected.set(Some(reads));
        for _ in 0..2 {
            let result = driver.set_rx_filter(GROUPS);
            assert!(result.is_err(), "{reads:?}: {result:?}");
        }
        disconnected.set(None);
        assert!(matches!(driver.service(), Err(Error::Fault(_))), "{reads:?}");
        driver.recover().unwrap();
        assert_running(&bed, &mut driver, ADDRESS, &format!("{reads:?}"));
        assert!(receives(&bed, &mut driver, GROUP), "{reads:?}");
    }
}

#[test]
fn stop_and_sleep_disconnected_error_until_retried() {
    for reads in ALL_READS {
        for sleep in [false, true] {
            let case = format!("{reads:?}, sleep {sleep}");
            let call = |driver: &mut Driver| if sleep { driver.sleep() } else { driver.stop() };
            let (bed, disconnected, mut driver) = started();
            disconnected.set(Some(reads));
            for _ in 0..2 {
                let result = call(&mut driver);
                assert!(result.is_err(), "{case}: {result:?}");
            }
            disconnected.set(None);
            assert!(matches!(driver.service(), Err(Error::Fault(_))), "{case}");
            call(&mut driver).unwrap();
            assert!(!driver.link().is_up(), "{case}");
            assert_eq!(
                driver.send_frame(&frame(60)),
                Err(Error::Kind(ErrorKind::Stopped)),
                "{case}"
            );
            if sleep {
                driver.wake().unwrap();
            } else {
                driver.start().unwrap();
            }
            assert_running(&bed, &mut driver, ADDRESS, &case);
        }
    }
}

#[test]
fn recover_after_failed_transition_restores_last_state() {
    for sleep in [false, true] {
        let (bed, disconnected, mut driver) = started();
        disconnected.set(Some(Reads::Zeros));
        let result = if sleep { driver.sleep() } else { driver.stop() };
        assert!(result.is_err());
        disconnected.set(None);
        driver.recover().unwrap();
        assert_running(&bed, &mut driver, ADDRESS, &format!("sleep {sleep}"));
    }
    // The wake-up failed: asleep, as before.
    let (bed, disconnected, mut driver) = started();
    driver.sleep().unwrap();
    disconnected.set(Some(Reads::Zeros));
    assert!(driver.wake().is_err());
    disconnected.set(None);
    driver.recover().unwrap();
    assert!(!driver.link().is_up());
    driver.wake().unwrap();
    assert_running(&bed, &mut driver, ADDRESS, "wake");
}

#[test]
fn settings_while_stopped_or_asleep_applied_by_start_and_wake() {
    for sleep in [false, true] {
        let (bed, disconnected, mut driver) = started();
        if sleep {
            driver.sleep().unwrap();
        } else {
            driver.stop().unwrap();
        }
        // Stored: the chip is not accessed.
        disconnected.set(Some(Reads::Zeros));
        assert_eq!(driver.set_mac_address(NEW_ADDRESS), Ok(()));
        assert_eq!(driver.set_rx_filter(GROUPS), Ok(FilterOutcome::Superset));
        assert_eq!(driver.mac_address(), NEW_ADDRESS);
        disconnected.set(None);
        if sleep {
            driver.wake().unwrap();
        } else {
            driver.start().unwrap();
        }
        assert_running(&bed, &mut driver, NEW_ADDRESS, &format!("sleep {sleep}"));
        assert!(receives(&bed, &mut driver, GROUP));
        bed.assert_clean();
    }
}

#[test]
fn every_transition_in_fault_reaches_its_state() {
    type Call = fn(&mut Driver) -> Result<(), Error>;
    let calls: [(&str, Call, bool); 4] = [
        ("start", Driver::start, true),
        ("stop", Driver::stop, false),
        ("sleep", Driver::sleep, false),
        ("recover", Driver::recover, true),
    ];
    for (name, call, running) in calls {
        let (bed, _, mut driver) = started();
        driver.set_rx_filter(GROUPS).unwrap();
        bed.chip.inject_failure();
        assert!(driver.service().is_err());
        assert_eq!(driver.stats().faults, 1);
        // Not asleep, so there is nothing to wake from; the fault stays.
        assert!(matches!(driver.wake(), Err(Error::Fault(_))), "{name}");
        call(&mut driver).unwrap();
        driver.service().unwrap();
        assert_eq!(driver.link().is_up(), running, "{name}");
        assert_eq!((driver.stats().faults, driver.stats().recoveries), (1, 1), "{name}");
        if name == "sleep" {
            driver.wake().unwrap();
        } else {
            driver.start().unwrap();
        }
        assert_running(&bed, &mut driver, ADDRESS, name);
        assert!(receives(&bed, &mut driver, GROUP), "{name}");
    }
}

#[test]
fn stop_asleep_is_stopped() {
    let (bed, _, mut driver) = started();
    driver.sleep().unwrap();
    driver.stop().unwrap();
    driver.recover().unwrap();
    driver.wake().unwrap();
    assert!(!driver.link().is_up());
    driver.start().unwrap();
    assert_running(&bed, &mut driver, ADDRESS, "start");
    bed.assert_clean();
}

#[test]
fn stop_paused_transmitter_counts_received_frames() {
    let (bed, _, mut driver) = started();
    // The transmitter waits and does not stop: only a reset ends that.
    driver
        .set_link(Link::Up(
            LinkMode::new(Speed::MBPS_100, Duplex::Full).with_pause(Pause { rx: true, tx: false }),
        ))
        .unwrap();
    let mut pause = vec![
        1, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 0xfe, 0x88, 0x08, 0, 1, 0xff, 0xff,
    ];
    pause.resize(60, 0);
    bed.deliver(&pause);
    driver.send_frame(&frame(100)).unwrap();
    bed.deliver(&frame(100));
    bed.deliver(&frame(200));
    driver.stop().unwrap();
    let stats = driver.stats();
    assert_eq!((stats.rx_reset, stats.tx_reset), (2, 1));
}
