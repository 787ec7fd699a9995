//! Random actions: the port does not panic, and loses no frame count and no buffer.

use ethdev_sim::{Side, fcs};
use proptest::prelude::*;
use rmii_port_model::{Event, FalseCarrier, MidFrame, RmiiPortConfig};

use crate::harness::*;

#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    PeerSends(usize),
    StartRx(usize),
    StopRx,
    TakeRx,
    StartTx(usize, usize),
    TakeTx,
    Abort,
    Hold(bool),
    Hang,
    Enable(bool, bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..200_000_u64).prop_map(Act::Pass),
        4 => (0..1600_usize).prop_map(Act::PeerSends),
        4 => (0..1600_usize).prop_map(Act::StartRx),
        1 => Just(Act::StopRx),
        4 => Just(Act::TakeRx),
        3 => (0..1600_usize, 0..1700_usize).prop_map(|(capacity, len)| Act::StartTx(capacity, len)),
        3 => Just(Act::TakeTx),
        1 => Just(Act::Abort),
        1 => any::<bool>().prop_map(Act::Hold),
        1 => Just(Act::Hang),
        1 => any::<(bool, bool)>().prop_map(|(rx, on)| Act::Enable(rx, on)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn port_random_actions_keep_invariants(seed in 0..100_u64, rest in any::<bool>(), acts in proptest::collection::vec(act(), 1..60)) {
        let mid_frame = if rest { MidFrame::ReceivesPartial } else { MidFrame::Waits };
        let config = RmiiPortConfig::default()
            .with_seed(seed)
            .with_mid_frame(mid_frame)
            .with_false_carrier(FalseCarrier::Ignores)
            .with_stray_byte(0.2);
        let harness = Harness::new(config);
        // Buffers in the port's hands.
        let (mut rx, mut tx) = (0, 0);
        for act in acts {
            match act {
                Act::Pass(ns) => harness.clock.advance(crate::harness::ns(ns)),
                Act::PeerSends(len) => {
                    harness.peer.send_raw(&vec![0x5a; len]);
                }
                Act::StartRx(capacity) => rx += i32::from(harness.port.start_rx(vec![0; capacity]).is_ok()),
                Act::StopRx => rx -= i32::from(harness.port.stop_rx().is_some()),
                Act::TakeRx => {
                    if let Some(done) = harness.port.rx_done() {
                        rx -= 1;
                        prop_assert!(done.len <= done.buffer.len());
                    }
                }
                Act::StartTx(capacity, len) => {
                    tx += 1;
                    harness.port.start_tx(fcs::append(&vec![1; capacity]), len);
                }
                Act::TakeTx => tx -= i32::from(harness.port.tx_done().is_some()),
                Act::Abort => harness.port.abort_tx(),
                Act::Hold(hold) => harness.port.hold_tx(hold),
                Act::Hang => harness.port.hang_next_tx(),
                Act::Enable(rx, on) => harness.port.enable_event(if rx { Event::Received } else { Event::Sent }, on),
            }
            prop_assert!(harness.port.stats().tx_running() <= 1);
        }
        harness.port.hold_tx(false);
        harness.settle();
        harness.port.abort_tx();
        harness.settle();
        let stats = harness.port.stats();
        prop_assert!(stats.balanced(), "{:?}", stats);
        prop_assert_eq!(stats.arrived, harness.wire.stats(Side::B).delivered);
        prop_assert_eq!(stats.tx_running(), 0);
        rx -= i32::from(harness.port.stop_rx().is_some()) + i32::from(harness.port.rx_done().is_some());
        while harness.port.tx_done().is_some() {
            tx -= 1;
        }
        prop_assert_eq!((rx, tx), (0, 0), "buffers");
    }
}
