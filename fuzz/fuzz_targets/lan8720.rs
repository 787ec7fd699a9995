//! The PHY driver on a bus that returns anything: no panic, bounded calls, and events that match
//! the link.
#![no_main]

use std::time::Duration;

use arbitrary::Unstructured;
use ethdev::{Duplex, ErrorKind, Link, Speed};
use ethdev_lan8720::{Lan8720Phy, Loopback, Mdix, PhyConfig};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent};

/// Limit of register accesses in one call.
const MAX_ACCESSES: usize = 40;
/// Limit of `stop`, which waits for the end of a reset: half a second of reads at 2.5 MHz.
const MAX_ACCESSES_STOP: usize = 19_532 + MAX_ACCESSES;

/// Registers that store what is written, except for faults from the fuzzer.
struct FaultyBus<'a, 'b> {
    registers: [u16; 32],
    faults: &'a mut Unstructured<'b>,
    accesses: usize,
    max_accesses: usize,
}

impl FaultyBus<'_, '_> {
    fn access(&mut self) -> Result<Option<u16>, ErrorKind> {
        self.accesses += 1;
        assert!(self.accesses <= self.max_accesses, "unbounded call");
        match self.faults.arbitrary::<u8>().unwrap_or(0) {
            0xff => Err(ErrorKind::Bus),
            0xfe => Ok(Some(0xffff)),
            0xfd => Ok(Some(0)),
            0xe0..=0xfc => Ok(self.faults.arbitrary().ok()),
            _ => Ok(None),
        }
    }
}

impl Mdio for FaultyBus<'_, '_> {
    type Error = ErrorKind;

    fn read(&mut self, _: PhyAddress, register: RegisterAddress) -> Result<u16, ErrorKind> {
        let fault = self.access()?;
        Ok(fault.unwrap_or(self.registers[usize::from(register.get())]))
    }

    fn write(&mut self, _: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), ErrorKind> {
        self.access()?;
        // Self-clearing bits.
        let value = if register.get() == 0 { value & !0x8200 } else { value };
        self.registers[usize::from(register.get())] = value;
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut input = Unstructured::new(input);
    let flags: u8 = input.arbitrary().unwrap_or(0);
    let mut config = PhyConfig::new()
        .with_interrupt(flags & 1 != 0)
        .with_energy_detect(flags & 2 != 0)
        .with_extended_crossover(flags & 4 != 0);
    if flags & 8 != 0 {
        config = config.with_forced_mode(Speed::MBPS_100, Duplex::Full);
    }
    let mut phy = Lan8720Phy::new(PhyAddress::from_low_bits(1), config);
    let mut registers = [0; 32];
    (registers[1], registers[2], registers[3], registers[4]) = (0x782d, 0x0007, 0xc0f1, 0x01e1);
    (registers[5], registers[6]) = (0x45e1, 0x0001);
    let (mut now, mut link) = (Duration::ZERO, Link::Down);
    while !input.is_empty() {
        let call: u8 = input.arbitrary().unwrap_or(0);
        let value: u16 = input.arbitrary().unwrap_or(0);
        let mut bus = FaultyBus {
            registers,
            faults: &mut input,
            accesses: 0,
            max_accesses: MAX_ACCESSES,
        };
        match call % 16 {
            0..=6 => {
                let due = phy.next_poll(now).is_zero();
                match phy.poll(&mut bus, now) {
                    Ok(PhyEvent::None) | Err(_) => {}
                    Ok(event) => {
                        let reported = if let PhyEvent::Up(mode) = event {
                            Link::Up(mode)
                        } else {
                            Link::Down
                        };
                        assert_ne!(reported, link, "event without a link change");
                        link = reported;
                    }
                }
                assert!(due || bus.accesses == 0, "bus access before the poll is due");
            }
            7 | 8 => now += phy.next_poll(now).min(Duration::from_secs(1)),
            9 => now += Duration::from_micros(u64::from(value)),
            10 => drop(phy.on_interrupt(&mut bus, now)),
            11 => {
                let started = phy.start(&mut bus, LinkModes::from_register(value), now);
                assert!(!phy.link().is_up(), "{started:?}");
            }
            12 => drop(phy.set_advertise(&mut bus, LinkModes::from_register(value), now)),
            13 => {
                let loopback = match value % 3 {
                    0 => Loopback::Off,
                    1 => Loopback::Far,
                    _ => Loopback::Near(Speed::MBPS_100, Duplex::Full),
                };
                if phy.set_loopback(&mut bus, loopback, now) == Err(PhyError::NotStarted) {
                    assert!(!phy.link().is_up());
                }
            }
            14 => drop(phy.set_mdix(&mut bus, Mdix::MdiX, now)),
            _ if value & 1 != 0 => drop(phy.symbol_errors(&mut bus)),
            _ if value & 2 != 0 => drop(phy.set_forced_mode(&mut bus, None, now)),
            _ => {
                bus.max_accesses = MAX_ACCESSES_STOP;
                let _ = phy.stop(&mut bus);
                assert!(!phy.link().is_up());
            }
        }
        registers = bus.registers;
    }
});
