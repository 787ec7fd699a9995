//! Power-up, firmware upload and start.

use crate::backplane::{BLOCK, block_len};
use crate::bus::Bus;
use crate::chip::Chip;
use crate::error::{Error, WaitFor};
use crate::firmware::{Crc32, FirmwareError, FirmwareSource, Image, Verify, nvram_token};
use crate::gspi::{Port, Result};
use crate::regs::{self, backplane, f1, interrupt, status};

/// How long the chip is without power, so that it forgets. Other drivers take as long.
const OFF_MS: u32 = 20;
/// How long after power the chip is left alone, and how long it may take to answer. The slowest
/// that were seen take 250 ms.
const SETTLE_MS: u32 = 50;
const POWER_UP_MS: u32 = 500;
const POWER_UP_STEP_MS: u32 = 5;
/// How long clocks may take. The low-power one takes some 10 µs, the fast one some 30 ms after the
/// firmware was started.
const ALP_MS: u32 = 100;
const HT_MS: u32 = 1000;
/// How long the firmware may take until it takes frames. Some 85 ms are usual.
const READY_MS: u32 = 2000;
/// How long a core takes into reset and out of it.
const CORE_US: u32 = 1000;

/// How long a wait may take, how often it looks, and what it is for.
struct Patience {
    what: WaitFor,
    ms: u32,
    step_us: u32,
}

impl<B: Bus> Port<B> {
    /// Cuts the power, or gives it.
    pub(crate) fn power(&mut self, on: bool) -> Result<(), B> {
        self.was_reset();
        self.bus.power(on).map_err(Error::PowerPin)
    }

    /// Gives power, and makes the bus work.
    async fn wake_bus(&mut self) -> Result<(), B> {
        // Low while power comes: gSPI, not SDIO.
        self.bus.set_strap(true).await.map_err(Error::Bus)?;
        self.power(false)?;
        self.wait_us(OFF_MS * 1000).await;
        self.power(true)?;
        self.wait_us(SETTLE_MS * 1000).await;
        self.bus.set_strap(false).await.map_err(Error::Bus)?;
        let mut waited_ms = 0;
        loop {
            // The first transactions after power-up can be garbage.
            let read = self.read_reg(regs::TEST).await?;
            if read == regs::TEST_PATTERN {
                break;
            }
            if waited_ms >= POWER_UP_MS {
                return Err(Error::NotResponding {
                    read,
                    expected: regs::TEST_PATTERN,
                });
            }
            self.wait_us(POWER_UP_STEP_MS * 1000).await;
            waited_ms += POWER_UP_STEP_MS;
        }
        self.write_reg(regs::SCRATCH, regs::SCRATCH_PATTERN).await?;
        self.expect(regs::SCRATCH, regs::SCRATCH_PATTERN).await?;
        self.write_reg(regs::CONTROL, regs::CONTROL_VALUE).await?;
        self.swapped = false;
        self.expect(regs::TEST, regs::TEST_PATTERN).await?;
        self.expect(regs::SCRATCH, regs::SCRATCH_PATTERN).await?;
        self.write_reg(regs::RESPONSE_DELAY_F1, regs::RESPONSE_DELAY_BYTES.into())
            .await
    }

    async fn expect(&mut self, reg: regs::BusReg, expected: u32) -> Result<(), B> {
        let read = self.read_reg(reg).await?;
        if read == expected {
            Ok(())
        } else {
            Err(Error::NotResponding { read, expected })
        }
    }

    async fn wait_for_clock(&mut self, available: u8, patience: Patience) -> Result<(), B> {
        let since = self.elapsed_us();
        while self.f1_read(f1::CLOCK).await? & available == 0 {
            self.look_later(since, &patience).await?;
        }
        Ok(())
    }

    async fn look_later(&mut self, since: u32, patience: &Patience) -> Result<(), B> {
        if self.elapsed_us().wrapping_sub(since) / 1000 >= patience.ms {
            return Err(Error::Timeout(patience.what));
        }
        self.wait_us(patience.step_us).await;
        Ok(())
    }

    /// Puts a core into reset.
    async fn stop_core(&mut self, core: u32) -> Result<(), B> {
        if self.read_u8(core + backplane::RESET_CONTROL).await? & backplane::IN_RESET != 0 {
            return Ok(());
        }
        self.write_u8(core + backplane::IO_CONTROL, 0).await?;
        // Reads before go on: the write has arrived when the read is answered.
        self.read_u8(core + backplane::IO_CONTROL).await?;
        self.wait_us(CORE_US).await;
        self.write_u8(core + backplane::RESET_CONTROL, backplane::IN_RESET)
            .await?;
        if self.read_u8(core + backplane::RESET_CONTROL).await? & backplane::IN_RESET == 0 {
            return Err(Error::Timeout(WaitFor::Core));
        }
        self.wait_us(CORE_US).await;
        Ok(())
    }

    /// Takes a core through reset and lets it run.
    async fn start_core(&mut self, core: u32) -> Result<(), B> {
        self.stop_core(core).await?;
        let clocks = backplane::FORCE_CLOCKS | backplane::CLOCK_ENABLE;
        self.write_u8(core + backplane::IO_CONTROL, clocks).await?;
        self.read_u8(core + backplane::IO_CONTROL).await?;
        self.write_u8(core + backplane::RESET_CONTROL, 0).await?;
        self.wait_us(CORE_US).await;
        self.write_u8(core + backplane::IO_CONTROL, backplane::CLOCK_ENABLE)
            .await?;
        let control = self.read_u8(core + backplane::IO_CONTROL).await?;
        let reset = self.read_u8(core + backplane::RESET_CONTROL).await?;
        if control & clocks != backplane::CLOCK_ENABLE || reset & backplane::IN_RESET != 0 {
            return Err(Error::Timeout(WaitFor::Core));
        }
        Ok(())
    }

    /// Everything before the images.
    async fn prepare(&mut self) -> Result<(), B> {
        self.f1_write(f1::CLOCK, f1::ALP_REQUEST).await?;
        self.f1_write(f1::WATERMARK, f1::WATERMARK_START).await?;
        let watermark = self.f1_read(f1::WATERMARK).await?;
        if watermark != f1::WATERMARK_START {
            return Err(Error::NotResponding {
                read: watermark.into(),
                expected: f1::WATERMARK_START.into(),
            });
        }
        let patience = Patience {
            what: WaitFor::Clock,
            ms: ALP_MS,
            step_us: 500,
        };
        self.wait_for_clock(f1::ALP_AVAILABLE, patience).await?;
        self.f1_write(f1::CLOCK, 0).await?;
        let id = self.read_u16(backplane::CHIP_ID).await?;
        if id != backplane::CHIP_ID_43439 {
            return Err(Error::WrongChip { id });
        }
        self.stop_core(backplane::ARM).await?;
        self.start_core(backplane::SOCSRAM).await?;
        // Bank 3 is not remapped.
        self.write_u32(backplane::SOCSRAM_BANK, 3).await?;
        self.write_u32(backplane::SOCSRAM_BANK_POWER, 0).await
    }

    /// From images in RAM to firmware that takes frames.
    async fn run_firmware(&mut self) -> Result<(), B> {
        self.start_core(backplane::ARM).await?;
        let patience = Patience {
            what: WaitFor::FirmwareStart,
            ms: HT_MS,
            step_us: 4000,
        };
        self.wait_for_clock(f1::HT_AVAILABLE, patience).await?;
        self.write_u32(backplane::HOST_MASK, backplane::HOST_MASK_VALUE).await?;
        self.f1_write(f1::WATERMARK, f1::WATERMARK_RUN).await?;
        let since = self.elapsed_us();
        let patience = Patience {
            what: WaitFor::FirmwareReady,
            ms: READY_MS,
            step_us: 8000,
        };
        // Every transaction tells the status; this one costs the least.
        while self.status().is_none_or(|status| status & status::F2_RX_READY == 0) {
            self.look_later(since, &patience).await?;
            self.read_reg(regs::INTERRUPT).await?;
        }
        self.f1_write(f1::PULL_UP, 0).await?;
        self.f1_write(f1::CLOCK, f1::HT_REQUEST).await?;
        let patience = Patience {
            what: WaitFor::Clock,
            ms: HT_MS,
            step_us: 100,
        };
        self.wait_for_clock(f1::HT_AVAILABLE, patience).await?;
        // Whatever happened while the firmware started is over.
        self.write_reg(regs::INTERRUPT, interrupt::ERRORS.into()).await?;
        self.write_reg(regs::INTERRUPT_ENABLE, interrupt::F2_PACKET.into())
            .await
    }
}

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    /// Power, firmware, and nothing set yet.
    pub(crate) async fn boot(&mut self) -> Result<(), B> {
        // Before anything is touched: images that cannot do.
        let plan = Plan::new(&self.source).map_err(Error::Firmware)?;
        self.port.wake_bus().await?;
        self.port.prepare().await?;
        let crc = self.upload(Image::Firmware, 0, plan.firmware).await?;
        if let Some(expected) = self.source.firmware_crc32().filter(|&expected| expected != crc) {
            return Err(Error::Firmware(FirmwareError::Checksum { expected, found: crc }));
        }
        self.upload(Image::Nvram, plan.nvram_at, plan.nvram).await?;
        self.port.write_u32(TOKEN, nvram_token(plan.nvram)).await?;
        self.verify(Image::Firmware, 0, plan.firmware).await?;
        self.verify(Image::Nvram, plan.nvram_at, plan.nvram).await?;
        if self.config.verify != Verify::Nothing && self.port.read_u32(TOKEN).await? != nvram_token(plan.nvram) {
            return Err(Error::Firmware(FirmwareError::VerifyFailed { address: TOKEN }));
        }
        self.port.run_firmware().await?;
        self.firmware_was_started();
        Ok(())
    }

    /// Writes an image to the chip's memory, in blocks as large as the chip takes them; its CRC-32.
    async fn upload(&mut self, image: Image, to: u32, len: u32) -> Result<u32, B> {
        let mut crc = Crc32::new();
        let mut scratch = [0; BLOCK];
        let mut at = 0;
        while at < len {
            let size = block_len(to + at, len - at);
            let block = read_block(&mut self.source, image, at, size, &mut scratch)?;
            crc.add(block);
            self.port.write_block(to + at, block).await?;
            at += size as u32;
        }
        Ok(crc.value())
    }

    /// Reads back what was written, all of it or samples.
    async fn verify(&mut self, image: Image, from: u32, len: u32) -> Result<(), B> {
        /// One block in so many bytes is a sample.
        const SAMPLE_EVERY: u32 = 0x8000;
        let step = match self.config.verify {
            Verify::Nothing => return Ok(()),
            Verify::Samples => SAMPLE_EVERY,
            Verify::Everything => BLOCK as u32,
        };
        let mut at = 0;
        while at < len {
            self.verify_block(image, from, at, len).await?;
            at += step;
        }
        // The end is where a truncated transfer shows.
        let last = len.saturating_sub(BLOCK as u32) & !3;
        self.verify_block(image, from, last, len).await
    }

    async fn verify_block(&mut self, image: Image, from: u32, at: u32, len: u32) -> Result<(), B> {
        let address = from + at;
        let size = block_len(address, len - at);
        let (mut scratch, mut found) = ([0; BLOCK], [0; BLOCK]);
        let found = found.get_mut(..size).unwrap_or_default();
        self.port.read_block(address, found).await?;
        let expected = read_block(&mut self.source, image, at, size, &mut scratch)?;
        if expected == found {
            Ok(())
        } else {
            Err(Error::Firmware(FirmwareError::VerifyFailed { address }))
        }
    }
}

/// `size` bytes of an image; one that ends before is truncated.
fn read_block<'s, FW: FirmwareSource, E>(
    source: &'s mut FW,
    image: Image,
    at: u32,
    size: usize,
    scratch: &'s mut [u8],
) -> core::result::Result<&'s [u8], Error<E>> {
    let unreadable = |cause| Error::Firmware(FirmwareError::Unreadable { image, at, cause });
    let scratch = scratch.get_mut(..size).unwrap_or_default();
    let block = source.block(image, at, scratch).map_err(unreadable)?;
    block
        .get(..size)
        .ok_or_else(|| unreadable(crate::firmware::SourceError(0)))
}

/// The last word of RAM.
const TOKEN: u32 = backplane::RAM - 4;
/// Longest NVRAM: more than any board has.
const MOST_NVRAM: u32 = 4096;

/// What goes where.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    firmware: u32,
    nvram: u32,
    nvram_at: u32,
}

impl Plan {
    fn new<FW: FirmwareSource + ?Sized>(source: &FW) -> core::result::Result<Self, FirmwareError> {
        let (firmware, nvram) = (source.len(Image::Firmware), source.len(Image::Nvram));
        for (image, len) in [(Image::Firmware, firmware), (Image::Nvram, nvram)] {
            if len == 0 {
                return Err(FirmwareError::Empty(image));
            }
        }
        if nvram > MOST_NVRAM {
            return Err(FirmwareError::TooLarge {
                image: Image::Nvram,
                len: nvram,
                max: MOST_NVRAM,
            });
        }
        let nvram_at = TOKEN - nvram.next_multiple_of(4);
        if firmware > nvram_at {
            return Err(FirmwareError::TooLarge {
                image: Image::Firmware,
                len: firmware,
                max: nvram_at,
            });
        }
        Ok(Self {
            firmware,
            nvram,
            nvram_at,
        })
    }
}

/// Bytes of the CLM in one request.
const CLM_PIECE: usize = 512;

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    /// Loads what the radio may do where.
    pub(crate) async fn load_clm(&mut self) -> Result<(), B> {
        use crate::ioctl::var;
        const HANDLER_VERSION: u16 = 0x1000;
        const FIRST: u16 = 0x0002;
        const LAST: u16 = 0x0004;
        const TYPE: u16 = 2;
        let len = self.source.len(Image::Clm);
        let mut at = 0;
        while at < len {
            let size = (len - at).min(CLM_PIECE as u32);
            let mut piece = [0; CLM_PIECE];
            let piece = piece.get_mut(..size as usize).unwrap_or_default();
            let mut scratch = [0; BLOCK];
            for (offset, chunk) in (at..).step_by(BLOCK).zip(piece.chunks_mut(BLOCK)) {
                let size = chunk.len();
                let block = read_block(&mut self.source, Image::Clm, offset, size, &mut scratch)?;
                chunk.copy_from_slice(block);
            }
            let mut flags = HANDLER_VERSION;
            if at == 0 {
                flags |= FIRST;
            }
            if at + size == len {
                flags |= LAST;
            }
            let [f0, f1] = flags.to_le_bytes();
            let [t0, t1] = TYPE.to_le_bytes();
            let header = crate::ioctl::words(u32::from_le_bytes([f0, f1, t0, t1]), size);
            // The last word would be a checksum, which the firmware does not look at.
            self.set_var_gather(var::CLMLOAD, &[&header, &[0; 4], piece]).await?;
            at += size;
        }
        if len == 0 {
            return Ok(());
        }
        match u32::from_le_bytes(self.get_var(var::CLMLOAD_STATUS).await?) {
            0 => Ok(()),
            status => Err(Error::Firmware(FirmwareError::ClmRejected { status })),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::firmware::FirmwareImages;

    #[test]
    fn plan_invalid_images_are_rejected() {
        let nvram = [1; 742];
        let plan = |firmware: usize, nvram: &[u8]| Plan::new(&FirmwareImages::new(&std::vec![1; firmware], nvram, &[]));
        let good = plan(231_077, &nvram).unwrap();
        assert_eq!(good.nvram_at, 0x7_fd14);
        assert_eq!(plan(0, &nvram), Err(FirmwareError::Empty(Image::Firmware)));
        assert_eq!(plan(100, &[]), Err(FirmwareError::Empty(Image::Nvram)));
        let too_large = FirmwareError::TooLarge {
            image: Image::Firmware,
            len: 0x7_fd15,
            max: 0x7_fd14,
        };
        assert_eq!(plan(0x7_fd15, &nvram), Err(too_large));
        assert!(plan(0x7_fd14, &nvram).is_ok());
        assert!(matches!(
            plan(1, &[0; 4097]),
            Err(FirmwareError::TooLarge {
                image: Image::Nvram,
                ..
            })
        ));
    }
}
