//! A chip, its wire, and a station at the other end.

use enc28j60_model::{ChipConfig, Enc28j60Chip};
use ethdev::Speed;
use ethdev_sim::{Clock, Peer, Side, Wire, WireConfig};

/// A chip, its wire, and a station at the other end.
#[derive(Debug)]
pub struct Lab {
    /// The time.
    pub clock: Clock,
    /// 10 Mbit/s, full duplex: nothing collides unless it is told to.
    pub wire: Wire,
    /// The chip's end of it.
    pub chip_side: Side,
    /// What is at the other end.
    pub station: Peer,
    /// The chip.
    pub chip: Enc28j60Chip,
}

impl Lab {
    /// Such a chip, just powered on.
    #[must_use]
    pub fn new(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let at = WireConfig::default().with_speed(Speed::MBPS_10).with_seed(config.seed);
        let (wire, port, far) = Wire::new(&clock, at);
        let chip_side = port.side();
        let chip = Enc28j60Chip::new(&clock, port, config);
        Self {
            station: Peer::new(far),
            clock,
            wire,
            chip_side,
            chip,
        }
    }
}
