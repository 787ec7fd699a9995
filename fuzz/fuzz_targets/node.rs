//! smoltcp and the example node through the adapter, in both modes, on a device that misbehaves: no
//! panic, no endless loop, and the node becomes idle after the last input.
#![no_main]

use ethdev::EthernetDevice;
use ethdev_examples::apps::{Config, Node, Slots, Storage};
use ethdev_fuzz::MisbehavingDevice;
use ethdev_smoltcp::{Mode, PollAt, SmoltcpDevice};
use ethdev_util::Buffered;
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address};

/// Limit of polls with input.
const MAX_POLLS: i64 = 256;
/// Limit of polls after the last input until the node is idle.
const MAX_POLLS_TO_IDLE: i64 = 64;

/// `begin` begins a poll, and returns whether all input is used.
fn run<D: EthernetDevice, M: Mode<D>>(mut device: SmoltcpDevice<'_, D, M>, begin: impl Fn(&mut D) -> bool) {
    let mut storage = Box::new(Storage::<2048>::new());
    let mut slots = Slots::new();
    let addresses = [IpCidr::new(Ipv4Address::new(10, 0, 0, 1).into(), 24)];
    let config = Config {
        name: "fuzz",
        addresses: &addresses,
        gateway: None,
        seed: 1,
    };
    let mut node = Node::new(&config, &mut device, Instant::ZERO, &mut storage, &mut slots).expect("a valid address");
    let mut now = Instant::ZERO;
    let mut poll = |device: &mut SmoltcpDevice<'_, D, M>| {
        begin(device.inner_mut());
        now += smoltcp::time::Duration::from_millis(37);
        node.poll(now, device).ok();
        device.take_error();
        node.poll_at(now, device)
    };
    for _ in 0..MAX_POLLS {
        let _ = poll(&mut device);
        if begin(device.inner_mut()) {
            let idle = (0..MAX_POLLS_TO_IDLE).any(|_| poll(&mut device) != PollAt::Now);
            assert!(idle, "the node never becomes idle");
            break;
        }
    }
}

fn begin(device: &mut MisbehavingDevice<'_>) -> bool {
    device.begin();
    device.is_idle()
}

libfuzzer_sys::fuzz_target!(|input: (bool, Vec<u8>)| {
    let (lending, results) = input;
    let nic = MisbehavingDevice::new(&results);
    let (mut rx, mut tx, mut reply) = ([0; 1514], [0; 1514], [0; 1514]);
    if lending {
        let buffered = Buffered::new(nic, &mut rx, &mut tx);
        run(SmoltcpDevice::lending(buffered, &mut reply), |device| {
            begin(device.inner_mut())
        });
    } else {
        run(SmoltcpDevice::new(nic, &mut rx, &mut reply), begin);
    }
});
