//! SMSC (Microchip) LAN9118 and its relatives: MACs with FIFOs of their own and a built-in PHY, behind a bus of 16 or 32 bits.
//!
//! LAN9115, LAN9116, LAN9117, LAN9118; LAN9215, LAN9216, LAN9217, LAN9218; LAN9210, LAN9211, LAN9220, LAN9221. They are told apart by [`Model`]; anything
//! else is [`Error::WrongChip`].
//!
//! ```no_run
//! use ethdev::{Duplex, EthernetDevice, Link, LinkMode, Speed};
//! use ethdev_phy::Mac;
//! use ethdev_lan9118::{Config, IrqPin, Lan9118};
//! # use ethdev_phy::mmio::Mmio;
//! # fn start(registers: Mmio<0x100>, delay: impl embedded_hal::delay::DelayNs) -> Result<(), ethdev_lan9118::Error> {
//! // `registers` is an `Mmio::<0x100>` at the chip's address, or whatever else implements `Registers`.
//! let mut mac = Lan9118::new(registers, delay, Config::new().with_irq(IrqPin::ActiveHigh))?;
//! // A cable whose mode is known needs no PHY driver. Otherwise `EthernetPort` tells the link.
//! mac.set_link(Link::Up(LinkMode::new(Speed::MBPS_100, Duplex::Full)))?;
//! mac.send_frame(&[0xff; 60])?;
//! # Ok(())
//! # }
//! ```
//!
//! # The bus
//!
//! Accesses are 32 bits wide. On a bus of 16 bits an implementation of [`Registers`](ethdev_phy::mmio::Registers) makes two of each, the lower address first, with
//! nothing between them. A processor of the other byte order needs the swap in the same place; `BYTE_TEST` is looked at
//! before anything else, and a wrong order is [`Error::ByteOrder`].
//!
//! The dummy reads that the data sheet asks for after writes, and after reads from FIFOs, are made here, in the number for the fastest bus (45 ns a cycle).
//! They cost three reads a frame in each direction.
//!
//! # What it does
//!
//! - Frames go from the caller's memory into the FIFO and from the FIFO into the caller's memory, word by word, with nothing in between. Up to
//!   four parts of a frame become segments that the chip puts together.
//! - Every frame is [counted](ethdev::Stats) under its reason, overruns one by one, but for what the chip drops without a word: what its address filter
//!   refuses, and runts unless [`Config::count_runts`] is set.
//! - Lengths and data in the receive FIFO are compared. Where they do not go together, the FIFO is emptied, which costs the frames in it
//!   ([`rx_reset`](ethdev::Stats::rx_reset)) and counts as a fault and a recovery. A frame that is on its way in is not mistaken for that.
//! - The filter is exact for the own address, broadcast, all groups and everything; a list of groups is a hash table of 64 bits.
//! - PAUSE is honoured, and sent when the receive FIFO is two thirds full, where the link was told so.
//!
//! # What it does not
//!
//! Checksums (LAN9210, LAN9211, LAN9220, LAN9221), general-purpose pins and timer, writing the EEPROM, waking the host by a frame, an external PHY's MII.
//! It has met QEMU's model of the chip, and that of `ethdev-sim`, and no silicon yet.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

#[cfg(test)]
extern crate std;

mod chip;
mod config;
mod device;
mod driver;
mod error;
mod fifo;
mod filter;
mod id;
mod regs;
mod rx;
mod trace;
mod tx;

pub use config::{Config, IrqPin};
pub use driver::Lan9118;
pub use error::{Error, Fault, Wait};
pub use id::Model;
