//! Sending and receiving, filter, link and counters.

use std::time::Duration;

use ethdev::{
    Control, Duplex, Error as _, ErrorKind, EthernetDevice, FilterOutcome, Link, LinkMode, MacAddress, Multicast,
    RxFilter, Speed,
};
use ethdev_phy::Mac;
use ethdev_rmii::{Error, FrameError, SoftMac};
use proptest::prelude::*;

use crate::mock::{HEADROOM, NoPhy, OWN, buffers, fcs, frame, running, stopped, with_fcs};

fn recv(nic: &mut crate::mock::Nic) -> Option<Vec<u8>> {
    let mut buf = [0; 1518];
    nic.recv_frame(&mut buf).unwrap().map(|meta| buf[..meta.len].to_vec())
}

#[test]
fn recv_frame_every_length_without_fcs() {
    let (mut nic, line) = running(1);
    for len in 60..=1518 {
        line.0.borrow_mut().arrive(&with_fcs(&frame(len, len)));
        assert_eq!(recv(&mut nic), Some(frame(len, len)), "{len}");
    }
    assert_eq!((nic.stats().rx_frames, nic.stats().rx_lost()), (1459, 0));
}

#[test]
fn send_vectored_every_length_padded_with_fcs() {
    let (mut nic, line) = running(1);
    for len in 14..=1518 {
        let frame = frame(len, len);
        assert!(nic.tx_ready().unwrap());
        nic.send_vectored(&[&frame[..7], &[], &frame[7..]]).unwrap();
        line.0.borrow_mut().advance(Duration::from_micros(130));
        nic.service().unwrap();
        let sent = line.0.borrow_mut().sent.pop().unwrap();
        let mut padded = frame.clone();
        padded.resize(len.max(60), 0);
        assert_eq!(sent, with_fcs(&padded), "{len}");
    }
    let stats = nic.stats();
    assert_eq!(stats.tx_frames, 1505);
    assert_eq!(
        stats.tx_bytes as usize,
        (14..=1518).sum::<usize>(),
        "lengths as passed by the caller"
    );
}

/// A reused buffer holds an old frame.
#[test]
fn send_frame_reused_buffer_padding_is_zero() {
    let (mut nic, line) = running(1);
    for len in [1518, 14, 1518, 14] {
        nic.send_frame(&vec![0xee; len]).unwrap();
        line.0.borrow_mut().advance(Duration::from_micros(130));
        nic.service().unwrap();
    }
    let sent = &line.0.borrow().sent;
    assert!(sent[1][14..60].iter().chain(&sent[3][14..60]).all(|byte| *byte == 0));
}

#[test]
fn recv_frame_bad_frames_counted_by_reason() {
    let (mut nic, line) = running(1);
    let good = with_fcs(&frame(60, 1));
    let before = nic.stats();
    let mut expected = before;
    let mut wrong = good.clone();
    wrong[20] ^= 4;
    for (bytes, frame_error) in [
        (&[][..], None),
        (&good[..1], None),
        (&good[..63], None),
        (&with_fcs(&frame(59, 1))[..], None),
        (&with_fcs(&frame(1519, 1))[..], None),
        (&vec![0x55; 1523][..], None),
        (&vec![0x55; 4000][..], None),
        (&good[..], Some(FrameError::Overflow)),
    ] {
        line.0.borrow_mut().arrive_as(bytes, |mut received| {
            received.frame_error = received.frame_error.or(frame_error);
            received
        });
        if bytes.len() == 1523 && frame_error.is_none() && bytes[0] == 0x55 {
            // The length of a VLAN frame with a dribble byte, with a wrong FCS.
            expected.rx_bad_fcs += 1;
        } else {
            expected.rx_bad_length += 1;
        }
        assert_eq!(recv(&mut nic), None, "{} bytes", bytes.len());
        assert_eq!(nic.stats(), expected, "{} bytes", bytes.len());
    }
    line.0.borrow_mut().arrive(&wrong);
    expected.rx_bad_fcs += 1;
    assert_eq!(recv(&mut nic), None);
    line.0
        .borrow_mut()
        .arrive_as(&good, |received| received.with_frame_error(FrameError::Symbol));
    expected.rx_error += 1;
    assert_eq!(recv(&mut nic), None);
    assert_eq!(nic.stats(), expected);

    line.0.borrow_mut().arrive(&good);
    assert_eq!(recv(&mut nic), Some(frame(60, 1)));
}

#[test]
fn recv_frame_length_beyond_buffer_bad_length() {
    let (mut nic, line) = running(1);
    for len in [1524, 1 << 20, usize::MAX - 4, usize::MAX] {
        line.0
            .borrow_mut()
            .arrive_as(&with_fcs(&frame(100, 0)), |mut received| {
                received.len = len;
                received
            });
        assert_eq!(recv(&mut nic), None);
    }
    assert_eq!(nic.stats().rx_bad_length, 4);
}

#[test]
fn recv_frame_one_dribble_byte_accepted_two_rejected() {
    let (mut nic, line) = running(1);
    for len in [60, 61, 1518] {
        let mut bytes = with_fcs(&frame(len, 3));
        bytes.push(0x42);
        line.0.borrow_mut().arrive(&bytes);
        assert_eq!(recv(&mut nic), Some(frame(len, 3)), "{len}");
    }
    // A dribble byte does not make a frame of a runt.
    let mut bytes = with_fcs(&frame(59, 3));
    bytes.push(0x42);
    line.0.borrow_mut().arrive(&bytes);
    assert_eq!(recv(&mut nic), None);
    assert_eq!(nic.stats().rx_bad_length, 1);
    let mut bytes = with_fcs(&frame(60, 3));
    bytes.extend([0, 0]);
    line.0.borrow_mut().arrive(&bytes);
    assert_eq!(recv(&mut nic), None);
    assert_eq!(nic.stats().rx_bad_fcs, 1);
}

/// The port gets its next buffer before the frame is checked and delivered.
#[test]
fn service_port_refilled_before_delivery() {
    let (mut nic, line) = running(1);
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    nic.service().unwrap();
    assert_eq!(line.0.borrow().calls, ["start_rx", "rx_done"]);
    // The first frame is not delivered yet: there are buffers for three more.
    for number in 1..4 {
        line.0.borrow_mut().arrive(&with_fcs(&frame(60, number)));
        nic.service().unwrap();
    }
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 4)));
    nic.service().unwrap();
    assert_eq!(nic.stats().rx_overrun, 1, "all four buffers are full");
    for number in 0..4 {
        assert_eq!(recv(&mut nic), Some(frame(60, number)));
    }
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 5)));
    assert_eq!(recv(&mut nic), Some(frame(60, 5)));
}

/// As above, with a port that accepts the next buffer only after it returned the previous one.
#[test]
fn service_port_of_one_buffer_refilled_before_check() {
    let (mut nic, line) = running(1);
    line.0.borrow_mut().done_counts = true;
    let mut wrong = with_fcs(&frame(60, 0));
    wrong[30] ^= 1;
    for bytes in [&wrong[..], &[], &with_fcs(&frame(60, 0))] {
        line.0.borrow_mut().calls.clear();
        line.0.borrow_mut().arrive(bytes);
        nic.service().unwrap();
        assert_eq!(line.0.borrow().calls, ["rx_done", "start_rx"]);
        assert_eq!(line.0.borrow().armed.len(), 1);
    }
}

/// A port whose interrupt handler continues with the next buffer loses no frame of a burst.
#[test]
fn recv_frame_back_to_back_port_of_two_buffers_no_loss() {
    let (mut nic, line) = running(2);
    for burst in 0..500 {
        for half in 0..2 {
            line.0.borrow_mut().arrive(&with_fcs(&frame(64, 2 * burst + half)));
        }
        for half in 0..2 {
            assert_eq!(recv(&mut nic), Some(frame(64, 2 * burst + half)));
        }
    }
    assert_eq!((nic.stats().rx_frames, nic.stats().rx_lost()), (1000, 0));
}

#[test]
fn send_frame_port_of_two_frames_queues_second() {
    let (mut nic, line) = running(2);
    nic.send_frame(&frame(1514, 0)).unwrap();
    assert!(nic.tx_ready().unwrap());
    nic.send_frame(&frame(1514, 1)).unwrap();
    assert!(!nic.tx_ready().unwrap());
    assert_eq!(nic.send_frame(&frame(60, 2)).unwrap_err().kind(), ErrorKind::Busy);
    line.0.borrow_mut().advance(Duration::from_micros(124));
    assert!(nic.tx_ready().unwrap());
    line.0.borrow_mut().advance(Duration::from_micros(124));
    let events = nic.service().unwrap();
    assert_eq!((events.tx_completed, events.tx_ready), (2, true));
    assert_eq!(
        line.0.borrow().sent,
        [with_fcs(&frame(1514, 0)), with_fcs(&frame(1514, 1))]
    );
}

#[test]
fn set_rx_filter_each_setting_filters_frames() {
    let (mut nic, line) = running(1);
    let groups: Vec<MacAddress> = (0..9).map(|n| MacAddress::new([1, 0, 0x5e, 0, 0, n])).collect();
    let passes = |nic: &mut crate::mock::Nic, destination: MacAddress| {
        let mut bytes = frame(60, 0);
        bytes[..6].copy_from_slice(&destination.octets());
        line.0.borrow_mut().arrive(&with_fcs(&bytes));
        recv(nic).is_some()
    };
    let other = MacAddress::new([2, 0, 0, 0, 0, 9]);
    assert!(passes(&mut nic, OWN) && passes(&mut nic, MacAddress::BROADCAST));
    assert!(!passes(&mut nic, other) && !passes(&mut nic, groups[0]));
    assert_eq!(nic.stats().rx_filtered, 2);

    let few = RxFilter::DEFAULT.with_multicast(Multicast::List(&groups[..8]));
    assert_eq!(nic.set_rx_filter(few).unwrap(), FilterOutcome::Exact);
    assert!(passes(&mut nic, groups[7]) && !passes(&mut nic, groups[8]));
    let many = RxFilter::DEFAULT.with_multicast(Multicast::List(&groups));
    assert_eq!(nic.set_rx_filter(many).unwrap(), FilterOutcome::Superset);
    assert!(passes(&mut nic, groups[8]) && !passes(&mut nic, other));

    nic.set_mac_address(other).unwrap();
    assert!(passes(&mut nic, other) && !passes(&mut nic, OWN));
    assert!(nic.set_mac_address(groups[0]).is_err() && nic.set_mac_address(MacAddress::new([0; 6])).is_err());
    nic.set_rx_filter(RxFilter::PROMISCUOUS).unwrap();
    assert!(passes(&mut nic, OWN));
}

#[test]
fn set_link_only_100_full_accepted() {
    let (mut nic, _line) = running(1);
    assert_eq!(nic.modes(), ethdev_phy::phy::LinkModes::TX100_FULL);
    for (speed, duplex, supported) in [
        (Speed::MBPS_10, Duplex::Full, false),
        (Speed::MBPS_100, Duplex::Half, false),
        (Speed::MBPS_10, Duplex::Half, false),
        (Speed::MBPS_100, Duplex::Full, true),
    ] {
        let mode = LinkMode::new(speed, duplex);
        let result = nic.set_link(Link::Up(mode));
        if supported {
            assert_eq!((result, nic.link()), (Ok(()), Link::Up(mode)));
        } else {
            assert_eq!((result, nic.link()), (Err(Error::LinkMode(mode)), Link::Down));
        }
    }
}

#[test]
fn set_link_down_drops_tx_keeps_rx() {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    nic.send_frame(&frame(1514, 0)).unwrap();
    nic.send_frame(&frame(1514, 1)).unwrap();
    nic.set_link(Link::Down).unwrap();
    assert_eq!(nic.stats().tx_reset, 2);
    assert_eq!(line.0.borrow().sending.len(), 0, "the port has no frame");
    assert_eq!(nic.send_frame(&frame(60, 0)).unwrap_err().kind(), ErrorKind::LinkDown);
    assert!(!nic.tx_ready().unwrap());
    assert_eq!(recv(&mut nic), Some(frame(60, 0)));
    let changes = nic.stats().link_changes;
    nic.set_link(Link::Down).unwrap();
    assert_eq!(nic.stats().link_changes, changes, "no change");
}

#[test]
fn stop_drops_and_counts_frames() {
    let (mut nic, line) = stopped(2);
    nic.set_link(Link::UP).unwrap();
    assert_eq!(nic.link(), Link::Down);
    assert_eq!(line.0.borrow().armed.len(), 0);
    assert_eq!(nic.send_frame(&frame(60, 0)).unwrap_err().kind(), ErrorKind::Stopped);
    nic.start().unwrap();
    nic.start().unwrap();
    assert_eq!((nic.link(), line.0.borrow().armed.len()), (Link::UP, 2));

    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    let mut wrong = with_fcs(&frame(60, 1));
    wrong[0] ^= 1;
    line.0.borrow_mut().arrive(&wrong);
    nic.send_frame(&frame(60, 0)).unwrap();
    nic.stop().unwrap();
    nic.stop().unwrap();
    let stats = nic.stats();
    assert_eq!((stats.rx_reset, stats.rx_bad_fcs, stats.tx_reset), (1, 1, 1));
    assert_eq!((line.0.borrow().armed.len(), nic.link()), (0, Link::Down));
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    nic.start().unwrap();
    assert_eq!(
        nic.stats().rx_overrun,
        0,
        "frames that pass while stopped are not losses"
    );
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 2)));
    assert_eq!(recv(&mut nic), Some(frame(60, 2)));
}

#[test]
fn new_buffer_lengths_validated() {
    let make = |rx: usize, tx: usize| {
        let (nic, line) = stopped(1);
        drop(nic);
        let parts = stopped(1).0.release();
        drop(line);
        SoftMac::<_, _, _, _, 2, 1>::new((parts.rx, parts.tx), NoPhy, parts.clock, OWN, buffers(rx), buffers(tx))
    };
    let needed = 1514 + 4 + 1;
    assert_eq!(
        make(needed - 1, 2000).unwrap_err(),
        Error::BufferTooShort {
            len: needed - 1,
            needed
        }
    );
    let needed = 1514 + 4 + HEADROOM;
    assert_eq!(
        make(2000, needed - 1).unwrap_err(),
        Error::BufferTooShort {
            len: needed - 1,
            needed
        }
    );
    let small = make(1522, 1521 + HEADROOM).unwrap().capabilities();
    assert_eq!(
        (small.rx_max_frame_len.bytes(), small.tx_max_frame_len.bytes()),
        (1514, 1514)
    );
    let large = make(1523, 1522 + HEADROOM).unwrap().capabilities();
    assert_eq!(
        (large.rx_max_frame_len.bytes(), large.tx_max_frame_len.bytes()),
        (1518, 1518)
    );
}

#[test]
fn release_returns_all_buffers() {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    nic.send_frame(&frame(60, 0)).unwrap();
    nic.service().unwrap();
    let parts = nic.release();
    assert!(parts.rx_buffers.iter().all(Option::is_some) && parts.tx_buffers.iter().all(Option::is_some));
}

proptest! {
    /// Any traffic and any calls: each reception is delivered or counted once, and the next good
    /// frame is received.
    #[test]
    fn stats_any_traffic_every_frame_counted_once(
        depth in 1_usize..4,
        steps in proptest::collection::vec((0_u8..9, any::<u16>()), 0..200),
    ) {
        let (mut nic, line) = running(depth);
        let mut arrived = 0;
        let mut accepted = 0;
        for (what, n) in steps {
            let n = usize::from(n);
            match what {
                0 | 1 => {
                    line.0.borrow_mut().arrive(&with_fcs(&frame(60 + n % 1459, n)));
                    arrived += 1;
                }
                2 => {
                    line.0.borrow_mut().arrive(&vec![n as u8; n % 1600]);
                    arrived += 1;
                }
                3 => {
                    line.0.borrow_mut().arrive_as(&with_fcs(&frame(60, 0)), |mut received| {
                        received.len = n;
                        received
                    });
                    arrived += 1;
                }
                4 => drop(recv(&mut nic)),
                5 => drop(nic.discard_frame()),
                6 => accepted += u32::from(nic.send_frame(&frame(14 + n % 1505, n)).is_ok()),
                7 => line.0.borrow_mut().advance(Duration::from_nanos(n as u64)),
                _ => drop(nic.service()),
            }
        }
        line.0.borrow_mut().advance(Duration::from_millis(1));
        nic.service().unwrap();
        while nic.discard_frame().unwrap() {}
        let stats = nic.stats();
        prop_assert_eq!(stats.rx_frames + stats.rx_lost(), arrived);
        prop_assert_eq!(stats.tx_frames, accepted);
        prop_assert_eq!(stats.tx_frames as usize, line.0.borrow().sent.len());
        for sent in &line.0.borrow().sent {
            let (frame, check) = sent.split_at(sent.len() - 4);
            prop_assert_eq!(&fcs(frame), check);
        }
        line.0.borrow_mut().arrive(&with_fcs(&frame(100, 7)));
        prop_assert_eq!(recv(&mut nic), Some(frame(100, 7)));
    }
}
