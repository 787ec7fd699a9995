//! The layout of legacy descriptors.

use ethdev_phy::dma::Layout;

use crate::regs::bd;

/// Legacy descriptors, receive and transmit: flags and length in one word, buffer address in the
/// other.
#[derive(Debug)]
pub(crate) struct Legacy;

impl Layout for Legacy {
    const WORDS: usize = 2;
    const CONTROL: usize = 0;
    const ADDRESS: usize = 1;
    const WRAP: u32 = bd::WRAP;

    #[inline]
    fn dma_owns(control: u32) -> bool {
        control & bd::DMA != 0
    }
}
