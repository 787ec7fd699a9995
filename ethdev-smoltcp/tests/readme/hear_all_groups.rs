use ethdev::{Control, EthernetDevice, Multicast, RxFilter};
use ethdev_smoltcp::{Mode, SmoltcpDevice};

fn hear_all_groups<D: EthernetDevice + Control, M: Mode<D>>(device: &mut SmoltcpDevice<'_, D, M>) -> Result<(), D::Error> {
    device.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::All))?;
    Ok(())
}
