//! Faults and recovery.

use ethdev::{Control, ErrorKind, EthernetDevice, LendingDevice, RxHalf, TxHalf};
use ethdev_enet::{Enet, Error, Fault};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::reg;
use ethdev_sim::{Clock, Wire, WireConfig};
use nxp_enet_model::{ChipConfig, EnetChip, TxOutcome};

use crate::testbed::{Bus, CONFIG, FULL, HALF_10, Memory, Testbed, number, numbered, rings};

/// ERR006358: the frame stays until `service`, or until the next frame.
#[test]
fn service_lost_tdar_write_sends_frame() {
    for by_service in [true, false] {
        let mut bed = Testbed::new::<4, 4>();
        bed.chip.drop_doorbell_writes(1);
        bed.nic.send_frame(&numbered(1, 100)).expect("transmit queue full");
        bed.settle();
        assert_eq!(bed.peer.pending(), 0);
        if by_service {
            bed.nic.service().expect("MAC fault");
        } else {
            bed.nic.send_frame(&numbered(2, 100)).expect("transmit queue full");
        }
        bed.settle();
        assert_eq!(bed.peer.recv().map(|f| number(&f)), Some(1));
    }
}

#[test]
fn service_collisions_counted_as_aborted() {
    let mut bed = Testbed::new::<4, 4>();
    // There are no collisions in full duplex.
    bed.nic.set_link(HALF_10).expect("set_link failed");
    bed.chip.set_tx_outcomes([
        TxOutcome::Sent,
        TxOutcome::LateCollision,
        TxOutcome::ExcessiveCollisions,
    ]);
    for n in 0..4 {
        bed.nic.send_frame(&numbered(n, 100)).expect("transmit queue full");
    }
    bed.settle();
    let events = bed.nic.service().expect("MAC fault");
    assert_eq!((events.tx_completed, events.tx_failed), (2, 2));
    let stats = bed.nic.stats();
    assert_eq!((stats.tx_frames, stats.tx_aborted), (2, 2));
    assert_eq!(bed.nic.service().map(|e| (e.tx_completed, e.tx_failed)), Ok((0, 0)));
}

/// A bus error and a brown-out: every API reports the fault, `recover` ends it and restores all
/// settings.
#[test]
fn recover_after_fault_restores_operation() {
    for (inject, fault) in [
        (EnetChip::inject_bus_error as fn(&EnetChip), Fault::Bus),
        (EnetChip::inject_brownout, Fault::Disabled),
    ] {
        let mut bed = Testbed::new::<4, 4>();
        let group = [0x01, 0x00, 0x5e, 0, 0, 0xfb].into();
        let filter = ethdev::RxFilter::DEFAULT.with_multicast(ethdev::Multicast::List(core::slice::from_ref(&group)));
        bed.nic.set_rx_filter(filter).expect("MAC fault");
        bed.chip.inject_rx(&numbered(1, 100));
        inject(&bed.chip);
        let error = Error::Fault(fault);
        assert_eq!(bed.nic.service(), Err(error));
        assert_eq!(bed.nic.recv_frame(&mut [0; 1514]), Err(error));
        assert_eq!(bed.nic.tx_ready(), Err(error));
        let (mut rx, mut tx) = bed.nic.split();
        assert_eq!(rx.peek().map(|_| ()), Err(error));
        assert_eq!(tx.ready(), Err(error));
        assert_eq!(tx.reserve(100).map(|_| ()), Err(error));
        assert_eq!(tx.commit(100), Err(error));
        // Stored for the recovery.
        bed.nic.set_link(FULL).expect("set_link failed");
        bed.nic.recover().expect("recover failed");
        let stats = bed.nic.stats();
        assert_eq!((stats.faults, stats.recoveries, stats.rx_reset), (1, 1, 1));
        assert!(bed.nic.link().is_up());
        let mut to_group = numbered(2, 100);
        to_group[..6].copy_from_slice(&group.octets());
        bed.peer.send(&to_group);
        bed.nic.send_frame(&numbered(3, 100)).expect("transmit queue full");
        bed.settle();
        assert!(bed.nic.recv_frame(&mut [0; 1514]).expect("MAC fault").is_some());
        assert_eq!(bed.peer.recv().map(|f| number(&f)), Some(3));
    }
}

/// The frame that was sent from a reserved buffer before stays counted as sent.
#[test]
fn stats_fault_with_reservation_unchanged() {
    let mut bed = Testbed::new::<2, 2>();
    for n in 0..2 {
        bed.nic.send_frame(&numbered(n, 60)).expect("transmit queue full");
    }
    bed.settle();
    assert!(bed.nic.split().1.reserve(60).expect("MAC fault").is_some());
    let before = bed.nic.stats();
    bed.chip.inject_bus_error();
    assert!(bed.nic.service().is_err());
    assert_eq!(bed.nic.stats().tx_frames, before.tx_frames);
    bed.nic.recover().expect("recover failed");
    assert_eq!((bed.nic.stats().tx_frames, bed.nic.stats().tx_lost()), (2, 0));
}

#[test]
fn recover_hung_reset_timeout() {
    let mut bed = Testbed::new::<2, 2>();
    bed.chip.hang_reset(true);
    let before = bed.clock.now();
    assert_eq!(bed.nic.recover(), Err(Error::ResetTimeout));
    // Includes the wait for a frame in transfer.
    assert!((bed.clock.now() - before).as_micros() < 2000, "bounded");
    assert_eq!(bed.nic.service(), Err(Error::Fault(Fault::Disabled)));
    bed.chip.hang_reset(false);
    bed.chip.take_violations();
    bed.nic.recover().expect("recover failed");
    bed.nic.send_frame(&numbered(1, 60)).expect("transmit queue full");
    bed.settle();
    assert!(bed.peer.recv().is_some());
}

#[test]
fn mdio_hung_frame_timeout() {
    let mut bed = Testbed::new::<2, 2>();
    let address = PhyAddress::new(7).expect("an address");
    // No PHY.
    assert_eq!(bed.nic.mdio().read(address, reg::PHYID1), Ok(0xffff));
    bed.chip.on_mdio(|phy, register, write| {
        assert_eq!((phy, register), (7, 2));
        Some(write.unwrap_or(0x0007))
    });
    assert_eq!(bed.nic.mdio().read(address, reg::PHYID1), Ok(7));
    assert_eq!(bed.nic.mdio().write(address, reg::PHYID1, 0x1234), Ok(()));
    let before = bed.clock.now();
    bed.chip.on_mdio(|_, _, _| None);
    assert_eq!(bed.nic.mdio().read(address, reg::PHYID1), Err(Error::MdioTimeout));
    assert!((bed.clock.now() - before).as_micros() < 150, "bounded");
    // The model reports a frame that is started during another one.
    assert_eq!(bed.chip.take_violations().len(), 0);
}

#[test]
fn new_after_release_restarts() {
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let memory = HostMemory::new();
    let chip = EnetChip::new(port, Memory(memory.clone()), ChipConfig::default());
    let first = Enet::with_dma(Bus(chip.clone()), rings::<3, 2>(), chip.delay(), memory, CONFIG).expect("new failed");
    let (registers, rings, delay, memory) = first.release();
    let mut second = Enet::with_dma(registers, rings, delay, memory, CONFIG).expect("new failed");
    chip.inject_rx(&numbered(1, 100));
    assert_eq!(
        second.recv_frame(&mut [0; 1514]).map(|meta| meta.map(|meta| meta.len)),
        Ok(Some(100))
    );
    assert_eq!(second.capabilities().rx_queue_frames, Some(3));
    assert_eq!(chip.violations(), []);
}

#[test]
fn new_invalid_address_or_memory_error() {
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let memory = HostMemory::new();
    let chip = EnetChip::new(port, Memory(memory.clone()), ChipConfig::default());
    let mut config = CONFIG;
    config.mac_address = ethdev::MacAddress::BROADCAST;
    let result = Enet::with_dma(Bus(chip.clone()), rings::<2, 2>(), chip.delay(), memory, config);
    assert_eq!(result.err(), Some(Error::Kind(ErrorKind::InvalidInput)));
    // Memory outside the 32-bit bus, as on this host. Addresses in Miri are lower.
    if usize::BITS > 32 && !cfg!(miri) {
        let result = Enet::new(Bus(chip.clone()), rings::<2, 2>(), chip.delay(), CONFIG);
        assert_eq!(result.err(), Some(Error::Unreachable));
    }
}
