//! What mode a link is in.

use crate::phy::{LinkModes, aner};
use ethdev::{Duplex, LinkMode, Speed};

/// The mode of a link that auto-negotiation or parallel detection brought up: by the PHY's own word where it has one, or else by what both ends advertise.
pub(super) fn resolve(
    own: Option<(Speed, Duplex)>,
    here: LinkModes,
    partner: LinkModes,
    expansion: u16,
) -> Option<LinkMode> {
    let agreed = here.resolve(partner);
    if expansion & aner::PARTNER_AUTONEG_ABLE == 0 {
        // Parallel detection sees the speed alone (clause 28.2.3.1): nobody agreed on full duplex, or on PAUSE.
        let half = |mode: LinkMode| Some(LinkMode::new(mode.speed?, Duplex::Half));
        return match own {
            Some((speed, duplex)) => Some(LinkMode::new(speed, duplex)),
            None => agreed.and_then(half),
        };
    }
    match (own, agreed) {
        (None, agreed) => agreed,
        (Some((speed, Duplex::Full)), Some(agreed)) => {
            Some(LinkMode::new(speed, Duplex::Full).with_pause(agreed.pause))
        }
        (Some((speed, duplex)), _) => Some(LinkMode::new(speed, duplex)),
    }
}
