//! The programs in C on the reference memory device.

mod sys_testbed;

use core::num::NonZeroU32;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use c_node::{InterruptNode, poll};
use ethdev::MacAddress;
use ethdev_capi::CDevice;
use ethdev_capi::abi::ErrorCode;
use ethdev_sim::RingConfig;
use ethdev_util::IrqSignal;

use sys_testbed::SharedNic;

const NIC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 2];
/// Simulated time of one step of the hardware's thread.
const STEP: Duration = Duration::from_micros(10);
/// Real time in which each test ends.
const LIMIT: Duration = Duration::from_secs(60);

fn config() -> RingConfig {
    RingConfig::new(MacAddress::new(NIC))
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn frame(destination: [u8; 6], source: [u8; 6], n: u32) -> Vec<u8> {
    let mut frame = [&destination[..], &source, &[0x88, 0xb5], &n.to_be_bytes()].concat();
    frame.resize(60 + n as usize % 1000, n as u8);
    frame
}

/// Lets the hardware run until `is_done`, which is called after each step.
fn run_hardware(mut is_done: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is_done() {
        assert!(Instant::now() < end, "not done after {LIMIT:?}");
        thread::sleep(Duration::from_micros(50));
    }
}

#[test]
fn poll_is_in_readme() {
    let readme = include_str!("../../../../ethdev-capi/README.md");
    assert!(readme.contains(include_str!("../../c/poll.c")));
}

#[test]
fn poll_returns_frames_until_the_device_fails() {
    const FRAMES: u32 = 50;
    let nic = SharedNic::new(config(), None);
    let device = leak(CDevice::new(nic.clone(), c"eth0", NonZeroU32::MIN));
    let program = thread::spawn(|| poll(device));
    let (mut sent, mut returned) = (0, 0);
    run_hardware(|| {
        let simulator = nic.simulator();
        if sent == returned && sent < FRAMES {
            simulator.peer.send(&frame(NIC, PEER, sent));
            sent += 1;
        }
        simulator.advance(STEP);
        while let Some(received) = simulator.peer.recv() {
            assert_eq!(received, frame(PEER, NIC, returned));
            returned += 1;
        }
        returned == FRAMES
    });
    nic.simulator().nic.hardware().inject_fault();
    assert_eq!(program.join().unwrap(), -(ErrorCode::Fault as i32));
}

/// The hardware around an interrupt node: the interrupt line of the device, and the handler that
/// the interrupt controller calls.
struct Board {
    nic: SharedNic,
    line: Arc<IrqSignal>,
    node: InterruptNode,
    interrupts: u32,
}

impl Board {
    fn new(config: RingConfig) -> Self {
        let line = Arc::new(IrqSignal::new());
        let nic = SharedNic::new(config, Some(Arc::clone(&line)));
        let device = CDevice::with_interrupt(nic.clone(), leak(IrqSignal::new()), c"eth0", NonZeroU32::MIN);
        let node = InterruptNode::start(leak(device)).expect("the node starts");
        Self {
            nic,
            line,
            node,
            interrupts: 0,
        }
    }

    fn step(&mut self) {
        self.nic.simulator().advance(STEP);
        if self.line.try_take() {
            self.interrupts += 1;
            self.node.interrupt();
        }
    }

    /// Sends frames in bursts of `burst`, and receives their echoes in order.
    fn exchange(&mut self, frames: u32, burst: u32) {
        let (mut sent, mut returned) = (0, 0);
        run_hardware(|| {
            if sent == returned && sent < frames {
                for _ in 0..burst.min(frames - sent) {
                    self.nic.simulator().peer.send(&frame(NIC, PEER, sent));
                    sent += 1;
                }
            }
            self.step();
            // In this thread, beside the node's own: the lock functions exclude.
            let counters = self.node.counters().expect("never in use");
            assert!(counters.rx_frames <= sent);
            while let Some(received) = self.nic.simulator().peer.recv() {
                assert_eq!(received, frame(PEER, NIC, returned));
                returned += 1;
            }
            returned == frames
        });
    }
}

#[test]
fn interrupt_node_returns_frames() {
    let mut board = Board::new(config());
    board.exchange(200, 1);
    assert!(board.interrupts > 0);
    let report = board.node.stop();
    assert_eq!((report.error, report.echoed, report.dropped), (0, 200, 0));
    // It slept between the frames.
    assert!(report.waits >= 100, "{report:?}");
}

#[test]
fn interrupt_node_full_queue_loses_nothing() {
    let mut board = Board::new(config().with_slots(8, 1));
    board.exchange(400, 8);
    let report = board.node.stop();
    assert_eq!((report.error, report.echoed, report.dropped), (0, 400, 0));
    assert!(report.retries > 0, "{report:?}");
}

#[test]
fn interrupt_node_device_fault_ends_it_with_code() {
    let mut board = Board::new(config());
    board.exchange(10, 1);
    board.nic.simulator().nic.hardware().inject_fault();
    // The next interrupt, or the end of the wait, finds the fault.
    board.nic.simulator().peer.send(&frame(NIC, PEER, 0));
    let end = Instant::now() + Duration::from_millis(300);
    run_hardware(|| {
        board.step();
        Instant::now() > end
    });
    let report = board.node.stop();
    assert_eq!((report.error, report.echoed), (ErrorCode::Fault as i32, 10));
}

#[test]
fn interrupt_node_link_down_and_up_continues() {
    let mut board = Board::new(config());
    board.nic.simulator().wire.set_link(false);
    for _ in 0..100 {
        board.step();
    }
    board.nic.simulator().wire.set_link(true);
    board.exchange(20, 2);
    assert_eq!(board.node.stop().error, 0);
}
