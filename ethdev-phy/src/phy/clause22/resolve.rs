//! The mode of a link that is up.

use crate::phy::{LinkModes, aner};
use ethdev::{Duplex, LinkMode, Speed};

/// Resolves the mode of a link after auto-negotiation or parallel detection: from the status
/// register of the PHY (`status`) if it has one, otherwise from the advertisements of both ends.
pub(super) fn resolve(
    status: Option<(Speed, Duplex)>,
    local: LinkModes,
    partner: LinkModes,
    expansion: u16,
) -> Option<LinkMode> {
    let agreed = local.resolve(partner);
    if expansion & aner::PARTNER_AUTONEG_ABLE == 0 {
        // Parallel detection yields the speed only (clause 28.2.3.1): half duplex, no PAUSE.
        let half = |mode: LinkMode| Some(LinkMode::new(mode.speed?, Duplex::Half));
        return match status {
            Some((speed, duplex)) => Some(LinkMode::new(speed, duplex)),
            None => agreed.and_then(half),
        };
    }
    match (status, agreed) {
        (None, agreed) => agreed,
        (Some((speed, Duplex::Full)), Some(agreed)) => {
            Some(LinkMode::new(speed, Duplex::Full).with_pause(agreed.pause))
        }
        (Some((speed, duplex)), _) => Some(LinkMode::new(speed, duplex)),
    }
}
