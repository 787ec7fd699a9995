//! The order in which a descriptor changes hands, as seen from the memory and from the registers.

use std::cell::RefCell;
use std::rc::Rc;

use ethdev::{EthernetDevice, LendingDevice, RxHalf, TxHalf};
use ethdev_lan8720::Mac as _;
use ethdev_lan8720::mac::dma::{Dma, HostMemory, Region};
use ethdev_lan8720::mac::enet::Enet;
use ethdev_lan8720::mac::mmio::Registers;
use ethdev_sim::chip::enet::{ChipConfig, EnetChip};
use ethdev_sim::{Clock, Station, Wire, WireConfig};

use crate::rig::{Bus, CONFIG, FULL, Memory, numbered, rings};

/// What happened, with the first descriptor of either ring at that time: `true` = the uDMA's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    what: &'static str,
    rx: bool,
    tx: bool,
}

const fn step(what: &'static str, rx: bool, tx: bool) -> Step {
    Step { what, rx, tx }
}

/// Keeps a record of what the driver asks of the memory and writes to doorbells.
#[derive(Clone)]
struct Recorder {
    memory: HostMemory,
    steps: Rc<RefCell<Vec<Step>>>,
}

impl Recorder {
    fn note(&self, what: &'static str) {
        let owned = |region: usize| {
            let mut word = [0; 4];
            let (address, _) = self.memory.regions()[region];
            assert!(self.memory.read(address, &mut word));
            u32::from_le_bytes(word) >> 31 == 1
        };
        // The regions in the order in which the driver shares them: receive descriptors and buffers, then those to send.
        if self.memory.regions().len() == 4 {
            self.steps.borrow_mut().push(step(what, owned(0), owned(2)));
        }
    }
}

// SAFETY: the memory's own promise; nothing is added to it.
unsafe impl Dma for Recorder {
    fn bus_address(&self, region: &Region) -> Option<u32> {
        self.memory.bus_address(region)
    }

    fn before_device_reads(&self, part: &Region) {
        self.note("clean");
        self.memory.before_device_reads(part);
    }

    fn before_device_writes(&self, part: &Region) {
        self.note("discard");
        self.memory.before_device_writes(part);
    }

    fn after_device_wrote(&self, part: &Region) {
        self.note("invalidate");
        self.memory.after_device_wrote(part);
    }

    fn barrier(&self) {
        self.note("barrier");
        self.memory.barrier();
    }

    fn barrier_before_doorbell(&self) {
        self.note("barrier before doorbell");
        self.memory.barrier_before_doorbell();
    }
}

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
    let peer = Station::new(peer);
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
