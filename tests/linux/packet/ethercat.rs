//! ethercrab over packet sockets, with a modelled segment.

#[path = "../../../ethdev-linux/examples/ethercat/exchange.rs"]
mod exchange;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ethdev::{EthernetDevice, Interest};
use ethdev_linux::{InterfaceError, PacketSocket};
use ethercrab::error::{Error, TimeoutError};
use ethercrab::{Command, MainDevice, MainDeviceConfig, PduStorage, Timeouts};
use exchange::exchange;
use futures_lite::future;

use super::pair::*;
use crate::testbed::*;

/// A segment whose subdevices do nothing but increment the working counter of each datagram. It
/// runs until it is dropped.
struct Segment {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Segment {
    fn new(mut device: PacketSocket, subdevices: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut buf = [0; 1518];
            while !stopped.load(Ordering::Relaxed) {
                while let Some(meta) = device.recv_frame(&mut buf).expect("far failed") {
                    let frame = &mut buf[..meta.len];
                    if frame[12..14] == [0x88, 0xa4] {
                        process(frame, subdevices);
                        device.send_frame(frame).expect("not sent");
                    }
                }
                device.wait_for(Interest::RX, Duration::from_millis(5));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("dropped twice");
        assert!(thread.join().is_ok(), "the segment failed");
    }
}

/// Processes a frame (ETG.1000.4): the first subdevice marks the source address, and each one
/// increments the working counters.
fn process(frame: &mut [u8], subdevices: u16) {
    frame[6] |= 2;
    let mut at = 16;
    loop {
        // Command, index, address, length and flags, interrupt, data, working counter.
        let length = u16::from_le_bytes([frame[at + 6], frame[at + 7]]);
        let counter = at + 10 + usize::from(length & 0x7ff);
        let value = u16::from_le_bytes([frame[counter], frame[counter + 1]]) + subdevices;
        frame[counter..counter + 2].copy_from_slice(&value.to_le_bytes());
        if length & 0x8000 == 0 {
            return;
        }
        at = counter + 2;
    }
}

type Storage = PduStorage<8, { PduStorage::element_size(64) }>;

/// Runs `task` with a main device on `device`.
async fn run<T>(
    storage: &'static Storage,
    device: &mut PacketSocket,
    task: impl AsyncFnOnce(&MainDevice<'static>) -> T,
) -> Result<T, InterfaceError> {
    let (tx, rx, pdu_loop) = storage.try_split().expect("split twice");
    let timeouts = Timeouts {
        pdu: Duration::from_millis(200),
        ..Timeouts::default()
    };
    let main_device = MainDevice::new(pdu_loop, timeouts, MainDeviceConfig::default());
    let exchange = async {
        exchange(device, tx, rx).await?;
        panic!("the main device was not released");
    };
    future::or(async { Ok(task(&main_device).await) }, exchange).await
}

#[test]
fn ethercrab_broadcast_counts_subdevices() {
    static STORAGE: Storage = PduStorage::new();
    in_namespace(|| {
        let mut device = near();
        let _segment = Segment::new(open("far"), 3);
        let task = async |main_device: &MainDevice<'static>| {
            for _ in 0..200 {
                let read = Command::brd(0).with_wkc(3).receive::<u8>(main_device).await;
                read.expect("not read");
            }
            Command::brd(0).with_wkc(1).receive::<u8>(main_device).await
        };
        let wrong = future::block_on(run(&STORAGE, &mut device, task)).expect("near failed");
        let expected = Error::WorkingCounter {
            expected: 1,
            received: 3,
        };
        assert_eq!(wrong, Err(expected));
        assert_eq!((device.stats().tx_frames, device.stats().rx_lost()), (201, 0));
    });
}

#[test]
fn ethercrab_empty_segment_has_no_subdevices() {
    static STORAGE: Storage = PduStorage::new();
    in_namespace(|| {
        let mut device = near();
        let _segment = Segment::new(open("far"), 0);
        let task = async |main_device: &MainDevice<'static>| {
            main_device
                .init_single_group::<2, 8>(ethercrab::std::ethercat_now)
                .await
                .map(|group| group.len())
        };
        let found = future::block_on(run(&STORAGE, &mut device, task)).expect("near failed");
        assert_eq!(found, Ok(0));
    });
}

#[test]
fn ethercrab_no_response_times_out() {
    static STORAGE: Storage = PduStorage::new();
    in_namespace(|| {
        let mut device = near();
        let task = async |main_device: &MainDevice<'static>| {
            let silent = Command::brd(0).receive::<u8>(main_device).await;
            // Nothing is taken from ethercrab while the link is down.
            ip("link set far down");
            let begin = Instant::now();
            let mut down = silent;
            while begin.elapsed() < Duration::from_millis(400) {
                down = Command::brd(0).receive::<u8>(main_device).await;
            }
            (silent, down)
        };
        let (silent, down) = future::block_on(run(&STORAGE, &mut device, task)).expect("near failed");
        assert_eq!(silent, Err(Error::Timeout(TimeoutError::Pdu)));
        assert_eq!(down, Err(Error::Timeout(TimeoutError::Pdu)));
        assert!(!device.link().is_up());
    });
}

#[test]
fn ethercrab_interface_deleted_ends_exchange() {
    static STORAGE: Storage = PduStorage::new();
    in_namespace(|| {
        let mut device = near();
        let deleter = after_delay(|| drop(ip("link del near")));
        let task = async |main_device: &MainDevice<'static>| {
            for _ in 0..100 {
                let _ = Command::brd(0).receive::<u8>(main_device).await;
            }
        };
        let result = future::block_on(run(&STORAGE, &mut device, task));
        deleter.join().expect("not deleted");
        assert!(
            matches!(result, Err(InterfaceError::InterfaceRemoved { .. })),
            "{result:?}"
        );
    });
}
