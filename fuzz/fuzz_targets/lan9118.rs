//! The LAN9118 driver on a chip whose registers return anything: no panic, valid lengths, bounded
//! calls.
#![no_main]

use std::cell::{Cell, RefCell};

use arbitrary::Unstructured;
use embedded_hal::delay::DelayNs;
use ethdev::{
    Control, Duplex, EthernetDevice, Interest, Link, LinkMode, MacAddress, Multicast, Pause, Rearm, RxFilter, Speed,
};
use ethdev_fuzz::MAC;
use ethdev_lan9118::{Config, Lan9118, Model};
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::mmio::Registers;

/// Limit of register accesses in one call: a dozen of the longest waits, each to its timeout.
const MAX_ACCESSES: u64 = 200_000;
/// Limit of the waits in one call.
const MAX_WAIT_NS: u64 = 5_000_000_000;

/// An idle chip that is always ready and stores the registers of its MAC, except for the faults of
/// a script.
struct FaultyChip {
    /// The registers behind the command and data register (0xa4, 0xa8), and the latter.
    mac: [Cell<u32>; 16],
    mac_data: Cell<u32>,
    script: RefCell<std::vec::IntoIter<u8>>,
    /// The number of unmodified values before the next fault.
    unmodified: Cell<u8>,
    /// Whether every value is replaced, while there is input.
    raw: bool,
    accesses: Cell<u64>,
    waited_ns: Cell<u64>,
}

impl FaultyChip {
    fn fault(&self, value: u32) -> Option<u32> {
        let mut script = self.script.borrow_mut();
        if !self.raw {
            if let Some(left) = self.unmodified.get().checked_sub(1) {
                self.unmodified.set(left);
                return None;
            }
            self.unmodified.set(script.next()?.saturating_sub(64));
        }
        let mut byte = || script.next();
        Some(match byte()? {
            // One or two bit errors.
            kind @ 0..=99 => value ^ 1 << (kind % 32) ^ u32::from(byte()? & 1) << (kind / 4 % 32),
            100..=109 => 0,
            110..=119 => u32::MAX,
            // As the fill levels of FIFOs: a number of frames and a number of words.
            kind @ 120..=219 => u32::from(kind % 4) << 16 | u32::from(byte()?) << (kind % 3 * 4),
            _ => u32::from_le_bytes([byte()?, byte()?, byte()?, byte()?]),
        })
    }

    fn idle_value(&self, offset: usize) -> u32 {
        match offset {
            0xa8 => self.mac_data.get(),
            0x50 => 0x0118_0001,
            // Both directions are stopped.
            0x58 => 0x0300_0000,
            0x64 => 0x8765_4321,
            0x80 => 4608,
            0x84 => 1,
            _ => 0,
        }
    }

    /// Executes a command for a register of the MAC: bit 31 starts it, bit 30 reads.
    fn access_mac(&self, command: u32) {
        let Some(register) = self.mac.get((command & 0xff) as usize) else {
            return;
        };
        if command >> 30 & 1 != 0 {
            self.mac_data.set(register.get());
        } else {
            register.set(self.mac_data.get());
        }
    }

    /// Resets the counts, before a call of the driver.
    fn begin(&self) {
        self.accesses.set(0);
        self.waited_ns.set(0);
    }

    fn count(&self) {
        self.accesses.set(self.accesses.get() + 1);
        assert!(self.accesses.get() < MAX_ACCESSES, "unbounded wait");
    }
}

impl Registers for &FaultyChip {
    fn read(&self, offset: usize) -> u32 {
        self.count();
        let value = self.idle_value(offset);
        self.fault(value).unwrap_or(value)
    }

    fn write(&self, offset: usize, value: u32) {
        assert!(offset.is_multiple_of(4) && offset < 0x100, "write to {offset:#x}");
        self.count();
        match offset {
            0xa4 if value >> 31 != 0 => self.access_mac(value),
            0xa8 => self.mac_data.set(value),
            _ => {}
        }
    }
}

struct Delay<'a>(&'a FaultyChip);

impl DelayNs for Delay<'_> {
    fn delay_ns(&mut self, ns: u32) {
        let waited = self.0.waited_ns.get() + u64::from(ns);
        self.0.waited_ns.set(waited);
        assert!(waited < MAX_WAIT_NS, "unbounded wait");
    }
}

fn link(choice: u8) -> Link {
    let duplex = if choice & 1 == 0 { Duplex::Full } else { Duplex::Half };
    let pause = Pause {
        rx: choice & 2 != 0,
        tx: choice & 4 != 0,
    };
    if choice & 8 == 0 {
        Link::Up(LinkMode::new(Speed::MBPS_100, duplex).with_pause(pause))
    } else {
        Link::Down
    }
}

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>)| {
    let (flags, calls, script) = input;
    let mut calls = Unstructured::new(&calls);
    let chip = FaultyChip {
        mac: Default::default(),
        mac_data: Cell::new(0),
        script: RefCell::new(script.into_iter()),
        // A driver that does not start executes little code.
        unmodified: Cell::new(if flags & 1 == 0 { 120 } else { 0 }),
        raw: flags & 2 != 0,
        accesses: Cell::new(0),
        waited_ns: Cell::new(0),
    };
    let config = Config::new()
        .with_mac_address(MAC)
        .with_vlan(flags & 4 != 0)
        .with_count_runts(flags & 8 != 0)
        .with_tx_fifo_kib(flags >> 4);
    // The chip works after the last byte of the script.
    let mut nic = loop {
        chip.begin();
        let is_sound = chip.script.borrow().len() == 0;
        match Lan9118::new(&chip, Delay(&chip), config) {
            Ok(nic) => break nic,
            Err(error) => assert!(!is_sound, "a working chip does not start: {error:?}"),
        }
    };
    let _ = nic.set_link(link(0));
    let mut buf = [0; 1600];
    let frame = [0x5a; 1600];
    let groups = [MacAddress::new([1, 0, 0x5e, 0, 0, 1])];
    while !calls.is_empty() {
        let call = calls.arbitrary::<u8>().unwrap_or(0);
        chip.begin();
        let argument = calls.arbitrary::<u8>().unwrap_or(0);
        let len = usize::from(argument) * 7;
        match call % 18 {
            0..=3 => {
                let size = if call % 18 == 3 { len.min(buf.len()) } else { buf.len() };
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..size]) {
                    assert!((14..=size).contains(&meta.len));
                    assert!(meta.len <= nic.capabilities().rx_max_frame_len.bytes());
                }
            }
            4 => {
                let _ = nic.discard_frame();
            }
            5 => {
                let _ = nic.tx_ready();
            }
            6 => {
                let _ = nic.send_frame(&frame[..len.min(frame.len())]);
            }
            7 => {
                let cut = usize::from(argument).min(200);
                let _ = nic.send_vectored(&[&frame[..cut], &frame[..3], &[], &frame[..200 - cut]]);
            }
            8 => {
                let _ = nic.service();
            }
            9 => {
                let _ = nic.rearm(Interest::ALL);
            }
            10 => {
                let _ = nic.disarm();
            }
            11 => {
                let _ = nic.set_link(link(argument));
            }
            12 => {
                let register = RegisterAddress::new(argument % 32).unwrap();
                let phy = PhyAddress::from_low_bits(argument >> 3);
                let mut mdio = nic.mdio();
                let _ = mdio
                    .read(phy, register)
                    .and_then(|value| mdio.write(phy, register, value));
            }
            13 => {
                let _ = nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&groups)));
                let _ = nic.set_mac_address(MAC);
            }
            14 => {
                let _ = nic.recover();
            }
            15 => {
                let _ = if argument & 1 == 0 { nic.stop() } else { nic.start() };
            }
            16 => {
                let _ = if argument & 1 == 0 { nic.sleep() } else { nic.wake() };
            }
            _ => {
                let _ = nic.phy_interrupt();
            }
        }
        let stats = nic.stats();
        assert!(stats.rx_frames <= stats.rx_bytes);
    }
    // Without further faults the driver recovers, unless it has read a wrong chip id.
    chip.script.borrow_mut().by_ref().for_each(drop);
    chip.begin();
    if nic.model() == Model::Lan9118 {
        nic.recover().expect("recovery of a working chip failed");
    }
});
