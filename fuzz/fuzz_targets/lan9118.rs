//! The LAN9118 driver on a chip whose registers read what the fuzzer likes: no panic, no length that is not there, and every call ends.
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

/// More accesses in one call are no bound: that is a dozen waits of the longest kind, each to its last look.
const MOST_ACCESSES: u64 = 200_000;

/// Answers as an idle chip that is always ready, but for the lies.
struct Liar {
    script: RefCell<std::vec::IntoIter<u8>>,
    /// How many answers are true before the next lie.
    true_answers: Cell<u8>,
    /// Every answer is a lie, while there are any.
    raw: bool,
    accesses: Cell<u64>,
}

impl Liar {
    fn lie(&self, truth: u32) -> Option<u32> {
        let mut script = self.script.borrow_mut();
        if !self.raw {
            if let Some(left) = self.true_answers.get().checked_sub(1) {
                self.true_answers.set(left);
                return None;
            }
            self.true_answers.set(script.next()?.saturating_sub(64));
        }
        let mut byte = || script.next();
        Some(match byte()? {
            // A bit or two are wrong.
            kind @ 0..=99 => truth ^ 1 << (kind % 32) ^ u32::from(byte()? & 1) << (kind / 4 % 32),
            100..=109 => 0,
            110..=119 => u32::MAX,
            // As FIFOs tell of themselves: how many, and how much.
            kind @ 120..=219 => u32::from(kind % 4) << 16 | u32::from(byte()?) << (kind % 3 * 4),
            _ => u32::from_le_bytes([byte()?, byte()?, byte()?, byte()?]),
        })
    }

    fn truth(offset: usize) -> u32 {
        match offset {
            0x50 => 0x0118_0001,
            // Both directions have stopped when they are asked to.
            0x58 => 0x0300_0000,
            0x64 => 0x8765_4321,
            0x80 => 4608,
            0x84 => 1,
            _ => 0,
        }
    }

    fn count(&self) {
        self.accesses.set(self.accesses.get() + 1);
        assert!(self.accesses.get() < MOST_ACCESSES, "a call that does not end");
    }
}

impl Registers for &Liar {
    fn read(&self, offset: usize) -> u32 {
        self.count();
        let truth = Liar::truth(offset);
        self.lie(truth).unwrap_or(truth)
    }

    fn write(&self, offset: usize, _: u32) {
        assert!(offset.is_multiple_of(4) && offset < 0x100, "write to {offset:#x}");
        self.count();
    }
}

struct NoTime;

impl DelayNs for NoTime {
    fn delay_ns(&mut self, _: u32) {}
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
    let chip = Liar {
        script: RefCell::new(script.into_iter()),
        // Honest at first, mostly: a driver that does not start has little to do.
        true_answers: Cell::new(if flags & 1 == 0 { 120 } else { 0 }),
        raw: flags & 2 != 0,
        accesses: Cell::new(0),
    };
    let config = Config::new()
        .with_mac_address(MAC)
        .with_vlan(flags & 4 != 0)
        .with_count_runts(flags & 8 != 0)
        .with_tx_fifo_kib(flags >> 4);
    // After the fuzzer's last byte the chip is honest, so that this ends.
    let mut nic = loop {
        chip.accesses.set(0);
        if let Ok(nic) = Lan9118::new(&chip, NoTime, config) {
            break nic;
        }
    };
    let _ = nic.set_link(link(0));
    let mut buf = [0; 1600];
    let frame = [0x5a; 1600];
    let groups = [MacAddress::new([1, 0, 0x5e, 0, 0, 1])];
    while !calls.is_empty() {
        let call = calls.arbitrary::<u8>().unwrap_or(0);
        chip.accesses.set(0);
        let argument = calls.arbitrary::<u8>().unwrap_or(0);
        let len = usize::from(argument) * 7;
        match call % 18 {
            0..=3 => {
                let room = if call % 18 == 3 { len.min(buf.len()) } else { buf.len() };
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..room]) {
                    assert!((14..=room).contains(&meta.len));
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
    // Honest from here on: whatever state it is in, it can be brought back, unless it once lied about what it is.
    chip.script.borrow_mut().by_ref().for_each(drop);
    chip.accesses.set(0);
    if nic.model() == Model::Lan9118 {
        nic.recover().expect("an honest chip is not recovered");
    }
});
