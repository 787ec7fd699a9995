use ethdev::asynch::EthernetDevice;

async fn echo<D: EthernetDevice>(nic: &mut D, buf: &mut [u8]) -> Result<(), D::Error> {
    loop {
        let meta = nic.recv(buf).await?;
        nic.send(&buf[..meta.len]).await?;
    }
}
