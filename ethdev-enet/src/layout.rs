//! The legacy descriptor: flags and length in one word, the buffer's address in the other.

use super::regs::bd;
use ethdev_phy::dma::Layout;

/// Receive and transmit descriptors alike.
#[derive(Debug)]
pub(super) struct Legacy;

impl Layout for Legacy {
    const WORDS: usize = 2;
    const CONTROL: usize = 0;
    const ADDRESS: usize = 1;
    const WRAP: u32 = bd::WRAP;

    #[inline]
    fn is_device(control: u32) -> bool {
        control & bd::DEVICE != 0
    }
}
