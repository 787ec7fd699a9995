//! What goes wrong on MDIO.

use ethdev::{Error, ErrorKind};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{MdioFault, MdioFaults, MdioLine, Part, PhyConfig, PhyStraps, ViolationKind as Kind};

use crate::host::*;

fn try_read(host: &mut Host, register: u8) -> Result<u16, MdioFault> {
    host.mdio
        .read(PhyAddress::new(0).unwrap(), RegisterAddress::new(register).unwrap())
}

#[test]
fn fail_mdio_at_nth_access_fails() {
    let mut host = Host::new(lan8720a());
    host.phy.fail_mdio_at(2);
    host.phy.fail_mdio_at(0);
    let results: Vec<_> = (0..4).map(|_| try_read(&mut host, 2)).collect();
    assert_eq!(
        results,
        [Err(MdioFault::Injected), Ok(7), Err(MdioFault::Injected), Ok(7)]
    );
    assert_eq!(MdioFault::Injected.kind(), ErrorKind::Bus);
    assert_eq!(MdioFault::Timeout.kind(), ErrorKind::Timeout);
    assert_eq!(host.phy.mdio_counters().failed, 2);
    // A write that fails did not arrive.
    host.phy.fail_mdio_at(0);
    let (address, register) = (PhyAddress::new(0).unwrap(), RegisterAddress::new(ANAR).unwrap());
    assert_eq!(host.mdio.write(address, register, 0x0101), Err(MdioFault::Injected));
    assert_eq!(host.get(ANAR), 0x01e1);
}

#[test]
fn mdio_line_stuck_or_hung_reads_constant_or_times_out() {
    let mut host = Host::new(lan8720a());
    host.phy.set_mdio_line(MdioLine::StuckHigh);
    host.set(ANAR, 0x0101);
    assert_eq!(host.get(2), 0xffff);
    host.phy.set_mdio_line(MdioLine::StuckLow);
    assert_eq!(host.get(2), 0);
    host.phy.set_mdio_line(MdioLine::Hung);
    let before = host.clock.now();
    assert_eq!(try_read(&mut host, 2), Err(MdioFault::Timeout));
    assert_eq!(host.clock.now() - before, ms(1));
    assert_eq!(host.phy.mdio_read(0, 2), None);
    assert!(!host.phy.mdio_write(0, ANAR, 0x0101));
    host.phy.set_mdio_line(MdioLine::Connected);
    assert_eq!(host.get(ANAR), 0x01e1, "the write has no effect");
}

#[test]
fn corrupt_read_at_suspends_violations_until_reset() {
    let mut host = Host::new(lan8720a());
    host.phy.corrupt_read_at(1, 0x8001);
    assert_eq!((host.get(2), host.get(2), host.get(2)), (0x0007, 0x8006, 0x0007));
    assert_eq!(host.phy.mdio_counters().corrupted, 1);
    host.set(MCSR, 0x4000);
    assert_eq!(host.kinds(), []);
    host.set(BMCR, 0x8000);
    host.pass(ms(20));
    host.set(MCSR, 0x4000);
    assert_eq!(host.kinds(), [Kind::ReservedBits], "a reset ends the amnesty");
}

#[test]
fn mdio_faults_random_rate_matches_probability() {
    let seed = 7;
    let faults = MdioFaults::NONE.with_failure(0.1).with_bit_error(0.2);
    let mut host = Host::new(lan8720a().with_faults(faults).with_seed(seed));
    let results: Vec<_> = (0..1000).map(|_| try_read(&mut host, 2)).collect();
    let failed = results.iter().filter(|result| result.is_err()).count();
    let wrong = results
        .iter()
        .filter(|result| matches!(result, Ok(value) if *value != 7))
        .count();
    assert!(
        (50..200).contains(&failed) && (100..300).contains(&wrong),
        "seed {seed}: {failed}, {wrong}"
    );
    let counters = host.phy.mdio_counters();
    assert_eq!((counters.failed, counters.corrupted), (failed as u64, wrong as u64));
    host.phy.set_faults(MdioFaults::NONE);
    assert!((0..100).all(|_| try_read(&mut host, 2) == Ok(7)));
}

#[test]
fn mdio_two_phys_share_bus() {
    let host = Host::new(lan8720a());
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let straps = PhyStraps::default().with_address(1);
    let other = lan8720_model::Lan8720Chip::new(&clock, port, PhyConfig::new(Part::OtherVendor).with_straps(straps));
    clock.advance(ms(1));
    let mut bus = host.phy.mdio().with(&other);
    let register = RegisterAddress::new(2).unwrap();
    let found: Vec<_> = PhyAddress::all()
        .map(|address| bus.read(address, register).unwrap())
        .collect();
    assert_eq!(found[..3], [0x0007, 0x0022, 0xffff]);
    assert!(found[3..].iter().all(|value| *value == 0xffff));
}
