//! What the driver costs, counted by the model of the chip: `cargo test -p ethdev-cyw43 --test figures -- --nocapture`.

mod support;

use std::time::Duration;

use cyw43439_model::{AccessPoint, BusCounters};
use ethdev::EthernetDevice;
use ethdev_cyw43::{Config, Network, PowerSave, Verify};
use support::*;

fn joined(config: Config) -> (Lab, Nic) {
    let lab = Lab::new();
    lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let mut nic = lab.started(config);
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    lab.frames_cross(&mut nic);
    (lab, nic)
}

fn since(now: BusCounters, before: &BusCounters) -> (u64, u64) {
    (now.transactions - before.transactions, now.bytes - before.bytes)
}

#[test]
fn to_joined() {
    for verify in [Verify::Nothing, Verify::Samples, Verify::Everything] {
        let lab = Lab::with_ap();
        let mut nic = lab.started(Config::new().with_verify(verify));
        let bus = lab.chip.bus();
        let started = lab.clock.now();
        println!(
            "start, {verify:?}: {} transactions, {} bytes, {started:?}",
            bus.transactions, bus.bytes
        );
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        let (transactions, bytes) = since(lab.chip.bus(), &bus);
        println!(
            "join: {transactions} transactions, {bytes} bytes, {:?}",
            lab.clock.now() - started
        );
        if verify == Verify::Nothing {
            // Loading 231,077 and 742 bytes in blocks of 64 takes 3,623 of them.
            assert!(lab.chip.bus().transactions < 3850);
        }
    }
}

#[test]
fn each_frame() {
    let (lab, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
    for len in [60, 590, 1514] {
        let before = lab.chip.bus();
        let mut frame = vec![0x11; len];
        nic.send_frame(&frame).unwrap();
        let (transactions, bytes) = since(lab.chip.bus(), &before);
        println!(
            "sent, {len}: {transactions} transactions, {} bytes beyond the frame",
            bytes - len as u64
        );
        lab.pass(5);
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        for burst in [1, 3] {
            for _ in 0..burst {
                lab.station.send(&frame);
            }
            lab.pass(20);
            let before = lab.chip.bus();
            while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
            let (transactions, bytes) = since(lab.chip.bus(), &before);
            println!("received, {burst} of {len}: {transactions} transactions, {bytes} bytes");
        }
    }
}

#[test]
fn goodput() {
    let (lab, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
    let frame = vec![0x11; 1514];
    let start = lab.clock.now();
    let mut sent = 0_u32;
    while lab.clock.now() - start < Duration::from_millis(200) {
        if nic.tx_ready().unwrap() {
            nic.send_frame(&frame).unwrap();
            sent += 1;
        } else {
            lab.clock.advance(Duration::from_micros(50));
        }
    }
    println!(
        "sent without a gap: {:.1} Mbit/s",
        f64::from(sent) * 1514.0 * 8.0 / 0.2 / 1e6
    );
}

#[test]
fn latency() {
    for power_save in [PowerSave::Off, PowerSave::Fast, PowerSave::Balanced] {
        let lab = Lab::with_ap();
        let mut nic = lab.started(Config::new().with_power_save(power_save));
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        lab.pass(1000);
        let mut frame = vec![0x11; 300];
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        lab.station.send(&frame);
        let sent = lab.clock.now();
        while nic.recv_frame(&mut [0; 1514]).unwrap().is_none() {
            lab.clock.advance(Duration::from_micros(20));
        }
        println!(
            "from the wire to the caller after a second of silence, {power_save:?}: {:?}",
            lab.clock.now() - sent
        );
    }
}

#[test]
fn memory() {
    println!(
        "RAM on this host without bus, delay and images: {} bytes",
        size_of::<Nic>()
    );
}
