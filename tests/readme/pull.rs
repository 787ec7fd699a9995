use ethdev::{Error, ErrorKind, EthernetDevice};

fn echo<D: EthernetDevice>(nic: &mut D, buf: &mut [u8]) -> Result<(), D::Error> {
    while let Some(meta) = nic.recv_frame(buf)? {
        match nic.send_frame(&buf[..meta.len]) {
            Err(e) if e.kind() != ErrorKind::Busy => return Err(e),
            _ => {}
        }
    }
    nic.service()?; // link changes are reported here
    Ok(())
}
