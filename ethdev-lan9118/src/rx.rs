//! Reception: what a status word says, and whether lengths and data go together.

use embedded_hal::delay::DelayNs;
use ethdev::ErrorKind;
use ethdev::frame::{FCS_LEN, HEADER_LEN};

use super::driver::{Lan9118, State};
use super::error::{Error, Fault};
use super::regs::{self, fifo_inf};
use ethdev_phy::mmio::Registers;

/// How many frames that are none are thrown away in one call before it returns.
const MAX_BAD_PER_CALL: usize = 16;
/// A frame on its way brings four bytes every 3.2 microseconds at 10 Mbit/s, and the chip hands them on in pieces that the data sheet does not name: a
/// FIFO that stands still for so long has none on its way.
const STALE_AFTER_US: u32 = 50;
const LOOK_EVERY_US: u32 = 5;

/// What a receive status word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// A frame of this length, without FCS.
    Good(usize),
    BadFcs,
    BadLength,
    Filtered,
    Error,
}

/// Judges a received frame by its status, which is believed only where it can be so.
#[inline]
fn judge(status: u32, max: usize) -> Verdict {
    let len = (regs::rx_status::len(status) as usize).wrapping_sub(FCS_LEN);
    // In one comparison each: no error, and neither too short nor too long. (The chip's own bit for what is too long does not know of tags.)
    if status & regs::rx_status::BAD == 0 && (HEADER_LEN..=max).contains(&len) {
        Verdict::Good(len)
    } else {
        why(status, len, max)
    }
}

#[cold]
fn why(status: u32, len: usize, max: usize) -> Verdict {
    use regs::rx_status::{BAD_FCS, LATE_COLLISION, RUNT};

    // A runt's FCS is not looked at, nor is that of a frame that collided (section 3.13.3).
    if status & RUNT != 0 || !(HEADER_LEN..=max).contains(&len) {
        Verdict::BadLength
    } else if status & LATE_COLLISION != 0 {
        Verdict::Error
    } else if status & BAD_FCS != 0 {
        Verdict::BadFcs
    } else {
        Verdict::Filtered
    }
}

/// What `RX_FIFO_INF` and the status of the next frame are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// All data are of frames whose statuses wait.
    In,
    /// There are data of no such frame: of one on its way, or of none.
    More,
    /// There are too few.
    Out,
}

/// Compares the data of the next frame, of `taken` bytes in whole words, with what there is. The frames behind it have no less than a word each.
#[inline]
const fn in_step(waiting: u32, used: u32, taken: u32) -> Step {
    let rest = used.wrapping_sub(taken);
    if rest == 0 && waiting == 1 {
        Step::In
    } else if waiting == 0 || used < taken || rest / 4 < waiting - 1 {
        Step::Out
    } else if waiting == 1 {
        Step::More
    } else {
        Step::In
    }
}

impl<R: Registers, D: DelayNs> Lan9118<R, D> {
    /// Moves the next frame to the start of `buf`; its length.
    ///
    /// The usual case, written out: a good frame waits, and all data are of frames that wait. Whatever else is so is found out by
    /// [`receive_any`](Self::receive_any).
    #[inline]
    pub(super) fn receive(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Error> {
        if self.state != State::Running {
            return self.fault().map(|()| None);
        }
        let info = self.chip.port(regs::RX_FIFO_INF);
        if info == 0 {
            return Ok(None);
        }
        let status = self.chip.port(regs::RX_STATUS_PEEK);
        let len = (regs::rx_status::len(status) as usize).wrapping_sub(FCS_LEN);
        let taken = regs::rx_status::len(status).next_multiple_of(4);
        if in_step(fifo_inf::statuses(info), fifo_inf::data(info), taken) == Step::In
            && status & regs::rx_status::BAD == 0
            && len >= HEADER_LEN
            && len <= usize::from(self.max_len)
        {
            if let Some(frame) = buf.get_mut(..len) {
                self.chip.take_frame(frame);
                self.stats.count_rx(len);
                return Ok(Some(len));
            }
        }
        self.receive_any(buf)
    }

    #[inline(never)]
    fn receive_any(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Error> {
        let Some(len) = self.next_len()? else { return Ok(None) };
        let Some(frame) = buf.get_mut(..len) else {
            return Err(Error::Refused(ErrorKind::BufferTooSmall { needed: len }));
        };
        self.chip.take_frame(frame);
        self.stats.count_rx(len);
        Ok(Some(len))
    }

    /// The length of the next frame, without FCS. What is no frame is counted, thrown away and passed over.
    pub(super) fn next_len(&mut self) -> Result<Option<usize>, Error> {
        if self.state != State::Running {
            return self.fault().map(|()| None);
        }
        for _ in 0..MAX_BAD_PER_CALL {
            let info = self.chip.read(regs::RX_FIFO_INF);
            if info == 0 {
                return Ok(None);
            }
            let (waiting, used) = (fifo_inf::statuses(info), fifo_inf::data(info));
            if waiting == 0 {
                return self.only_data(info).map(|()| None);
            }
            let status = self.chip.read(regs::RX_STATUS_PEEK);
            let taken = regs::rx_status::len(status).next_multiple_of(4);
            let step = in_step(waiting, used, taken);
            if let Verdict::Good(len) = judge(status, self.max_len.into()) {
                if step == Step::In || (step == Step::More && self.on_its_way(info)?) {
                    return Ok(Some(len));
                }
            }
            self.pass_over(status, info, step)?;
        }
        Ok(None)
    }

    /// Data without a status: of a frame on its way, or of none.
    #[cold]
    fn only_data(&mut self, info: u32) -> Result<(), Error> {
        if self.on_its_way(info)? { Ok(()) } else { self.realign() }
    }

    /// Whether a frame is on its way into the FIFO, which held `info`: whether it fills. The data come first, the status last (section 3.13).
    #[cold]
    fn on_its_way(&mut self, info: u32) -> Result<bool, Error> {
        if !self.rx_plausible(info) {
            return Err(self.fail(Fault::RxFifo(info)));
        }
        let full = regs::fifo::rx_data(self.config.tx_fifo_kib()) - regs::fifo::RX_RESERVE;
        // Full: it waits for room.
        if fifo_inf::data(info) as usize + 4 > full {
            return Ok(true);
        }
        for _ in 0..STALE_AFTER_US / LOOK_EVERY_US {
            if self.chip.read(regs::RX_FIFO_INF) != info {
                return Ok(true);
            }
            self.chip.delay_us(LOOK_EVERY_US);
        }
        Ok(self.chip.read(regs::RX_FIFO_INF) != info)
    }

    /// Counts what is no frame and throws it away: by itself where its length can be believed, else with all that wait.
    #[cold]
    fn pass_over(&mut self, status: u32, info: u32, step: Step) -> Result<(), Error> {
        if !self.rx_plausible(info) {
            return Err(self.fail(Fault::RxFifo(info)));
        }
        let counter = match judge(status, self.max_len.into()) {
            // Its length is not that of the data.
            Verdict::Good(_) | Verdict::BadLength => &mut self.stats.rx_bad_length,
            Verdict::BadFcs => &mut self.stats.rx_bad_fcs,
            Verdict::Filtered => &mut self.stats.rx_filtered,
            Verdict::Error => &mut self.stats.rx_error,
        };
        *counter = counter.wrapping_add(1);
        let believed = match step {
            Step::In => true,
            Step::More => self.on_its_way(info)?,
            Step::Out => false,
        };
        if believed {
            self.chip.skip_frame(regs::rx_status::len(status));
            Ok(())
        } else {
            // The others are counted as lost by the realignment.
            self.chip.skip_frame(0);
            self.realign()
        }
    }

    /// Throws the next frame away; whether there was one.
    pub(super) fn discard(&mut self) -> Result<bool, Error> {
        let Some(len) = self.next_len()? else { return Ok(false) };
        self.chip.skip_frame((len + FCS_LEN) as u32);
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1514;

    #[test]
    fn verdicts() {
        let status = |len: u32, bits: u32| judge(len << 16 | bits, MAX);
        assert_eq!(status(64, 0), Verdict::Good(60));
        // Broadcast, group, Ethernet type, a dribbling bit, and a length field that says something else: all good.
        assert_eq!(status(64, 0x3424), Verdict::Good(60));
        assert_eq!(status(18, 0), Verdict::Good(14));
        assert_eq!(status(1518, 0), Verdict::Good(1514));
        for (len, bits, verdict) in [
            (17, 0, Verdict::BadLength),
            (3, 0, Verdict::BadLength),
            (0, 0, Verdict::BadLength),
            (0x3fff, 0, Verdict::BadLength),
            (1519, 0x8080, Verdict::BadLength),
            (60, 0x8802, Verdict::BadLength),
            (64, 0x8002, Verdict::BadFcs),
            (64, 0x8042, Verdict::Error),
            (64, 1 << 30, Verdict::Filtered),
        ] {
            assert_eq!(status(len, bits), verdict, "{len} {bits:#x}");
        }
    }

    #[test]
    fn steps() {
        assert_eq!(in_step(1, 64, 64), Step::In);
        assert_eq!(in_step(1, 68, 64), Step::More);
        assert_eq!(in_step(1, 60, 64), Step::Out);
        assert_eq!(in_step(3, 72, 64), Step::In);
        assert_eq!(in_step(3, 68, 64), Step::Out);
        assert_eq!(in_step(255, 0xffff, 0x4000), Step::In);
    }
}
