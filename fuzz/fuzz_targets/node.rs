//! smoltcp and the example node through the adapter, over a device that lies: no panic, no endless loop.
#![no_main]

use ethdev_examples::apps::{Config, Node, Slots, Storage};
use ethdev_fuzz::Hostile;
use ethdev_smoltcp::SmoltcpDevice;
use ethdev_util::Buffered;
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address};

libfuzzer_sys::fuzz_target!(|answers: Vec<u8>| {
    let mut spare = [0; 1514];
    let mut device = SmoltcpDevice::new(Buffered::<_, 1514>::new(Hostile::new(&answers)), &mut spare);
    let mut storage = Box::new(Storage::<2048>::new());
    let mut slots = Slots::new();
    let addresses = [IpCidr::new(Ipv4Address::new(10, 0, 0, 1).into(), 24)];
    let config = Config {
        name: "fuzz",
        addresses: &addresses,
        gateway: None,
        seed: 1,
    };
    let mut node = Node::new(&config, &mut device, Instant::ZERO, &mut storage, &mut slots).expect("a legal address");
    for step in 0..256 {
        let now = Instant::from_millis(step * 37);
        node.poll(now, &mut device).ok();
        let _ = node.wakeup(now, &mut device);
        device.take_error();
        if device.inner_mut().inner_mut().is_idle() {
            break;
        }
    }
});
