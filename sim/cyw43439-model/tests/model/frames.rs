//! Headers, credits, sequence numbers, data frames.

use std::time::Duration;

use cyw43439_model::{ChipConfig, ViolationKind};

use crate::host::{MAC, Testbed, command, ethernet, ms};

#[test]
fn first_ioctl_has_two_junk_frames() {
    let mut bed = Testbed::running(ChipConfig::default());
    bed.send_request(true, 2, &[]);
    bed.clock.advance(ms(5));
    for sequence in 0..2 {
        let junk = bed.recv().expect("a frame is announced");
        assert_eq!((junk.bytes.len(), junk.sequence, junk.channel), (256, sequence, 1));
        assert_eq!((junk.bytes[7], junk.credit), (12, 0));
    }
    let reply = bed.recv().expect("a frame is announced");
    assert_eq!((reply.sequence, reply.channel), (2, 0));
    assert_eq!(reply.credit, 1 + ChipConfig::default().credit_window);
    assert_eq!(bed.recv(), None);
    bed.ioctl(true, 2, &[]).unwrap();
    assert!(bed.others.is_empty(), "never again");
    bed.clean();
}

/// Requests of real hosts, byte for byte.
#[test]
fn ioctl_of_real_host_is_answered() {
    let mut bed = Testbed::running(ChipConfig::default());
    let vectors: [&[u8]; 3] = [
        &[
            0x1c, 0x00, 0xe3, 0xff, 0, 0, 0, 0x0c, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0,
        ],
        b"\x2b\x00\xd4\xff\x01\x00\x00\x0c\x00\x00\x00\x00\x06\x01\x00\x00\x0f\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00clmload_status\0",
        b"\x2b\x00\xd4\xff\x02\x00\x00\x0c\x00\x00\x00\x00\x07\x01\x00\x00\x0f\x00\x00\x00\x02\x00\x03\x00\x00\x00\x00\x00bus:txglom\0\0\0\0\0",
    ];
    for (n, vector) in vectors.iter().enumerate() {
        bed.send_raw(vector);
        bed.clock.advance(ms(1));
        let reply = bed.drain().expect("each is answered");
        // Number, length, flags and id are returned, with status 0.
        assert_eq!(reply[..12], vector[12..24], "vector {n}");
        assert_eq!(reply[12..16], [0; 4], "vector {n}");
        assert_eq!(reply.len(), vector.len() - 12, "vector {n}");
    }
    bed.clean();
}

#[test]
fn ioctl_get_overwrites_name() {
    let mut bed = Testbed::up(ChipConfig::default());
    let reply = bed.ioctl(false, 262, b"clmload_status\0").unwrap();
    assert_eq!(reply, b"\0\0\0\0oad_status\0");
}

#[test]
fn data_frames_pass_in_both_directions() {
    let mut bed = Testbed::joined(ChipConfig::default());
    for len in [14, 60, 61, 235, 236, 237, 1000, 1513, 1514] {
        let there = ethernet(MAC, len.max(60), 1);
        bed.peer.send(&there);
        bed.pass(ms(3));
        assert_eq!(bed.data.pop_front(), Some(there));
        let back = ethernet([2, 0, 0, 0, 0, 7], len, 2);
        bed.send_data(&back);
        bed.pass(ms(3));
        let mut padded = back.clone();
        padded.resize(len.max(60), 0);
        assert_eq!(bed.peer.recv(), Some(padded));
    }
    let stats = bed.chip.stats();
    assert_eq!((stats.arrived, stats.delivered), (9, 9));
    assert_eq!((stats.tx_accepted, stats.transmitted), (9, 9));
    bed.clean();
}

/// Without the two bytes before the second header the firmware appends two bytes, which makes the
/// longest frames too long.
#[test]
fn data_frame_without_padding_is_extended() {
    let mut bed = Testbed::joined(ChipConfig::default());
    for (len, arrives) in [(100, true), (1514, false)] {
        let mut body = vec![0x20, 0, 0, 0];
        body.extend(ethernet([2, 0, 0, 0, 0, 7], len, 0));
        let frame = bed.frame(2, 12, &body);
        bed.send_raw(&frame);
        bed.pass(ms(3));
        let arrived = bed.peer.recv();
        assert_eq!(arrived.map(|frame| frame.len()), arrives.then_some(len + 2));
    }
    assert_eq!(bed.chip.stats().tx_bad_length, 1);
    assert!(bed.kinds().contains(&ViolationKind::BadDataHeader));
    assert!(bed.kinds().contains(&ViolationKind::BadFrameLength));
}

#[test]
fn status_after_read_announces_next_frame() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.peer.send(&ethernet(MAC, 60, 1));
    bed.peer.send(&ethernet(MAC, 500, 2));
    bed.clock.advance(ms(5));
    assert_eq!(bed.status() >> 9 & 0x7ff, 258);
    let mut words = [0; 65];
    let status = bed
        .bus
        .cmd_read_blocking(command(false, 2, 0, 258), &mut words)
        .unwrap();
    assert_eq!(status & 0x128, 0x128);
    assert_eq!(status >> 9 & 0x7ff, 522);
    bed.drain();
    assert_eq!(bed.status(), 0x20 | u32::from(bed.read(0, 0x04, 1) as u8 & 1));
    bed.clean();
}

#[test]
fn credit_is_used_up_and_returned() {
    let config = ChipConfig::default().with_credit_window(4).with_tx_time(ms(2));
    let mut bed = Testbed::joined(config);
    bed.pass(ms(20));
    for n in 0..4 {
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
    }
    bed.clean();
    bed.clock.advance(ms(1));
    assert_eq!(bed.recv(), None, "no frame was processed yet");
    bed.clock.advance(ms(2));
    let update = bed.recv().expect("the first one was");
    assert_eq!(
        (update.bytes.len(), update.channel, update.credit),
        (12, 2, bed.sequence.wrapping_sub(4) + 5)
    );
    bed.clock.advance(ms(20));
    let update = core::iter::from_fn(|| bed.recv()).last().expect("more of them were");
    let left = update.credit.wrapping_sub(bed.sequence);
    assert!(
        (2..=4).contains(&left),
        "{left}: credit is reported until there is more than a quarter of the window"
    );
    bed.clean();
}

#[test]
fn frame_without_credit_is_dropped() {
    let config = ChipConfig::default().with_credit_window(4).with_tx_time(ms(2));
    let mut bed = Testbed::joined(config);
    bed.pass(ms(20));
    for n in 0..6 {
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
    }
    assert_eq!(bed.kinds(), [ViolationKind::NoCredit].into());
    assert_eq!(bed.chip.stats().tx_no_credit, 2);
    assert_eq!(bed.status() & 4, 4, "overflow");
    bed.pass(ms(20));
    assert_eq!(bed.chip.stats().transmitted, 4);
}

/// Before the first reply there is credit for one frame.
#[test]
fn first_credit_is_one() {
    let mut bed = Testbed::running(ChipConfig::default());
    bed.send_request(true, 2, &[]);
    bed.clean();
    bed.send_request(true, 2, &[]);
    assert!(bed.kinds().contains(&ViolationKind::NoCredit));
}

/// All other frames carry the credit as well.
#[test]
fn credit_header_is_sent_only_when_idle() {
    let mut bed = Testbed::joined(ChipConfig::default().with_credit_window(4));
    bed.pass(ms(5));
    bed.others.clear();
    for n in 0..20 {
        for _ in 0..3 {
            bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        }
        bed.peer.send(&ethernet(MAC, 14, n));
        bed.clock.advance(ms(5));
        bed.drain();
    }
    assert!(
        bed.others.len() <= 20,
        "{}: one for three frames at most",
        bed.others.len()
    );
    let alone = bed.others.len();
    // A frame that is queued will carry the credit.
    for n in 0..20 {
        bed.peer.send(&ethernet(MAC, 60, n));
        bed.clock.advance(ms(5));
        for _ in 0..3 {
            bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        }
        bed.clock.advance(ms(5));
        assert!(bed.recv().is_some_and(|frame| frame.bytes.len() > 12));
        assert!(
            bed.recv().is_none_or(|frame| frame.bytes.len() == 12),
            "after it was read, if at all"
        );
        bed.drain();
    }
    assert!(bed.others.len() - alone <= 20);
    bed.clean();
}

/// Sequence numbers and credits wrap at 256.
#[test]
fn sequence_numbers_wrap() {
    let mut bed = Testbed::joined(ChipConfig::default());
    for n in 0..600_u32 {
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n as u8));
        bed.pass(ms(1));
    }
    assert_eq!(bed.chip.stats().transmitted, 600);
    bed.clean();
}

#[test]
fn rx_queue_full_drops_frames() {
    let mut bed = Testbed::joined(ChipConfig::default().with_rx_queue(5));
    for n in 0..8 {
        bed.peer.send(&ethernet(MAC, 60, n));
    }
    bed.clock.advance(ms(10));
    bed.drain();
    let arrived: Vec<Vec<u8>> = bed.data.drain(..).collect();
    let expected: Vec<Vec<u8>> = (0..5).map(|n| ethernet(MAC, 60, n)).collect();
    assert_eq!(arrived, expected);
    let stats = bed.chip.stats();
    assert_eq!((stats.delivered, stats.overflowed, stats.waiting()), (5, 3, 0));
    bed.clean();
}

#[test]
fn abort_read_drops_frame() {
    let mut bed = Testbed::joined(ChipConfig::default());
    for n in 0..2 {
        bed.peer.send(&ethernet(MAC, 60, n));
    }
    bed.clock.advance(ms(5));
    bed.write(1, 0x1_000d, 1, 1);
    bed.drain();
    assert_eq!(bed.data, [ethernet(MAC, 60, 1)]);
    assert_eq!(bed.chip.stats().aborted, 1);
    bed.clean();
}

#[test]
fn read_cut_off_drops_frame() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(5));
    let clock = bed.clock.clone();
    let mut words = [0; 65];
    let half = Duration::from_micros(20);
    let stalled = ethdev_sim::block_on_until(
        &clock,
        clock.now() + half,
        bed.bus.cmd_read(command(false, 2, 0, 258), &mut words),
    );
    assert!(stalled.is_err(), "65 words take longer");
    assert_eq!(bed.recv(), None);
    assert_eq!(bed.chip.stats().aborted, 1);
}

#[test]
fn rx_filters_by_address() {
    const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0, 0, 1];
    let mut bed = Testbed::joined(ChipConfig::default());
    let all = [MAC, [0xff; 6], GROUP, [2, 0, 0, 0, 0, 9]];
    let arrive = |bed: &mut Testbed| {
        for to in all {
            bed.peer.send(&ethernet(to, 60, 0));
        }
        bed.pass(ms(5));
        bed.data.drain(..).map(|frame| frame[..6].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(arrive(&mut bed), [&MAC[..], &[0xff; 6]]);
    let mut list = 1_u32.to_le_bytes().to_vec();
    list.extend(GROUP);
    bed.set("mcast_list", &list).unwrap();
    assert_eq!(bed.chip.multicast_list(), [GROUP]);
    assert_eq!(bed.get("mcast_list", 64).unwrap()[..10], list);
    assert_eq!(arrive(&mut bed), [&MAC[..], &[0xff; 6], &GROUP]);
    bed.set("mcast_list", &[0; 4]).unwrap();
    bed.set_u32("allmulti", 1).unwrap();
    assert_eq!(arrive(&mut bed), [&MAC[..], &[0xff; 6], &GROUP]);
    let stats = bed.chip.stats();
    assert_eq!((stats.filtered_multicast, stats.filtered_unicast), (1, 3));
    assert_eq!(stats.arrived, 12);
    bed.clean();
}

#[test]
fn access_point_drops_invalid_frames() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.peer.send_raw(&[0x55; 64]);
    bed.peer.send_raw(&ethdev_sim::fcs::append(&ethernet(MAC, 14, 0)[..13]));
    bed.peer.send_raw(&ethdev_sim::fcs::append(&ethernet(MAC, 1515, 0)));
    bed.pass(ms(5));
    assert_eq!(bed.chip.stats().bad, 3);
    assert!(bed.data.is_empty());
    bed.clean();
}

#[test]
fn frames_without_network_are_dropped() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    bed.pass(ms(5));
    assert_eq!(bed.peer.recv(), None);
    let stats = bed.chip.stats();
    assert_eq!((stats.not_joined, stats.tx_not_joined), (1, 1));
    bed.clean();
}

#[test]
fn flow_control_violated_is_reported() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.chip.set_flow_control(0xff);
    assert_eq!(bed.recv().expect("reported at once").flow_control, 0xff);
    bed.ioctl(true, 2, &[]).unwrap();
    bed.clean();
    bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    assert_eq!(bed.kinds(), [ViolationKind::FlowControlled].into());
    bed.chip.set_flow_control(0);
    bed.drain();
    assert_eq!(bed.others.last().expect("reported at once").flow_control, 0);
}

/// The host learns of flow control from the headers that it reads.
#[test]
fn flow_control_unread_is_no_violation() {
    let mut bed = Testbed::joined(ChipConfig::default());
    let frame = ethernet([2, 0, 0, 0, 0, 7], 60, 0);
    bed.chip.set_flow_control(0xff);
    bed.send_data(&frame);
    bed.clean();
    bed.drain();
    bed.chip.set_flow_control(0);
    bed.send_data(&frame);
    assert_eq!(
        bed.kinds(),
        [ViolationKind::FlowControlled].into(),
        "its end is not read yet"
    );
    bed.chip.take_violations();
    bed.drain();
    bed.send_data(&frame);
    bed.clean();
}

#[test]
fn power_off_counts_queued_frames() {
    let mut bed = Testbed::joined(ChipConfig::default().with_tx_time(ms(50)));
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(5));
    bed.peer.send(&ethernet(MAC, 1514, 0));
    bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    bed.clock.advance(Duration::from_micros(130));
    let stats = bed.chip.stats();
    assert_eq!((stats.waiting(), stats.tx_waiting()), (2, 1), "{stats:?}");
    embedded_hal::digital::OutputPin::set_low(&mut bed.chip.power_pin()).unwrap();
    bed.clock.advance(ms(100));
    let stats = bed.chip.stats();
    assert_eq!((stats.lost_in_reset, stats.tx_lost_in_reset), (2, 1));
    assert_eq!((stats.waiting(), stats.tx_waiting()), (0, 0));
    assert_eq!(bed.peer.recv(), None);
}
