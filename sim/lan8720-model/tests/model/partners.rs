//! Links with every partner.

use ethdev::{Duplex, Speed};
use ethdev_phy::phy::LinkModes;
use lan8720_model::{Partner, Setting};

use crate::host::*;

#[test]
fn negotiation_every_partner_and_advertisement_resolves() {
    for partner in Partner::all() {
        let Setting::Negotiating(theirs) = partner.setting else {
            continue;
        };
        for modes in 4..64_u16 {
            // With each PAUSE; without modes there would be nothing to negotiate.
            let (modes, pause) = (modes >> 2, modes & 3);
            let ours = modes << 5 | pause << 10 | 1;
            let mut host = Host::new(lan8720a().with_partner(partner));
            host.set(ANAR, ours);
            host.set(BMCR, 0x1200);
            host.pass(ms(2000));
            let expected = LinkModes::from_register(ours).resolve(theirs);
            assert_eq!(host.wire.link().mode(), expected, "{ours:#06x} with {theirs:?}");
            assert_eq!(host.is_up(), expected.is_some());
            let complete = host.get(BMSR) & 0x20 != 0;
            assert_eq!(complete, expected.is_some());
            assert_eq!(host.get(ANLPAR), theirs.to_register() | 0x4000);
            assert_eq!(host.get(ANER) & 3, 3, "page received, partner able");
            assert_eq!(host.get(ANER) & 3, 1, "cleared by reading");
            let speed = match expected.map(|mode| (mode.speed.unwrap(), mode.duplex.unwrap())) {
                None => 0x0040,
                Some((Speed::MBPS_10, Duplex::Half)) => 0x1044,
                Some((Speed::MBPS_10, Duplex::Full)) => 0x1054,
                Some((_, Duplex::Half)) => 0x1048,
                Some((_, Duplex::Full)) => 0x1058,
            };
            assert_eq!(host.get(PSCSR), speed);
            host.assert_clean();
        }
    }
}

#[test]
fn parallel_detection_forced_partner_is_detected() {
    for (speed, page, indication) in [(Speed::MBPS_10, 0x0021, 0x1044), (Speed::MBPS_100, 0x0081, 0x1048)] {
        for duplex in [Duplex::Half, Duplex::Full] {
            let mut host = Host::linked(lan8720a().with_partner(Partner::forced(speed, duplex)));
            let mode = host.wire.link().mode().unwrap();
            assert_eq!((mode.speed, mode.duplex), (Some(speed), Some(Duplex::Half)));
            assert_eq!(host.get(BMSR), 0x782d);
            assert_eq!(host.get(ANLPAR), page);
            assert_eq!(host.get(ANER), 0, "the partner is not able to negotiate");
            assert_eq!(host.get(PSCSR), indication);
        }
    }
}
