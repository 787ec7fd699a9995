use embedded_hal::{delay::DelayNs, spi::SpiDevice};
use ethdev::{EthernetDevice, MacAddress};
use ethdev_enc28j60::{Config, Enc28j60, Error};

/// Returns every frame to its sender. `spi` is in mode 0 at 8 to 20 MHz.
fn reflect<SPI: SpiDevice>(spi: SPI, delay: impl DelayNs) -> Result<(), Error<SPI::Error>> {
    let config = Config::new(MacAddress::new([0x02, 0, 0, 0, 0, 0x28]));
    let mut nic = Enc28j60::new(spi, delay, config)?;
    let mut buf = [0; 1514];
    loop {
        match nic.recv_frame(&mut buf)? {
            Some(meta) if nic.tx_ready()? => {
                let (addresses, payload) = buf[..meta.len].split_at(12);
                // The parts are joined while they are written to the chip.
                nic.send_vectored(&[&addresses[6..], &nic.mac_address().octets(), payload])?;
            }
            Some(_) => {} // transmit queue full: this frame is not returned
            None => {
                nic.service()?;
            }
        }
    }
}
