//! Frames to the kernel.

use std::io::{self, IoSlice};

use ethdev::frame::MIN_FRAME_LEN;
use ethdev::validate_tx_len;

use crate::error::InterfaceError;
use crate::interface::Interface;
use crate::port::{Failure, Port};

/// Largest number of parts that are passed to the kernel in place; a frame in more parts is copied
/// into one.
const MAX_PARTS: usize = 16;

/// What a short frame is padded with.
const PADDING: [u8; MIN_FRAME_LEN] = [0; MIN_FRAME_LEN];

impl<P: Port> Interface<P> {
    /// Sends one frame of `len` bytes. Returns the error of the kernel if it does not take it now.
    pub(crate) fn transmit(&mut self, parts: &[&[u8]], len: usize) -> Result<Option<io::Error>, InterfaceError> {
        let mut result = self.write(parts, len);
        if matches!(&result, Err(e) if P::classify(e) == Failure::Down) {
            self.check_link()?;
            if self.link.is_up() {
                result = self.write(parts, len);
            }
        }
        let Err(source) = result else {
            self.stats.count_tx(len);
            return Ok(None);
        };
        let what = "writing a frame";
        Err(match P::classify(&source) {
            Failure::Again => return Ok(Some(source)),
            Failure::Down => InterfaceError::LinkDown { source },
            Failure::Removed => self.set_removed(Some(source)),
            Failure::TooLong => {
                // The IP MTU was lowered.
                self.apply_settings()?;
                match validate_tx_len(parts, self.capabilities.tx_max_frame_len) {
                    Err(kind) => kind.into(),
                    Ok(_) => InterfaceError::Io { what, source },
                }
            }
            Failure::Other => InterfaceError::Io { what, source },
        })
    }

    /// Keeps a frame that the kernel did not take.
    pub(crate) fn keep(&mut self, parts: &[&[u8]]) {
        self.unsent.clear();
        for part in parts {
            self.unsent.extend_from_slice(part);
        }
    }

    pub(crate) fn is_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Sends the frame that was kept. Returns the error of the kernel if it does not take it now.
    /// After another error the frame is lost, counted in `tx_reset`.
    pub(crate) fn flush(&mut self) -> Result<Option<io::Error>, InterfaceError> {
        if !self.is_unsent() {
            return Ok(None);
        }
        let frame = core::mem::take(&mut self.unsent);
        let result = self.transmit(&[&frame], frame.len());
        let is_lost = result.is_err();
        if !matches!(result, Ok(None)) {
            self.unsent = frame;
        }
        if is_lost {
            self.reset_unsent();
        }
        result
    }

    /// Drops the frame that was kept, counted in `tx_reset`.
    pub(crate) fn reset_unsent(&mut self) {
        if self.is_unsent() {
            self.unsent.clear();
            self.stats.tx_reset = self.stats.tx_reset.wrapping_add(1);
        }
    }

    /// Sends one frame of `len` bytes by one system call.
    fn write(&self, parts: &[&[u8]], len: usize) -> io::Result<()> {
        // Prefix, parts, padding.
        let mut slices = [IoSlice::new(P::TX_PREFIX); MAX_PARTS + 2];
        let joined = if parts.len() > MAX_PARTS {
            parts.concat()
        } else {
            Vec::new()
        };
        let joined = [&*joined];
        let parts = if parts.len() > MAX_PARTS { &joined } else { parts };
        for (slice, part) in slices.iter_mut().skip(1).zip(parts) {
            *slice = IoSlice::new(part);
        }
        let padding = PADDING.get(..P::MIN_FRAME_LEN.saturating_sub(len)).unwrap_or(&PADDING);
        if let Some(slice) = slices.get_mut(parts.len() + 1) {
            *slice = IoSlice::new(padding);
        }
        let first = usize::from(P::TX_PREFIX.is_empty());
        let end = 1 + parts.len() + usize::from(!padding.is_empty());
        let sent = self.port.send(slices.get(first..end).unwrap_or_default())?;
        // The kernel accepts a frame as a whole or not at all.
        if sent == P::TX_PREFIX.len() + len + padding.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }
}
