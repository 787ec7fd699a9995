//! A chip that is a puppet: registers that read what they are made to, and descriptors that the test writes. Also the fuzz target's.
#![allow(dead_code, reason = "each of them uses another part of it")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use embedded_hal::delay::DelayNs;
use ethdev::{Duplex, Link, LinkMode, MacAddress, Speed};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_phy::Mac as _;
use ethdev_phy::dma::{HostMemory, RingStorage};
use ethdev_phy::mmio::Registers;

/// Registers that keep what they are told, unless they are to say something else.
#[derive(Clone, Default)]
pub(crate) struct Puppet(Rc<RefCell<Strings>>);

#[derive(Default)]
struct Strings {
    kept: BTreeMap<usize, u32>,
    lies: Vec<u32>,
    accesses: u64,
}

impl Puppet {
    /// What the next reads give, the last one first, before anything else.
    pub(crate) fn lie(&self, lies: Vec<u32>) {
        self.0.borrow_mut().lies = lies;
    }

    /// How often the registers were accessed since this was asked last.
    pub(crate) fn take_accesses(&self) -> u64 {
        core::mem::take(&mut self.0.borrow_mut().accesses)
    }
}

impl Registers for Puppet {
    fn read(&self, offset: usize) -> u32 {
        let mut strings = self.0.borrow_mut();
        strings.accesses += 1;
        match strings.lies.pop() {
            Some(lie) => lie,
            None => strings.kept.get(&offset).copied().unwrap_or(0),
        }
    }

    fn write(&self, offset: usize, value: u32) {
        let mut strings = self.0.borrow_mut();
        strings.accesses += 1;
        // A reset is over at once, and events are whatever they are.
        if !(offset == 0x24 && value & 1 == 1) && offset != 4 {
            strings.kept.insert(offset, value);
        }
    }
}

/// Time passes, and nobody looks.
pub(crate) struct NoDelay;

impl DelayNs for NoDelay {
    fn delay_ns(&mut self, _: u32) {}
}

/// Descriptors to receive.
pub(crate) const RX: usize = 4;
/// Descriptors to send.
pub(crate) const TX: usize = 3;

/// The driver, with the link up, and everything that it believes in.
pub(crate) struct Stage {
    pub(crate) nic: Enet<Puppet, NoDelay, HostMemory>,
    pub(crate) puppet: Puppet,
    memory: HostMemory,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// In memory of its own.
    pub(crate) fn new() -> Self {
        let rings: &'static mut Rings<RX, TX> = Box::leak(Box::new(Rings::new()));
        Self::on(rings.into())
    }

    /// In memory that another one has [left](Self::strike).
    pub(crate) fn on(rings: RingStorage) -> Self {
        let (puppet, memory) = (Puppet::default(), HostMemory::new());
        let config = Config::new(MacAddress::new([0x02, 0, 0, 0, 0, 0x60]), 66_000_000);
        let mut nic = Enet::with_dma(puppet.clone(), rings, NoDelay, memory.clone(), config).expect("it starts");
        let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
        nic.set_link(Link::Up(mode)).expect("it takes its link");
        Self { nic, puppet, memory }
    }

    /// Leaves the memory to the next one.
    pub(crate) fn strike(self) -> RingStorage {
        self.nic.release().1
    }

    /// The address of a descriptor: of the ring that is shared first (`false`, to receive) or third (to send).
    fn descriptor(&self, tx: bool, n: usize) -> u32 {
        self.memory.regions()[usize::from(tx) * 2].0 + 8 * n as u32
    }

    /// Writes the control word of a descriptor.
    pub(crate) fn write(&self, tx: bool, n: usize, control: u32) {
        assert!(self.memory.write(self.descriptor(tx, n), &control.to_le_bytes()));
    }

    /// Both words of a descriptor.
    pub(crate) fn read(&self, tx: bool, n: usize) -> (u32, u32) {
        let mut bytes = [0; 8];
        assert!(self.memory.read(self.descriptor(tx, n), &mut bytes));
        let words = bytes.split_at(4);
        (
            u32::from_le_bytes(words.0.try_into().expect("four")),
            u32::from_le_bytes(words.1.try_into().expect("four")),
        )
    }

    /// Whatever was written into descriptors: the addresses in them are the driver's own, each buffer's once.
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
