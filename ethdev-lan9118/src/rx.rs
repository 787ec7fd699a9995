//! Receiving: reads status words, validates lengths against the level of the FIFO, and drops bad
//! frames.

use embedded_hal::delay::DelayNs;
use ethdev::Stats;
use ethdev::frame::{FCS_LEN, HEADER_LEN};
use ethdev_phy::mmio::Registers;

use crate::bus::{Bus, RESET, STOP};
use crate::error::{Error, WaitFor};
use crate::regs::{self, fifo_inf};

/// Maximum number of bad frames that one call drops.
const MAX_BAD_PER_CALL: usize = 16;
/// A frame that is being received adds four bytes every 3.2 µs at 10 Mbit/s, and the chip passes
/// them on in bursts of a size that the data sheet does not give. A FIFO whose level does not
/// change for this time receives no frame.
const STALE_AFTER_US: u32 = 50;
const POLL_INTERVAL_US: u32 = 5;

/// The receiver: lengths that bound what the chip reports.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Longest frame without FCS, in bytes.
    max_len: u16,
    /// Share of the transmit FIFOs in the FIFO memory, in KiB.
    tx_fifo_kib: u8,
}

/// An error of the receive FIFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RxFifoError {
    /// `RX_FIFO_INF` reports more than the FIFO can hold.
    Implausible(u32),
    /// Lengths in status words and the level of the data FIFO disagree.
    OutOfStep,
}

/// The result of [`Receiver::take_good_frame`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Nothing is pending.
    Empty,
    /// A frame of this length was read.
    Frame(usize),
    /// Anything else: a bad frame, a frame in transfer, a short buffer. Nothing was removed from
    /// the FIFO.
    Other,
}

/// The meaning of a receive status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// A good frame of this length, without FCS.
    Good(usize),
    BadFcs,
    BadLength,
    Filtered,
    Error,
}

/// Classifies a receive status word. Its length is validated against the longest frame.
#[inline]
fn classify(status: u32, max: usize) -> Status {
    let len = (regs::rx_status::len(status) as usize).wrapping_sub(FCS_LEN);
    // The chip's own bit for frames that are too long ignores VLAN tags, so the length is compared
    // here.
    if status & regs::rx_status::BAD == 0 && (HEADER_LEN..=max).contains(&len) {
        Status::Good(len)
    } else {
        classify_bad(status, len, max)
    }
}

#[cold]
fn classify_bad(status: u32, len: usize, max: usize) -> Status {
    use regs::rx_status::{BAD_FCS, LATE_COLLISION, RUNT};

    // The FCS bit is not valid for runts and frames that collided (section 3.13.3).
    if status & RUNT != 0 || !(HEADER_LEN..=max).contains(&len) {
        Status::BadLength
    } else if status & LATE_COLLISION != 0 {
        Status::Error
    } else if status & BAD_FCS != 0 {
        Status::BadFcs
    } else {
        Status::Filtered
    }
}

/// How the level of the data FIFO compares with the length in the next status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// All data belong to frames whose status words are pending.
    In,
    /// There are excess data: of a frame in transfer, or of no frame.
    More,
    /// There are too few data.
    Out,
}

/// Compares the level of the data FIFO, `used` bytes, with the next frame, which takes `taken`
/// bytes in whole words. Each of the other `waiting - 1` frames takes at least one word.
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

impl Receiver {
    pub(crate) const fn new(max_len: u16, tx_fifo_kib: u8) -> Self {
        Self { max_len, tx_fifo_kib }
    }

    #[inline]
    const fn is_plausible(&self, info: u32) -> bool {
        fifo_inf::statuses(info) as usize <= regs::fifo::rx_statuses(self.tx_fifo_kib)
            && fifo_inf::data(info) as usize <= regs::fifo::rx_data(self.tx_fifo_kib)
    }

    /// Reads the next frame if it is good and all data belong to pending frames: the common case,
    /// inlined.
    #[inline]
    pub(crate) fn take_good_frame<BUS: Registers, D: DelayNs>(&self, bus: &mut Bus<BUS, D>, buf: &mut [u8]) -> Taken {
        let info = bus.read_port(regs::RX_FIFO_INF);
        if info == 0 {
            return Taken::Empty;
        }
        let status = bus.read_port(regs::RX_STATUS_PEEK);
        let with_fcs = regs::rx_status::len(status);
        let len = (with_fcs as usize).wrapping_sub(FCS_LEN);
        if in_step(
            fifo_inf::statuses(info),
            fifo_inf::data(info),
            // Has 14 bits; `next_multiple_of` takes more instructions.
            with_fcs.wrapping_add(3) & !3,
        ) == Step::In
            && status & regs::rx_status::BAD == 0
            && len >= HEADER_LEN
            && len <= usize::from(self.max_len)
        {
            if let Some(frame) = buf.get_mut(..len) {
                bus.take_frame(frame);
                return Taken::Frame(len);
            }
        }
        Taken::Other
    }

    /// Returns the length of the next good frame, without FCS. Bad frames before it are dropped and
    /// counted.
    pub(crate) fn next_len<BUS: Registers, D: DelayNs>(
        &self,
        bus: &mut Bus<BUS, D>,
        stats: &mut Stats,
    ) -> Result<Option<usize>, RxFifoError> {
        for _ in 0..MAX_BAD_PER_CALL {
            let info = bus.read(regs::RX_FIFO_INF);
            if info == 0 {
                return Ok(None);
            }
            let (waiting, used) = (fifo_inf::statuses(info), fifo_inf::data(info));
            if waiting == 0 {
                // Data without a status word: of a frame in transfer, or of no frame.
                return match self.is_receiving(bus, info)? {
                    true => Ok(None),
                    false => Err(RxFifoError::OutOfStep),
                };
            }
            let status = bus.read(regs::RX_STATUS_PEEK);
            let taken = regs::rx_status::len(status).next_multiple_of(4);
            let step = in_step(waiting, used, taken);
            if let Status::Good(len) = classify(status, self.max_len.into()) {
                if step == Step::In || (step == Step::More && self.is_receiving(bus, info)?) {
                    return Ok(Some(len));
                }
            }
            self.drop_bad(bus, stats, status, info, step)?;
        }
        Ok(None)
    }

    /// Returns whether a frame is being received into the FIFO, whose level was `info`. Its data
    /// come first, its status word last (section 3.13).
    #[cold]
    fn is_receiving<BUS: Registers, D: DelayNs>(&self, bus: &mut Bus<BUS, D>, info: u32) -> Result<bool, RxFifoError> {
        if !self.is_plausible(info) {
            return Err(RxFifoError::Implausible(info));
        }
        let full = regs::fifo::rx_data(self.tx_fifo_kib) - regs::fifo::RX_RESERVE;
        // In a full FIFO the frame waits for space.
        if fifo_inf::data(info) as usize + 4 > full {
            return Ok(true);
        }
        for _ in 0..STALE_AFTER_US / POLL_INTERVAL_US {
            if bus.read(regs::RX_FIFO_INF) != info {
                return Ok(true);
            }
            bus.delay_us(POLL_INTERVAL_US);
        }
        Ok(bus.read(regs::RX_FIFO_INF) != info)
    }

    /// Drops a bad frame and counts it. `OutOfStep` if its length is not valid, so that the end of
    /// its data is unknown.
    #[cold]
    fn drop_bad<BUS: Registers, D: DelayNs>(
        &self,
        bus: &mut Bus<BUS, D>,
        stats: &mut Stats,
        status: u32,
        info: u32,
        step: Step,
    ) -> Result<(), RxFifoError> {
        if !self.is_plausible(info) {
            return Err(RxFifoError::Implausible(info));
        }
        let counter = match classify(status, self.max_len.into()) {
            // A good status word whose length disagrees with the data.
            Status::Good(_) | Status::BadLength => &mut stats.rx_bad_length,
            Status::BadFcs => &mut stats.rx_bad_fcs,
            Status::Filtered => &mut stats.rx_filtered,
            Status::Error => &mut stats.rx_error,
        };
        *counter = counter.wrapping_add(1);
        let valid = match step {
            Step::In => true,
            Step::More => self.is_receiving(bus, info)?,
            Step::Out => false,
        };
        if valid {
            bus.skip_frame(regs::rx_status::len(status));
            Ok(())
        } else {
            // Removes the status word of this frame, which is counted. The others are counted when the FIFO is
            // emptied.
            bus.skip_frame(0);
            Err(RxFifoError::OutOfStep)
        }
    }

    /// Counts the frames in the FIFO as lost, and those that found it full.
    pub(crate) fn count_lost<BUS: Registers, D: DelayNs>(&self, bus: &mut Bus<BUS, D>, stats: &mut Stats) {
        let info = bus.read(regs::RX_FIFO_INF);
        // An implausible level is no number of frames.
        if self.is_plausible(info) {
            stats.rx_reset = stats.rx_reset.wrapping_add(fifo_inf::statuses(info));
            stats.rx_overrun = stats.rx_overrun.wrapping_add(bus.read(regs::RX_DROP));
        }
    }
}

impl<BUS: Registers, D: DelayNs> Bus<BUS, D> {
    /// Waits until the receiver, whose enable bit was cleared, has stopped.
    pub(crate) fn wait_for_receiver(&mut self) -> Result<(), Error> {
        use regs::int::RX_STOPPED;

        self.wait_for_bits(WaitFor::StopReceiver, STOP, regs::INT_STS, RX_STOPPED, RX_STOPPED)
    }

    /// Empties the receive FIFOs. The receiver must be stopped.
    pub(crate) fn empty_receiver(&mut self) -> Result<(), Error> {
        use regs::rx_cfg::DUMP;

        self.write(regs::RX_CFG, DUMP);
        self.wait_for_bits(WaitFor::EmptyReceiver, RESET, regs::RX_CFG, DUMP, 0)?;
        // Ends the error of a FIFO that was read beyond its end.
        self.write(regs::INT_STS, regs::int::RX_ERROR);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1514;

    #[test]
    fn classify_status_words_by_reason() {
        let status = |len: u32, bits: u32| classify(len << 16 | bits, MAX);
        assert_eq!(status(64, 0), Status::Good(60));
        // Broadcast, group, Ethernet type, dribbling bit, length field mismatch: good frames.
        assert_eq!(status(64, 0x3424), Status::Good(60));
        assert_eq!(status(18, 0), Status::Good(14));
        assert_eq!(status(1518, 0), Status::Good(1514));
        for (len, bits, expected) in [
            (17, 0, Status::BadLength),
            (3, 0, Status::BadLength),
            (0, 0, Status::BadLength),
            (0x3fff, 0, Status::BadLength),
            (1519, 0x8080, Status::BadLength),
            (60, 0x8802, Status::BadLength),
            (64, 0x8002, Status::BadFcs),
            (64, 0x8042, Status::Error),
            (64, 1 << 30, Status::Filtered),
        ] {
            assert_eq!(status(len, bits), expected, "{len} {bits:#x}");
        }
    }

    #[test]
    fn in_step_levels_compare_with_length() {
        assert_eq!(in_step(1, 64, 64), Step::In);
        assert_eq!(in_step(1, 68, 64), Step::More);
        assert_eq!(in_step(1, 60, 64), Step::Out);
        assert_eq!(in_step(3, 72, 64), Step::In);
        assert_eq!(in_step(3, 68, 64), Step::Out);
        assert_eq!(in_step(255, 0xffff, 0x4000), Step::In);
    }
}
