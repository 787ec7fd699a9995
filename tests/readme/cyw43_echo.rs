use embedded_hal::digital::OutputPin;
use embedded_hal_async::delay::DelayNs;
use ethdev::asynch::{Control, EthernetDevice};
use ethdev_cyw43::asynch::{Cyw43, Gspi};
use ethdev_cyw43::{Config, Error, FirmwareImages, Network};

async fn echo<BUS: Gspi>(
    bus: BUS,
    power: impl OutputPin,
    delay: impl DelayNs,
    images: FirmwareImages<'_>,
    network: &Network,
) -> Result<(), Error<BUS::Error>> {
    let mut rx_queue = [0; 4096];
    let mut nic = Cyw43::new(bus, power, delay, images, &mut rx_queue, Config::new())?;
    nic.start().await?;
    nic.join(network).await?;
    let mut buf = [0; 1514];
    loop {
        let meta = nic.recv(&mut buf).await?;
        nic.send(&buf[..meta.len]).await?;
    }
}
