//! Bus transactions, bytes and time, by the model of the chip, and their limits: `cargo test -p
//! ethdev-cyw43 --test figures -- --nocapture`. The README has the figures.

mod support;

use std::time::Duration;

use cyw43439_model::{AccessPoint, BusCounters};
use ethdev::EthernetDevice;
use ethdev_cyw43::{Config, Network, PowerSave, Verify};
use support::*;

fn joined(config: Config) -> (Testbed, Nic) {
    let testbed = Testbed::new();
    testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let mut nic = testbed.started(config);
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed.frames_cross(&mut nic);
    (testbed, nic)
}

fn since(now: BusCounters, before: &BusCounters) -> (u64, u64) {
    (now.transactions - before.transactions, now.bytes - before.bytes)
}

#[test]
fn start_and_join_cost() {
    // Loading 231,077 and 742 bytes in blocks of 64 takes 3,623 of the transactions.
    for (verify, most_transactions, most_bytes, most_ms) in [
        (Verify::Nothing, 3770, 271_000, 290),
        (Verify::Samples, 3795, 272_000, 290),
        (Verify::Everything, 7410, 547_000, 360),
    ] {
        let testbed = Testbed::with_ap();
        let mut nic = testbed.started(Config::new().with_verify(verify));
        let bus = testbed.chip.bus();
        let started = testbed.clock.now();
        println!(
            "start, {verify:?}: {} transactions, {} bytes, {started:?}",
            bus.transactions, bus.bytes
        );
        assert!(bus.transactions <= most_transactions && bus.bytes <= most_bytes);
        assert!(started <= Duration::from_millis(most_ms), "{started:?}");
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        let (transactions, bytes) = since(testbed.chip.bus(), &bus);
        let took = testbed.clock.now() - started;
        println!("join: {transactions} transactions, {bytes} bytes, {took:?}");
        assert!(transactions <= 46 && bytes <= 5400 && took <= Duration::from_millis(200));
    }
}

#[test]
fn frame_cost() {
    let (testbed, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
    for len in [60, 590, 1514] {
        let before = testbed.chip.bus();
        let mut frame = vec![0x11; len];
        nic.send_frame(&frame).unwrap();
        let (transactions, bytes) = since(testbed.chip.bus(), &before);
        println!(
            "sent, {len}: {transactions} transactions, {} bytes beyond the frame",
            bytes - len as u64
        );
        // The minimum of the protocol.
        assert_eq!((transactions, bytes), (1, 8 + (18 + len as u64).next_multiple_of(4)));
        testbed.pass(5);
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        for burst in [1, 3] {
            for _ in 0..burst {
                testbed.station.send(&frame);
            }
            testbed.pass(20);
            let before = testbed.chip.bus();
            while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
            let (transactions, bytes) = since(testbed.chip.bus(), &before);
            println!("received, {burst} of {len}: {transactions} transactions, {bytes} bytes");
            // The status, and each frame as the chip pads it.
            let padded = match len {
                60 => 268,
                590 => 620,
                _ => 1544,
            };
            assert_eq!((transactions, bytes), (1 + burst, 12 + burst * padded));
        }
    }
}

#[test]
fn send_frame_back_to_back_throughput() {
    let (testbed, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
    let frame = vec![0x11; 1514];
    let start = testbed.clock.now();
    let mut sent = 0_u32;
    while testbed.clock.now() - start < Duration::from_millis(200) {
        if nic.tx_ready().unwrap() {
            nic.send_frame(&frame).unwrap();
            sent += 1;
        } else {
            testbed.clock.advance(Duration::from_micros(50));
        }
    }
    let rate = f64::from(sent) * 1514.0 * 8.0 / 0.2 / 1e6;
    println!("sent without a gap: {rate:.1} Mbit/s");
    assert!(rate > 24.0);
}

#[test]
fn recv_frame_power_save_latency() {
    // A radio that sleeps receives with the next beacon, which comes every 102.4 ms.
    for (power_save, most) in [
        (PowerSave::Off, Duration::from_micros(300)),
        (PowerSave::Fast, Duration::from_millis(103)),
        (PowerSave::Balanced, Duration::from_millis(103)),
    ] {
        let testbed = Testbed::with_ap();
        let mut nic = testbed.started(Config::new().with_power_save(power_save));
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        testbed.pass(1000);
        let mut frame = vec![0x11; 300];
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        testbed.station.send(&frame);
        let sent = testbed.clock.now();
        while nic.recv_frame(&mut [0; 1514]).unwrap().is_none() {
            testbed.clock.advance(Duration::from_micros(20));
        }
        let took = testbed.clock.now() - sent;
        println!("from the wire to the caller after a second of silence, {power_save:?}: {took:?}");
        assert!(took <= most);
    }
}

#[test]
fn driver_size() {
    let size = size_of::<Nic>();
    println!("RAM on this host with the bus of the model: {size} bytes");
    assert!(size <= 960);
}
