//! The firmware images that the chip needs at every start. The README says where to get them, and
//! their licence.

use core::fmt;

/// One of the firmware images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Image {
    /// The program of the processor of the chip.
    Firmware,
    /// The board configuration: lines of `key=value`, each terminated by a zero byte.
    Nvram,
    /// The regulatory data ("country locale matrix").
    Clm,
}

/// An image could not be read. The number is defined by the [`FirmwareSource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SourceError(pub u32);

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read error {}", self.0)
    }
}

impl core::error::Error for SourceError {}

/// Reads the firmware images: from memory ([`FirmwareImages`]), or block by block from any other
/// storage.
///
/// They are read once at every start, from beginning to end; [`Verify`] reads them, or samples, a
/// second time.
///
/// ```
/// use ethdev_cyw43::{FirmwareSource, Image, SourceError};
///
/// /// Images one after another in an external flash.
/// struct Flash { offsets: [u32; 3], lengths: [u32; 3] }
/// # impl Flash { fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), u32> { Ok(()) } }
///
/// impl FirmwareSource for Flash {
///     fn len(&self, image: Image) -> u32 {
///         self.lengths[image as usize]
///     }
///
///     fn block<'s>(&'s mut self, image: Image, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
///         self.read(self.offsets[image as usize] + at, scratch).map_err(SourceError)?;
///         Ok(scratch)
///     }
/// }
/// ```
pub trait FirmwareSource {
    /// Returns the length of an image in bytes. A CLM of 0 bytes is skipped: some firmware images
    /// contain it.
    fn len(&self, image: Image) -> u32;

    /// Returns `scratch.len()` bytes of an image from offset `at` on: read into `scratch`, or
    /// borrowed from the source.
    ///
    /// # Errors
    ///
    /// The image cannot be read.
    fn block<'s>(&'s mut self, image: Image, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError>;

    /// Returns the CRC-32 (IEEE 802.3) that the firmware image must have, if it is known. An image
    /// with another CRC is not started.
    fn firmware_crc32(&self) -> Option<u32> {
        None
    }
}

impl<T: FirmwareSource + ?Sized> FirmwareSource for &mut T {
    fn len(&self, image: Image) -> u32 {
        (**self).len(image)
    }

    fn block<'s>(&'s mut self, image: Image, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
        (**self).block(image, at, scratch)
    }

    fn firmware_crc32(&self) -> Option<u32> {
        (**self).firmware_crc32()
    }
}

/// Firmware images in memory.
#[derive(Clone, Copy)]
pub struct FirmwareImages<'f> {
    firmware: &'f [u8],
    nvram: &'f [u8],
    clm: &'f [u8],
    crc32: Option<u32>,
}

impl fmt::Debug for FirmwareImages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirmwareImages")
            .field("firmware", &self.firmware.len())
            .field("nvram", &self.nvram.len())
            .field("clm", &self.clm.len())
            .finish_non_exhaustive()
    }
}

impl<'f> FirmwareImages<'f> {
    /// Creates a source from the three images.
    #[must_use]
    pub const fn new(firmware: &'f [u8], nvram: &'f [u8], clm: &'f [u8]) -> Self {
        Self {
            firmware,
            nvram,
            clm,
            crc32: None,
        }
    }

    /// Sets the CRC-32 that the firmware image must have.
    #[must_use]
    pub const fn with_firmware_crc32(mut self, crc32: u32) -> Self {
        self.crc32 = Some(crc32);
        self
    }
}

impl FirmwareSource for FirmwareImages<'_> {
    fn len(&self, image: Image) -> u32 {
        let bytes = match image {
            Image::Firmware => self.firmware,
            Image::Nvram => self.nvram,
            Image::Clm => self.clm,
        };
        u32::try_from(bytes.len()).unwrap_or(u32::MAX)
    }

    fn block<'s>(&'s mut self, image: Image, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
        let bytes = match image {
            Image::Firmware => self.firmware,
            Image::Nvram => self.nvram,
            Image::Clm => self.clm,
        };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        bytes
            .get(at..)
            .and_then(|rest| rest.get(..scratch.len()))
            .ok_or(SourceError(0))
    }

    fn firmware_crc32(&self) -> Option<u32> {
        self.crc32
    }
}

/// How much of the images is read back from the chip before the firmware is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Verify {
    /// Nothing.
    Nothing,
    /// One block of 64 bytes in each 32 KiB, and the last: about 20 transactions. Detects a bus
    /// that corrupts words.
    #[default]
    Samples,
    /// Everything: a second pass over the bus, about 70 ms at 33 MHz.
    Everything,
}

/// An image is invalid, or its copy in the chip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FirmwareError {
    /// The image is empty.
    Empty(Image),
    /// The image is longer than the memory of the chip.
    TooLarge {
        /// The image.
        image: Image,
        /// Its length in bytes.
        len: u32,
        /// The greatest length in bytes.
        max: u32,
    },
    /// The image could not be read, or is shorter than its [`len`](FirmwareSource::len).
    Unreadable {
        /// The image.
        image: Image,
        /// The offset in bytes.
        at: u32,
        /// The error of the source.
        cause: SourceError,
    },
    /// The firmware image has another CRC-32 than
    /// [`firmware_crc32`](FirmwareSource::firmware_crc32).
    Checksum {
        /// The expected CRC-32.
        expected: u32,
        /// The CRC-32 of the image.
        found: u32,
    },
    /// The memory of the chip does not read back as written: the bus corrupts words.
    VerifyFailed {
        /// Address in the memory of the chip.
        address: u32,
    },
    /// The firmware rejected the CLM.
    ClmRejected {
        /// The status of the firmware.
        status: u32,
    },
}

impl fmt::Display for FirmwareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(image) => write!(f, "{image:?} image is empty"),
            Self::TooLarge { image, len, max } => write!(f, "{image:?} image too large ({len} bytes, maximum {max})"),
            Self::Unreadable { image, at, cause } => write!(f, "{image:?} image unreadable at offset {at}: {cause}"),
            Self::Checksum { expected, found } => {
                write!(f, "firmware image has CRC-32 {found:#010x}, expected {expected:#010x}")
            }
            Self::VerifyFailed { address } => write!(f, "verification failed at address {address:#x}"),
            Self::ClmRejected { status } => write!(f, "firmware rejected the CLM (status {status})"),
        }
    }
}

impl core::error::Error for FirmwareError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Unreadable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

/// CRC-32 as it goes along.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crc32(u32);

impl Crc32 {
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Four bits at a time: a table of 64 bytes.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        const TABLE: [u32; 16] = {
            let mut table = [0; 16];
            let mut i = 0;
            while i < 16 {
                let mut crc = i as u32;
                let mut bit = 0;
                while bit < 4 {
                    crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 };
                    bit += 1;
                }
                #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
                {
                    table[i] = crc;
                }
                i += 1;
            }
            table
        };
        for &byte in bytes {
            for nibble in [byte & 15, byte >> 4] {
                let index = (self.0 ^ u32::from(nibble)) & 15;
                self.0 = self.0 >> 4 ^ TABLE.get(index as usize).copied().unwrap_or(0);
            }
        }
    }

    pub(crate) const fn value(self) -> u32 {
        !self.0
    }
}

/// The last word of RAM tells the firmware where its NVRAM is: its length in words, and the
/// complement of that.
pub(crate) const fn nvram_token(len: u32) -> u32 {
    let words = len.div_ceil(4);
    (!words << 16) | (words & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nvram_token_rp2040_image_matches() {
        assert_eq!(nvram_token(742), 0xff45_00ba);
    }

    #[test]
    fn crc32_check_string_matches() {
        let mut crc = Crc32::new();
        crc.add(b"12345");
        crc.add(b"6789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }

    #[test]
    fn block_beyond_end_is_error() {
        let mut images = FirmwareImages::new(b"firmware", b"nvram", b"");
        let mut scratch = [0; 4];
        assert_eq!(images.block(Image::Firmware, 4, &mut scratch), Ok(&b"ware"[..]));
        assert_eq!(images.block(Image::Firmware, 5, &mut scratch), Err(SourceError(0)));
        assert_eq!(images.len(Image::Clm), 0);
    }
}
