//! `BitBang` on the pins of the model.

mod support;

use cyw43439_model::{self as model, AccessPoint};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use ethdev::{Control, EthernetDevice};
use ethdev_cyw43::{BitBang, Config, Cyw43, DataPin, FirmwareImages, Network, PowerSave};
use support::*;

/// The data line of the model as a `DataPin`.
struct Data(model::DataPin);

impl ErrorType for Data {
    type Error = <model::DataPin as ErrorType>::Error;
}

impl InputPin for Data {
    fn is_high(&mut self) -> Result<bool, Self::Error> {
        self.0.is_high()
    }

    fn is_low(&mut self) -> Result<bool, Self::Error> {
        self.0.is_low()
    }
}

impl OutputPin for Data {
    fn set_high(&mut self) -> Result<(), Self::Error> {
        self.0.set_high()
    }

    fn set_low(&mut self) -> Result<(), Self::Error> {
        self.0.set_low()
    }
}

impl DataPin for Data {
    fn set_as_output(&mut self) -> Result<(), Self::Error> {
        self.0.set_as_output();
        Ok(())
    }

    fn set_as_input(&mut self) -> Result<(), Self::Error> {
        self.0.set_as_input();
        Ok(())
    }
}

#[test]
fn bitbang_three_pins_start_join_and_transfer() {
    let testbed = Testbed::new();
    testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let pins = testbed.chip.pins();
    let bus = BitBang::new(pins.select, pins.clock, Data(pins.data)).unwrap();
    // Each bit takes six steps: a small image keeps the test short.
    let images = FirmwareImages::new(
        &testbed.blobs.firmware[..4000],
        &testbed.blobs.nvram[..64],
        testbed.blobs.clm,
    );
    testbed.chip.expect_images(
        model::Images::default()
            .with_firmware(&testbed.blobs.firmware[..4000])
            .with_nvram(&testbed.blobs.nvram[..64])
            .with_clm(testbed.blobs.clm),
    );
    let memory = Box::leak(vec![0; 4096].into_boxed_slice());
    let config = Config::new().with_power_save(PowerSave::Off);
    let mut nic = Cyw43::new(bus, pins.power, testbed.chip.delay(), images, memory, config).unwrap();
    nic.start().unwrap();
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    assert!(nic.link().is_up());
    let mut frame = vec![0x77; 300];
    frame[..6].copy_from_slice(&nic.mac_address().octets());
    testbed.station.send(&frame);
    testbed.pass(3);
    let mut buf = [0; 1514];
    let meta = nic.recv_frame(&mut buf).unwrap().expect("a frame");
    assert_eq!(buf[..meta.len], frame);
    nic.send_frame(&frame).unwrap();
    testbed.pass(3);
    assert_eq!(testbed.station.recv(), Some(frame));
    testbed.assert_no_violations();
}
