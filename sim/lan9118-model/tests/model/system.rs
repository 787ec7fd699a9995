//! The chip with its own PHY.

use std::time::Duration;

use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan9118_model::{ChipConfig, Lan9118Chip, Part};

use crate::host::{ADDRESS, Host, frame};

fn with_phy() -> Host {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
    let chip = Lan9118Chip::new(&clock, port, ChipConfig::new(Part::Lan9118));
    let bus = chip.bus();
    let host = Host {
        clock,
        wire,
        peer: Peer::new(peer),
        chip,
        bus,
    };
    host.start(5);
    host
}

#[test]
fn phy_internal_answers_at_address_1() {
    let host = with_phy();
    assert_eq!((host.read_phy(1, 2), host.read_phy(1, 3)), (0x0007, 0xc0d1));
    assert_eq!(host.read_phy(2, 2), 0xffff);
    host.assert_clean();
}

#[test]
fn phy_interrupt_is_in_int_sts() {
    let host = with_phy();
    // Auto-negotiation complete, and link down.
    host.write_phy(1, 30, 0x50);
    host.write(0x5c, 1 << 18);
    assert!(!host.chip.irq_is_active());
    host.clock.advance(Duration::from_secs(4));
    assert_eq!(host.read(0x58) & 1 << 18, 1 << 18);
    assert!(host.chip.irq_is_active());
    // Writing a one does not end it, reading the PHY's sources does.
    host.write(0x58, 1 << 18);
    assert!(host.chip.irq_is_active());
    assert_ne!(host.read_phy(1, 29) & 0x40, 0);
    assert!(!host.chip.irq_is_active());
    // Latched low: the second look is the present.
    host.read_phy(1, 1);
    assert_eq!(host.read_phy(1, 1) & 4, 4);
    host.peer.send(&frame(ADDRESS, 60));
    host.pass(20);
    assert!(host.receive().is_some());
    host.wire.set_link(false);
    host.clock.advance(Duration::from_secs(1));
    assert!(host.chip.irq_is_active());
    host.assert_clean();
}
