//! Registers and addresses. Data only: gSPI functions 0 and 1 as in the CYW43439 data sheet ("gSPI
//! registers"), the rest as in the vendor's open drivers.

/// A register of function 0 (the bus itself): its address and its size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BusReg {
    pub(crate) address: u32,
    pub(crate) size: u32,
}

const fn bus_reg(address: u32, size: u32) -> BusReg {
    BusReg { address, size }
}

/// Bus control, response delay, status enable: one word.
pub(crate) const CONTROL: BusReg = bus_reg(0x00, 4);
/// What happened (16 bits).
pub(crate) const INTERRUPT: BusReg = bus_reg(0x04, 2);
/// Which of it drives the line (16 bits).
pub(crate) const INTERRUPT_ENABLE: BusReg = bus_reg(0x06, 2);
/// Reads [`TEST_PATTERN`].
pub(crate) const TEST: BusReg = bus_reg(0x14, 4);
/// Keeps what is written.
pub(crate) const SCRATCH: BusReg = bus_reg(0x18, 4);
/// Bytes before the data of a read of function 1.
pub(crate) const RESPONSE_DELAY_F1: BusReg = bus_reg(0x1d, 1);

/// What [`TEST`] reads.
pub(crate) const TEST_PATTERN: u32 = 0xfeed_bead;
/// What is written to [`SCRATCH`]: every byte differs, so that any exchange shows.
pub(crate) const SCRATCH_PATTERN: u32 = 0x9a3c_5e71;

/// [`CONTROL`] as it is set: 32-bit words, little-endian, high speed, the line active high, awake;
/// response delay 4; status after every transaction, with interrupts in it.
pub(crate) const CONTROL_VALUE: u32 = {
    const WORD_LENGTH_32: u32 = 1 << 0;
    const HIGH_SPEED: u32 = 1 << 4;
    const INTERRUPT_HIGH: u32 = 1 << 5;
    const WAKE_UP: u32 = 1 << 7;
    const RESPONSE_DELAY: u32 = (RESPONSE_DELAY_BYTES as u32) << 8;
    const STATUS_ENABLE: u32 = 1 << 16;
    const INTERRUPT_WITH_STATUS: u32 = 1 << 17;
    WORD_LENGTH_32 | HIGH_SPEED | INTERRUPT_HIGH | WAKE_UP | RESPONSE_DELAY | STATUS_ENABLE | INTERRUPT_WITH_STATUS
};

/// Bytes between command and data of a read of function 1.
pub(crate) const RESPONSE_DELAY_BYTES: u8 = 4;

/// Bits of [`INTERRUPT`] and [`INTERRUPT_ENABLE`].
pub(crate) mod interrupt {
    /// The requested data was not there.
    pub(crate) const DATA_UNAVAILABLE: u16 = 1 << 0;
    /// A frame was read faster than it was there, or when none was.
    pub(crate) const F2_UNDERFLOW: u16 = 1 << 1;
    /// A frame was written faster than it was taken.
    pub(crate) const F2_OVERFLOW: u16 = 1 << 2;
    /// The chip did not understand a command.
    pub(crate) const COMMAND_ERROR: u16 = 1 << 3;
    /// The chip saw damaged data.
    pub(crate) const DATA_ERROR: u16 = 1 << 4;
    /// A frame waits. A level.
    pub(crate) const F2_PACKET: u16 = 1 << 5;
    /// Whatever is not a level: cleared by writing ones.
    pub(crate) const ERRORS: u16 = DATA_UNAVAILABLE | F2_UNDERFLOW | F2_OVERFLOW | COMMAND_ERROR | DATA_ERROR;
}

/// The word after every transaction.
pub(crate) mod status {
    /// The chip takes frames.
    pub(crate) const F2_RX_READY: u32 = 1 << 5;
    /// A frame waits.
    const F2_PACKET: u32 = 1 << 8;
    /// Its length, in bytes.
    const F2_LENGTH_SHIFT: u32 = 9;
    const F2_LENGTH_MASK: u32 = 0x7ff;

    /// Whether it is a status at all: an undriven line reads all ones.
    pub(crate) const fn is_valid(status: u32) -> bool {
        status != u32::MAX
    }

    /// Length of the frame that waits, if one does.
    pub(crate) const fn packet(status: u32) -> Option<usize> {
        if status & F2_PACKET == 0 {
            None
        } else {
            Some((status >> F2_LENGTH_SHIFT & F2_LENGTH_MASK) as usize)
        }
    }
}

/// Eight-bit registers of function 1.
pub(crate) mod f1 {
    /// How full the FIFO of function 2 is before it counts as ready.
    pub(crate) const WATERMARK: u32 = 0x1_0008;
    /// Bits 15..8, 23..16 and 31..24 of the window.
    pub(crate) const WINDOW: [u32; 3] = [0x1_000a, 0x1_000b, 0x1_000c];
    /// Bit 0 ends the frame that is being read.
    pub(crate) const FRAME_CONTROL: u32 = 0x1_000d;
    /// Clocks asked for and given.
    pub(crate) const CLOCK: u32 = 0x1_000e;
    /// Pull-ups.
    pub(crate) const PULL_UP: u32 = 0x1_000f;

    /// Ends the frame that is being read.
    pub(crate) const READ_TERMINATE: u8 = 1 << 0;
    /// Asks for the low-power clock.
    pub(crate) const ALP_REQUEST: u8 = 0x08;
    /// Asks for the fast clock.
    pub(crate) const HT_REQUEST: u8 = 0x10;
    /// The low-power clock runs.
    pub(crate) const ALP_AVAILABLE: u8 = 0x40;
    /// The fast clock runs.
    pub(crate) const HT_AVAILABLE: u8 = 0x80;
    /// For starting: any value that reads back.
    pub(crate) const WATERMARK_START: u8 = 0x10;
    /// For running: a smaller or odd one crashes the firmware.
    pub(crate) const WATERMARK_RUN: u8 = 0x20;
}

/// Addresses on the backplane.
pub(crate) mod backplane {
    /// Bytes of RAM, from address 0.
    pub(crate) const RAM: u32 = 0x8_0000;
    /// Chip id in the low 16 bits.
    pub(crate) const CHIP_ID: u32 = 0x1800_0000;
    /// What it reads on a CYW43439.
    pub(crate) const CHIP_ID_43439: u16 = 0xa9af;
    /// Which interrupts of the bus core reach the host.
    pub(crate) const HOST_MASK: u32 = 0x1800_2024;
    /// Frames, errors, firmware: what is let through there.
    pub(crate) const HOST_MASK_VALUE: u32 = 0xf0;
    /// Messages of the firmware.
    pub(crate) const TO_HOST_MAILBOX: u32 = 0x1800_204c;
    /// The firmware stopped.
    pub(crate) const MAILBOX_HALTED: u32 = 0x10;
    /// Wrapper of the ARM core.
    pub(crate) const ARM: u32 = 0x1810_3000;
    /// Wrapper of the RAM's core.
    pub(crate) const SOCSRAM: u32 = 0x1810_4000;
    /// Which bank the next register is of.
    pub(crate) const SOCSRAM_BANK: u32 = 0x1800_4010;
    /// Power of that bank; 0 = as it is, not remapped.
    pub(crate) const SOCSRAM_BANK_POWER: u32 = 0x1800_4044;
    /// In a wrapper: clock and the like.
    pub(crate) const IO_CONTROL: u32 = 0x408;
    /// In a wrapper: bit 0 holds the core in reset.
    pub(crate) const RESET_CONTROL: u32 = 0x800;
    /// The core's clock runs.
    pub(crate) const CLOCK_ENABLE: u8 = 1 << 0;
    /// Gated clocks run too.
    pub(crate) const FORCE_CLOCKS: u8 = 1 << 1;
    /// The core is in reset.
    pub(crate) const IN_RESET: u8 = 1 << 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_value_matches_vendor_driver() {
        assert_eq!(CONTROL_VALUE, 0x0003_04b1);
    }

    #[test]
    fn status_packet_matches_logs_of_real_chips() {
        assert_eq!(status::packet(0x0002_0728), Some(259));
        assert_eq!(status::packet(0x0002_0528), Some(258));
        assert_eq!(status::packet(0x0002_0b28), Some(261));
        assert_eq!(status::packet(0x0000_0020), None);
        assert!(!status::is_valid(0xffff_ffff));
    }
}
