//! Transmission: room, statuses, and frames in one piece or in parts.

use embedded_hal::delay::DelayNs;
use ethdev::frame::MIN_FRAME_LEN;
use ethdev::{ErrorKind, validate_tx_len};

use super::driver::{Lan9118, State};
use super::error::{Error, Fault};
use super::regs::{self, fifo_inf};
use ethdev_phy::mmio::Registers;

impl<R: Registers, D: DelayNs> Lan9118<R, D> {
    /// Collects the statuses of sent frames: bytes of room in the transmit data FIFO; how many frames went out, and how many failed.
    pub(super) fn reap(&mut self) -> Result<(u32, u16, u16), Error> {
        let before = self.stats;
        let room = self.reap_before_writing()?;
        self.chip.settle();
        let since = self.stats.delta_since(&before);
        Ok((room, since.tx_frames as u16, since.tx_aborted as u16))
    }

    /// The same for those who use the FIFO's port next: without the pause that is needed before the FIFO's level is read again.
    #[inline]
    fn reap_before_writing(&mut self) -> Result<u32, Error> {
        let info = self.chip.read(regs::TX_FIFO_INF);
        let mut statuses = fifo_inf::statuses(info);
        if statuses > u32::from(self.queued) {
            return Err(self.fail(Fault::TxFifo(info)));
        }
        // Statuses are no more than were queued, which is 16 bits.
        self.queued = self.queued.wrapping_sub(statuses as u16);
        while statuses > 0 {
            statuses -= 1;
            let status = self.chip.port(regs::TX_STATUS);
            if status & regs::tx_status::ERROR == 0 {
                // The tag is the length that was sent with it.
                self.stats.count_tx(usize::from(regs::tx_status::tag(status)));
            } else {
                self.stats.tx_aborted = self.stats.tx_aborted.wrapping_add(1);
            }
        }
        Ok(fifo_inf::data(info))
    }

    /// Bytes of room in the transmit data FIFO, if that is enough for the longest frame and frames may be sent at all.
    #[inline]
    pub(super) fn room(&mut self) -> Result<Option<u32>, Error> {
        self.fault()?;
        if !self.open {
            return Ok(None);
        }
        let (room, ..) = self.reap()?;
        Ok((room >= self.max_room).then_some(room))
    }

    /// Sends a frame that lies in one piece.
    #[inline]
    pub(super) fn send_whole(&mut self, frame: &[u8]) -> Result<(), Error> {
        if !self.open || frame.len() < MIN_FRAME_LEN || frame.len() > usize::from(self.max_len) {
            return self.send(&[frame]);
        }
        let room = self.reap_before_writing()?;
        if room < self.max_room {
            self.chip.settle();
            return Err(Error::Refused(ErrorKind::Busy));
        }
        self.chip.write_whole(frame);
        self.queued = self.queued.wrapping_add(1);
        Ok(())
    }

    pub(super) fn send(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.fault()?;
        let len = validate_tx_len(parts, &self.capabilities).map_err(Error::Refused)?;
        if self.state != State::Running {
            return Err(Error::Refused(ErrorKind::Stopped));
        }
        if !self.told.is_up() {
            return Err(Error::Refused(ErrorKind::LinkDown));
        }
        let Some(room) = self.room()? else {
            return Err(Error::Refused(ErrorKind::Busy));
        };
        // Padded here: silicon would do it, QEMU's model of it does not.
        self.chip.write_parts(parts, len, len.max(MIN_FRAME_LEN), room);
        self.queued = self.queued.wrapping_add(1);
        Ok(())
    }
}
