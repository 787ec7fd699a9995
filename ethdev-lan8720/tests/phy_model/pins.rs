//! MDIO by two pins, nRST, and nINT, on the model's pins.

use std::time::Duration;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::InputPin;
use ethdev_lan8720::{Lan8720Phy, PhyConfig, hardware_reset};
use ethdev_phy::mdio::{BitBang, DataPin, Mdio, OpenDrain};
use ethdev_phy::phy::{LinkModes, Phy, PhyEvent, reg, scan};
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, MdioPin, Partner, PhyTimes, SimMdio};

use crate::lab::{ADDRESS, Lab, chip, ms};

fn board(config: lan8720_model::PhyConfig) -> (Clock, Wire, Lan8720Chip) {
    let clock = Clock::new();
    let (wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let chip = Lan8720Chip::new(&clock, port, config);
    (clock, wire, chip)
}

fn bring_up<M: Mdio>(clock: &Clock, mdio: &mut M) -> Option<PhyEvent> {
    let mut phy = Lan8720Phy::new(ADDRESS, PhyConfig::new());
    phy.start(mdio, LinkModes::ALL_MODES, clock.now()).ok()?;
    while clock.now() < Duration::from_secs(5) {
        clock.advance(phy.next_poll(clock.now()));
        match phy.poll(mdio, clock.now()).ok()? {
            PhyEvent::None => {}
            event => return Some(event),
        }
    }
    None
}

/// Push-pull, with a direction: what a pin without open drain does.
struct Directed(MdioPin);

impl DataPin for Directed {
    type Error = core::convert::Infallible;

    fn drive(&mut self, high: bool) -> Result<(), Self::Error> {
        use embedded_hal::digital::OutputPin;
        let _ = self.0.set_state(high.into());
        self.0.set_as_output();
        Ok(())
    }

    fn release(&mut self) -> Result<(), Self::Error> {
        self.0.set_as_input();
        Ok(())
    }

    fn is_high(&mut self) -> Result<bool, Self::Error> {
        Ok(self.0.is_high().unwrap_or(true))
    }
}

/// The slowest data that the data sheet allows, at the fastest clock; a host that takes its time; a slow pull-up with a slow clock.
#[test]
fn a_link_by_two_pins() {
    for (valid, rise, pin, half_period) in [
        (300, 0, 0, 200),
        (30, 0, 0, 200),
        (300, 0, 150, 200),
        (300, 900, 0, 1_000),
    ] {
        let ns = Duration::from_nanos;
        let times = PhyTimes::default().with_mdio(ns(valid), ns(rise)).with_pin(ns(pin));
        for open_drain in [true, false] {
            let (clock, _wire, chip) = board(chip(Partner::default()).with_times(times));
            clock.advance(ms(30));
            let (clock_pin, data) = if open_drain {
                chip.mdio_pins()
            } else {
                chip.mdio_pins_push_pull()
            };
            let event = if open_drain {
                let mdio = BitBang::new(clock_pin, OpenDrain(data), chip.delay());
                bring_up(&clock, &mut mdio.with_half_period_ns(half_period))
            } else {
                let mdio = BitBang::new(clock_pin, Directed(data), chip.delay());
                bring_up(&clock, &mut mdio.with_half_period_ns(half_period))
            };
            assert!(matches!(event, Some(PhyEvent::Up(_))), "{event:?}, {times:?}");
            assert_eq!(chip.violations(), [], "{times:?}, open drain {open_drain}");
        }
    }
}

#[test]
fn a_scan_finds_who_is_there_and_writes_nothing() {
    let (clock, _wire, chip) = board(chip(None));
    clock.advance(ms(30));
    let (clock_pin, data) = chip.mdio_pins();
    let mut mdio = BitBang::new(clock_pin, OpenDrain(data), chip.delay());
    let found: Vec<_> = scan(&mut mdio).map(Result::unwrap).collect();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1.raw()), (ADDRESS, 0x0007_c0f1));
    let phy = Lan8720Phy::find(&mut mdio, PhyConfig::new()).unwrap().unwrap();
    assert_eq!(phy.address(), ADDRESS);
    assert_eq!(chip.mdio_counters().writes, 0);
    assert_eq!(chip.violations(), []);
}

#[test]
fn two_phys_on_one_bus() {
    let clock = Clock::new();
    let make = |address: u8| {
        let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
        let straps = lan8720_model::PhyStraps::default().with_address(address);
        Lan8720Chip::new(&clock, port, chip(Partner::default()).with_straps(straps))
    };
    let chips = [make(0), make(1)];
    clock.advance(ms(30));
    let mut mdio: SimMdio = chips[0].mdio().with(&chips[1]);
    let found: Vec<u8> = scan(&mut mdio).map(|found| found.unwrap().0.get()).collect();
    assert_eq!(found, [0, 1]);
    assert!(matches!(bring_up(&clock, &mut mdio), Some(PhyEvent::Up(_))));
    assert_eq!((chips[0].stats().soft_resets, chips[1].stats().soft_resets), (0, 1));
    assert_eq!(chips[0].peek(4), 0x01e1, "the other one was left alone");
}

#[test]
fn a_hardware_reset_by_the_hosts_pin() {
    let (clock, _wire, chip) = board(chip(Partner::default()).with_reset_by_host());
    // The supplies need their 25 ms.
    chip.delay().delay_ms(25);
    hardware_reset(&mut chip.reset_pin(), &mut chip.delay()).unwrap();
    let mut mdio = chip.mdio();
    assert_eq!(mdio.read(ADDRESS, reg::PHYID1), Ok(0x0007));
    assert!(matches!(bring_up(&clock, &mut mdio), Some(PhyEvent::Up(_))));
    assert_eq!((chip.violations(), chip.stats().hard_resets), (vec![], 1));
}

/// Chips are known for which 100 µs, as the data sheet has it, are too short: their link then goes up and down.
#[test]
fn the_reset_is_long_enough_for_those_that_need_more() {
    let flaws = lan8720_model::Flaws::default().with_zombie_below(Duration::from_micros(1_000));
    let (clock, wire, chip) = board(chip(Partner::default()).with_reset_by_host().with_flaws(flaws));
    chip.delay().delay_ms(25);
    hardware_reset(&mut chip.reset_pin(), &mut chip.delay()).unwrap();
    bring_up(&clock, &mut chip.mdio()).unwrap();
    clock.advance(Duration::from_secs(10));
    assert!(wire.link().is_up());
    assert_eq!(chip.stats().link_downs, 0);
}

#[test]
fn the_line_is_released_by_the_look() {
    let mut lab = Lab::started(
        chip(Partner::default()),
        PhyConfig::new().with_interrupt(true),
        ms(4_000),
    );
    let mut line = lab.chip.int_pin();
    assert!(line.is_high().unwrap());
    for up in [false, true, false] {
        lab.wire.set_link(up);
        lab.run(ms(4_000));
        assert!(line.is_high().unwrap(), "still low after the link changed");
        assert_eq!(lab.phy.link().is_up(), up);
    }
}

/// As the 50 MHz output, the pin is no interrupt: the driver is told to poll, and the link is found all the same.
#[test]
fn without_an_interrupt_pin_it_is_polled() {
    let straps = lan8720_model::PhyStraps::default().with_address(1).with_ref_clk_out();
    let mut lab = Lab::started(
        chip(Partner::default()).with_straps(straps),
        PhyConfig::new(),
        ms(4_000),
    );
    assert_eq!(lab.take_events().len(), 1);
    lab.wire.set_link(false);
    lab.run(ms(150));
    assert_eq!(lab.take_events(), [PhyEvent::Down]);
}
