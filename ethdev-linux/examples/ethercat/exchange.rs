//! Connects ethercrab to any device that keeps a waker.

use core::future::poll_fn;
use core::task::{Context, Poll};

use ethdev::{EthernetDevice, Interest, PollReady};
use ethercrab::{PduRx, PduTx};

/// Frames that one poll receives before other tasks run.
const RX_BUDGET: usize = 32;

/// Exchanges frames between `device` and ethercrab until its main device is released, or the device
/// fails. Responses are broadcasts, which the default receive filter passes.
///
/// While the link is down, ethercrab keeps its frames; they time out there.
pub(crate) async fn exchange<D: EthernetDevice + PollReady>(
    device: &mut D,
    mut tx: PduTx<'_>,
    mut rx: PduRx<'_>,
) -> Result<(), D::Error> {
    let mut buf = vec![0; device.capabilities().rx_max_frame_len.bytes()];
    poll_fn(|cx| poll_exchange(device, &mut tx, &mut rx, &mut buf, cx)).await
}

fn poll_exchange<D: EthernetDevice + PollReady>(
    device: &mut D,
    tx: &mut PduTx<'_>,
    rx: &mut PduRx<'_>,
    buf: &mut [u8],
    cx: &mut Context<'_>,
) -> Poll<Result<(), D::Error>> {
    tx.replace_waker(cx.waker());
    for _ in 0..RX_BUDGET {
        if tx.should_exit() {
            return Poll::Ready(Ok(()));
        }
        let received = device.recv_frame(buf)?;
        if let Some(meta) = received {
            // An error means that nothing waits for this response, for example after its timeout.
            let _ = rx.receive_frame(&buf[..meta.len]);
        }
        let is_blocked = send_all(device, tx)?;
        if received.is_some() {
            continue;
        }
        let interest = if is_blocked {
            Interest::ALL
        } else {
            Interest::RX | Interest::LINK
        };
        if device.poll_ready(interest, cx)?.is_pending() {
            return Poll::Pending;
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Sends the frames of ethercrab. Returns whether the device has no capacity, or the link is down.
fn send_all<D: EthernetDevice>(device: &mut D, tx: &mut PduTx<'_>) -> Result<bool, D::Error> {
    // Capacity first: a frame that ethercrab hands out must be sent, or it times out.
    while device.tx_ready()? {
        let Some(frame) = tx.next_sendable_frame() else {
            return Ok(false);
        };
        let mut result = Ok(());
        let sent = frame.send_blocking(|bytes| {
            result = device.send_frame(bytes);
            let sent = result.as_ref().map(|()| bytes.len());
            sent.map_err(|_| ethercrab::error::Error::SendFrame)
        });
        if sent.is_err() {
            match result {
                // The link went down in between.
                Err(e) if ethdev::Error::kind(&e).is_transient() => return Ok(true),
                other => other?,
            }
        }
    }
    Ok(true)
}
