use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrive(usize),
    Wait(u64),
    Recv,
    Lend,
    Send(usize),
    Link(bool),
    Fault,
    Recover,
    Run(bool),
    Sleep(bool),
    Stall(bool),
    Discard,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (60_usize..1600).prop_map(Step::Arrive),
        6 => (0_u64..300).prop_map(Step::Wait),
        4 => Just(Step::Recv),
        4 => Just(Step::Lend),
        8 => (0_usize..1600).prop_map(Step::Send),
        1 => any::<bool>().prop_map(Step::Link),
        1 => Just(Step::Fault),
        1 => Just(Step::Recover),
        1 => any::<bool>().prop_map(Step::Run),
        1 => any::<bool>().prop_map(Step::Sleep),
        1 => any::<bool>().prop_map(Step::Stall),
        1 => Just(Step::Discard),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    /// After any steps: every frame accepted is sent or counted as lost, every frame
    /// delivered by the wire is fetched or counted.
    #[test]
    fn any_steps_counters_balance(steps in steps()) {
        let mut b = Testbed::new(RingConfig::new(OWN).with_slots(2, 3));
        let (mut accepted, mut got, mut ignored) = (0_u32, 0_u32, 0_u64);
        for step in steps {
            let listens = b.nic.started && !b.nic.asleep;
            let before = b.wire.stats(Side::B).delivered;
            match step {
                Step::Arrive(len) => { b.peer.send(&frame(OWN, len)); }
                Step::Wait(us) => b.clock.advance(Duration::from_micros(us)),
                Step::Recv => got += u32::from(matches!(b.nic.recv_frame(&mut [0; 1514]), Ok(Some(_)))),
                Step::Lend => {
                    let (mut rx, _) = b.nic.split();
                    if let Ok(Some(_)) = rx.peek() {
                        rx.release().unwrap();
                        got += 1;
                    }
                }
                Step::Send(len) => accepted += u32::from(b.kind_of_send(len).is_ok()),
                Step::Link(up) => b.wire.set_link(up),
                Step::Fault => b.nic.hardware().inject_fault(),
                Step::Recover => b.nic.recover().unwrap(),
                Step::Run(true) => { let _ = b.nic.start(); }
                Step::Run(false) => { let _ = b.nic.stop(); }
                Step::Sleep(true) => { let _ = b.nic.sleep(); }
                Step::Sleep(false) => { let _ = b.nic.wake(); }
                Step::Stall(stalled) => b.nic.hardware().stall_tx(stalled),
                Step::Discard => { let _ = b.nic.discard_frame(); }
            }
            if !listens {
                ignored += b.wire.stats(Side::B).delivered - before;
            }
        }
        b.nic.recover().unwrap();
        b.nic.stop().unwrap();
        let ends = b.wire.stats(Side::B).delivered;
        b.settle();
        ignored += b.wire.stats(Side::B).delivered - ends;
        let stats = b.nic.stats();
        prop_assert_eq!(stats.rx_frames, got);
        prop_assert_eq!(u64::from(got + stats.rx_lost()) + ignored, b.wire.stats(Side::B).delivered);
        prop_assert_eq!(stats.tx_frames + stats.tx_lost(), accepted);
        let wire = b.wire.stats(Side::A);
        prop_assert!(u64::from(stats.tx_frames) >= wire.delivered && u64::from(stats.tx_frames) <= wire.sent);
        // Afterwards it is as good as new.
        b.nic.hardware().stall_tx(false);
        b.wire.set_link(true);
        b.nic.wake().unwrap();
        b.nic.start().unwrap();
        for len in [60, 70] {
            b.arrive(&frame(OWN, len));
            prop_assert_eq!(b.recv(), Some(frame(OWN, len)));
        }
        for _ in 0..3 {
            prop_assert_eq!(b.kind_of_send(60), Ok(()));
        }
        b.settle();
        prop_assert_eq!(b.nic.stats().delta_since(&stats).tx_frames, 3);
    }
}
