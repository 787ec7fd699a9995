//! `Buffered` and `Callback` on a device that misbehaves: no panic, no frame longer than the
//! buffer, no endless loop.
#![no_main]

use arbitrary::Unstructured;
use ethdev::{
    CallbackDevice, ErrorKind, EthernetDevice, Interest, LendingDevice, Rearm, RxFrame, RxHalf, Transmit, TxHalf,
};
use ethdev_fuzz::MisbehavingDevice;
use ethdev_util::{Buffered, Callback};

/// Length of the longest buffer.
const MAX_LEN: usize = 600;

libfuzzer_sys::fuzz_target!(|input: (u16, u16, Vec<u8>, Vec<u8>)| {
    let (rx_len, tx_len, calls, results) = input;
    let (rx_len, tx_len) = (usize::from(rx_len) % (MAX_LEN + 1), usize::from(tx_len) % (MAX_LEN + 1));
    let (mut rx_buf, mut tx_buf) = ([0; MAX_LEN], [0; MAX_LEN]);
    let mut calls = Unstructured::new(&calls);
    let mut device = Buffered::new(
        MisbehavingDevice::new(&results),
        &mut rx_buf[..rx_len],
        &mut tx_buf[..tx_len],
    );
    let mut buf = [0; 2000];
    while !calls.is_empty() {
        let call = calls.arbitrary::<u8>().unwrap_or(0) % 10;
        let len = usize::from(calls.arbitrary::<u16>().unwrap_or(0)) % 2000;
        device.inner_mut().begin();
        let (mut rx, mut tx) = device.split();
        match call {
            0 => {
                if let Ok(Some(frame)) = rx.peek() {
                    assert!(frame.len() <= rx_len, "frame longer than the buffer");
                }
            }
            1 => drop(rx.release()),
            2 => drop(rx.discard()),
            3 => {
                if let Ok(Some(memory)) = tx.reserve(len) {
                    assert_eq!(memory.len(), len);
                    assert!(len <= tx_len, "reservation longer than the buffer");
                }
            }
            4 => {
                let reserved = tx.reserve(len).is_ok_and(|memory| memory.is_some());
                let commit = calls.arbitrary::<u16>().unwrap_or(0).into();
                if tx.commit(commit).is_ok() {
                    assert!(reserved && commit <= len, "sent more than reserved");
                }
            }
            5 => drop(tx.send_vectored(&[&buf[..len], &buf[len..]])),
            6 => drop(device.recv_frame(&mut buf[..len])),
            7 => drop(device.send_frame(&buf[..len])),
            8 => drop(device.service()),
            _ => drop(device.rearm(Interest::ALL)),
        }
    }
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = ErrorKind>| {
        assert!(frame.len() <= rx_len, "frame longer than the buffer");
        tx.send_frame(&frame).ok();
    };
    device.inner_mut().begin();
    let mut device = Callback::new(device);
    device.set_handler(&mut handler);
    for _ in 0..64 {
        if let Ok(polled) = device.poll(4) {
            assert!(polled.frames <= 4, "budget exceeded");
        }
    }
});
