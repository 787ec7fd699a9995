use ethdev::{CallbackDevice, EthernetDevice, RxFrame, Transmit};
use ethdev_util::{Buffered, Callback};

/// Sends every frame back, on any device.
fn echo<D: EthernetDevice>(driver: D) -> Result<usize, D::Error> {
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = D::Error>| {
        tx.send_frame(&frame).ok(); // while the queue is full, the reply is dropped
    };
    let mut device = Callback::new(Buffered::new(driver, &mut rx, &mut tx));
    device.set_handler(&mut handler);
    Ok(device.poll(16)?.frames)
}
