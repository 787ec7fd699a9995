//! Calls from several threads, from inside a call, and from interrupt handlers.

mod support;

use core::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use ethdev_capi::abi::{self, ErrorCode};
use ethdev_util::IrqSignal;

use support::codes::code;
use support::export;
use support::stub::Stub;
use support::sys_handle::Handle;
use support::sys_hooks::{OsMutex, broken_lock};

const FRAME: [u8; 60] = [0x55; 60];
/// Frames of each thread.
const FRAMES: usize = if cfg!(miri) { 20 } else { 5000 };

fn device() -> (Stub, Arc<Handle>) {
    let stub = Stub::new();
    (stub.clone(), Arc::new(export(stub, Box::leak(Box::default()))))
}

/// Calls every function but `interrupt`.
fn call_each(handle: &Handle) -> Vec<(&'static str, i32)> {
    let (mut byte, mut mac, mut buf) = (0, [2, 0, 0, 0, 0, 1], [0; 60]);
    let filter = abi::RxFilter {
        broadcast: 1,
        multicast: abi::multicast::NONE,
        promiscuous: 0,
        reserved: 0,
        group_count: 0,
        groups: core::ptr::null(),
    };
    vec![
        (
            "recv",
            handle.recv(buf.as_mut_ptr().cast(), 60, &mut abi::Rx::default()),
        ),
        ("discard", handle.discard()),
        ("send", handle.send_parts(&[&FRAME])),
        ("tx_ready", handle.tx_ready(&mut byte)),
        ("service", handle.service(null_mut())),
        ("link", handle.link(&mut abi::Link::default())),
        ("counters", handle.counters(&mut abi::Counters::default())),
        ("info", handle.info(&mut abi::Info::default())),
        ("mac", handle.mac(mac.as_mut_ptr())),
        ("set_mac", handle.set_mac(mac.as_ptr())),
        ("set_rx_filter", handle.set_rx_filter(&filter, &mut byte)),
        ("start", handle.start()),
        ("stop", handle.stop()),
        ("sleep", handle.sleep()),
        ("wake", handle.wake()),
        ("recover", handle.recover()),
        ("set_lock", handle.set_lock(None)),
        ("disarm", handle.disarm()),
        ("rearm", handle.rearm(abi::wait::RX, &mut byte)),
    ]
}

#[track_caller]
fn assert_each_is_busy(results: Vec<(&'static str, i32)>) {
    for (name, result) in results {
        assert_eq!(code(result), ErrorCode::InUse, "{name}");
    }
}

/// Runs `during` while another thread is inside `service`.
fn while_in_service(stub: &Stub, handle: &Arc<Handle>, during: impl FnOnce()) {
    let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (inside, end) = (Arc::clone(&entered), Arc::clone(&leave));
    stub.state().in_service = Some(Box::new(move || {
        inside.wait();
        end.wait();
    }));
    let other = Arc::clone(handle);
    let thread = thread::spawn(move || other.service(null_mut()));
    entered.wait();
    during();
    leave.wait();
    assert_eq!(thread.join().unwrap(), 0);
}

#[test]
fn second_thread_without_lock_returns_ebusy() {
    let (stub, handle) = device();
    while_in_service(&stub, &handle, || assert_each_is_busy(call_each(&handle)));
    assert!(stub.state().tx.is_empty(), "a rejected call had an effect");
    assert_eq!(handle.send_parts(&[&FRAME]), 0);
}

#[test]
fn second_thread_with_lock_that_does_not_exclude_returns_ebusy() {
    let (stub, handle) = device();
    assert_eq!(handle.set_lock(Some(&broken_lock())), 0);
    while_in_service(&stub, &handle, || assert_each_is_busy(call_each(&handle)));
    assert_eq!(handle.send_parts(&[&FRAME]), 0);
}

#[test]
fn call_from_inside_a_call_returns_ebusy() {
    let (stub, handle) = device();
    let (inner, calls) = (Arc::clone(&handle), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&calls);
    stub.state().in_service = Some(Box::new(move || {
        assert_each_is_busy(call_each(&inner));
        count.fetch_add(1, Ordering::Relaxed);
    }));
    assert_eq!(handle.service(null_mut()), 0);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    stub.state().in_service = None;
    assert_eq!(handle.service(null_mut()), 0);
}

#[test]
fn interrupt_during_a_call_is_noted() {
    let (stub, handle) = device();
    let signaled = Arc::new(IrqSignal::new());
    handle.signal_to(Arc::clone(&signaled));
    let mut pending = u8::MAX;
    assert_eq!((handle.rearm(abi::wait::RX, &mut pending), pending), (0, 0));
    while_in_service(&stub, &handle, || assert_eq!(handle.interrupt(), 0));
    assert!(signaled.try_take());
    // Without `disarm`, the interrupt is work that the stack has not seen.
    assert_eq!((handle.rearm(abi::wait::RX, &mut pending), pending), (0, 1));
    assert_eq!((handle.rearm(abi::wait::RX, &mut pending), pending), (0, 0));
    assert_eq!(handle.disarm(), 0);
    assert_eq!((handle.rearm(abi::wait::RX, &mut pending), pending), (0, 0));
    assert!(!signaled.try_take());
}

#[test]
fn interrupt_after_each_rearm_signals_once() {
    let (stub, handle) = device();
    let signaled = Arc::new(IrqSignal::new());
    handle.signal_to(Arc::clone(&signaled));
    let mut pending = 0;
    // Not armed: the interrupt is noted, and reported by the next `rearm`.
    assert_eq!(handle.interrupt(), 0);
    assert!(!signaled.try_take());
    assert_eq!((handle.rearm(abi::wait::RX, &mut pending), pending), (0, 1));
    // Since that call it is armed.
    assert_eq!(handle.interrupt(), 0);
    assert!(signaled.try_take());
    for _ in 0..3 {
        assert_eq!(handle.disarm(), 0);
        assert_eq!((handle.rearm(abi::wait::RX, &mut pending), pending), (0, 0));
        assert!(!signaled.is_signaled());
        assert_eq!(handle.interrupt(), 0);
        assert!(signaled.try_take());
        assert_eq!(handle.interrupt(), 0);
        assert!(!signaled.try_take());
    }
    // With a frame pending it is unmasked as well.
    stub.state().rx.push_back(FRAME.to_vec());
    assert_eq!(handle.disarm(), 0);
    assert_eq!((handle.rearm(abi::wait::RX, &mut pending), pending), (0, 1));
    assert_eq!(handle.interrupt(), 0);
    assert!(signaled.try_take());
    // Without the function, nothing is called.
    assert_eq!((handle.rearm(abi::wait::LINK, &mut pending), pending), (0, 1));
    assert_eq!(handle.set_signal(None), 0);
    assert_eq!(handle.interrupt(), 0);
    assert!(!signaled.is_signaled());
}

/// Sends in one thread, receives in another. Returns the numbers of `ETHDEV_EBUSY`.
fn send_and_receive(stub: &Stub, handle: &Handle) -> (usize, usize) {
    for n in 0..FRAMES {
        stub.state().rx.push_back(n.to_be_bytes().repeat(10));
    }
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut busy = 0;
            for n in 0..FRAMES {
                let frame = n.to_be_bytes();
                while let result @ ..=-1 = handle.send_parts(&[&FRAME[..14], &frame]) {
                    assert_eq!(code(result), ErrorCode::InUse);
                    busy += 1;
                    thread::yield_now();
                }
            }
            busy
        });
        let receiver = scope.spawn(|| {
            let (mut busy, mut buf) = (0, [0; 1514]);
            for n in 0..FRAMES {
                loop {
                    match handle.recv_into(&mut buf) {
                        Ok(rx) => break assert_eq!(buf[..rx.len], n.to_be_bytes().repeat(10)),
                        Err((error, _)) => assert_eq!(error, ErrorCode::InUse),
                    }
                    busy += 1;
                    thread::yield_now();
                }
            }
            busy
        });
        (sender.join().unwrap(), receiver.join().unwrap())
    })
}

#[track_caller]
fn assert_sent_in_order(stub: &Stub) {
    let sent = &stub.state().tx;
    assert_eq!(sent.len(), FRAMES);
    for (n, frame) in sent.iter().enumerate() {
        assert_eq!(frame[14..], n.to_be_bytes());
    }
}

#[test]
fn two_threads_without_lock_lose_nothing() {
    let (stub, handle) = device();
    send_and_receive(&stub, &handle);
    assert_sent_in_order(&stub);
}

#[test]
fn two_threads_with_lock_are_never_busy() {
    let (stub, handle) = device();
    let mutex: &'static OsMutex = Box::leak(Box::default());
    assert_eq!(handle.set_lock(Some(&mutex.hooks())), 0);
    assert_eq!(send_and_receive(&stub, &handle), (0, 0));
    assert_sent_in_order(&stub);
}
