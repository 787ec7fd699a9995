//! The async driver: waiting and the watchdog.

mod support;

use std::time::Duration;

use cyw43439_model::PowerPin;
use ethdev::Interest;
use ethdev::asynch::{Control, EthernetDevice};
use ethdev_cyw43::asynch::Cyw43;
use ethdev_cyw43::{
    Config, Error, Fault, FirmwareImages, MIN_RX_QUEUE_LEN, Network, PowerSave, RxWords, ScanOptions, TxWords,
};
use ethdev_sim::{SimDelay, block_on, block_on_until};
use support::*;

type Nic = Cyw43<'static, Host, PowerPin, SimDelay, FirmwareImages<'static>>;

fn joined(config: Config) -> (Testbed, Nic) {
    let testbed = Testbed::with_ap();
    let memory = Box::leak(vec![0; 4096].into_boxed_slice());
    let (host, power, delay) = (
        Host(testbed.chip.word_bus()),
        testbed.chip.power_pin(),
        testbed.chip.delay(),
    );
    let mut nic = Cyw43::new(host, power, delay, testbed.blobs.images(), memory, config).unwrap();
    block_on(&testbed.clock, async {
        nic.start().await.unwrap();
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).await.unwrap();
        assert_eq!(nic.ready(Interest::LINK).await.unwrap(), Interest::LINK);
    })
    .unwrap();
    (testbed, nic)
}

#[test]
fn ready_idle_has_no_traffic_until_frame() {
    let (testbed, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
    let before = testbed.chip.bus().transactions;
    let until = testbed.clock.now() + Duration::from_secs(60);
    assert!(block_on_until(&testbed.clock, until, nic.ready(Interest::ALL & Interest::RX)).is_err());
    // The interrupt is enabled and the status read once.
    assert!(testbed.chip.bus().transactions - before <= 1);
    let mut frame = vec![9; 700];
    frame[..6].copy_from_slice(&nic.mac_address().octets());
    testbed.station.send(&frame);
    let mut buf = [0; 1514];
    let meta = block_on(&testbed.clock, nic.recv(&mut buf)).unwrap().unwrap();
    assert_eq!(buf[..meta.len], frame);
    block_on(&testbed.clock, nic.send(&frame)).unwrap().unwrap();
    testbed.pass(5);
    assert_eq!(testbed.station.recv(), Some(frame));
    testbed.assert_no_violations();
}

#[test]
fn ready_without_credit_waits() {
    let (testbed, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
    testbed.chip.freeze_credit(true);
    testbed.chip.inject(cyw43439_model::Fault::CreditUpdate);
    let frame = [9; 60];
    let parts = [&frame[..]];
    let mut is_busy = || block_on(&testbed.clock, nic.send_vectored(&parts)).unwrap().is_err();
    assert!(
        (0..100).any(|_| is_busy()),
        "the chip gives credits for a hundred frames"
    );
    for interest in [Interest::TX, Interest::RX | Interest::TX] {
        let until = testbed.clock.now() + Duration::from_millis(50);
        let result = block_on_until(&testbed.clock, until, nic.ready(interest));
        assert!(result.is_err(), "{interest:?}: {result:?}");
    }
    testbed.chip.freeze_credit(false);
    testbed.chip.inject(cyw43439_model::Fault::CreditUpdate);
    let ready = block_on(&testbed.clock, nic.ready(Interest::TX)).unwrap();
    assert_eq!(ready, Ok(Interest::TX));
    assert_eq!(block_on(&testbed.clock, nic.send_vectored(&parts)).unwrap(), Ok(()));
}

/// The next request waits for the reply to one that was dropped, as long as to one that was not.
#[test]
fn request_after_dropped_one_waits_for_its_reply() {
    for (lost, least, most) in [(false, 0, 2), (true, 990, 1020)] {
        let (testbed, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
        if lost {
            let fault = cyw43439_model::Fault::Reply(cyw43439_model::Corruption::Lost);
            testbed.chip.inject(fault);
        }
        let requests = testbed.chip.bus().ioctls;
        let until = testbed.clock.now() + Duration::from_micros(200);
        assert!(block_on_until(&testbed.clock, until, nic.rssi_dbm()).is_err());
        assert_eq!(testbed.chip.bus().ioctls, requests + 1, "it was sent");
        let before = testbed.clock.now();
        let until = before + Duration::from_secs(2);
        let result = block_on_until(&testbed.clock, until, nic.rssi_dbm());
        assert_eq!(result.expect("the call does not return"), Ok(-50));
        let took = (testbed.clock.now() - before).as_millis();
        assert!((least..=most).contains(&took), "{took} ms");
    }
}

#[test]
fn ready_link_loss_is_reported() {
    let (testbed, mut nic) = joined(Config::new());
    testbed.chip.deauthenticate(3);
    let result = block_on(&testbed.clock, nic.ready(Interest::LINK)).unwrap();
    assert_eq!(result, Ok(Interest::LINK));
    assert!(!nic.link().is_up());
}

#[test]
fn ready_halted_firmware_is_fault_with_watchdog() {
    let (testbed, mut nic) = joined(Config::new().with_watchdog_interval(Duration::from_millis(500)));
    testbed.chip.halt_firmware();
    let until = testbed.clock.now() + Duration::from_secs(2);
    let result = block_on_until(&testbed.clock, until, nic.ready(Interest::RX)).unwrap();
    assert_eq!(result, Err(Error::Fault(Fault::FirmwareHalted)));
    block_on(&testbed.clock, nic.recover()).unwrap().unwrap();
    let result = block_on(&testbed.clock, nic.ready(Interest::LINK)).unwrap();
    assert_eq!(result, Ok(Interest::LINK));
}

/// A bus that is `Send`.
struct Anywhere;

impl ethdev_cyw43::asynch::Gspi for Anywhere {
    type Error = core::convert::Infallible;
    const CAN_WAIT: bool = false;

    async fn write(&mut self, _: u32, _: &mut TxWords<'_>) -> Result<u32, Self::Error> {
        core::future::pending().await
    }

    async fn read(&mut self, _: u32, _: &mut RxWords<'_>) -> Result<u32, Self::Error> {
        core::future::pending().await
    }

    async fn set_strap(&mut self, _: bool) -> Result<(), Self::Error> {
        core::future::pending().await
    }
}

impl embedded_hal_async::delay::DelayNs for Anywhere {
    async fn delay_ns(&mut self, _: u32) {
        core::future::pending::<()>().await;
    }
}

impl embedded_hal::digital::ErrorType for Anywhere {
    type Error = core::convert::Infallible;
}

impl embedded_hal::digital::OutputPin for Anywhere {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// With a `Send` bus every future is `Send`: this compiles.
#[test]
fn futures_send_bus_are_send() {
    fn sendable<T: Send>(_: T) {}
    let mut memory = [0; MIN_RX_QUEUE_LEN];
    let images = FirmwareImages::new(&[1], &[1], &[]);
    let mut nic = Cyw43::new(Anywhere, Anywhere, Anywhere, images, &mut memory, Config::new()).unwrap();
    let mut buf = [0; 60];
    sendable(nic.start());
    sendable(nic.join(&Network::open(SSID).unwrap()));
    sendable(nic.scan(&ScanOptions::new(), |_| {}));
    sendable(nic.recv_frame(&mut buf));
    sendable(nic.send_vectored(&[&buf]));
    sendable(nic.ready(Interest::ALL));
    sendable(nic);
}
