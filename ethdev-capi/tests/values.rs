//! Each value of a device arrives in its own member.

mod support;

use core::time::Duration;

use ethdev::{
    Capabilities, ChecksumOffload, Counted, Coverage, Duplex, EthernetDevice, Events, Link, LinkMode, LossReason,
    MaxFrameLen, Offload, Pause, RxMeta, Speed, Stats,
};
use ethdev_capi::abi;

use support::export_polled;
use support::stub::Stub;
use support::sys_handle::Handle;

fn device() -> (Stub, Handle) {
    let stub = Stub::new();
    (stub.clone(), export_polled(stub))
}

#[test]
fn counters_each_value_in_its_member() {
    let (stub, handle) = device();
    let mut stats = Stats::ZERO;
    let values = 1..;
    macro_rules! number {
        ($($name:ident)*) => {{
            let mut values = values;
            $(stats.$name = values.next().unwrap();)*
            stub.state().stats = stats;
            let counters = handle.read_counters();
            $(assert_eq!(counters.$name, stats.$name, stringify!($name));)*
            [$(stringify!($name)),*]
        }};
    }
    let names = number! {
        rx_frames rx_bytes rx_overrun rx_bad_fcs rx_bad_length rx_error rx_filtered rx_discarded rx_reset tx_frames
        tx_bytes tx_aborted tx_reset faults recoveries link_changes
    };
    // All of them.
    assert_eq!(stats.iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
}

#[test]
fn service_each_event_in_its_bit() {
    let (stub, handle) = device();
    let read = |set: fn(&mut Events)| {
        let mut events = Events::NONE;
        set(&mut events);
        stub.state().events = events;
        let mut found = abi::Events::default();
        assert_eq!(Handle::service(&handle, &mut found), 0);
        (found.flags, found.tx_completed, found.tx_failed)
    };
    assert_eq!(read(|_| {}), (0, 0, 0));
    assert_eq!(read(|e| e.link_changed = true), (abi::event::LINK_CHANGED, 0, 0));
    assert_eq!(read(|e| e.rx_pending = true), (abi::event::RX_PENDING, 0, 0));
    assert_eq!(read(|e| e.rx_dropped = true), (abi::event::RX_DROPPED, 0, 0));
    assert_eq!(read(|e| e.tx_ready = true), (abi::event::TX_READY, 0, 0));
    assert_eq!(read(|e| e.recovered = true), (abi::event::RECOVERED, 0, 0));
    assert_eq!(read(|e| e.tx_completed = u16::MAX), (0, u16::MAX, 0));
    assert_eq!(read(|e| e.tx_failed = 7), (0, 0, 7));
}

#[test]
fn link_mode_is_that_of_the_device() {
    let (stub, handle) = device();
    let full = LinkMode::new(Speed::MBPS_100, Duplex::Full);
    for (link, (up, speed_kbps, duplex, pause_rx, pause_tx)) in [
        (Link::Down, (0, 0, abi::duplex::UNKNOWN, 0, 0)),
        (Link::UP, (1, 0, abi::duplex::UNKNOWN, 0, 0)),
        (Link::Up(full), (1, 100_000, abi::duplex::FULL, 0, 0)),
        (
            Link::Up(LinkMode::new(Speed::MBPS_10, Duplex::Half).with_pause(Pause { rx: true, tx: false })),
            (1, 10_000, abi::duplex::HALF, 1, 0),
        ),
        (
            Link::Up(full.with_pause(Pause { rx: false, tx: true })),
            (1, 100_000, abi::duplex::FULL, 0, 1),
        ),
    ] {
        stub.state().link = link;
        let mut found = abi::Link::default();
        assert_eq!(Handle::link(&handle, &mut found), 0);
        let expected = abi::Link {
            speed_kbps,
            up,
            duplex,
            pause_rx,
            pause_tx,
        };
        assert_eq!(found, expected, "{link:?}");
    }
}

#[test]
fn info_capabilities_are_those_of_the_device() {
    let (stub, handle) = device();
    let mut checksum = ChecksumOffload::NONE;
    let [rx, tx] = [true, false].map(|rx| Offload { rx, tx: !rx });
    (checksum.ipv4, checksum.udp, checksum.tcp) = (Offload::BOTH, rx, tx);
    (checksum.icmpv4, checksum.icmpv6) = (tx, rx);
    let coverage = Coverage::EXACT
        .with(LossReason::RxOverrun, Counted::AtLeastOne)
        .with(LossReason::TxReset, Counted::AtLeastOne)
        .with(LossReason::RxFiltered, Counted::NotReported);
    let capabilities = Capabilities::ETHERNET
        .with_rx_max_frame_len(MaxFrameLen::VLAN)
        .with_tx_max_frame_len(MaxFrameLen::new(1000))
        .with_tx_min_frame_len(46)
        .with_queue_frames(Some(0), None)
        .with_checksum(checksum)
        .with_coverage(coverage)
        .with_max_service_interval(Duration::from_millis(2));
    stub.state().capabilities = capabilities;
    let info = handle.read_info();
    assert_eq!(
        (info.mtu, info.rx_max_frame_len, info.tx_max_frame_len),
        (986, 1518, 1000)
    );
    assert_eq!((info.tx_min_frame_len, info.service_interval_us), (46, 2000));
    assert_eq!((info.rx_queue_frames, info.tx_queue_frames), (0, abi::QUEUE_UNKNOWN));
    let all = abi::checksum::IPV4;
    assert_eq!(info.checksum_rx, all | abi::checksum::UDP | abi::checksum::ICMPV6);
    assert_eq!(info.checksum_tx, all | abi::checksum::TCP | abi::checksum::ICMPV4);
    assert_eq!(info.at_least_one, abi::loss::RX_OVERRUN | abi::loss::TX_RESET);
    assert_eq!(info.not_reported, abi::loss::RX_FILTERED);
    // And back.
    assert_eq!(handle.capabilities(), capabilities);
}

#[test]
fn info_interval_is_limited_and_none_is_none() {
    let (stub, handle) = device();
    assert_eq!(handle.read_info().service_interval_us, abi::NO_SERVICE_INTERVAL);
    stub.state().capabilities = Capabilities::ETHERNET.with_max_service_interval(Duration::MAX);
    assert_eq!(handle.read_info().service_interval_us, abi::NO_SERVICE_INTERVAL - 1);
}

#[test]
fn recv_timestamp_is_in_nanoseconds() {
    let (stub, handle) = device();
    for (timestamp, expected) in [
        (None, (0, 0)),
        (Some(Duration::ZERO), (abi::RX_TIMESTAMP, 0)),
        (Some(Duration::new(3, 5)), (abi::RX_TIMESTAMP, 3_000_000_005)),
        (Some(Duration::MAX), (abi::RX_TIMESTAMP, u64::MAX)),
    ] {
        let mut meta = RxMeta::new(60);
        meta.timestamp = timestamp;
        stub.state().rx.push_back(vec![0; 60]);
        stub.state().reported = Some(meta);
        let rx = handle.recv_into(&mut [0; 60]).unwrap();
        assert_eq!((rx.flags, rx.timestamp_ns), expected, "{timestamp:?}");
    }
}
