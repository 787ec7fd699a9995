//! Many frames both ways through the driver and the model of its chip, while everything goes wrong that may.
//!
//! Each frame says its number and has contents that follow from it. What arrives damaged or twice is a violation, and so is a book that does not balance: the
//! model knows what became of every frame, and the driver's counters have to agree with it.

mod books;
mod host;
mod run;

use core::fmt;

use ethdev_sim::chip::enc28j60::Revision;

pub use books::Books;
pub use run::run;

/// What goes wrong besides the errata, which all are on, bursts that overrun the FIFO, and collisions, with and without a good end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// The link comes and goes. The chip computes the FCS, as the driver's default has it.
    Flaps,
    /// The link comes and goes, the supply fails for a moment, the chip resets itself: at any instant, in the middle of a transaction too. The driver computes
    /// the FCS: what a reset does to a frame that is being read is noticed by nothing else.
    Resets,
    /// In 1 % of all SPI transactions one bit is flipped: of the opcode, of what is written, or of what is read. The driver computes the FCS.
    ///
    /// What holds here: no panic, no hang, and nothing damaged is handed to the caller. What does not: one flipped bit can set TXRTS, or move the FIFO, so that
    /// a frame goes out again, or comes again. That is counted and bounded, and the losses are those of a chip that does what nobody asked for.
    Bus,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Flaps, Self::Resets, Self::Bus];

    /// How many of the transactions are damaged.
    const fn noise(self) -> f64 {
        match self {
            Self::Bus => 0.01,
            Self::Flaps | Self::Resets => 0.0,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flaps => "bursts and link flaps, FCS by the chip",
            Self::Resets => "bursts, link flaps, brown-outs and chip resets, FCS in software",
            Self::Bus => "bursts, 1 % of SPI transactions damaged, FCS in software",
        })
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Of the chip.
    pub revision: Revision,
    /// What goes wrong.
    pub scenario: Scenario,
    /// How many frames are offered: half of them each way.
    pub frames: u64,
    /// Of everything random.
    pub seed: u64,
}
