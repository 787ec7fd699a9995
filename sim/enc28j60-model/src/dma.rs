//! The DMA engine: copies and checksums (DS39662E section 13).

use core::time::Duration;

use super::ViolationKind;
use super::filter::checksum;
use super::hardware::Model;
use super::ram::{SIZE, next};
use super::registers::{ECON1, EDMACS, EDMADST, EDMAND, EDMAST, EIR, econ1, eir};

/// Main clocks of 40 ns per byte: one to read, one to write.
const CLOCK: Duration = Duration::from_nanos(40);

impl Model {
    /// When the operation that runs is over; now or earlier where none does.
    pub(super) fn dma_ends(&self) -> Duration {
        if self.registers.has(ECON1, econ1::DMAST) {
            self.power.dma_ends
        } else {
            Duration::ZERO
        }
    }

    /// The addresses that the engine reads: through the end of the FIFO to its start.
    fn dma_source(&self) -> Vec<u16> {
        let (mut at, end) = (self.registers.word(EDMAST), self.registers.word(EDMAND));
        let fifo = self.fifo();
        let mut addresses = vec![at];
        // The end is looked at after the first step only: where it is the start, everything is overwritten.
        while addresses.len() < usize::from(SIZE) {
            at = if at == fifo.end { fifo.start } else { next(at) };
            addresses.push(at);
            if at == end {
                break;
            }
        }
        addresses
    }

    /// DMAST was set.
    pub(super) fn start_dma(&mut self) {
        let is_checksum = self.registers.has(ECON1, econ1::CSUMEN);
        if self.registers.word(EDMAST) == self.registers.word(EDMAND) {
            self.violation(ViolationKind::DmaMisuse, "EDMAST is EDMAND");
        }
        if is_checksum && self.config.errata.e17_dma_checksum && self.is_receive_enabled() {
            self.violation(
                ViolationKind::DmaMisuse,
                "a checksum while packets may arrive (erratum 17)",
            );
        }
        let addresses = self.dma_source();
        let clocks = if is_checksum { 1 } else { 2 };
        let begins = self.clock.now().max(self.transmitter_free_at());
        let ends = begins + CLOCK * clocks * addresses.len() as u32;
        self.power.dma_ends = ends;
        if is_checksum {
            self.checksum_ran = Some((begins, ends));
        }
        self.dma_turn += 1;
        let turn = self.dma_turn;
        self.later(ends, move |chip| {
            if chip.dma_turn == turn {
                chip.finish_dma(&addresses, is_checksum);
            }
        });
    }

    fn finish_dma(&mut self, addresses: &[u16], is_checksum: bool) {
        if is_checksum {
            let sum = checksum(addresses.iter().map(|address| self.ram.peek(*address)));
            self.registers.set_word(EDMACS, sum);
        } else {
            let mut to = self.registers.word(EDMADST);
            for from in addresses {
                let byte = self.ram.peek(*from);
                self.ram.poke(to, byte);
                to = next(to);
            }
        }
        self.registers.clear(ECON1, econ1::DMAST);
        self.registers.raise(EIR, eir::DMAIF);
    }

    /// The host cleared DMAST.
    pub(super) fn cancel_dma(&mut self) {
        self.dma_turn += 1;
        self.registers.raise(EIR, eir::DMAIF);
    }
}
