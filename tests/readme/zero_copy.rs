use ethdev::{LendingDevice, RxHalf, TxHalf};

fn echo<D: LendingDevice>(nic: &mut D) -> Result<(), D::Error> {
    let (mut rx, mut tx) = nic.split();
    if let Some(frame) = rx.peek()? {
        let sent = tx.send_vectored(&[&frame]);
        rx.release()?; // also if the reply was dropped
        sent?;
    }
    Ok(())
}
