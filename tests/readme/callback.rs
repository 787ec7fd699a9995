use ethdev::{CallbackDevice, LendingDevice, RxFrame, Transmit};
use ethdev_util::Callback;

fn echo<D: LendingDevice>(nic: D) -> Result<(), D::Error> {
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = D::Error>| {
        tx.send_frame(&frame).ok();
    };
    let mut nic = Callback::new(nic);
    nic.set_handler(&mut handler);
    while nic.poll(16)?.more {}
    Ok(())
}
