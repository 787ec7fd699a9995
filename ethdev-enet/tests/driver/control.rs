//! Management of a MAC that does not respond meanwhile: what a call did not apply is an error, and
//! applied after a recovery.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ethdev::{Control, ErrorKind, EthernetDevice, FilterOutcome, Link, MacAddress, Multicast, RxFilter};
use ethdev_enet::{Enet, Error, Fault};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use nxp_enet_model::{ChipConfig, EnetChip};

use crate::testbed::{ADDRESS, Bus, CONFIG, FULL, HALF_10, Memory, number, numbered, rings};

const NEW_ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x77]);
const GROUP: MacAddress = MacAddress::new([0x01, 0, 0x5e, 0, 0, 0xfb]);
const GROUPS: RxFilter<'_> = RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP]));

/// The registers of the MAC, or of a module without clock: each read returns the same value.
struct GatedBus {
    chip: Bus,
    off: Rc<Cell<Option<u32>>>,
}

impl Registers for GatedBus {
    fn read(&self, offset: usize) -> u32 {
        self.off.get().unwrap_or_else(|| self.chip.read(offset))
    }

    fn write(&self, offset: usize, value: u32) {
        if self.off.get().is_none() {
            self.chip.write(offset, value);
        }
    }
}

type Nic = Enet<GatedBus, SimDelay, HostMemory>;

struct Bed {
    nic: Nic,
    chip: EnetChip,
    off: Rc<Cell<Option<u32>>>,
    peer: Peer,
    clock: Clock,
    _wire: Wire,
}

impl Bed {
    fn new() -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let memory = HostMemory::new();
        let chip = EnetChip::new(port, Memory(memory.clone()), ChipConfig::default());
        let off = Rc::new(Cell::new(None));
        let bus = GatedBus {
            chip: Bus(chip.clone()),
            off: Rc::clone(&off),
        };
        let mut nic = Enet::with_dma(bus, rings::<4, 4>(), chip.delay(), memory, CONFIG).expect("new failed");
        nic.set_link(FULL).expect("set_link failed");
        nic.service().expect("MAC fault");
        Self {
            nic,
            chip,
            off,
            peer: Peer::new(peer),
            clock,
            _wire: wire,
        }
    }

    fn receives(&mut self, to: MacAddress) -> bool {
        let mut frame = numbered(1, 100);
        frame[..6].copy_from_slice(&to.octets());
        self.peer.send(&frame);
        self.clock.advance(Duration::from_millis(1));
        let received = self.nic.recv_frame(&mut [0; 1514]).expect("MAC fault");
        received.is_some()
    }

    fn assert_running(&mut self, address: MacAddress, case: &str) {
        assert_eq!((self.nic.mac_address(), self.nic.link()), (address, FULL), "{case}");
        assert!(self.receives(address), "{case}: nothing received");
        self.nic.send_frame(&numbered(7, 100)).expect("not sent");
        self.clock.advance(Duration::from_millis(1));
        assert_eq!(self.peer.recv().map(|f| number(&f)), Some(7), "{case}: nothing sent");
    }
}

#[test]
fn start_module_off_error_until_retried() {
    for value in [0, u32::MAX] {
        let mut bed = Bed::new();
        bed.nic.stop().unwrap();
        bed.off.set(Some(value));
        for _ in 0..2 {
            let result = bed.nic.start();
            assert!(result.is_err(), "{value:#x}: {result:?}");
        }
        bed.off.set(None);
        assert!(matches!(bed.nic.service(), Err(Error::Fault(_))), "{value:#x}");
        bed.nic.start().unwrap();
        bed.assert_running(ADDRESS, &format!("{value:#x}"));
    }
}

#[test]
fn transitions_module_off_error_until_retried() {
    for value in [0, u32::MAX] {
        let mut bed = Bed::new();
        bed.off.set(Some(value));
        assert!(bed.nic.start().is_err(), "{value:#x}: running, and not detected");
        bed.off.set(None);
        bed.nic.start().unwrap();
        bed.assert_running(ADDRESS, &format!("{value:#x}"));

        bed.off.set(Some(value));
        for _ in 0..2 {
            let result = bed.nic.stop();
            assert!(result.is_err(), "{value:#x}: {result:?}");
        }
        bed.off.set(None);
        assert!(matches!(bed.nic.service(), Err(Error::Fault(_))), "{value:#x}");
        bed.nic.stop().unwrap();
        assert_eq!(bed.nic.link(), Link::Down);
        assert_eq!(
            bed.nic.send_frame(&numbered(1, 60)),
            Err(Error::Kind(ErrorKind::Stopped))
        );
        bed.nic.start().unwrap();
        bed.assert_running(ADDRESS, &format!("{value:#x}"));
    }
}

#[test]
fn setters_module_off_error_applied_by_recover() {
    for value in [0, u32::MAX] {
        for filter in [false, true] {
            let case = format!("{value:#x}, filter {filter}");
            let mut bed = Bed::new();
            bed.off.set(Some(value));
            for _ in 0..2 {
                let result = if filter {
                    bed.nic.set_rx_filter(GROUPS).map(drop)
                } else {
                    bed.nic.set_mac_address(NEW_ADDRESS)
                };
                assert!(result.is_err(), "{case}: {result:?}");
            }
            bed.off.set(None);
            assert!(matches!(bed.nic.service(), Err(Error::Fault(_))), "{case}");
            bed.nic.recover().unwrap();
            bed.assert_running(if filter { ADDRESS } else { NEW_ADDRESS }, &case);
            assert_eq!(bed.receives(GROUP), filter, "{case}");
        }
    }
}

#[test]
fn setters_hung_reset_error_until_recovered() {
    for running in [false, true] {
        let mut bed = Bed::new();
        if !running {
            bed.nic.stop().unwrap();
        }
        bed.chip.hang_reset(true);
        assert_eq!(bed.nic.recover(), Err(Error::ResetTimeout));
        let fault = Error::Fault(Fault::Disabled);
        assert_eq!(bed.nic.set_mac_address(NEW_ADDRESS), Err(fault));
        assert_eq!(bed.nic.set_rx_filter(GROUPS), Err(fault));
        assert_eq!(bed.nic.service(), Err(fault));
        assert_eq!(bed.nic.start(), Err(Error::ResetTimeout));
        bed.chip.hang_reset(false);
        bed.chip.take_violations();
        bed.nic.recover().unwrap();
        assert_eq!(bed.nic.link().is_up(), running);
        bed.nic.start().unwrap();
        bed.assert_running(NEW_ADDRESS, &format!("running {running}"));
        assert!(bed.receives(GROUP));
    }
}

#[test]
fn recover_after_failed_stop_restores_running() {
    let mut bed = Bed::new();
    bed.off.set(Some(0));
    assert!(bed.nic.stop().is_err());
    bed.off.set(None);
    bed.nic.recover().unwrap();
    bed.assert_running(ADDRESS, "recover");
}

#[test]
fn settings_while_stopped_applied_by_start() {
    let mut bed = Bed::new();
    bed.nic.stop().unwrap();
    bed.off.set(Some(0));
    assert_eq!(bed.nic.set_mac_address(NEW_ADDRESS), Ok(()));
    assert_eq!(bed.nic.set_rx_filter(GROUPS), Ok(FilterOutcome::Superset));
    assert_eq!(bed.nic.mac_address(), NEW_ADDRESS);
    bed.off.set(None);
    bed.nic.start().unwrap();
    bed.assert_running(NEW_ADDRESS, "start");
    assert!(bed.receives(GROUP));
}

#[test]
fn set_link_module_off_error_link_down() {
    let mut bed = Bed::new();
    let changes = bed.nic.stats().link_changes;
    bed.off.set(Some(0));
    assert!(bed.nic.set_link(HALF_10).is_err());
    bed.off.set(None);
    assert_eq!(
        (bed.nic.link(), bed.nic.stats().link_changes),
        (Link::Down, changes + 1)
    );
    bed.nic.recover().unwrap();
    assert!(bed.nic.service().unwrap().link_changed);
    bed.nic.set_link(FULL).unwrap();
    bed.assert_running(ADDRESS, "set_link");
}

#[test]
fn start_and_stop_in_fault_reach_their_state() {
    for stop in [false, true] {
        let mut bed = Bed::new();
        bed.chip.inject_bus_error();
        assert_eq!(bed.nic.service(), Err(Error::Fault(Fault::Bus)));
        if stop {
            bed.nic.stop().unwrap();
            assert_eq!(bed.nic.link(), Link::Down);
        }
        bed.nic.start().unwrap();
        bed.assert_running(ADDRESS, &format!("stop {stop}"));
        assert_eq!((bed.nic.stats().faults, bed.nic.stats().recoveries), (1, 1));
    }
}

/// The counters of the chip lose their values, which is no difference to the last ones.
#[test]
fn recover_after_brownout_keeps_counters() {
    let mut bed = Bed::new();
    // The ring and then the FIFO are full.
    for n in 0..40 {
        bed.peer.send(&numbered(n, 1514));
        bed.clock.advance(Duration::from_micros(130));
    }
    bed.nic.service().unwrap();
    let before = bed.nic.stats();
    assert!(before.rx_overrun > 0);
    bed.chip.inject_brownout();
    bed.off.set(Some(0));
    assert!(bed.nic.recover().is_err());
    bed.off.set(None);
    bed.nic.recover().unwrap();
    assert_eq!(bed.nic.stats().rx_overrun, before.rx_overrun);
    bed.assert_running(ADDRESS, "recover");
}
