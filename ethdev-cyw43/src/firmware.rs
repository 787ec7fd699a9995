//! The images that the chip needs at every start. They are the caller's: where to get them, and under which licence, is in the README.

use core::fmt;

/// One of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Part {
    /// The program of the chip's processor.
    Firmware,
    /// The board's settings: lines of `key=value`, each ended by a zero byte.
    Nvram,
    /// What the radio may do in which country ("country locale matrix").
    Clm,
}

/// An image could not be read; the number is its reader's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SourceError(pub u32);

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the image's reader failed with code {}", self.0)
    }
}

impl core::error::Error for SourceError {}

/// Where the images are: in memory ([`Images`]), or wherever they can be read from piece by piece.
///
/// They are read once at every start, from the beginning to the end; at the end a second time where [`Verify`] asks for that.
///
/// ```
/// use ethdev_cyw43::{Part, Source, SourceError};
///
/// /// Images one after another in an external flash.
/// struct Flash { offsets: [u32; 3], lengths: [u32; 3] }
/// # impl Flash { fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), u32> { Ok(()) } }
///
/// impl Source for Flash {
///     fn len(&self, part: Part) -> u32 {
///         self.lengths[part as usize]
///     }
///
///     fn block<'s>(&'s mut self, part: Part, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
///         self.read(self.offsets[part as usize] + at, scratch).map_err(SourceError)?;
///         Ok(scratch)
///     }
/// }
/// ```
pub trait Source {
    /// Length of an image in bytes. A CLM of 0 bytes is none: there are firmwares that contain theirs.
    fn len(&self, part: Part) -> u32;

    /// As many bytes of an image as `scratch` has, from `at` on: read into `scratch`, or lent from where they lie.
    ///
    /// # Errors
    ///
    /// The image cannot be read.
    fn block<'s>(&'s mut self, part: Part, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError>;

    /// CRC-32 (IEEE 802.3, as `crc32` prints it) of the firmware image, where it is known: a damaged one is then not started.
    fn firmware_crc32(&self) -> Option<u32> {
        None
    }
}

impl<T: Source + ?Sized> Source for &mut T {
    fn len(&self, part: Part) -> u32 {
        (**self).len(part)
    }

    fn block<'s>(&'s mut self, part: Part, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
        (**self).block(part, at, scratch)
    }

    fn firmware_crc32(&self) -> Option<u32> {
        (**self).firmware_crc32()
    }
}

/// Images in memory.
#[derive(Clone, Copy)]
pub struct Images<'f> {
    firmware: &'f [u8],
    nvram: &'f [u8],
    clm: &'f [u8],
    crc32: Option<u32>,
}

impl fmt::Debug for Images<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Images")
            .field("firmware", &self.firmware.len())
            .field("nvram", &self.nvram.len())
            .field("clm", &self.clm.len())
            .finish_non_exhaustive()
    }
}

impl<'f> Images<'f> {
    /// These three.
    #[must_use]
    pub const fn new(firmware: &'f [u8], nvram: &'f [u8], clm: &'f [u8]) -> Self {
        Self {
            firmware,
            nvram,
            clm,
            crc32: None,
        }
    }

    /// The same with the CRC-32 that the firmware must have.
    #[must_use]
    pub const fn with_firmware_crc32(mut self, crc32: u32) -> Self {
        self.crc32 = Some(crc32);
        self
    }
}

impl Source for Images<'_> {
    fn len(&self, part: Part) -> u32 {
        let image = match part {
            Part::Firmware => self.firmware,
            Part::Nvram => self.nvram,
            Part::Clm => self.clm,
        };
        u32::try_from(image.len()).unwrap_or(u32::MAX)
    }

    fn block<'s>(&'s mut self, part: Part, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
        let image = match part {
            Part::Firmware => self.firmware,
            Part::Nvram => self.nvram,
            Part::Clm => self.clm,
        };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        image
            .get(at..)
            .and_then(|rest| rest.get(..scratch.len()))
            .ok_or(SourceError(0))
    }

    fn firmware_crc32(&self) -> Option<u32> {
        self.crc32
    }
}

/// What is read back from the chip before the firmware is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Verify {
    /// Nothing.
    Nothing,
    /// One block in each 32 KiB, the first, and the last: some 20 transactions. What a bus does to words, it does to these as well.
    #[default]
    Samples,
    /// Everything: doubles the time of a start.
    Everything,
}

/// What is wrong with an image, or with the chip's copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FirmwareError {
    /// It has no bytes.
    Empty(Part),
    /// It is longer than the chip has room.
    TooLarge {
        /// Which.
        part: Part,
        /// Its length in bytes.
        len: u32,
        /// The room in bytes.
        max: u32,
    },
    /// It could not be read, or ends before its length.
    Unreadable {
        /// Which.
        part: Part,
        /// Where, in bytes from its beginning.
        at: u32,
        /// What its reader said.
        cause: SourceError,
    },
    /// It is not the image that was expected: truncated, damaged, or another.
    Checksum {
        /// The CRC-32 that it should have.
        expected: u32,
        /// The one that it has.
        found: u32,
    },
    /// The chip's memory does not hold what was written: the bus damages words.
    ReadBack {
        /// Address in the chip.
        address: u32,
    },
    /// The firmware refused the CLM, with this status.
    ClmRefused {
        /// The firmware's number for why.
        status: u32,
    },
}

impl fmt::Display for FirmwareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(part) => write!(f, "{part:?} image is empty"),
            Self::TooLarge { part, len, max } => write!(f, "{part:?} image has {len} bytes, the chip takes {max}"),
            Self::Unreadable { part, at, cause } => write!(f, "{part:?} image at {at}: {cause}"),
            Self::Checksum { expected, found } => {
                write!(f, "firmware image has CRC-32 {found:#010x} instead of {expected:#010x}")
            }
            Self::ReadBack { address } => write!(f, "the chip's memory at {address:#x} does not hold what was written"),
            Self::ClmRefused { status } => write!(f, "the firmware refused the CLM with status {status}"),
        }
    }
}

impl core::error::Error for FirmwareError {}

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

/// The last word of RAM tells the firmware where its NVRAM is: its length in words, and the complement of that.
pub(crate) const fn nvram_token(len: u32) -> u32 {
    let words = len.div_ceil(4);
    (!words << 16) | (words & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_of_the_nvram_that_everybody_uses() {
        assert_eq!(nvram_token(742), 0xff45_00ba);
    }

    #[test]
    fn crc_of_the_check_string() {
        let mut crc = Crc32::new();
        crc.add(b"12345");
        crc.add(b"6789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }

    #[test]
    fn blocks_of_an_image_are_what_it_holds() {
        let mut images = Images::new(b"firmware", b"nvram", b"");
        let mut scratch = [0; 4];
        assert_eq!(images.block(Part::Firmware, 4, &mut scratch), Ok(&b"ware"[..]));
        assert_eq!(images.block(Part::Firmware, 5, &mut scratch), Err(SourceError(0)));
        assert_eq!(images.len(Part::Clm), 0);
    }
}
