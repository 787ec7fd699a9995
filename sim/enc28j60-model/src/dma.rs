//! The DMA engine: copies and checksums (DS39662E section 13).

use core::time::Duration;

use crate::chip::Chip;
use crate::filter::checksum;
use crate::ram::{SIZE, next};
use crate::registers::{ECON1, EDMACS, EDMADST, EDMAND, EDMAST, EIR, econ1, eir};
use crate::timer::Timer;
use crate::violations::ViolationKind;

/// Main clocks of 40 ns per byte: one to read, one to write.
const CLOCK: Duration = Duration::from_nanos(40);

/// The engine.
#[derive(Debug, Default)]
pub(crate) struct Dma {
    /// Counts operations and cancellations, so that a cancelled operation does not end.
    operation: u64,
    /// When the operation ends that was started last.
    ends: Duration,
    /// When the latest checksum ended, or will.
    checksum_ended: Option<Duration>,
}

impl Dma {
    /// The engine after a system reset. The operation that runs does not end.
    pub(crate) fn reset(&mut self) {
        self.operation += 1;
        self.checksum_ended = None;
    }

    /// When the running operation ends; now or earlier where none runs.
    pub(crate) fn ends(&self, chip: &Chip) -> Duration {
        if chip.registers.has(ECON1, econ1::DMAST) {
            self.ends
        } else {
            Duration::ZERO
        }
    }

    /// Whether a checksum ran at this time or later.
    pub(crate) fn checksummed_since(&self, began: Duration) -> bool {
        self.checksum_ended.is_some_and(|ended| ended > began)
    }

    /// DMAST was set. `tx_free_at`: when the transmission that runs ends.
    pub(crate) fn start(&mut self, chip: &mut Chip, tx_free_at: Duration) {
        let is_checksum = chip.registers.has(ECON1, econ1::CSUMEN);
        if chip.registers.word(EDMAST) == chip.registers.word(EDMAND) {
            chip.violation(ViolationKind::BadDma, "EDMAST equals EDMAND");
        }
        if is_checksum && chip.cx.config.errata.e17_dma_checksum && chip.is_receive_enabled() {
            chip.violation(
                ViolationKind::BadDma,
                "a checksum while packets may arrive (erratum 17)",
            );
        }
        let source = source(chip);
        let clocks = if is_checksum { 1 } else { 2 };
        let begins = chip.cx.now().max(tx_free_at);
        let ends = begins + CLOCK * clocks * source.len() as u32;
        self.ends = ends;
        if is_checksum {
            self.checksum_ended = Some(ends);
        }
        self.operation += 1;
        chip.cx.timer_at(
            ends,
            Timer::DmaDone {
                operation: self.operation,
                source,
                is_checksum,
            },
        );
    }

    /// An operation ends, unless it was cancelled.
    pub(crate) fn done(&self, chip: &mut Chip, operation: u64, source: &[u16], is_checksum: bool) {
        if self.operation != operation {
            return;
        }
        if is_checksum {
            let sum = checksum(source.iter().map(|address| chip.ram.peek(*address)));
            chip.registers.set_word(EDMACS, sum);
        } else {
            let mut to = chip.registers.word(EDMADST);
            for from in source {
                let byte = chip.ram.peek(*from);
                chip.ram.poke(to, byte);
                to = next(to);
            }
        }
        chip.registers.clear(ECON1, econ1::DMAST);
        chip.registers.raise(EIR, eir::DMAIF);
    }

    /// The host cleared DMAST.
    pub(crate) fn cancel(&mut self, chip: &mut Chip) {
        self.operation += 1;
        chip.registers.raise(EIR, eir::DMAIF);
    }
}

/// The addresses that the engine reads. After the end of the FIFO comes its start.
fn source(chip: &Chip) -> Vec<u16> {
    let (mut at, end) = (chip.registers.word(EDMAST), chip.registers.word(EDMAND));
    let fifo = chip.fifo();
    let mut addresses = vec![at];
    // The end is compared after the first step only: where it equals the start, all is overwritten.
    while addresses.len() < usize::from(SIZE) {
        at = if at == fifo.end { fifo.start } else { next(at) };
        addresses.push(at);
        if at == end {
            break;
        }
    }
    addresses
}
