use ethdev::{Error, LendingDevice, RxHalf, TxHalf};

/// Passes one frame to a stack and sends its reply, if it has one. Returns whether there was a
/// frame. `stack` is given memory for the reply, which is empty if nothing can be sent.
fn poll<D: LendingDevice>(
    device: &mut D,
    stack: impl FnOnce(&[u8], &mut [u8]) -> Option<usize>,
) -> Result<bool, D::Error> {
    let max = device.tx_max_frame_len().bytes();
    let (mut rx, mut tx) = device.split();
    let Some(frame) = rx.peek()? else { return Ok(false) };
    let sent = match tx.reserve(max) {
        Ok(Some(memory)) => match stack(&frame, memory) {
            Some(len) => tx.commit(len),
            None => Ok(()), // dropping the reservation sends nothing
        },
        other => {
            stack(&frame, &mut []);
            other.map(drop)
        }
    };
    rx.release()?;
    match sent {
        Err(e) if !e.kind().is_transient() => Err(e),
        _ => Ok(true), // without a link or a free buffer, the reply is dropped
    }
}
