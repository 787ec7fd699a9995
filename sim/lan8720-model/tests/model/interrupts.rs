//! nINT, and the flags behind it (DS00002165B section 3.6).

use ethdev::{Duplex, Speed};
use ethdev_sim::block_on;
use lan8720_model::{Part, Partner, PhyConfig, PhyStraps, ViolationKind as Kind};

use crate::host::*;

const ENERGYON: u16 = 0x80;
const AN_COMPLETE: u16 = 0x40;
const REMOTE_FAULT: u16 = 0x20;
const LINK_DOWN: u16 = 0x10;
const LP_ACK: u16 = 0x08;
const PARALLEL_FAULT: u16 = 0x04;
const PAGE_RECEIVED: u16 = 0x02;

#[test]
fn isr_negotiation_raises_flags_in_order() {
    let mut host = Host::new(lan8720a());
    assert_eq!(host.get(ISR), ENERGYON);
    assert_eq!(host.get(ISR), 0, "cleared by reading");
    host.pass(ms(1500));
    assert_eq!(host.get(ISR), PAGE_RECEIVED | LP_ACK);
    host.pass(ms(300));
    assert_eq!(host.get(ISR), AN_COMPLETE);
    host.wire.set_link(false);
    assert_eq!(host.get(ISR), LINK_DOWN);
    assert_eq!(host.interrupts.get(), 0, "all masked");
    assert!(!host.is_int_low());
    host.assert_clean();
}

#[test]
fn int_pin_flags_and_mask_set_level() {
    let mut host = Host::linked(lan8720a());
    host.set(IMR, AN_COMPLETE | LINK_DOWN);
    assert!(!host.is_int_low());
    host.wire.set_link(false);
    assert!(host.is_int_low());
    assert_eq!(host.interrupts.get(), 1);
    host.set(IMR, AN_COMPLETE);
    assert!(!host.is_int_low(), "masked");
    host.set(IMR, AN_COMPLETE | LINK_DOWN);
    assert!(host.is_int_low(), "it was latched");
    host.get(ISR);
    assert!(!host.is_int_low());
    assert_eq!(host.interrupts.get(), 2);
    host.wire.set_link(true);
    host.pass(ms(3000));
    assert_eq!(host.interrupts.get(), 3, "negotiated");
    host.assert_clean();
}

#[test]
fn isr_forced_link_up_raises_no_flag() {
    let mut host = Host::new(lan8720a().with_partner(Partner::forced(Speed::MBPS_100, Duplex::Full)));
    host.set(BMCR, 0x2100);
    host.get(ISR);
    host.set(IMR, 0x7e);
    host.pass(ms(100));
    assert!(host.is_up());
    assert_eq!((host.interrupts.get(), host.get(ISR)), (0, 0));
}

#[test]
fn isr_primary_system_source_end_clears_flag() {
    // Reading BMSR takes the link's flags away, reading ANER the page's.
    let mut host = Host::linked(lan8720a());
    host.set(IMR, LINK_DOWN);
    host.wire.set_link(false);
    assert!(host.is_int_low());
    host.get(BMSR);
    assert!(!host.is_int_low());
    assert_eq!(host.get(ISR), 0);
    let mut host = Host::new(lan8720a());
    host.set(IMR, PAGE_RECEIVED);
    host.pass(ms(1600));
    assert!(host.is_int_low());
    host.get(ANER);
    assert!(!host.is_int_low());
    // The condition goes away.
    let mut host = Host::new(lan8720a());
    host.pass(ms(2000));
    host.set(IMR, AN_COMPLETE);
    assert!(host.is_int_low());
    host.wire.set_link(false);
    assert!(!host.is_int_low());
    let mut host = Host::new(lan8720a().with_partner(None));
    host.set(IMR, ENERGYON);
    assert!(host.is_int_low());
    host.pass(ms(256));
    assert!(!host.is_int_low());
}

#[test]
fn isr_partner_faults_raise_flags() {
    let mut host = Host::new(lan8720a().with_partner(Partner::default().with_remote_fault()));
    host.pass(ms(1600));
    assert_ne!(host.get(ISR) & REMOTE_FAULT, 0);
    host.pass(ms(1000));
    assert_eq!(host.get(BMSR) & 0x10, 0x10, "latched");
    assert_eq!(host.get(BMSR) & 0x10, 0);
    assert_eq!(host.get(ANLPAR), 0x61e1);
    let ambiguous = Partner::forced(Speed::MBPS_10, Duplex::Half).ambiguous();
    let mut host = Host::new(lan8720a().with_partner(ambiguous));
    host.pass(ms(2300));
    assert_ne!(host.get(ISR) & PARALLEL_FAULT, 0);
    assert_eq!(host.get(ANER), 0x10);
    assert_eq!(host.get(ANER), 0);
    assert!(!host.is_up());
}

#[test]
fn isr_alternate_system_keeps_flags_until_written() {
    let mut host = Host::linked(lan8720a());
    host.set(MCSR, 0x0040);
    host.set(IMR, LINK_DOWN);
    host.wire.set_link(false);
    assert_eq!(host.get(ISR) & LINK_DOWN, LINK_DOWN);
    assert_eq!(host.get(ISR) & LINK_DOWN, LINK_DOWN, "reading does not clear it");
    host.get(BMSR);
    host.set(ISR, LINK_DOWN);
    assert!(host.is_int_low(), "the link is still down");
    host.wire.set_link(true);
    host.pass(ms(3000));
    assert!(host.is_int_low(), "that alone does not end it");
    host.set(ISR, LINK_DOWN);
    assert!(!host.is_int_low());
    host.assert_clean();
}

#[test]
fn int_pin_ref_clk_out_stays_high() {
    let mut host = Host::linked(lan8720a().with_straps(PhyStraps::default().with_ref_clk_out()));
    host.set(IMR, 0xfe);
    host.wire.set_link(false);
    assert!(!host.is_int_low());
    assert_eq!((host.interrupts.get(), host.get(ISR) & LINK_DOWN), (0, LINK_DOWN));
    let mut host = Host::linked(PhyConfig::new(Part::OtherVendor).with_allowed_violation(Kind::UnknownRegister));
    host.set(IMR, 0xfe);
    host.wire.set_link(false);
    assert!(!host.is_int_low() && host.get(ISR) == 0);
}

#[test]
fn int_pin_wait_wakes_task() {
    use embedded_hal_async::digital::Wait;
    let mut host = Host::linked(lan8720a());
    host.set(IMR, LINK_DOWN | AN_COMPLETE);
    let unplugged = host.clock.now() + ms(7);
    host.clock.schedule_at(unplugged, {
        let wire = host.wire.clone();
        move || wire.set_link(false)
    });
    let mut pin = host.phy.int_pin();
    block_on(&host.clock, pin.wait_for_falling_edge()).unwrap().unwrap();
    assert_eq!(host.clock.now(), unplugged);
    block_on(&host.clock, pin.wait_for_low()).unwrap().unwrap();
    host.get(ISR);
    block_on(&host.clock, pin.wait_for_high()).unwrap().unwrap();
}
