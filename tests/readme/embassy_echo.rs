use embassy_net_driver_channel::Device;
use ethdev_embassy::EmbassyDevice;
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{IpAddress, IpCidr};

/// A UDP echo server of smoltcp. `driver` is the device of a driver for embassy-net; its runner is
/// a task of its own. `sleep` waits for the time, or for the driver, and returns `false` to end.
fn echo(
    driver: Device<'_, 1514>,
    now: impl Fn() -> Instant,
    mut sleep: impl FnMut(PollAt) -> bool,
) -> Result<(), Box<dyn core::error::Error>> {
    let (mut next, mut rx, mut reply) = ([0; 1514], [0; 1514], [0; 1514]);
    let nic = EmbassyDevice::queued(driver, &mut next)?;
    let mut device = SmoltcpDevice::new(nic, &mut rx, &mut reply);

    let mut iface = Interface::new(Config::new(device.hardware_address()), &mut device, now());
    iface.update_ip_addrs(|addrs| addrs.extend([IpCidr::new(IpAddress::v4(192, 168, 69, 1), 24)]));
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 2048]);
    let mut sockets = SocketSet::new(Vec::new());
    let socket = sockets.add(udp::Socket::new(buffer(), buffer()));
    sockets.get_mut::<udp::Socket<'_>>(socket).bind(7)?;

    loop {
        device.service()?;
        iface.poll(now(), &mut device, &mut sockets);
        let socket = sockets.get_mut::<udp::Socket<'_>>(socket);
        while let Ok((data, from)) = socket.recv() {
            let data = data.to_vec();
            socket.send_slice(&data, from)?;
        }
        if !sleep(device.poll_at(&mut iface, &sockets, now())) {
            return Ok(());
        }
    }
}
