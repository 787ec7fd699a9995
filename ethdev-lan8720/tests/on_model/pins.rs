//! MDIO on two pins, nRST and nINT, on the pins of the chip model.

use std::time::Duration;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::InputPin;
use ethdev_lan8720::{Lan8720Phy, PhyConfig, hardware_reset};
use ethdev_phy::mdio::{BitBang, DataPin, Mdio, OpenDrain};
use ethdev_phy::phy::{LinkModes, Phy, PhyEvent, reg, scan};
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, MdioPin, Partner, PhyTimes, SimMdio};

use crate::testbed::{ADDRESS, Testbed, chip, ms};

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

/// A push-pull pin with a direction.
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

/// The slowest data of the data sheet at the fastest clock; slow pins of the host; a slow pull-up
/// with a slow clock.
#[test]
fn bit_bang_any_timing_link_up() {
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
                bring_up(&clock, &mut mdio.with_half_period(Duration::from_nanos(half_period)))
            } else {
                let mdio = BitBang::new(clock_pin, Directed(data), chip.delay());
                bring_up(&clock, &mut mdio.with_half_period(Duration::from_nanos(half_period)))
            };
            assert!(matches!(event, Some(PhyEvent::Up(_))), "{event:?}, {times:?}");
            assert_eq!(chip.violations(), [], "{times:?}, open drain {open_drain}");
        }
    }
}

#[test]
fn scan_one_phy_found_no_write() {
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
fn start_two_phys_other_unchanged() {
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
    assert_eq!(chips[0].peek(4), 0x01e1, "the other PHY is unchanged");
}

#[test]
fn hardware_reset_phy_responds() {
    let (clock, _wire, chip) = board(chip(Partner::default()).with_reset_by_host());
    // The supplies are stable for 25 ms.
    chip.delay().delay_ms(25);
    hardware_reset(&mut chip.reset_pin(), &mut chip.delay()).unwrap();
    let mut mdio = chip.mdio();
    assert_eq!(mdio.read(ADDRESS, reg::PHYID1), Ok(0x0007));
    assert!(matches!(bring_up(&clock, &mut mdio), Some(PhyEvent::Up(_))));
    assert_eq!((chip.violations(), chip.stats().hard_resets), (vec![], 1));
}

/// For some chips the 100 µs of the data sheet are too short: their link then goes down repeatedly.
#[test]
fn hardware_reset_slow_chip_link_stable() {
    let flaws = lan8720_model::Quirks::default().with_stable_reset_pulse(Duration::from_micros(1_000));
    let (clock, wire, chip) = board(chip(Partner::default()).with_reset_by_host().with_quirks(flaws));
    chip.delay().delay_ms(25);
    hardware_reset(&mut chip.reset_pin(), &mut chip.delay()).unwrap();
    bring_up(&clock, &mut chip.mdio()).unwrap();
    clock.advance(Duration::from_secs(10));
    assert!(wire.link().is_up());
    assert_eq!(chip.stats().link_downs, 0);
}

#[test]
fn on_interrupt_link_change_line_released() {
    let mut testbed = Testbed::started(
        chip(Partner::default()),
        PhyConfig::new().with_interrupt(true),
        ms(4_000),
    );
    let mut line = testbed.chip.int_pin();
    assert!(line.is_high().unwrap());
    for up in [false, true, false] {
        testbed.wire.set_link(up);
        testbed.run(ms(4_000));
        assert!(line.is_high().unwrap(), "still low after the link changed");
        assert_eq!(testbed.phy.link().is_up(), up);
    }
}

/// The pin is the 50 MHz output, so that the driver polls.
#[test]
fn poll_no_interrupt_pin_link_detected() {
    let straps = lan8720_model::PhyStraps::default().with_address(1).with_ref_clk_out();
    let mut testbed = Testbed::started(
        chip(Partner::default()).with_straps(straps),
        PhyConfig::new(),
        ms(4_000),
    );
    assert_eq!(testbed.take_events().len(), 1);
    testbed.wire.set_link(false);
    testbed.run(ms(150));
    assert_eq!(testbed.take_events(), [PhyEvent::Down]);
}
