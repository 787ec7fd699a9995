//! The async driver: waiting costs nothing, and an idle chip that dies is noticed where that is asked for.

mod support;

use std::time::Duration;

use cyw43439_model::PowerPin;
use ethdev::Interest;
use ethdev::asynch::{Control, EthernetDevice};
use ethdev_cyw43::asynch::Cyw43;
use ethdev_cyw43::{
    Config, Error, Fault, Images, Incoming, MIN_RX_QUEUE_LEN, Network, Outgoing, PowerSave, ScanOptions,
};
use ethdev_sim::{SimDelay, block_on, block_on_until};
use support::*;

type Nic = Cyw43<'static, Host, PowerPin, SimDelay, Images<'static>>;

fn joined(config: Config) -> (Lab, Nic) {
    let lab = Lab::with_ap();
    let memory = Box::leak(vec![0; 4096].into_boxed_slice());
    let (host, power, delay) = (Host(lab.chip.word_bus()), lab.chip.power_pin(), lab.chip.delay());
    let mut nic = Cyw43::new(host, power, delay, lab.blobs.images(), memory, config).unwrap();
    block_on(&lab.clock, async {
        nic.start().await.unwrap();
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).await.unwrap();
        assert_eq!(nic.ready(Interest::LINK).await.unwrap(), Interest::LINK);
    })
    .unwrap();
    (lab, nic)
}

#[test]
fn waiting_costs_nothing_and_a_frame_ends_it() {
    let (lab, mut nic) = joined(Config::new().with_power_save(PowerSave::Off));
    let before = lab.chip.bus().transactions;
    let until = lab.clock.now() + Duration::from_secs(60);
    assert!(block_on_until(&lab.clock, until, nic.ready(Interest::ALL & Interest::RX)).is_err());
    // The interrupt is enabled, and the chip looked at once.
    assert!(lab.chip.bus().transactions - before <= 1);
    let mut frame = vec![9; 700];
    frame[..6].copy_from_slice(&nic.mac_address().octets());
    lab.station.send(&frame);
    let mut buf = [0; 1514];
    let meta = block_on(&lab.clock, nic.recv(&mut buf)).unwrap().unwrap();
    assert_eq!(buf[..meta.len], frame);
    block_on(&lab.clock, nic.send(&frame)).unwrap().unwrap();
    lab.pass(5);
    assert_eq!(lab.station.recv(), Some(frame));
    lab.assert_clean();
}

#[test]
fn a_link_that_goes_ends_the_wait_for_it() {
    let (lab, mut nic) = joined(Config::new());
    lab.chip.deauthenticate(3);
    let told = block_on(&lab.clock, nic.ready(Interest::LINK)).unwrap();
    assert_eq!(told, Ok(Interest::LINK));
    assert!(!nic.link().is_up());
}

#[test]
fn an_idle_chip_that_dies_is_noticed_where_that_is_asked_for() {
    let (lab, mut nic) = joined(Config::new().with_idle_check_ms(500));
    lab.chip.halt_firmware();
    let until = lab.clock.now() + Duration::from_secs(2);
    let told = block_on_until(&lab.clock, until, nic.ready(Interest::RX)).unwrap();
    assert_eq!(told, Err(Error::Fault(Fault::FirmwareHalted)));
    block_on(&lab.clock, nic.recover()).unwrap().unwrap();
    let told = block_on(&lab.clock, nic.ready(Interest::LINK)).unwrap();
    assert_eq!(told, Ok(Interest::LINK));
}

/// A bus that could be anywhere.
struct Anywhere;

impl ethdev_cyw43::asynch::Gspi for Anywhere {
    type Error = core::convert::Infallible;
    const CAN_WAIT: bool = false;

    async fn write(&mut self, _: u32, _: &mut Outgoing<'_>) -> Result<u32, Self::Error> {
        core::future::pending().await
    }

    async fn read(&mut self, _: u32, _: &mut Incoming<'_>) -> Result<u32, Self::Error> {
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

/// With a bus that can be sent to another thread, so can every future: it compiles.
#[test]
fn futures_go_where_the_device_goes() {
    fn sendable<T: Send>(_: T) {}
    let mut memory = [0; MIN_RX_QUEUE_LEN];
    let images = Images::new(&[1], &[1], &[]);
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
