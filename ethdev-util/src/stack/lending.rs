//! The tokens of a lending device: frames are read and written in its memory.

use ethdev::frame::HEADER_LEN;
use ethdev::{RxHalf, TxHalf};

use super::stats::{ErrorLog, increment};
use super::tx::TxPath;

/// How a frame that was lent ends.
enum End {
    Release,
    Discard,
    /// There was none.
    Nothing,
}

/// Passes the pending frame to `read` and releases it; an empty frame if there is none, if the
/// device failed, or if it is shorter than a header.
///
/// A frame shorter than a header is discarded and counted in `too_short`.
#[inline]
pub fn read_frame<H: RxHalf, R>(
    mut rx: H,
    too_short: &mut u32,
    errors: &mut ErrorLog<H::Error>,
    read: impl FnOnce(&mut [u8]) -> R,
) -> R {
    let nothing: &mut [u8] = &mut [];
    let (frame, end) = match rx.peek() {
        Ok(Some(frame)) if frame.len() >= HEADER_LEN => (frame.into_data(), End::Release),
        Ok(Some(_)) => (nothing, End::Discard),
        Ok(None) => (nothing, End::Nothing),
        Err(e) => {
            errors.latch(e);
            (nothing, End::Nothing)
        }
    };
    // Called in one place only, so that the compiler inlines it.
    let result = read(frame);
    match end {
        End::Release => {
            if let Err(e) = rx.release() {
                errors.latch(e);
            }
        }
        End::Discard => discard(&mut rx, too_short, errors),
        End::Nothing => {}
    }
    result
}

/// Returns whether the device accepts a frame now. An error is kept in `path`.
#[inline]
pub fn is_tx_ready<H: TxHalf>(mut tx: H, path: &mut TxPath<'_, H::Error>) -> bool {
    match tx.ready() {
        Ok(true) => true,
        other => path.not_ready(other.err()),
    }
}

/// Passes memory for a frame of `len` bytes to `write` and sends the frame, or keeps it in the
/// reply buffer if the device is busy. A frame that the device rejects is counted in `path`.
///
/// With `refusal` the frame is dropped and counted: an error of the device before the frame was
/// written.
#[inline]
pub fn write_frame<H: TxHalf, R>(
    mut tx: H,
    path: &mut TxPath<'_, H::Error>,
    refusal: Option<H::Error>,
    len: usize,
    write: impl FnOnce(&mut [u8]) -> R,
) -> R {
    let memory = 'lent: {
        if refusal.is_some() {
            break 'lent path.instead(len, refusal);
        }
        // The pending frame is older and must not be overtaken.
        if !path.is_pending() {
            match tx.reserve(len) {
                Ok(Some(memory)) if memory.len() == len => break 'lent memory,
                // Another length than requested counts as no free buffer.
                Ok(_) => {}
                Err(e) => break 'lent path.instead(len, Some(e)),
            }
        }
        path.instead(len, None)
    };
    // Compared by address and not by a flag: with a flag the compiler makes two copies of the call
    // and inlines neither.
    let place = memory.as_ptr();
    let result = write(memory);
    if !path.is_reply_buffer(place) {
        if let Err(e) = tx.commit(len) {
            path.refused(e);
        }
    }
    result
}

/// Drops a frame that is shorter than a header.
#[cold]
fn discard<H: RxHalf>(rx: &mut H, too_short: &mut u32, errors: &mut ErrorLog<H::Error>) {
    increment(too_short);
    if let Err(e) = rx.discard() {
        errors.latch(e);
    }
}
