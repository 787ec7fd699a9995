//! Counts the subdevices of an `EtherCAT` segment, with ethercrab over a packet socket.
//!
//! As root: `cargo run -p ethdev-linux --features async-io --example ethercat INTERFACE`.

#[cfg(target_os = "linux")]
mod exchange;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::time::Duration;

    use ethdev::{EthernetDevice, Interest};
    use ethdev_linux::PacketSocket;
    use ethercrab::error::Error;
    use ethercrab::{Command, MainDevice, MainDeviceConfig, PduStorage, Timeouts};
    use futures_lite::future;

    static STORAGE: PduStorage<16, { PduStorage::element_size(1100) }> = PduStorage::new();
    /// Register "type" of a subdevice.
    const TYPE: u16 = 0x0000;

    let name = std::env::args().nth(1).ok_or("usage: ethercat INTERFACE")?;
    let mut device = PacketSocket::open(&name)?;
    device.wait(Interest::LINK, Some(Duration::from_secs(2)))?;
    println!("{name}: link {}", device.link());

    let (tx, rx, pdu_loop) = STORAGE.try_split().map_err(|()| "the storage is in use")?;
    let main_device = MainDevice::new(pdu_loop, Timeouts::default(), MainDeviceConfig::default());
    let exchange = async {
        exchange::exchange(&mut device, tx, rx).await?;
        Err("the main device was released".into())
    };
    let count = async {
        // Each subdevice increments the working counter of a broadcast.
        match Command::brd(TYPE).with_wkc(0).receive::<u8>(&main_device).await {
            Ok(_) => Ok(0),
            Err(Error::WorkingCounter { received, .. }) => Ok(received),
            Err(e) => Err(format!("no response from the segment: {e}").into()),
        }
    };
    let subdevices: Result<u16, Box<dyn std::error::Error>> = future::block_on(future::or(count, exchange));
    println!("{} subdevices", subdevices?);
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("packet sockets exist on Linux only");
}
