//! The order in which a descriptor changes hands, as seen from the memory and from the registers.

use std::rc::Rc;

use ethdev::{EthernetDevice, LendingDevice, RxHalf, TxHalf};
use ethdev_enet::Enet;
use ethdev_phy::Mac as _;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use nxp_enet_model::{ChipConfig, EnetChip};

use crate::rig::{Bus, CONFIG, FULL, Memory, numbered, rings};
use crate::sys_recorder::{Recorder, step};

/// Registers of which the doorbells are recorded.
struct Watched(Bus, Recorder);

impl Registers for Watched {
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
fn every_step_is_in_its_place() {
    let clock = Clock::new();
    let (_wire, port, peer) = Wire::new(&clock, WireConfig::default());
    let peer = Peer::new(peer);
    let recorder = Recorder {
        memory: HostMemory::new(),
        steps: Rc::default(),
    };
    let chip = EnetChip::new(port, Memory(recorder.memory.clone()), ChipConfig::default());
    let registers = Watched(Bus(chip.clone()), recorder.clone());
    let mut nic =
        Enet::with_dma(registers, rings::<2, 2>(), chip.delay(), recorder.clone(), CONFIG).expect("it starts");
    nic.set_link(FULL).expect("it takes its link");
    let record = |recorder: &Recorder| core::mem::take(&mut *recorder.steps.borrow_mut());
    record(&recorder);

    let question = numbered(1, 100);
    peer.send(&question);
    clock.advance(std::time::Duration::from_millis(1));
    let (mut rx, mut tx) = nic.split();
    // Taken: what the uDMA wrote is seen behind the barrier only, and the cache is invalidated once, not with every look.
    for _ in 0..3 {
        assert_eq!(rx.peek().expect("it works").as_deref(), Some(&question[..]));
    }
    assert_eq!(
        record(&recorder),
        [step("barrier", false, false), step("invalidate", false, false)]
    );
    // Lent to write to: no write overtakes the look at the descriptor that it depends on.
    tx.reserve(100)
        .expect("it works")
        .expect("room")
        .copy_from_slice(&question);
    assert_eq!(record(&recorder), []);
    // Handed over: content, barrier, descriptor, barrier, doorbell. Nothing else is asked of the chip.
    tx.commit(100).expect("it works");
    assert_eq!(
        record(&recorder),
        [
            step("clean", false, false),
            step("barrier", false, false),
            step("barrier before doorbell", false, true),
            step("TDAR", false, true),
        ]
    );
    // Given back the same way.
    rx.release().expect("it works");
    assert_eq!(
        record(&recorder),
        [
            step("discard", false, true),
            step("barrier", false, true),
            step("barrier before doorbell", true, true),
            step("RDAR", true, true),
        ]
    );
    clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(peer.recv(), Some(question));
    assert_eq!(nic.stats().rx_frames, 1);
}
