//! The images of the chip, from the directory `CYW43_IMAGES` at build time.

use ethdev_cyw43::FirmwareImages;

static FIRMWARE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/43439A0.bin"));
static NVRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/nvram_rp2040.bin"));
static CLM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/43439A0_clm.bin"));

/// Whether the images are stubs, with which the chip does not start.
pub const ARE_STUBS: bool = cfg!(stub_images);

/// Returns the images, which are uploaded from flash without a copy in RAM.
#[must_use]
pub const fn images() -> FirmwareImages<'static> {
    FirmwareImages::new(FIRMWARE, NVRAM, CLM)
}
