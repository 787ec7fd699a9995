//! Pull mode: frames are copied to and from buffers of the caller.

use core::fmt;

use ethdev::frame::HEADER_LEN;
use ethdev::{Error, ErrorKind, EthernetDevice, RxMeta, Stats};
use ethdev_util::stack::TxPath;

use crate::mode::{Sides, Transfer};
use crate::rx::RxPath;

/// For devices with the pull API: [`SmoltcpDevice::new`](crate::SmoltcpDevice::new).
///
/// A received frame is read into the receive buffer, and a frame to send is written to the reply
/// buffer. On a bus device that is the one copy, the one over the bus.
pub struct Pull<'b> {
    buf: &'b mut [u8],
    /// Length of the frame in the buffer; 0 if the buffer is empty.
    held: usize,
    // Frames that the device counted as delivered and that smoltcp did not get.
    /// Frames dropped by a stop.
    reset: u32,
    /// Bytes of these, and of the frames shorter than a header.
    undelivered_bytes: u32,
}

impl<'b> Pull<'b> {
    pub(crate) const fn new(buf: &'b mut [u8]) -> Self {
        Self {
            buf,
            held: 0,
            reset: 0,
            undelivered_bytes: 0,
        }
    }

    /// Reads the next frame into the buffer, which is empty. Returns whether there was one.
    ///
    /// A dropped frame counts as one: smoltcp is given an empty frame for it, so that the receive
    /// budget bounds drops too.
    #[inline]
    fn fill<D: EthernetDevice>(&mut self, device: &mut D, path: &mut RxPath<D::Error>) -> Result<bool, D::Error> {
        match device.recv_frame(self.buf) {
            Ok(None) => return Ok(false),
            Ok(Some(meta)) if (HEADER_LEN..=self.buf.len()).contains(&meta.len) => self.held = meta.len,
            other => self.skip(device, path, other)?,
        }
        Ok(true)
    }

    /// Drops a frame that is too short or too long.
    #[cold]
    fn skip<D: EthernetDevice>(
        &mut self,
        device: &mut D,
        path: &mut RxPath<D::Error>,
        received: Result<Option<RxMeta>, D::Error>,
    ) -> Result<(), D::Error> {
        match received {
            Ok(Some(meta)) if meta.len < HEADER_LEN => {
                path.count_too_short();
                self.undelivered_bytes = self.undelivered_bytes.wrapping_add(meta.len as u32);
                Ok(())
            }
            // The device reports more bytes than the buffer has.
            Ok(_) => Err(ErrorKind::BadFrame.into()),
            Err(e) => match e.kind() {
                ErrorKind::BufferTooSmall { needed } if needed > self.buf.len() => device.discard_frame().map(drop),
                _ => Err(e),
            },
        }
    }
}

impl<'b, D: EthernetDevice> Transfer<D> for Pull<'b> {
    type Rx<'a>
        = &'a mut Self
    where
        Self: 'a,
        D: 'a;
    type Tx<'a>
        = &'a mut D
    where
        D: 'a;

    #[inline]
    fn receive<'a>(
        &'a mut self,
        device: &'a mut D,
        path: &mut RxPath<D::Error>,
    ) -> Result<Option<Sides<'a, D, Self>>, D::Error> {
        // A token that was dropped unconsumed leaves its frame in the buffer.
        Ok((self.held != 0 || self.fill(device, path)?).then_some((self, device)))
    }

    #[inline]
    fn is_tx_ready(device: &mut D, path: &mut TxPath<'_, D::Error>) -> bool {
        match device.tx_ready() {
            Ok(true) => true,
            Ok(false) if !device.link().is_up() => path.not_ready(Some(ErrorKind::LinkDown.into())),
            other => path.not_ready(other.err()),
        }
    }

    #[inline]
    fn transmit(device: &mut D) -> &mut D {
        device
    }

    #[inline]
    fn consume_rx<R>(rx: &mut Self, _path: &mut RxPath<D::Error>, read: impl FnOnce(&[u8]) -> R) -> R {
        let len = core::mem::take(&mut rx.held);
        read(rx.buf.get(..len).unwrap_or_default())
    }

    #[inline]
    fn consume_tx<R>(
        device: &mut D,
        path: &mut TxPath<'_, D::Error>,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> R,
    ) -> R {
        if path.is_pending() {
            path.drop_pending();
        }
        let frame = path.buffer(len);
        let result = write(frame);
        if let Err(e) = device.send_frame(frame) {
            path.not_sent(len, path.origin, e);
        }
        result
    }

    fn rx_buffer_len(&self) -> Option<usize> {
        Some(self.buf.len())
    }

    fn holds_frame(&self) -> bool {
        self.held != 0
    }

    fn drop_frame(&mut self) {
        let len = core::mem::take(&mut self.held);
        if len != 0 {
            self.reset = self.reset.wrapping_add(1);
            self.undelivered_bytes = self.undelivered_bytes.wrapping_add(len as u32);
        }
    }

    fn correct(&self, stats: &mut Stats, too_short: u32) {
        let undelivered = too_short
            .wrapping_add(self.reset)
            .wrapping_add(u32::from(self.held != 0));
        let bytes = self.undelivered_bytes.wrapping_add(self.held as u32);
        stats.rx_frames = stats.rx_frames.wrapping_sub(undelivered);
        stats.rx_bytes = stats.rx_bytes.wrapping_sub(bytes);
        stats.rx_discarded = stats.rx_discarded.wrapping_add(too_short);
        stats.rx_reset = stats.rx_reset.wrapping_add(self.reset);
    }
}

impl fmt::Debug for Pull<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pull").field("held", &self.held).finish_non_exhaustive()
    }
}
