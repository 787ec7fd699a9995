//! Headers, credits, sequence numbers, the way of data.

use std::time::Duration;

use cyw43439_model::{ChipConfig, ViolationKind};

use crate::host::{Lab, MAC, command, ethernet, ms};

#[test]
fn the_first_request_brings_two_frames_of_garbage() {
    let mut lab = Lab::running(ChipConfig::default());
    lab.send_request(true, 2, &[]);
    lab.clock.advance(ms(5));
    for sequence in 0..2 {
        let junk = lab.recv().expect("it is there");
        assert_eq!((junk.bytes.len(), junk.sequence, junk.channel), (256, sequence, 1));
        assert_eq!((junk.bytes[7], junk.credit), (12, 0));
    }
    let reply = lab.recv().expect("it is there");
    assert_eq!((reply.sequence, reply.channel), (2, 0));
    assert_eq!(reply.credit, 1 + ChipConfig::default().credit_window);
    assert_eq!(lab.recv(), None);
    lab.ioctl(true, 2, &[]).unwrap();
    assert!(lab.others.is_empty(), "never again");
    lab.clean();
}

/// Requests of real hosts, byte for byte.
#[test]
fn requests_as_hosts_send_them() {
    let mut lab = Lab::running(ChipConfig::default());
    let vectors: [&[u8]; 3] = [
        &[
            0x1c, 0x00, 0xe3, 0xff, 0, 0, 0, 0x0c, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0,
        ],
        b"\x2b\x00\xd4\xff\x01\x00\x00\x0c\x00\x00\x00\x00\x06\x01\x00\x00\x0f\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00clmload_status\0",
        b"\x2b\x00\xd4\xff\x02\x00\x00\x0c\x00\x00\x00\x00\x07\x01\x00\x00\x0f\x00\x00\x00\x02\x00\x03\x00\x00\x00\x00\x00bus:txglom\0\0\0\0\0",
    ];
    for (n, vector) in vectors.iter().enumerate() {
        lab.send_raw(vector);
        lab.clock.advance(ms(1));
        let reply = lab.drain().expect("each is answered");
        // Number, length, flags and id come back, and all is well.
        assert_eq!(reply[..12], vector[12..24], "vector {n}");
        assert_eq!(reply[12..16], [0; 4], "vector {n}");
        assert_eq!(reply.len(), vector.len() - 12, "vector {n}");
    }
    lab.clean();
}

#[test]
fn a_get_overwrites_the_start_of_its_name() {
    let mut lab = Lab::up(ChipConfig::default());
    let reply = lab.ioctl(false, 262, b"clmload_status\0").unwrap();
    assert_eq!(reply, b"\0\0\0\0oad_status\0");
}

#[test]
fn data_pass_both_ways() {
    let mut lab = Lab::joined(ChipConfig::default());
    for len in [14, 60, 61, 235, 236, 237, 1000, 1513, 1514] {
        let there = ethernet(MAC, len.max(60), 1);
        lab.peer.send(&there);
        lab.pass(ms(3));
        assert_eq!(lab.data.pop_front(), Some(there));
        let back = ethernet([2, 0, 0, 0, 0, 7], len, 2);
        lab.send_data(&back);
        lab.pass(ms(3));
        let mut padded = back.clone();
        padded.resize(len.max(60), 0);
        assert_eq!(lab.peer.recv(), Some(padded));
    }
    let stats = lab.chip.stats();
    assert_eq!((stats.arrived, stats.delivered), (9, 9));
    assert_eq!((stats.tx_accepted, stats.transmitted), (9, 9));
    lab.clean();
}

/// Without the two bytes before the second header the firmware appends two bytes, which makes the longest frames too long.
#[test]
fn data_without_padding_grow() {
    let mut lab = Lab::joined(ChipConfig::default());
    for (len, arrives) in [(100, true), (1514, false)] {
        let mut body = vec![0x20, 0, 0, 0];
        body.extend(ethernet([2, 0, 0, 0, 0, 7], len, 0));
        let frame = lab.frame(2, 12, &body);
        lab.send_raw(&frame);
        lab.pass(ms(3));
        let arrived = lab.peer.recv();
        assert_eq!(arrived.map(|frame| frame.len()), arrives.then_some(len + 2));
    }
    assert_eq!(lab.chip.stats().tx_bad_length, 1);
    assert!(lab.kinds().contains(&ViolationKind::BadDataHeader));
    assert!(lab.kinds().contains(&ViolationKind::BadFrameLength));
}

#[test]
fn the_status_after_a_read_announces_the_next_frame() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.peer.send(&ethernet(MAC, 60, 1));
    lab.peer.send(&ethernet(MAC, 500, 2));
    lab.clock.advance(ms(5));
    assert_eq!(lab.status() >> 9 & 0x7ff, 258);
    let mut words = [0; 65];
    let status = lab
        .bus
        .cmd_read_blocking(command(false, 2, 0, 258), &mut words)
        .unwrap();
    assert_eq!(status & 0x128, 0x128);
    assert_eq!(status >> 9 & 0x7ff, 522);
    lab.drain();
    assert_eq!(lab.status(), 0x20 | u32::from(lab.read(0, 0x04, 1) as u8 & 1));
    lab.clean();
}

#[test]
fn credit_runs_out_and_comes_back() {
    let config = ChipConfig::default().with_credit_window(4).with_tx_time(ms(2));
    let mut lab = Lab::joined(config);
    lab.pass(ms(20));
    for n in 0..4 {
        lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
    }
    lab.clean();
    lab.clock.advance(ms(1));
    assert_eq!(lab.recv(), None, "nothing was worked off yet");
    lab.clock.advance(ms(2));
    let update = lab.recv().expect("the first one was");
    assert_eq!(
        (update.bytes.len(), update.channel, update.credit),
        (12, 2, lab.sequence.wrapping_sub(4) + 5)
    );
    lab.clock.advance(ms(20));
    let update = core::iter::from_fn(|| lab.recv()).last().expect("more of them were");
    let left = update.credit.wrapping_sub(lab.sequence);
    assert!(
        (2..=4).contains(&left),
        "{left}: it tells until there is more than a quarter of the window"
    );
    lab.clean();
}

#[test]
fn frames_without_credit_are_dropped() {
    let config = ChipConfig::default().with_credit_window(4).with_tx_time(ms(2));
    let mut lab = Lab::joined(config);
    lab.pass(ms(20));
    for n in 0..6 {
        lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
    }
    assert_eq!(lab.kinds(), [ViolationKind::NoCredit].into());
    assert_eq!(lab.chip.stats().tx_no_credit, 2);
    assert_eq!(lab.status() & 4, 4, "overflow");
    lab.pass(ms(20));
    assert_eq!(lab.chip.stats().transmitted, 4);
}

/// Before the first reply there is credit for one frame.
#[test]
fn the_first_credit_is_one() {
    let mut lab = Lab::running(ChipConfig::default());
    lab.send_request(true, 2, &[]);
    lab.clean();
    lab.send_request(true, 2, &[]);
    assert!(lab.kinds().contains(&ViolationKind::NoCredit));
}

/// Whatever else comes brings the credit too.
#[test]
fn credit_comes_alone_only_where_it_must() {
    let mut lab = Lab::joined(ChipConfig::default().with_credit_window(4));
    lab.pass(ms(5));
    lab.others.clear();
    for n in 0..20 {
        for _ in 0..3 {
            lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        }
        lab.peer.send(&ethernet(MAC, 14, n));
        lab.clock.advance(ms(5));
        lab.drain();
    }
    assert!(
        lab.others.len() <= 20,
        "{}: one for three frames at most",
        lab.others.len()
    );
    let alone = lab.others.len();
    // Once a frame waits, it will bring the news.
    for n in 0..20 {
        lab.peer.send(&ethernet(MAC, 60, n));
        lab.clock.advance(ms(5));
        for _ in 0..3 {
            lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        }
        lab.clock.advance(ms(5));
        assert!(lab.recv().is_some_and(|frame| frame.bytes.len() > 12));
        assert!(
            lab.recv().is_none_or(|frame| frame.bytes.len() == 12),
            "after it was read, if at all"
        );
        lab.drain();
    }
    assert!(lab.others.len() - alone <= 20);
    lab.clean();
}

/// The counts of frames go round at 256, and so does the credit.
#[test]
fn sequence_numbers_go_round() {
    let mut lab = Lab::joined(ChipConfig::default());
    for n in 0..600_u32 {
        lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n as u8));
        lab.pass(ms(1));
    }
    assert_eq!(lab.chip.stats().transmitted, 600);
    lab.clean();
}

#[test]
fn the_queue_for_the_host_is_finite() {
    let mut lab = Lab::joined(ChipConfig::default().with_rx_queue(5));
    for n in 0..8 {
        lab.peer.send(&ethernet(MAC, 60, n));
    }
    lab.clock.advance(ms(10));
    lab.drain();
    let arrived: Vec<Vec<u8>> = lab.data.drain(..).collect();
    let expected: Vec<Vec<u8>> = (0..5).map(|n| ethernet(MAC, 60, n)).collect();
    assert_eq!(arrived, expected);
    let stats = lab.chip.stats();
    assert_eq!((stats.delivered, stats.overflowed, stats.waiting()), (5, 3, 0));
    lab.clean();
}

#[test]
fn who_does_not_want_a_frame_drops_it() {
    let mut lab = Lab::joined(ChipConfig::default());
    for n in 0..2 {
        lab.peer.send(&ethernet(MAC, 60, n));
    }
    lab.clock.advance(ms(5));
    lab.write(1, 0x1_000d, 1, 1);
    lab.drain();
    assert_eq!(lab.data, [ethernet(MAC, 60, 1)]);
    assert_eq!(lab.chip.stats().aborted, 1);
    lab.clean();
}

#[test]
fn a_read_that_is_broken_off_loses_the_frame() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(5));
    let clock = lab.clock.clone();
    let mut words = [0; 65];
    let half = Duration::from_micros(20);
    let stalled = ethdev_sim::block_on_until(
        &clock,
        clock.now() + half,
        lab.bus.cmd_read(command(false, 2, 0, 258), &mut words),
    );
    assert!(stalled.is_err(), "65 words take longer");
    assert_eq!(lab.recv(), None);
    assert_eq!(lab.chip.stats().aborted, 1);
}

#[test]
fn frames_are_filtered() {
    const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0, 0, 1];
    let mut lab = Lab::joined(ChipConfig::default());
    let all = [MAC, [0xff; 6], GROUP, [2, 0, 0, 0, 0, 9]];
    let arrive = |lab: &mut Lab| {
        for to in all {
            lab.peer.send(&ethernet(to, 60, 0));
        }
        lab.pass(ms(5));
        lab.data.drain(..).map(|frame| frame[..6].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(arrive(&mut lab), [&MAC[..], &[0xff; 6]]);
    let mut list = 1_u32.to_le_bytes().to_vec();
    list.extend(GROUP);
    lab.set("mcast_list", &list).unwrap();
    assert_eq!(lab.chip.multicast_list(), [GROUP]);
    assert_eq!(lab.get("mcast_list", 64).unwrap()[..10], list);
    assert_eq!(arrive(&mut lab), [&MAC[..], &[0xff; 6], &GROUP]);
    lab.set("mcast_list", &[0; 4]).unwrap();
    lab.set_u32("allmulti", 1).unwrap();
    assert_eq!(arrive(&mut lab), [&MAC[..], &[0xff; 6], &GROUP]);
    let stats = lab.chip.stats();
    assert_eq!((stats.filtered_multicast, stats.filtered_unicast), (1, 3));
    assert_eq!(stats.arrived, 12);
    lab.clean();
}

#[test]
fn access_points_pass_no_broken_frames() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.peer.send_raw(&[0x55; 64]);
    lab.peer.send_raw(&ethdev_sim::fcs::append(&ethernet(MAC, 14, 0)[..13]));
    lab.peer.send_raw(&ethdev_sim::fcs::append(&ethernet(MAC, 1515, 0)));
    lab.pass(ms(5));
    assert_eq!(lab.chip.stats().bad, 3);
    assert!(lab.data.is_empty());
    lab.clean();
}

#[test]
fn without_a_network_nothing_passes() {
    let mut lab = Lab::up(ChipConfig::default());
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    lab.pass(ms(5));
    assert_eq!(lab.peer.recv(), None);
    let stats = lab.chip.stats();
    assert_eq!((stats.not_joined, stats.tx_not_joined), (1, 1));
    lab.clean();
}

#[test]
fn frames_of_the_data_channel_may_stop() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.chip.set_flow_control(0xff);
    assert_eq!(lab.recv().expect("it is told at once").flow_control, 0xff);
    lab.ioctl(true, 2, &[]).unwrap();
    lab.clean();
    lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    assert_eq!(lab.kinds(), [ViolationKind::FlowControlled].into());
    lab.chip.set_flow_control(0);
    lab.drain();
    assert_eq!(lab.others.last().expect("it is told at once").flow_control, 0);
}

#[test]
fn power_loses_what_waits() {
    let mut lab = Lab::joined(ChipConfig::default().with_tx_time(ms(50)));
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(5));
    lab.peer.send(&ethernet(MAC, 1514, 0));
    lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    lab.clock.advance(Duration::from_micros(130));
    let stats = lab.chip.stats();
    assert_eq!((stats.waiting(), stats.tx_waiting()), (2, 1), "{stats:?}");
    embedded_hal::digital::OutputPin::set_low(&mut lab.chip.power_pin()).unwrap();
    lab.clock.advance(ms(100));
    let stats = lab.chip.stats();
    assert_eq!((stats.lost_in_reset, stats.tx_lost_in_reset), (2, 1));
    assert_eq!((stats.waiting(), stats.tx_waiting()), (0, 0));
    assert_eq!(lab.peer.recv(), None);
}
