//! Random actions: the model does not panic, loses no frame count, and its pins follow its
//! registers.

use core::time::Duration;

use embedded_hal::digital::{InputPin, OutputPin};
use ethdev::{Duplex, Speed};
use ethdev_sim::{MediaSide, Side, fcs};
use lan8720_model::{MdioLine, Part, Partner, PhyConfig, PhyStraps, Quirks};
use proptest::prelude::*;

use crate::host::*;

#[derive(Debug, Clone)]
enum Act {
    Read(u8),
    Write(u8, u16),
    Pass(u32),
    Cable(bool),
    Partner(Option<usize>),
    Reset(bool),
    Clock(bool),
    Line(MdioLine),
    Transmit(usize),
    PeerSends(usize),
    Mac(bool, bool),
    FalseCarrier,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..32_u8).prop_map(Act::Read),
        4 => (0..32_u8, any::<u16>()).prop_map(|(register, value)| Act::Write(register, value)),
        4 => (0..3_000_000_u32).prop_map(Act::Pass),
        1 => any::<bool>().prop_map(Act::Cable),
        1 => proptest::option::of(0..64_usize).prop_map(Act::Partner),
        1 => any::<bool>().prop_map(Act::Reset),
        1 => any::<bool>().prop_map(Act::Clock),
        1 => prop_oneof![Just(MdioLine::Connected), Just(MdioLine::StuckHigh), Just(MdioLine::StuckLow)].prop_map(Act::Line),
        3 => (0..1600_usize).prop_map(Act::Transmit),
        3 => (0..1600_usize).prop_map(Act::PeerSends),
        1 => any::<(bool, bool)>().prop_map(|(fast, full)| Act::Mac(fast, full)),
        1 => Just(Act::FalseCarrier),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn model_random_actions_keep_invariants(part in 0..7_usize, address in 0..2_u8, flaky in any::<bool>(), acts in proptest::collection::vec(act(), 1..60)) {
        let quirks = if flaky { Quirks::default().with_missed_wake(0.5).with_symbol_errors(0.3) } else { Quirks::NONE };
        let config = PhyConfig::new(Part::ALL[part])
            .with_straps(PhyStraps::default().with_address(address))
            .with_quirks(quirks);
        let mut host = Host::new(config);
        let rmii = host.phy.rmii();
        rmii.on_receive(Box::new(|_| {}));
        for act in acts {
            match act {
                Act::Read(register) => {
                    let peeked = host.phy.peek(register);
                    let read = host.phy.mdio_read(address, register);
                    // Other values: moved by SMR, in reset, without clock, or with a stuck line.
                    prop_assert!(read == Some(peeked) || matches!(read, Some(0 | 0xffff)));
                }
                Act::Write(register, value) => {
                    host.phy.mdio_write(address, register, value);
                }
                Act::Pass(us) => host.pass(Duration::from_micros(us.into())),
                Act::Cable(plugged) => host.wire.set_link(plugged),
                Act::Partner(n) => host.phy.set_partner(n.and_then(|n| Partner::all().nth(n))),
                Act::Reset(low) if low => host.phy.reset_pin().set_low().unwrap(),
                Act::Reset(_) => host.phy.reset_pin().set_high().unwrap(),
                Act::Clock(on) => host.phy.set_ref_clk(on),
                Act::Line(line) => host.phy.set_mdio_line(line),
                Act::Transmit(len) => {
                    rmii.transmit(fcs::append(&vec![0xa5; len]));
                }
                Act::PeerSends(len) => {
                    host.peer.send_raw(&vec![0x5a; len]);
                }
                Act::Mac(fast, full) => {
                    let speed = if fast { Speed::MBPS_100 } else { Speed::MBPS_10 };
                    rmii.set_mac_mode(speed, if full { Duplex::Full } else { Duplex::Half });
                }
                Act::FalseCarrier => host.phy.false_carrier(Duration::from_micros(1)),
            }
            prop_assert!(host.phy.stats().balanced(), "{:?}", host.phy.stats());
            // Nothing crosses a wire that the PHY has no link on.
            prop_assert!(rmii.link().is_up() || !host.wire.link().is_up());
            let low = host.phy.int_pin().is_low().unwrap();
            let flags = host.phy.peek(ISR) & host.phy.peek(IMR) & 0x1fe;
            prop_assert!(!low || flags != 0, "nINT is low without a reason");
        }
        host.pass(Duration::from_secs(20));
        let stats = host.phy.stats();
        prop_assert!(stats.link_ups - stats.link_downs <= 1);
        for side in [Side::A, Side::B] {
            let stats = host.wire.stats(side);
            prop_assert!(stats.balanced() && stats.in_flight == 0, "{:?}", stats);
        }
        prop_assert_eq!(host.wire.stats(Side::B).delivered, stats.rx_frames);
        prop_assert_eq!(host.wire.stats(Side::A).sent, stats.tx_sent + stats.far_looped);
    }

    /// Any edges on the pins, at any time.
    #[test]
    fn model_random_pin_edges_do_not_panic(edges in proptest::collection::vec((0..6_u8, 0..700_u64), 1..400)) {
        let host = Host::new(lan8720a());
        let (mut mdc, mut mdio) = host.phy.mdio_pins_push_pull();
        for (edge, ns) in edges {
            match edge {
                0 | 1 => mdc.set_high().unwrap(),
                2 => mdc.set_low().unwrap(),
                3 => mdio.set_high().unwrap(),
                4 => mdio.set_low().unwrap(),
                _ => {
                    mdio.set_as_output();
                    mdio.set_as_input();
                }
            }
            host.clock.advance(Duration::from_nanos(ns));
            let _ = mdio.is_high();
        }
        prop_assert!(host.phy.stats().balanced());
    }
}
