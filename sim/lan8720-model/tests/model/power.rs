//! Resets, the clock, power-down and isolation.

use core::time::Duration;

use embedded_hal::digital::OutputPin;
use lan8720_model::{Mode, Part, PhyConfig, PhyStraps, Quirks, ViolationKind as Kind};

use crate::host::*;

fn reset(host: &mut Host, low: Duration) {
    host.phy.reset_pin().set_low().unwrap();
    host.pass(low);
    host.phy.reset_pin().set_high().unwrap();
}

#[test]
fn soft_reset_ends_after_configured_time() {
    let mut host = Host::linked(lan8720a().with_soft_reset(Some(ms(490))));
    host.set(ANAR, 0x0101);
    host.set(IMR, 0x50);
    host.set(BMCR, 0x8000);
    assert_eq!(host.get(BMCR) & 0x8000, 0x8000);
    assert!(!host.wire.link().is_up());
    host.set(ANAR, 0x0061);
    assert_eq!(host.kinds(), [Kind::WriteInReset]);
    host.pass(ms(489));
    assert_eq!(host.get(BMCR) & 0x8000, 0x8000);
    host.pass(ms(1));
    assert_eq!(host.get(BMCR), 0x3000);
    assert_eq!((host.get(ANAR), host.get(IMR), host.get(ISR)), (0x01e1, 0, 0));
    host.pass(ms(1800));
    assert!(host.is_up());
    assert_eq!(host.phy.stats().soft_resets, 1);
}

#[test]
fn soft_reset_without_time_never_ends() {
    let mut host = Host::linked(lan8720a().with_soft_reset(None));
    host.set(BMCR, 0x8000);
    host.pass(ms(60_000));
    assert_eq!(host.get(BMCR) & 0x8000, 0x8000);
    assert!(!host.is_up());
    reset(&mut host, ms(1));
    host.pass(ms(2000));
    assert!(host.is_up());
    // The end of a soft reset that nRST cut off does not come.
    let mut host = Host::linked(lan8720a().with_soft_reset(Some(ms(490))));
    host.set(BMCR, 0x8000);
    reset(&mut host, ms(1));
    host.pass(ms(1801));
    assert!(host.is_up());
}

#[test]
fn soft_reset_smr_mode_is_applied() {
    // A strap that is wrong, as with a MAC that pulls the pins down.
    let mut host = Host::new(lan8720a().with_straps(PhyStraps::default().with_mode(Mode::T10Half)));
    assert_eq!(host.get(SMR), 0x4000);
    host.set(SMR, 0x40e0);
    assert_eq!(host.get(BMCR), 0, "not yet");
    host.set(BMCR, 0x8000);
    host.pass(ms(20));
    assert_eq!((host.get(BMCR), host.get(SMR)), (0x3000, 0x40e0));
    // A hardware reset takes it from the pins.
    reset(&mut host, ms(1));
    host.pass(ms(1));
    assert_eq!((host.get(BMCR), host.get(SMR)), (0, 0x4000));
    host.set(SMR, 0x4003);
    assert_eq!(
        (host.get(BMCR), host.read(3, BMCR)),
        (0xffff, 0),
        "the address moves at once"
    );
}

#[test]
fn strap_power_down_stays_until_smr_written() {
    let mut host = Host::linked(lan8720a().with_straps(PhyStraps::default().with_mode(Mode::PowerDown)));
    assert_eq!(host.get(BMCR), 0x0800);
    assert!(!host.wire.link().is_up());
    host.set(BMCR, 0x1000);
    host.pass(ms(5000));
    assert!(!host.wire.link().is_up(), "the mode keeps it down");
    host.set(SMR, 0x40e0);
    host.set(BMCR, 0x8000);
    host.pass(ms(2000));
    assert!(host.is_up());
    host.assert_clean();
}

#[test]
fn power_down_quirk_reports_link_up() {
    let mut host = Host::linked(lan8720a());
    host.set(BMCR, 0x0800);
    assert!(!host.wire.link().is_up());
    assert_eq!(host.get(ISR) & 0x10, 0x10);
    assert_eq!(host.get(BMSR), 0x780d);
    host.set(BMCR, 0x3000);
    assert_eq!(host.get(BMSR), 0x7809);
    host.pass(ms(1900));
    assert!(host.is_up(), "it negotiates when it wakes");
    let mut host = Host::linked(lan8720a().with_quirks(Quirks::NONE));
    host.set(BMCR, 0x0800);
    assert_eq!(host.get(BMSR), 0x7809);
    host.assert_clean();
}

#[test]
fn nrst_pulse_resets_and_is_checked() {
    let mut host = Host::linked(lan8720a());
    host.set(ANAR, 0x0101);
    host.phy.reset_pin().set_low().unwrap();
    assert_eq!(host.get(2), 0xffff, "no answer");
    assert!(!host.wire.link().is_up());
    host.pass(ms(1));
    host.phy.reset_pin().set_high().unwrap();
    host.pass(Duration::from_nanos(799));
    assert_eq!(host.phy.mdio_read(0, 2), Some(0xffff));
    host.pass(Duration::from_nanos(1));
    assert_eq!(host.phy.mdio_read(0, 2), Some(7));
    assert_eq!((host.get(ANAR), host.get(ISR)), (0x01e1, 0x80));
    host.pass(ms(2000));
    assert!(host.is_up());
    host.assert_clean();
    reset(&mut host, Duration::from_nanos(99_999));
    assert_eq!(host.kinds(), [Kind::ShortReset]);
}

#[test]
fn power_up_reset_by_host_is_required() {
    let mut host = Host::new(lan8720a().with_reset_by_host());
    host.get(2);
    host.get(2);
    assert_eq!(host.kinds(), [Kind::NeverReset], "said once");
    let mut host = Host::new(lan8720a().with_reset_by_host());
    reset(&mut host, ms(24));
    assert_eq!(host.kinds(), [Kind::EarlyReset]);
    let mut host = Host::new(lan8720a().with_reset_by_host());
    reset(&mut host, ms(25));
    host.pass(ms(1));
    host.get(2);
    host.assert_clean();
    assert_eq!(host.phy.stats().hard_resets, 1);
}

#[test]
fn nrst_short_pulse_quirk_loses_link() {
    let quirks = Quirks::NONE.with_stable_reset_pulse(Duration::from_micros(150));
    for (pulse, zombie) in [(100, true), (150, false)] {
        let mut host = Host::linked(lan8720a().with_quirks(quirks));
        reset(&mut host, Duration::from_micros(pulse));
        host.pass(ms(60_000));
        assert_eq!(host.phy.stats().link_downs > 10, zombie, "{:?}", host.phy.stats());
        host.assert_clean();
    }
}

#[test]
fn ref_clk_missing_registers_do_not_answer() {
    let mut host = Host::new(lan8720a().without_ref_clk());
    assert_eq!(host.get(2), 0xffff);
    reset(&mut host, ms(30));
    assert_eq!(host.kinds(), [Kind::NoClock]);
    host.phy.set_ref_clk(true);
    assert_eq!(host.get(2), 0xffff, "it was not there when nRST rose");
    reset(&mut host, ms(1));
    host.pass(ms(2000));
    assert!(host.is_up());
    host.phy.set_ref_clk(false);
    assert_eq!(host.get(BMSR), 0xffff);
    assert!(!host.wire.link().is_up());
    host.phy.set_ref_clk(true);
    host.pass(ms(2000));
    assert!(host.is_up());
    // A PHY with a crystal does not mind.
    let mut host = Host::new(
        lan8720a()
            .with_straps(PhyStraps::default().with_ref_clk_out())
            .without_ref_clk(),
    );
    assert_eq!(host.get(2), 7);
}

#[test]
fn straps_internal_phy_address_is_used() {
    let straps = PhyStraps::default().with_mode(Mode::AllCapable).with_address(1);
    let mut host = Host::new(PhyConfig::new(Part::Lan911x).with_straps(straps));
    host.pass(ms(2000));
    assert_eq!(
        (host.read(1, BMCR), host.read(1, BMSR), host.read(1, BMSR)),
        (0x3000, 0x7829, 0x782d)
    );
    assert_eq!(host.read(1, ANER), 3);
    host.assert_clean();
}
