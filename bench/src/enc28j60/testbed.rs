//! A chip, its wire, and a peer at the other end.

use core::time::Duration;

use enc28j60_model::{ChipConfig, Enc28j60Chip, Errata, Revision};
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

/// Returns the configuration of a chip on which all drivers work, with SPI at `mhz`.
#[must_use]
pub fn config_for_all(mhz: u32) -> ChipConfig {
    let mut errata = Errata::of(Revision::B7);
    (
        errata.e6_packet_flag,
        errata.e13_false_late_collision,
        errata.e16_duplex_strap,
    ) = (false, false, false);
    ChipConfig::new(Revision::B7)
        .with_errata(errata)
        .with_sck_hz(mhz * 1_000_000)
        .with_cs_hold(Duration::from_nanos(250))
}
