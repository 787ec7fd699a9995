//! How long a link takes, how it is lost, and who notices.

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_phy::phy::LinkModes;
use lan8720_model::{Mode, Partner, PhyStraps, PhyTimes, Quirks};

use crate::host::*;

#[test]
fn negotiation_link_comes_up_after_configured_times() {
    let mut host = Host::new(lan8720a());
    host.pass(ms(1800) - core::time::Duration::from_nanos(1001));
    assert!(!host.wire.link().is_up());
    host.pass(core::time::Duration::from_nanos(1));
    assert!(host.wire.link().is_up());
    let mut host = Host::new(lan8720a().with_negotiation(ms(0), ms(5)));
    host.pass(ms(5));
    assert!(host.wire.link().is_up());
    let mut host = Host::new(lan8720a().with_partner(Partner::default().with_delay(ms(10_000))));
    host.pass(ms(11_799));
    assert!(!host.is_up());
    host.pass(ms(2));
    assert!(host.is_up());
}

#[test]
fn bmsr_link_bit_latches_low() {
    let mut host = Host::new(lan8720a());
    host.pass(ms(2000));
    assert_eq!(host.get(BMSR), 0x7829, "as it was");
    assert_eq!(host.get(BMSR), 0x782d, "as it is");
    // A drop between two polls.
    host.wire.set_link(false);
    host.pass(ms(1));
    host.wire.set_link(true);
    host.pass(ms(2000));
    assert_eq!(host.get(BMSR) & 4, 0);
    assert_eq!(host.get(BMSR) & 4, 4);
    assert_eq!(host.get(BMSR) & 4, 4);
    assert_eq!((host.phy.stats().link_ups, host.phy.stats().link_downs), (2, 1));
    host.assert_clean();
}

#[test]
fn anar_changed_applies_after_restart() {
    let mut host = Host::linked(lan8720a());
    host.set(ANAR, 0x0061);
    host.pass(ms(5000));
    assert_eq!(host.wire.link().mode().unwrap().speed, Some(Speed::MBPS_100));
    host.set(BMCR, 0x3200);
    assert_eq!(host.get(BMCR), 0x3000, "it clears itself");
    assert!(!host.wire.link().is_up());
    host.pass(ms(1900));
    assert_eq!(host.wire.link().mode().unwrap().speed, Some(Speed::MBPS_10));
    assert_eq!(host.phy.stats().negotiations, 2);
    host.assert_clean();
}

#[test]
fn anlpar_after_link_loss_keeps_last_page() {
    let mut host = Host::linked(lan8720a());
    assert_eq!(host.get(ANLPAR), 0x41e1);
    host.phy.set_partner(Partner::negotiating(LinkModes::T10_HALF));
    assert_eq!(
        host.get(ANLPAR),
        0x01e1,
        "what the former partner said, no longer acknowledged"
    );
    assert_eq!(host.get(PSCSR), 0x0040);
    host.pass(ms(2000));
    assert_eq!(host.get(ANLPAR), 0x4021);
}

#[test]
fn set_partner_while_up_loses_link() {
    let mut host = Host::linked(lan8720a());
    host.phy.set_partner(Partner::forced(Speed::MBPS_10, Duplex::Full));
    assert!(!host.wire.link().is_up());
    host.pass(ms(2300));
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    assert_eq!(host.wire.link(), Link::Up(mode));
    assert_eq!(host.get(ANER) & 1, 0, "this one does not negotiate");
    host.phy.set_partner(None);
    assert!(!host.is_up());
    host.pass(ms(60_000));
    assert!(!host.is_up());
    host.phy.set_partner(Partner::default());
    host.pass(ms(600));
    assert!(host.is_up(), "it was listening: no break before the exchange");
    host.assert_clean();
}

#[test]
fn link_10_short_signal_loss_is_ignored() {
    for (drop, noticed) in [(99, false), (101, true)] {
        let mut host = Host::linked(lan8720a().with_partner(Partner::negotiating(LinkModes::T10_FULL)));
        host.wire.set_link(false);
        assert!(!host.peer.link().is_up(), "frames do not cross a cable that is out");
        host.pass(ms(drop));
        host.wire.set_link(true);
        host.pass(ms(50));
        assert_eq!(host.get(BMSR) & 4 == 0, noticed, "{drop} ms");
        assert_eq!(host.peer.link().is_up(), !noticed);
    }
    // Two of them are not one long one.
    let mut host = Host::linked(lan8720a().with_partner(Partner::negotiating(LinkModes::T10_FULL)));
    for _ in 0..2 {
        host.wire.set_link(false);
        host.pass(ms(60));
        host.wire.set_link(true);
        host.pass(ms(10));
    }
    assert_eq!(host.get(BMSR) & 4, 4);
}

#[test]
fn negotiation_interrupted_restarts() {
    let mut host = Host::new(lan8720a());
    host.pass(ms(1700));
    host.wire.set_link(false);
    host.wire.set_link(true);
    host.pass(ms(599));
    assert!(!host.is_up());
    host.pass(ms(2));
    assert!(host.is_up());
}

#[test]
fn forced_mode_matching_partner_links() {
    for (control, speed, duplex) in [
        (0x0000, Speed::MBPS_10, Duplex::Half),
        (0x0100, Speed::MBPS_10, Duplex::Full),
        (0x2000, Speed::MBPS_100, Duplex::Half),
        (0x2100, Speed::MBPS_100, Duplex::Full),
    ] {
        for partner in Partner::all() {
            let mut host = Host::new(lan8720a().with_partner(partner));
            host.set(BMCR, control);
            host.pass(ms(50));
            let able = match partner.setting {
                lan8720_model::Setting::Forced(theirs, _) => theirs == speed,
                lan8720_model::Setting::Negotiating(theirs) => {
                    let bits = if speed == Speed::MBPS_100 { 0x0180 } else { 0x0060 };
                    theirs.to_register() & bits != 0
                }
            };
            let expected = if able {
                Link::Up(LinkMode::new(speed, duplex))
            } else {
                Link::Down
            };
            assert_eq!(host.wire.link(), expected, "{control:#06x} with {partner:?}");
            assert_eq!(host.is_up(), able);
            assert_eq!(host.get(BMSR) & 0x20, 0, "nothing was negotiated");
            assert_eq!(host.get(PSCSR) & 0x1000, 0);
            host.assert_clean();
        }
    }
}

#[test]
fn straps_mode_sets_bmcr_and_anar() {
    for (mode, control, abilities) in [
        (Mode::T10Half, 0x0000, 0x01e1),
        (Mode::T10Full, 0x0100, 0x01e1),
        (Mode::Tx100Half, 0x2000, 0x01e1),
        (Mode::Tx100Full, 0x2100, 0x01e1),
        (Mode::AdvertiseTx100Half, 0x3000, 0x0081),
        (Mode::Repeater, 0x3000, 0x0081),
        (Mode::AllCapable, 0x3000, 0x01e1),
    ] {
        let straps = PhyStraps::default().with_mode(mode).with_address(1);
        let mut host = Host::new(lan8720a().with_straps(straps));
        assert_eq!(host.read(1, BMCR), control, "{mode:?}");
        assert_eq!(host.read(1, ANAR), abilities, "{mode:?}");
        assert_eq!(host.read(1, SMR), 0x4001 | (mode as u16) << 5);
        host.pass(ms(2000));
        assert!(host.wire.link().is_up(), "{mode:?}");
    }
}

#[test]
fn mdix_crossed_pairs_need_one_auto_end() {
    let crossed = Partner::default().without_auto_mdix(true);
    let mut host = Host::new(lan8720a().with_partner(crossed));
    host.pass(ms(2000));
    assert!(host.is_up(), "this end crosses by itself");
    host.set(SCSIR, 0x8000);
    assert!(!host.is_up());
    host.set(SCSIR, 0xa000);
    host.pass(ms(2000));
    assert!(host.is_up());
    host.phy.set_partner(Partner::default().without_auto_mdix(false));
    host.pass(ms(5000));
    assert!(!host.is_up());
    // A soft reset leaves the pairs alone.
    host.set(BMCR, 0x8000);
    host.pass(ms(20));
    assert_eq!(host.get(SCSIR), 0xa000);
    host.assert_clean();
}

#[test]
fn xpol_reversed_pair_shows_at_10() {
    let reversed = |abilities| Partner::negotiating(abilities).reversed();
    let mut host = Host::linked(lan8720a().with_partner(reversed(LinkModes::T10_FULL)));
    assert_eq!(host.get(SCSIR), 0x0010);
    let mut host = Host::linked(lan8720a().with_partner(reversed(LinkModes::ALL_MODES)));
    assert_eq!(host.get(SCSIR), 0);
}

#[test]
fn quirk_forced_10_link_sticks_when_unplugged() {
    let sticky = Quirks::NONE.with_forced_10_link_sticking();
    let straps = PhyStraps::default().with_mode(Mode::T10Full);
    for (quirks, stays) in [(Quirks::NONE, false), (sticky, true)] {
        let mut host = Host::linked(lan8720a().with_straps(straps).with_quirks(quirks));
        host.wire.set_link(false);
        host.pass(ms(60_000));
        assert_eq!(host.is_up(), stays);
    }
}

#[test]
fn quirk_anar_after_reset_limits_advertisement() {
    let mut host = Host::new(lan8720a().with_quirks(Quirks::NONE.with_anar_after_reset(0x0061)));
    host.set(BMCR, 0x8000);
    host.pass(ms(2000));
    assert_eq!(host.wire.link().mode().unwrap().speed, Some(Speed::MBPS_10));
    host.set(ANAR, 0x01e1);
    host.set(BMCR, 0x3200);
    host.pass(ms(2000));
    assert_eq!(host.wire.link().mode().unwrap().speed, Some(Speed::MBPS_100));
}

#[test]
fn set_times_during_negotiation_applies_to_next_step() {
    let mut host = Host::linked(lan8720a());
    let times = PhyTimes::default().with_exchange(ms(60_000), ms(60_000));
    host.phy.set_times(times);
    host.set(BMCR, 0x1200);
    host.pass(ms(30_000));
    assert!(!host.is_up());
    host.pass(ms(32_000));
    assert!(host.is_up());
}
