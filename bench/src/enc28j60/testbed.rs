//! A chip, its wire, and a peer at the other end.

use enc28j60_model::{ChipConfig, Enc28j60Chip};
use ethdev::Speed;
use ethdev_sim::{Clock, Peer, Side, Wire, WireConfig};

/// A chip, its wire, and a peer at the other end.
#[derive(Debug)]
pub struct Testbed {
    /// The virtual clock.
    pub clock: Clock,
    /// The 10 Mbit/s wire. It is full duplex: collisions occur only if they are injected.
    pub wire: Wire,
    /// The end of the chip.
    pub chip_side: Side,
    /// The peer at the other end.
    pub peer: Peer,
    /// The chip.
    pub chip: Enc28j60Chip,
}

impl Testbed {
    /// Creates a testbed with a chip that was just powered on.
    #[must_use]
    pub fn new(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let wire_config = WireConfig::default().with_speed(Speed::MBPS_10).with_seed(config.seed);
        let (wire, port, far) = Wire::new(&clock, wire_config);
        let chip_side = port.side();
        let chip = Enc28j60Chip::new(&clock, port, config);
        Self {
            peer: Peer::new(far),
            clock,
            wire,
            chip_side,
            chip,
        }
    }
}
