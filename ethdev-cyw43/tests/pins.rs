//! The bus bit by bit: the model sees every edge.

mod support;

use cyw43439_model::{self as model, AccessPoint};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use ethdev::{Control, EthernetDevice};
use ethdev_cyw43::{BitBang, Config, Cyw43, DataPin, Images, Network, PowerSave};
use support::*;

/// The model's data line, as a pin of the driver's.
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
    fn drive(&mut self) -> Result<(), Self::Error> {
        self.0.set_as_output();
        Ok(())
    }

    fn let_go(&mut self) -> Result<(), Self::Error> {
        self.0.set_as_input();
        Ok(())
    }
}

#[test]
fn it_starts_joins_and_carries_frames_by_three_pins() {
    let lab = Lab::new();
    lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let pins = lab.chip.pins();
    let bus = BitBang::new(pins.select, pins.clock, Data(pins.data)).unwrap();
    // Each bit takes six steps of the test: a small image will do.
    let images = Images::new(&lab.blobs.firmware[..4000], &lab.blobs.nvram[..64], lab.blobs.clm);
    lab.chip.expect_images(
        model::Images::default()
            .with_firmware(&lab.blobs.firmware[..4000])
            .with_nvram(&lab.blobs.nvram[..64])
            .with_clm(lab.blobs.clm),
    );
    let memory = Box::leak(vec![0; 4096].into_boxed_slice());
    let config = Config::new().with_power_save(PowerSave::Off);
    let mut nic = Cyw43::new(bus, pins.power, lab.chip.delay(), images, memory, config).unwrap();
    nic.start().unwrap();
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    assert!(nic.link().is_up());
    let mut frame = vec![0x77; 300];
    frame[..6].copy_from_slice(&nic.mac_address().octets());
    lab.station.send(&frame);
    lab.pass(3);
    let mut buf = [0; 1514];
    let meta = nic.recv_frame(&mut buf).unwrap().expect("a frame");
    assert_eq!(buf[..meta.len], frame);
    nic.send_frame(&frame).unwrap();
    lab.pass(3);
    assert_eq!(lab.station.recv(), Some(frame));
    lab.assert_clean();
}
