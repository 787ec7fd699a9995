//! The order of cache operations, barriers, descriptor writes and doorbells.

use std::rc::Rc;

use ethdev::{EthernetDevice, LendingDevice, RxHalf, TxHalf};
use ethdev_enet::Enet;
use ethdev_phy::Mac as _;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use nxp_enet_model::{ChipConfig, EnetChip};

use crate::sys_recorder::{Recorder, step};
use crate::testbed::{Bus, CONFIG, FULL, Memory, numbered, rings};

/// Registers that record accesses.
struct RecordedRegisters(Bus, Recorder);

impl Registers for RecordedRegisters {
    fn read(&self, offset: usize) -> u32 {
        self.1.note("read");
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.1.note(match offset {
            0x10 => "RDAR",
            0x14 => "TDAR",
            _ => "write",
        });
        self.0.write(offset, value);
    }
}

#[test]
fn peek_reserve_commit_release_order_of_accesses() {
    let clock = Clock::new();
    let (_wire, port, peer) = Wire::new(&clock, WireConfig::default());
    let peer = Peer::new(peer);
    let recorder = Recorder {
        memory: HostMemory::new(),
        steps: Rc::default(),
    };
    let chip = EnetChip::new(port, Memory(recorder.memory.clone()), ChipConfig::default());
    let registers = RecordedRegisters(Bus(chip.clone()), recorder.clone());
    let mut nic =
        Enet::with_dma(registers, rings::<2, 2>(), chip.delay(), recorder.clone(), CONFIG).expect("new failed");
    nic.set_link(FULL).expect("set_link failed");
    let record = |recorder: &Recorder| core::mem::take(&mut *recorder.steps.borrow_mut());
    record(&recorder);

    let request = numbered(1, 100);
    peer.send(&request);
    clock.advance(std::time::Duration::from_millis(1));
    let (mut rx, mut tx) = nic.split();
    // The barrier comes before the first read, and the cache is invalidated once, not with each peek.
    for _ in 0..3 {
        assert_eq!(rx.peek().expect("MAC fault").as_deref(), Some(&request[..]));
    }
    assert_eq!(
        record(&recorder),
        [step("barrier", false, false), step("invalidate", false, false)]
    );
    // No barrier: a write does not overtake the read of the descriptor that it depends on.
    tx.reserve(100)
        .expect("MAC fault")
        .expect("transmit queue full")
        .copy_from_slice(&request);
    assert_eq!(record(&recorder), []);
    // Content, barrier, descriptor, barrier, doorbell, and no other access.
    tx.commit(100).expect("MAC fault");
    assert_eq!(
        record(&recorder),
        [
            step("clean", false, false),
            step("barrier", false, false),
            step("barrier before doorbell", false, true),
            step("TDAR", false, true),
        ]
    );
    // The same order.
    rx.release().expect("MAC fault");
    assert_eq!(
        record(&recorder),
        [
            step("clean invalidate", false, true),
            step("barrier", false, true),
            step("barrier before doorbell", true, true),
            step("RDAR", true, true),
        ]
    );
    clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(peer.recv(), Some(request));
    assert_eq!(nic.stats().rx_frames, 1);
}
