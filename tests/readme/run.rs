use ethdev::EthernetDevice;
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::time::Instant;
use smoltcp::wire::IpCidr;

/// Runs smoltcp until the device fails. `sleep` waits for the interrupt of the device or the time.
fn run<D: EthernetDevice>(
    nic: D,
    address: IpCidr,
    mut sockets: SocketSet<'_>,
    now: impl Fn() -> Instant,
    mut sleep: impl FnMut(PollAt),
) -> Result<(), D::Error> {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let mut device = SmoltcpDevice::new(nic, &mut rx, &mut reply);
    let mut interface = Interface::new(Config::new(device.hardware_address()), &mut device, now());
    interface.update_ip_addrs(|addresses| addresses.extend([address]));
    loop {
        if device.service()?.link_changed {
            interface.update_ip_addrs(|_| {}); // forgets the neighbors of the former network
        }
        interface.poll(now(), &mut device, &mut sockets);
        sleep(device.poll_at(&mut interface, &sockets, now()));
    }
}
