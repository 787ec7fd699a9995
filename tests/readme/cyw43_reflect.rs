use embedded_hal::{delay::DelayNs, digital::OutputPin};
use ethdev::{Control, EthernetDevice};
use ethdev_cyw43::{Config, Country, Cyw43, Error, FirmwareImages, Gspi, Network};

/// Joins a network and returns every frame to its sender. `power` is the pin `WL_REG_ON`.
fn reflect<BUS: Gspi>(
    bus: BUS,
    power: impl OutputPin,
    delay: impl DelayNs,
    images: FirmwareImages<'_>, // firmware, NVRAM and CLM, see below
    passphrase: &str,
) -> Result<(), Error<BUS::Error>> {
    let mut rx_queue = [0; 4096];
    let config = Config::new().with_country(Country::new("DE")?);
    let mut nic = Cyw43::new(bus, power, delay, images, &mut rx_queue, config)?;
    nic.start()?;
    nic.join(&Network::wpa2("my network", passphrase)?)?;
    let mut buf = [0; 1514];
    loop {
        match nic.recv_frame(&mut buf)? {
            Some(meta) if nic.tx_ready()? => {
                let (addresses, payload) = buf[..meta.len].split_at(12);
                // The parts are joined while they are sent to the chip.
                nic.send_vectored(&[&addresses[6..], &nic.mac_address().octets(), payload])?;
            }
            Some(_) => {} // no credit to send: this frame is not returned
            None => {
                nic.service()?;
            }
        }
    }
}
