//! The chip fails, and comes back.

use ethdev::{Control, ControlError, EthernetDevice, LendingDevice, RxHalf, TxHalf};
use ethdev_enet::{Enet, Error, Fault};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::reg;
use ethdev_sim::{Clock, Wire, WireConfig};
use nxp_enet_model::{ChipConfig, EnetChip, TxFate};

use crate::rig::{Bus, CONFIG, FULL, HALF_10, Memory, Rig, number, numbered, rings};

/// ERR006358: the write to TDAR is lost, and the frame stays until `service`, or the next frame.
#[test]
fn a_doorbell_that_is_lost_is_rung_again() {
    for by_service in [true, false] {
        let mut rig = Rig::new::<4, 4>();
        rig.chip.drop_doorbell_writes(1);
        rig.nic.send_frame(&numbered(1, 100)).expect("room");
        rig.settle();
        assert_eq!(rig.peer.pending(), 0);
        if by_service {
            rig.nic.service().expect("the MAC works");
        } else {
            rig.nic.send_frame(&numbered(2, 100)).expect("room");
        }
        rig.settle();
        assert_eq!(rig.peer.recv().map(|f| number(&f)), Some(1));
    }
}

#[test]
fn collisions_are_counted_as_aborted() {
    let mut rig = Rig::new::<4, 4>();
    // In full duplex there are none.
    rig.nic.set_link(HALF_10).expect("it takes its link");
    rig.chip
        .next_transmissions([TxFate::Sent, TxFate::LateCollision, TxFate::TooManyCollisions]);
    for n in 0..4 {
        rig.nic.send_frame(&numbered(n, 100)).expect("room");
    }
    rig.settle();
    let events = rig.nic.service().expect("the MAC works");
    assert_eq!((events.tx_completed, events.tx_failed), (2, 2));
    let stats = rig.nic.stats();
    assert_eq!((stats.tx_frames, stats.tx_aborted), (2, 2));
    assert_eq!(rig.nic.service().map(|e| (e.tx_completed, e.tx_failed)), Ok((0, 0)));
}

/// A bus error, and a supply that failed for a moment: told by every surface, ended by `recover`, with everything in place again.
#[test]
fn a_fault_is_told_and_ended() {
    for (break_it, fault) in [
        (EnetChip::bus_error as fn(&EnetChip), Fault::Bus),
        (EnetChip::inject_brownout, Fault::Disabled),
    ] {
        let mut rig = Rig::new::<4, 4>();
        let group = [0x01, 0x00, 0x5e, 0, 0, 0xfb].into();
        let filter = ethdev::RxFilter::DEFAULT.with_multicast(ethdev::Multicast::List(core::slice::from_ref(&group)));
        rig.nic.set_rx_filter(filter).expect("the MAC works");
        rig.chip.inject_rx(&numbered(1, 100));
        break_it(&rig.chip);
        let error = Error::Fault(fault);
        assert_eq!(rig.nic.service(), Err(error));
        assert_eq!(rig.nic.recv_frame(&mut [0; 1514]), Err(error));
        assert_eq!(rig.nic.tx_ready(), Err(error));
        let (mut rx, mut tx) = rig.nic.split();
        assert_eq!(rx.peek().map(|_| ()), Err(error));
        assert_eq!(tx.ready(), Err(error));
        assert_eq!(tx.reserve(100).map(|_| ()), Err(error));
        assert_eq!(tx.commit(100), Err(error));
        // Noted, for afterwards.
        rig.nic.set_link(FULL).expect("a link can always be told");
        rig.nic.recover().expect("it comes back");
        let stats = rig.nic.stats();
        assert_eq!((stats.faults, stats.recoveries, stats.rx_reset), (1, 1, 1));
        assert!(rig.nic.link().is_up());
        let mut to_group = numbered(2, 100);
        to_group[..6].copy_from_slice(&group.octets());
        rig.peer.send(&to_group);
        rig.nic.send_frame(&numbered(3, 100)).expect("room");
        rig.settle();
        assert!(rig.nic.recv_frame(&mut [0; 1514]).expect("it works").is_some());
        assert_eq!(rig.peer.recv().map(|f| number(&f)), Some(3));
    }
}

/// A buffer that is reserved when the fault comes: the frame that was in it before stays sent.
#[test]
fn a_fault_takes_nothing_back() {
    let mut rig = Rig::new::<2, 2>();
    for n in 0..2 {
        rig.nic.send_frame(&numbered(n, 60)).expect("room");
    }
    rig.settle();
    assert!(rig.nic.split().1.reserve(60).expect("it works").is_some());
    let before = rig.nic.stats();
    rig.chip.bus_error();
    assert!(rig.nic.service().is_err());
    assert_eq!(rig.nic.stats().tx_frames, before.tx_frames);
    rig.nic.recover().expect("it comes back");
    assert_eq!((rig.nic.stats().tx_frames, rig.nic.stats().tx_lost()), (2, 0));
}

#[test]
fn a_reset_that_never_ends_is_an_error() {
    let mut rig = Rig::new::<2, 2>();
    rig.chip.hang_reset(true);
    let before = rig.clock.now();
    assert_eq!(rig.nic.recover(), Err(ControlError::Device(Error::ResetTimeout)));
    // The frame that might have been going out is waited for as well.
    assert!((rig.clock.now() - before).as_micros() < 2000, "bounded");
    assert_eq!(rig.nic.service(), Err(Error::Fault(Fault::Disabled)));
    rig.chip.hang_reset(false);
    rig.chip.take_violations();
    rig.nic.recover().expect("it comes back");
    rig.nic.send_frame(&numbered(1, 60)).expect("room");
    rig.settle();
    assert!(rig.peer.recv().is_some());
}

#[test]
fn mdio_never_waits_for_ever() {
    let mut rig = Rig::new::<2, 2>();
    let address = PhyAddress::new(7).expect("an address");
    // Nobody there.
    assert_eq!(rig.nic.mdio().read(address, reg::PHYID1), Ok(0xffff));
    rig.chip.on_mdio(|phy, register, write| {
        assert_eq!((phy, register), (7, 2));
        Some(write.unwrap_or(0x0007))
    });
    assert_eq!(rig.nic.mdio().read(address, reg::PHYID1), Ok(7));
    assert_eq!(rig.nic.mdio().write(address, reg::PHYID1, 0x1234), Ok(()));
    let before = rig.clock.now();
    rig.chip.on_mdio(|_, _, _| None);
    assert_eq!(rig.nic.mdio().read(address, reg::PHYID1), Err(Error::MdioTimeout));
    assert!((rig.clock.now() - before).as_micros() < 150, "bounded");
    // The frame before never ended: the model tells.
    assert_eq!(rig.chip.take_violations().len(), 0);
}

#[test]
fn what_is_released_starts_again() {
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let memory = HostMemory::new();
    let chip = EnetChip::new(port, Memory(memory.clone()), ChipConfig::default());
    let first = Enet::with_dma(Bus(chip.clone()), rings::<3, 2>(), chip.delay(), memory, CONFIG).expect("it starts");
    let (registers, rings, delay, memory) = first.release();
    let mut second = Enet::with_dma(registers, rings, delay, memory, CONFIG).expect("it starts again");
    chip.inject_rx(&numbered(1, 100));
    assert_eq!(
        second.recv_frame(&mut [0; 1514]).map(|meta| meta.map(|meta| meta.len)),
        Ok(Some(100))
    );
    assert_eq!(second.capabilities().rx_queue_frames, 3);
    assert_eq!(chip.violations(), []);
}

#[test]
fn bad_addresses_are_refused() {
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let memory = HostMemory::new();
    let chip = EnetChip::new(port, Memory(memory.clone()), ChipConfig::default());
    let mut config = CONFIG;
    config.mac_address = ethdev::MacAddress::BROADCAST;
    let refused = Enet::with_dma(Bus(chip.clone()), rings::<2, 2>(), chip.delay(), memory, config);
    assert_eq!(refused.err(), Some(Error::InvalidAddress));
    // Memory that a 32-bit bus does not reach, as on this host.
    if usize::BITS > 32 {
        let refused = Enet::new(Bus(chip.clone()), rings::<2, 2>(), chip.delay(), CONFIG);
        assert_eq!(refused.err(), Some(Error::Unreachable));
    }
}
