//! Arguments that C should not pass, and devices that fail. Each is an error code, and nothing is
//! lost.

mod support;

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, null, null_mut};
use core::time::Duration;

use ethdev::{Capabilities, ErrorKind, Link, MacAddress, MaxFrameLen, RxMeta};
use ethdev_capi::abi::{self, ErrorCode, IoVec};
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use ethdev_util::IrqSignal;

use support::codes::{CODES, code};
use support::stub::Stub;
use support::sys_handle::{Handle, iovec};
use support::sys_single_thread::SingleThread;
use support::{export, export_polled};

const FRAME: [u8; 60] = [0x55; 60];

/// A pointer to nothing, for lengths that must not be used.
const NOWHERE: *mut c_void = NonNull::dangling().as_ptr();

fn irq() -> &'static IrqSignal {
    Box::leak(Box::default())
}

fn device() -> (Stub, Handle) {
    let stub = Stub::new();
    (stub.clone(), export(stub, irq()))
}

#[track_caller]
fn assert_code(result: i32, expected: ErrorCode) {
    assert_eq!(code(result), expected);
}

#[test]
fn every_function_handle_null_returns_einval() {
    let results = device().1.call_each_with_null();
    assert_eq!(results.len(), 21);
    for (name, result) in results {
        assert_eq!(code(result), ErrorCode::InvalidInput, "{name}");
    }
}

#[test]
fn recv_output_null_returns_einval_and_keeps_frame() {
    let (stub, handle) = device();
    stub.state().rx.push_back(FRAME.to_vec());
    let mut buf = [0; 60];
    assert_code(
        handle.recv(buf.as_mut_ptr().cast(), 60, null_mut()),
        ErrorCode::InvalidInput,
    );
    assert_eq!(handle.recv_into(&mut buf).unwrap().len, 60);
    assert_eq!(buf, FRAME);
}

#[test]
fn recv_buffer_null_returns_einval_and_keeps_frame() {
    let (stub, handle) = device();
    stub.state().rx.push_back(FRAME.to_vec());
    let mut rx = abi::Rx::default();
    for capacity in [1, 60, 1514, isize::MAX as usize, usize::MAX] {
        assert_code(handle.recv(null_mut(), capacity, &mut rx), ErrorCode::InvalidInput);
    }
    assert_eq!(stub.state().rx.len(), 1);
}

#[test]
fn recv_capacity_zero_reports_length_and_keeps_frame() {
    let (stub, handle) = device();
    let mut rx = abi::Rx::default();
    assert_code(handle.recv(null_mut(), 0, &mut rx), ErrorCode::NoFrame);
    stub.state().rx.push_back(FRAME.to_vec());
    for buf in [null_mut(), NOWHERE] {
        rx.len = 0;
        assert_code(handle.recv(buf, 0, &mut rx), ErrorCode::BufferTooSmall);
        assert_eq!(rx.len, 60);
    }
    let mut buf = [0; 59];
    let (error, rx) = handle.recv_into(&mut buf).unwrap_err();
    assert_eq!((error, rx.len), (ErrorCode::BufferTooSmall, 60));
    assert_eq!(stub.state().rx.len(), 1);
}

#[test]
fn recv_giant_capacity_uses_longest_frame() {
    for capacity in [1515, isize::MAX as usize, isize::MAX as usize + 1, usize::MAX] {
        let (stub, handle) = device();
        stub.state().rx.push_back(FRAME.to_vec());
        // Not initialized, and no longer than a frame.
        let mut buf = [MaybeUninit::<u8>::uninit(); 1514];
        let mut rx = abi::Rx::default();
        assert_eq!(handle.recv(buf.as_mut_ptr().cast(), capacity, &mut rx), 0, "{capacity}");
        assert_eq!(rx.len, 60);
        assert_eq!(stub.state().longest_buf, 1514);
    }
}

#[test]
fn recv_device_reports_giant_length_returns_error() {
    let (stub, handle) = device();
    for len in [61, 1514, usize::MAX] {
        stub.state().rx.push_back(FRAME.to_vec());
        stub.state().reported = Some(RxMeta::new(len));
        let (error, rx) = handle.recv_into(&mut [0; 60]).unwrap_err();
        assert_eq!((error, rx.len), (ErrorCode::Other, 0), "{len}");
    }
}

#[test]
fn send_no_parts_returns_erunt() {
    let (stub, handle) = device();
    assert_code(handle.send(null(), 0), ErrorCode::FrameTooShort);
    let empty = IoVec { base: null(), len: 0 };
    assert_code(handle.send(&empty, 1), ErrorCode::FrameTooShort);
    assert_code(handle.send_parts(&[&FRAME[..13]]), ErrorCode::FrameTooShort);
    assert!(stub.state().tx.is_empty());
}

#[test]
fn send_empty_parts_are_skipped() {
    let (stub, handle) = device();
    let null_part = IoVec { base: null(), len: 0 };
    let nowhere = IoVec { base: NOWHERE, len: 0 };
    let parts = [null_part, iovec(&FRAME[..14]), nowhere, iovec(&FRAME[14..]), null_part];
    assert_eq!(handle.send(parts.as_ptr(), parts.len()), 0);
    assert_eq!(stub.state().tx, [FRAME.to_vec()]);
}

#[test]
fn send_part_without_memory_returns_einval() {
    let (stub, handle) = device();
    for len in [1, 60, isize::MAX as usize, usize::MAX] {
        let parts = [iovec(&FRAME), IoVec { base: null(), len }];
        assert_code(handle.send(parts.as_ptr(), 2), ErrorCode::InvalidInput);
    }
    assert!(stub.state().tx.is_empty());
}

#[test]
fn send_giant_parts_returns_emsgsize() {
    let (stub, handle) = device();
    for len in [
        1455,
        isize::MAX as usize,
        isize::MAX as usize + 1,
        usize::MAX - 59,
        usize::MAX,
    ] {
        // No part is read: the length is of no memory.
        let giant = IoVec { base: NOWHERE, len };
        for parts in [[iovec(&FRAME), giant], [giant, iovec(&FRAME)]] {
            assert_code(handle.send(parts.as_ptr(), 2), ErrorCode::FrameTooLong);
        }
    }
    // Sums that overflow.
    let half = IoVec {
        base: NOWHERE,
        len: usize::MAX / 2 + 1,
    };
    assert_code(handle.send([half; 2].as_ptr(), 2), ErrorCode::FrameTooLong);
    assert!(stub.state().tx.is_empty());
}

#[test]
fn send_longest_frame_is_accepted() {
    let (stub, handle) = device();
    let frame = [7; 1514];
    assert_eq!(handle.send_parts(&[&frame]), 0);
    assert_code(handle.send_parts(&[&frame, &[0]]), ErrorCode::FrameTooLong);
    assert_eq!(stub.state().tx, [frame.to_vec()]);
}

#[test]
fn send_device_of_giant_frames_rejects_impossible_length() {
    let (stub, handle) = device();
    stub.state().capabilities = Capabilities::ETHERNET.with_max_frame_len(MaxFrameLen::new(usize::MAX));
    let giant = IoVec {
        base: NOWHERE,
        len: isize::MAX as usize + 1,
    };
    assert_code(handle.send(&giant, 1), ErrorCode::FrameTooLong);
}

#[test]
fn send_giant_count_returns_einval() {
    let (stub, handle) = device();
    let parts = [iovec(&FRAME[..4]); abi::MAX_PARTS];
    assert_eq!(handle.send(parts.as_ptr(), abi::MAX_PARTS), 0);
    for count in [abi::MAX_PARTS + 1, isize::MAX as usize, usize::MAX] {
        assert_code(handle.send(parts.as_ptr(), count), ErrorCode::InvalidInput);
    }
    assert_code(handle.send(null(), 1), ErrorCode::InvalidInput);
    assert_eq!(stub.state().tx.len(), 1);
}

#[test]
fn set_rx_filter_bad_request_changes_nothing() {
    let (stub, handle) = device();
    let good = abi::RxFilter {
        broadcast: 1,
        multicast: abi::multicast::LIST,
        promiscuous: 0,
        reserved: 0,
        group_count: 0,
        groups: null(),
    };
    let groups = [[0x01, 0, 0x5e, 0, 0, 1], [0x01, 0, 0x5e, 0, 0, 2]];
    for bad in [
        abi::RxFilter { multicast: 3, ..good },
        abi::RxFilter {
            multicast: u8::MAX,
            ..good
        },
        abi::RxFilter { reserved: 1, ..good },
        abi::RxFilter { group_count: 1, ..good },
        abi::RxFilter {
            group_count: abi::MAX_GROUPS + 1,
            groups: groups.as_ptr(),
            ..good
        },
        abi::RxFilter {
            group_count: u32::MAX,
            groups: groups.as_ptr(),
            ..good
        },
    ] {
        assert_code(handle.set_rx_filter(&bad, null_mut()), ErrorCode::InvalidInput);
        assert_eq!(stub.state().filter, None, "{bad:?}");
    }
    assert_code(handle.set_rx_filter(null(), null_mut()), ErrorCode::InvalidInput);

    let mut outcome = u8::MAX;
    let list = abi::RxFilter {
        group_count: 2,
        groups: groups.as_ptr(),
        ..good
    };
    assert_eq!(handle.set_rx_filter(&list, &mut outcome), 0);
    assert_eq!(outcome, abi::filter::EXACT);
    let list = groups.map(MacAddress::new).to_vec();
    assert_eq!(stub.state().filter, Some((true, Some(list), false)));

    // The list of another setting is not read.
    let all = abi::RxFilter {
        multicast: abi::multicast::ALL,
        promiscuous: 7,
        group_count: u32::MAX,
        ..good
    };
    assert_eq!(handle.set_rx_filter(&all, &mut outcome), 0);
    assert_eq!(outcome, abi::filter::SUPERSET);
    assert_eq!(stub.state().filter, Some((true, None, true)));
    assert_eq!(handle.set_rx_filter(&good, null_mut()), 0);
    assert_eq!(stub.state().filter, Some((true, Some(Vec::new()), false)));
}

#[test]
fn outputs_null_returns_einval() {
    let (_, handle) = device();
    assert_code(handle.tx_ready(null_mut()), ErrorCode::InvalidInput);
    assert_code(handle.link(null_mut()), ErrorCode::InvalidInput);
    assert_code(handle.counters(null_mut()), ErrorCode::InvalidInput);
    assert_code(handle.info(null_mut()), ErrorCode::InvalidInput);
    assert_code(handle.mac(null_mut()), ErrorCode::InvalidInput);
    assert_code(handle.set_mac(null()), ErrorCode::InvalidInput);
    assert_code(handle.rearm(abi::wait::RX, null_mut()), ErrorCode::InvalidInput);
    // Optional.
    assert_eq!(handle.service(null_mut()), 0);
}

#[test]
fn rearm_unknown_condition_returns_einval() {
    let (_, handle) = device();
    let mut pending = 0;
    for conditions in [8, u32::MAX] {
        assert_code(handle.rearm(conditions, &mut pending), ErrorCode::InvalidInput);
    }
    assert_eq!(handle.rearm(7, &mut pending), 0);
    assert_eq!(handle.rearm(0, &mut pending), 0);
}

#[test]
fn hooks_function_null_returns_einval() {
    extern "C" fn nothing(_: *mut c_void) {}
    let (_, handle) = device();
    let lock = abi::Lock {
        context: null_mut(),
        lock: Some(nothing),
        unlock: Some(nothing),
    };
    for bad in [abi::Lock { lock: None, ..lock }, abi::Lock { unlock: None, ..lock }] {
        assert_code(handle.set_lock(Some(&bad)), ErrorCode::InvalidInput);
    }
    let signal = abi::Signal {
        context: null_mut(),
        signal: None,
    };
    assert_code(handle.set_signal(Some(&signal)), ErrorCode::InvalidInput);
    assert_eq!(handle.set_lock(Some(&lock)), 0);
    assert_eq!(handle.set_lock(None), 0);
    assert_eq!(handle.set_signal(None), 0);
}

#[test]
fn device_without_interrupt_has_no_such_functions() {
    let handle = export_polled(Stub::new());
    let ops = handle.ops();
    assert!(ops.set_signal.is_none() && ops.interrupt.is_none() && ops.disarm.is_none() && ops.rearm.is_none());
    assert_eq!(handle.send_parts(&[&FRAME]), 0);
}

#[test]
fn device_fails_each_call_returns_its_code() {
    let (stub, handle) = device();
    let kinds = [
        (ErrorKind::NotPresent, ErrorCode::NotPresent),
        (ErrorKind::Bus, ErrorCode::Bus),
        (ErrorKind::Fault, ErrorCode::Fault),
        (ErrorKind::Timeout, ErrorCode::Timeout),
        (ErrorKind::PermissionDenied, ErrorCode::PermissionDenied),
        (ErrorKind::BadFrame, ErrorCode::BadFrame),
        (ErrorKind::Busy, ErrorCode::QueueFull),
        (ErrorKind::LinkDown, ErrorCode::LinkDown),
        (ErrorKind::Stopped, ErrorCode::Stopped),
        (ErrorKind::Unsupported, ErrorCode::Unsupported),
        (ErrorKind::Other, ErrorCode::Other),
    ];
    let (mut byte, mut rx) = (0, abi::Rx::default());
    for (kind, expected) in kinds {
        stub.state().error = Some(kind);
        let mut buf = [0; 60];
        for result in [
            handle.recv(buf.as_mut_ptr().cast(), buf.len(), &mut rx),
            handle.discard(),
            handle.send_parts(&[&FRAME]),
            handle.tx_ready(&mut byte),
            handle.service(null_mut()),
            handle.set_mac([2, 0, 0, 0, 0, 9].as_ptr()),
            handle.start(),
            handle.stop(),
            handle.sleep(),
            handle.wake(),
            handle.disarm(),
            handle.rearm(abi::wait::RX, &mut byte),
        ] {
            assert_eq!(code(result), expected, "{kind:?}");
        }
        // A device that has disappeared still reports what is cached.
        assert_eq!(handle.counters(&mut abi::Counters::default()), 0);
        assert_eq!(handle.link(&mut abi::Link::default()), 0);
    }
    // It never had this function.
    assert_code(handle.recover(), ErrorCode::Unsupported);
}

#[test]
fn stack_that_never_receives_sends_and_each_frame_is_counted() {
    const FRAMES: u32 = 40;
    let clock = Clock::new();
    let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1])).with_slots(4, 4);
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    let handle = export_polled(SingleThread::new(nic));
    let pass_time = || clock.advance(Duration::from_millis(1));
    for n in 0..FRAMES {
        peer.send(&[&[0xff; 6][..], &[n as u8; 54]].concat());
        pass_time();
        assert_eq!(handle.send_parts(&[&FRAME]), 0);
        pass_time();
        assert_eq!(peer.recv().unwrap(), FRAME);
        assert_eq!(handle.service(null_mut()), 0);
    }
    let mut buf = [0; 1514];
    let mut received = 0;
    while handle.recv_into(&mut buf).is_ok() {
        // The oldest ones.
        assert_eq!(buf[6], received as u8);
        received += 1;
    }
    let counters = handle.read_counters();
    assert!(received > 0 && counters.rx_overrun > 0);
    assert_eq!((counters.rx_frames, counters.tx_frames), (received, FRAMES));
    assert_eq!(received + counters.rx_overrun, FRAMES);
}

#[test]
fn info_flags_follow_lifecycle_and_link() {
    let (stub, handle) = device();
    let flags = || handle.read_info().flags & (abi::flag::UP | abi::flag::RUNNING);
    stub.state().link = Link::Down;
    assert_eq!(flags(), 0);
    assert_eq!(handle.start(), 0);
    assert_eq!(flags(), abi::flag::UP | abi::flag::RUNNING);
    stub.state().link = Link::Down;
    assert_eq!(flags(), abi::flag::UP);
    assert_eq!(handle.sleep(), 0);
    assert_eq!(flags(), 0);
    assert_eq!(handle.wake(), 0);
    assert_eq!(flags(), abi::flag::UP);
    assert_eq!(handle.stop(), 0);
    assert_eq!(flags(), 0);
    // Started by other means: the link shows it.
    stub.state().link = Link::UP;
    assert_eq!(flags(), abi::flag::UP | abi::flag::RUNNING);
    let always = abi::flag::BROADCAST | abi::flag::MULTICAST;
    assert_eq!(handle.read_info().flags & always, always);
}

#[test]
fn info_name_is_cut_and_ends_with_zero() {
    let name = |name| {
        let device = ethdev_capi::CDevice::new(Stub::new(), name, core::num::NonZeroU32::MAX);
        let info = Handle::new(Box::leak(Box::new(device)).handle()).read_info();
        assert_eq!(info.index, u32::MAX);
        info.name.map(|byte| byte as u8)
    };
    assert_eq!(&name(c""), &[0; 16]);
    assert_eq!(&name(c"eth0"), b"eth0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(&name(c"fifteen letters"), b"fifteen letters\0");
    assert_eq!(&name(c"sixteen letters!"), b"sixteen letters\0");
}

#[test]
fn error_codes_are_all_and_different() {
    let values: Vec<i32> = CODES.iter().map(|(code, _)| *code as i32).collect();
    assert_eq!(values, (1..=18).map(|n| -n).collect::<Vec<_>>());
}
