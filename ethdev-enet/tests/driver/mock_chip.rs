//! A mock of the chip: registers with scripted values, and descriptors that the test writes. The
//! fuzz target uses it too.
#![allow(dead_code, reason = "tests and fuzz target use different parts")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use embedded_hal::delay::DelayNs;
use ethdev::{Duplex, Link, LinkMode, MacAddress, Speed};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::{HostMemory, RingStorage};
use ethdev_phy::mmio::Registers;

/// Registers that keep what is written, except for scripted reads.
#[derive(Clone, Default)]
pub(crate) struct MockRegisters(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    written: BTreeMap<usize, u32>,
    scripted: Vec<u32>,
    accesses: u64,
    /// Limit of the accesses between two calls of `take_accesses`.
    limit: Option<u64>,
}

impl State {
    fn count(&mut self) {
        self.accesses += 1;
        assert!(self.limit.is_none_or(|limit| self.accesses <= limit), "unbounded call");
    }
}

impl MockRegisters {
    /// Sets the results of the next reads, the last one first.
    pub(crate) fn script(&self, values: Vec<u32>) {
        self.0.borrow_mut().scripted = values;
    }

    /// Limits the number of accesses between two calls of `take_accesses`.
    pub(crate) fn limit_accesses(&self, limit: u64) {
        self.0.borrow_mut().limit = Some(limit);
    }

    /// Returns the number of accesses since the last call.
    pub(crate) fn take_accesses(&self) -> u64 {
        core::mem::take(&mut self.0.borrow_mut().accesses)
    }
}

impl Registers for MockRegisters {
    fn read(&self, offset: usize) -> u32 {
        let mut state = self.0.borrow_mut();
        state.count();
        match state.scripted.pop() {
            Some(value) => value,
            None => state.written.get(&offset).copied().unwrap_or(0),
        }
    }

    fn write(&self, offset: usize, value: u32) {
        let mut state = self.0.borrow_mut();
        state.count();
        // A reset ends at once; events are scripted only.
        if !(offset == 0x24 && value & 1 == 1) && offset != 4 {
            state.written.insert(offset, value);
        }
    }
}

/// A delay that returns at once.
pub(crate) struct NoDelay;

impl DelayNs for NoDelay {
    fn delay_ns(&mut self, _: u32) {}
}

/// Number of receive descriptors.
pub(crate) const RX: usize = 4;
/// Number of transmit descriptors.
pub(crate) const TX: usize = 3;

/// The driver on the mock, with the link up.
pub(crate) struct MockBed {
    pub(crate) nic: Enet<MockRegisters, NoDelay, HostMemory>,
    pub(crate) registers: MockRegisters,
    memory: HostMemory,
}

impl Default for MockBed {
    fn default() -> Self {
        Self::new()
    }
}

impl MockBed {
    /// Creates a driver with rings of its own.
    pub(crate) fn new() -> Self {
        let rings: &'static mut Rings<RX, TX> = Box::leak(Box::new(Rings::new()));
        Self::with_rings(rings.into())
    }

    /// Creates a driver on the rings of another one that was [released](Self::release).
    pub(crate) fn with_rings(rings: RingStorage) -> Self {
        let (registers, memory) = (MockRegisters::default(), HostMemory::new());
        let config = Config::new(MacAddress::new([0x02, 0, 0, 0, 0, 0x60]), 66_000_000);
        let mut nic = Enet::with_dma(registers.clone(), rings, NoDelay, memory.clone(), config).expect("new failed");
        let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
        nic.set_link(Link::Up(mode)).expect("set_link failed");
        Self { nic, registers, memory }
    }

    /// Releases the rings.
    pub(crate) fn release(self) -> RingStorage {
        self.nic.release().1
    }

    /// Returns the address of a descriptor. The memory regions are shared in this order: receive
    /// descriptors and buffers, transmit descriptors and buffers.
    fn descriptor(&self, tx: bool, n: usize) -> u32 {
        self.memory.regions()[usize::from(tx) * 2].0 + 8 * n as u32
    }

    /// Writes the control word of a descriptor.
    pub(crate) fn write(&self, tx: bool, n: usize, control: u32) {
        assert!(self.memory.write(self.descriptor(tx, n), &control.to_le_bytes()));
    }

    /// Reads both words of a descriptor.
    pub(crate) fn read(&self, tx: bool, n: usize) -> (u32, u32) {
        let mut bytes = [0; 8];
        assert!(self.memory.read(self.descriptor(tx, n), &mut bytes));
        let words = bytes.split_at(4);
        (
            u32::from_le_bytes(words.0.try_into().expect("four")),
            u32::from_le_bytes(words.1.try_into().expect("four")),
        )
    }

    /// Checks that the buffer addresses in the descriptors are those of the driver, each once,
    /// whatever was written.
    pub(crate) fn check_addresses(&self) {
        for (tx, count) in [(false, RX), (true, TX)] {
            let (base, _) = self.memory.regions()[usize::from(tx) * 2 + 1];
            let mut seen: Vec<u32> = (0..count).map(|n| self.read(tx, n).1.wrapping_sub(base)).collect();
            seen.sort_unstable();
            assert!(
                seen.iter().enumerate().all(|(n, offset)| *offset == 1536 * n as u32),
                "{seen:x?}"
            );
        }
    }
}
