use embedded_hal_async::{delay::DelayNs, digital::Wait, spi::SpiDevice};
use ethdev::{MacAddress, asynch::EthernetDevice};
use ethdev_enc28j60::asynch::{Enc28j60, LevelIrq};
use ethdev_enc28j60::{Config, Error};

async fn echo<SPI: SpiDevice>(spi: SPI, delay: impl DelayNs, int: impl Wait) -> Result<(), Error<SPI::Error>> {
    let config = Config::new(MacAddress::new([0x02, 0, 0, 0, 0, 0x28]));
    let mut nic = Enc28j60::new(spi, delay, LevelIrq(int), config).await?;
    let mut buf = [0; 1514];
    loop {
        let meta = nic.recv(&mut buf).await?;
        nic.send(&buf[..meta.len]).await?;
    }
}
