//! What the chip needs at every start, from the directory that `CYW43_IMAGES` named when this was compiled.

use ethdev_cyw43::Images;

static FIRMWARE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/43439A0.bin"));
static NVRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/nvram_rp2040.bin"));
static CLM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/43439A0_clm.bin"));

/// Whether these are stubs, with which no chip starts.
pub const ARE_STUBS: bool = cfg!(stub_images);

/// They are sent from flash, piece by piece: none of them is ever in RAM.
#[must_use]
pub const fn images() -> Images<'static> {
    Images::new(FIRMWARE, NVRAM, CLM)
}
