//! Sending: free space in the FIFO, and the status words of sent frames.

use embedded_hal::delay::DelayNs;
use ethdev::Stats;
use ethdev::frame::MIN_FRAME_LEN;
use ethdev_phy::mmio::Registers;

use crate::bus::{Bus, RESET, STOP};
use crate::error::{Error, Fault, WaitFor};
use crate::regs::{self, fifo_inf};

/// The transmitter.
#[derive(Debug)]
pub(crate) struct Transmitter {
    /// Space that the longest frame takes in the data FIFO, in bytes.
    max_space: u32,
    /// Free space in the data FIFO when it was read last, in bytes; 0 after a frame was written.
    free: u32,
    /// Frames in the chip whose status word was not read. The chip holds a few dozen; if it loses
    /// status words this wraps, and the next status word is detected as a fault.
    queued: u16,
}

impl Transmitter {
    pub(crate) const fn new(max_space: u32) -> Self {
        Self {
            max_space,
            free: 0,
            queued: 0,
        }
    }

    /// Returns whether space for the longest frame is known to be free.
    #[inline]
    pub(crate) const fn has_space(&self) -> bool {
        self.free >= self.max_space
    }

    /// Returns whether there is space for the longest frame. Reads the chip only if that is
    /// unknown: a frame that was sent since makes it unknown, and the chip itself only frees
    /// space.
    #[inline]
    pub(crate) fn is_ready<BUS: Registers, D: DelayNs>(
        &mut self,
        bus: &mut Bus<BUS, D>,
        stats: &mut Stats,
    ) -> Result<bool, Fault> {
        if !self.has_space() {
            self.reap(bus, stats)?;
        }
        Ok(self.has_space())
    }

    /// Reads the status words of sent frames, and the free space.
    #[inline]
    pub(crate) fn reap<BUS: Registers, D: DelayNs>(
        &mut self,
        bus: &mut Bus<BUS, D>,
        stats: &mut Stats,
    ) -> Result<(), Fault> {
        let info = bus.read(regs::TX_FIFO_INF);
        let mut statuses = fifo_inf::statuses(info);
        if statuses > u32::from(self.queued) {
            return Err(Fault::TxFifo(info));
        }
        // At most `queued`, so it fits 16 bits.
        self.queued = self.queued.wrapping_sub(statuses as u16);
        if statuses > 0 {
            while statuses > 0 {
                statuses -= 1;
                let status = bus.read_port(regs::TX_STATUS);
                if status & regs::tx_status::ERROR == 0 {
                    // The tag is the length that was passed with the frame.
                    stats.count_tx(usize::from(regs::tx_status::tag(status)));
                } else {
                    stats.tx_aborted = stats.tx_aborted.wrapping_add(1);
                }
            }
            bus.defer_gap();
        }
        self.free = fifo_inf::data(info);
        Ok(())
    }

    /// Writes a frame in one piece, of at least the minimum length. `is_ready` must have returned
    /// true.
    #[inline]
    pub(crate) fn write_frame<BUS: Registers, D: DelayNs>(&mut self, bus: &mut Bus<BUS, D>, frame: &[u8]) {
        bus.write_whole(frame);
        self.frame_written();
    }

    /// Writes a frame of `len` bytes that consists of parts. `is_ready` must have returned true.
    pub(crate) fn write_parts<BUS: Registers, D: DelayNs>(
        &mut self,
        bus: &mut Bus<BUS, D>,
        parts: &[&[u8]],
        len: usize,
    ) {
        // Padded here: the chip pads, QEMU's model of it does not.
        bus.write_parts(parts, len, len.max(MIN_FRAME_LEN), self.free);
        self.frame_written();
    }

    #[inline]
    const fn frame_written(&mut self) {
        self.free = 0;
        self.queued = self.queued.wrapping_add(1);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Counts the queued frames as lost. The caller empties the FIFO.
    pub(crate) const fn count_lost(&mut self, stats: &mut Stats) {
        stats.tx_reset = stats.tx_reset.wrapping_add(self.queued as u32);
        self.queued = 0;
        self.free = 0;
    }
}

impl<BUS: Registers, D: DelayNs> Bus<BUS, D> {
    /// Stops the transmitter after the frame in transfer (section 3.12.8).
    pub(crate) fn stop_transmitter(&mut self) -> Result<(), Error> {
        use regs::int::TX_STOPPED;

        self.write(regs::INT_STS, TX_STOPPED);
        self.write(regs::TX_CFG, regs::tx_cfg::ON | regs::tx_cfg::STOP);
        self.wait_for_bits(WaitFor::StopTransmitter, STOP, regs::INT_STS, TX_STOPPED, TX_STOPPED)
    }

    /// Empties the transmit FIFOs. The transmitter must be stopped.
    pub(crate) fn empty_transmitter(&mut self) -> Result<(), Error> {
        use regs::tx_cfg::{DUMP_DATA, DUMP_STATUS};

        self.write(regs::TX_CFG, DUMP_DATA | DUMP_STATUS);
        self.wait_for_bits(
            WaitFor::EmptyTransmitter,
            RESET,
            regs::TX_CFG,
            DUMP_DATA | DUMP_STATUS,
            0,
        )
    }
}
