//! DMA memory that records the calls of the driver.

use std::cell::RefCell;
use std::rc::Rc;

use ethdev_phy::dma::{Dma, DmaRange, HostMemory};

/// A call, and the owner of the first descriptor of each ring at that time: `true` = the DMA
/// engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    what: &'static str,
    rx: bool,
    tx: bool,
}

pub(crate) const fn step(what: &'static str, rx: bool, tx: bool) -> Step {
    Step { what, rx, tx }
}

/// Records calls and writes to doorbells.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) memory: HostMemory,
    pub(crate) steps: Rc<RefCell<Vec<Step>>>,
}

impl Recorder {
    pub(crate) fn note(&self, what: &'static str) {
        let owned = |region: usize| {
            let mut word = [0; 4];
            let (address, _) = self.memory.regions()[region];
            assert!(self.memory.read(address, &mut word));
            u32::from_le_bytes(word) >> 31 == 1
        };
        // The regions in the order in which the driver shares them: receive descriptors and buffers, then
        // transmit.
        if self.memory.regions().len() == 4 {
            self.steps.borrow_mut().push(step(what, owned(0), owned(2)));
        }
    }
}

// SAFETY: forwards to `HostMemory`, which fulfils the contract.
unsafe impl Dma for Recorder {
    fn bus_address(&self, region: &DmaRange) -> Option<u32> {
        self.memory.bus_address(region)
    }

    fn clean(&self, part: &DmaRange) {
        self.note("clean");
        self.memory.clean(part);
    }

    fn clean_invalidate(&self, part: &DmaRange) {
        self.note("clean invalidate");
        self.memory.clean_invalidate(part);
    }

    fn invalidate(&self, part: &DmaRange) {
        self.note("invalidate");
        self.memory.invalidate(part);
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
