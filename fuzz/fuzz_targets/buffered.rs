//! `Buffered` and `Callback` over a device that lies: no panic, no frame longer than the buffer, no endless loop.
#![no_main]

use arbitrary::Unstructured;
use ethdev::{CallbackDevice, EthernetDevice, Interest, LendingDevice, Rearm, RxFrame, RxHalf, Transmit, TxHalf};
use ethdev_fuzz::Hostile;
use ethdev_util::{Buffered, Callback};

const N: usize = 600;

libfuzzer_sys::fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (calls, answers) = input;
    let mut calls = Unstructured::new(&calls);
    let mut device: Buffered<_, N> = Buffered::new(Hostile::new(&answers));
    let mut buf = [0; 2000];
    while !calls.is_empty() {
        let call = calls.arbitrary::<u8>().unwrap_or(0) % 10;
        let len = usize::from(calls.arbitrary::<u16>().unwrap_or(0)) % 2000;
        let (mut rx, mut tx) = device.split();
        match call {
            0 => drop(
                rx.peek()
                    .map(|frame| assert!(frame.is_none_or(|frame| frame.len() <= N))),
            ),
            1 => drop(rx.release()),
            2 => drop(rx.discard()),
            3 => drop(
                tx.reserve(len)
                    .map(|memory| assert!(memory.is_none_or(|memory| memory.len() == len))),
            ),
            4 => {
                let lent = tx.reserve(len).is_ok_and(|memory| memory.is_some());
                let commit = calls.arbitrary::<u16>().unwrap_or(0).into();
                let outcome = tx.commit(commit);
                assert!(
                    outcome.is_err() || (lent && commit <= len),
                    "more was sent than was reserved"
                );
            }
            5 => drop(tx.send_vectored(&[&buf[..len], &buf[len..]])),
            6 => drop(device.recv_frame(&mut buf[..len])),
            7 => drop(device.send_frame(&buf[..len])),
            8 => drop(device.service()),
            _ => drop(device.rearm(Interest::ALL)),
        }
    }
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit| {
        assert!(frame.len() <= N);
        tx.send_frame(&frame).ok();
    };
    let mut device = Callback::new(device);
    device.set_handler(&mut handler);
    for _ in 0..64 {
        assert!(device.poll(4).map_or(0, |polled| polled.frames) <= 4);
    }
});
