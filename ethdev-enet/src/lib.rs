//! The NXP ENET: the 10/100-Mbit/s MAC of i.MX `RT10xx`, i.MX 6UL and their kin, with its uDMA and descriptor rings.
//!
//! [`Enet`] lends the uDMA's own buffers, so that nothing is copied between the wire and the stack. It is a [`Mac`](ethdev_phy::Mac): with a PHY it makes a
//! [`EthernetPort`](ethdev_phy::EthernetPort), and without one it is told its link by [`set_link`](ethdev_phy::Mac::set_link).
//!
//! ```no_run
//! use core::ptr::{NonNull, without_provenance_mut};
//! use ethdev::MacAddress;
//! use ethdev_enet::{BLOCK_LEN, Config, Enet, Rings};
//! use ethdev_phy::mmio::Mmio;
//! # use ethdev_enet::Error;
//!
//! /// ENET1 of an i.MX 6UL. On i.MX RT1060 it is at 0x402d_8000.
//! const ENET1: Option<NonNull<u32>> = NonNull::new(without_provenance_mut(0x0218_8000));
//!
//! # fn run(delay: impl embedded_hal::delay::DelayNs, rings: &'static mut Rings<8, 8>) -> Result<(), Error> {
//! // The board has switched the clocks on, among them the PHY's reference clock, and multiplexed the pins.
//! // SAFETY: the block is there on this chip, and nothing else of the program touches it.
//! let registers = ENET1.map(|base| unsafe { Mmio::<BLOCK_LEN>::new(base) });
//! # let Some(registers) = registers else { return Ok(()) };
//! let address = MacAddress::new([0x02, 0, 0, 0, 0, 1]);
//! // `rings` is from a static: `static_cell::ConstStaticCell<Rings<8, 8>>`, in memory as `Rings` says.
//! let mac = Enet::new(registers, rings, delay, Config::new(address, 66_000_000))?;
//! # let _ = mac; Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! - Legacy descriptors, little-endian, one frame in one buffer. Frames that take more than one are thrown away as a whole, and counted.
//! - FCS and padding by the MAC when sending. When receiving the FCS is left in the buffer and cut off there: the setting that all silicon agrees on.
//!   `RCR[PADEN]` is never set: with it the uDMA of i.MX 6 comes to a halt at frames without payload.
//! - Broadcast, own address, hash table of groups, promiscuous. Only a list of groups lets more through than was asked.
//! - A receiver that found no empty descriptor is told as soon as there is one (`RDAR`), in the same call that gave it back.
//! - Erratum ERR006358, a `TDAR` write that is lost, is met by [`service`](ethdev::EthernetDevice::service): see [`errata`].
//!
//! # Interrupts
//!
//! The line is a level: it stays active until the events are cleared or masked, which [`Rearm`](ethdev::Rearm) does in the task. The handler masks the line at
//! the interrupt controller, rings its doorbell, and the task unmasks it there before `rearm`.
//!
//! # The books
//!
//! - [`rx_overrun`](ethdev::Stats::rx_overrun) is the MAC's count of frames that found the FIFO full; runts are its count too. They are read in `service`, and 16
//!   bits wide: [`Capabilities::max_service_interval`](ethdev::Capabilities::max_service_interval) says how often. QEMU's model of the ENET counts neither; it holds
//!   frames back instead of losing them.
//! - [`tx_frames`](ethdev::Stats::tx_frames) follows in `service`, and when a buffer is used again. Frames given up after collisions are the MAC's count.
//! - Frames that the filter refuses are not counted by the MAC: [`rx_filtered`](ethdev::Stats::rx_filtered) stays 0.
//! - [`tx_bytes`](ethdev::Stats::tx_bytes) includes frames that the MAC gave up on after collisions: it does not say which.
//! - [`rx_reset`](ethdev::Stats::rx_reset): frames that stand in the receive FIFO because the ring is full are brought out and counted by a stop, but lost
//!   uncounted by a [`recover`](ethdev::Control::recover) from a fault, and by a change of the link's mode. The FIFO holds a few KiB.
//!
//! # Not done
//!
//! Checksums, time stamps, gigabit, several queues, wake-up by magic packet.

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

mod config;
mod control;
mod counters;
mod device;
pub mod errata;
mod error;
mod filter;
mod layout;
mod mdio;
mod regs;
mod rx;
mod setup;
mod tx;

use counters::RxCounters;
use filter::Filter;
use rx::RxSide;
use tx::TxSide;

pub use config::{Config, Interface};
pub use error::{Error, Fault};
pub use mdio::EnetMdio;
pub use rx::EnetRx;
pub use tx::EnetTx;

use ethdev::{Link, LinkMode, Stats};

use ethdev_phy::dma;

/// The memory of an [`Enet`]: `RX` descriptors to receive, `TX` to send, and their buffers. See [`dma::Rings`].
pub type Rings<const RX: usize, const TX: usize> = dma::Rings<RX, TX, 2>;

/// Length of the register block in bytes.
pub const BLOCK_LEN: usize = regs::BLOCK_LEN;

/// The NXP ENET. See [the module](self).
///
/// `R` are its registers, `D` is a delay (for MDIO and resets; frames never wait), `C` what its memory needs. Started on construction, with the link down.
#[derive(Debug)]
pub struct Enet<R, D, C = dma::NonCacheable> {
    io: Io<R, C>,
    delay: D,
    rx: RxSide,
    tx: TxSide,
    /// Where the uDMA sees the descriptors.
    tables: Tables,
    config: Config,
    filter: Filter,
    state: State,
    /// What was told last, whether the MAC is started or not.
    link: Link,
    /// Of the latest link.
    mode: LinkMode,
    /// What `link()` answered when `service` last looked.
    link_told: Link,
    counters: RxCounters,
    /// What neither half counts.
    stats: Stats,
    /// Losses that `service` has told of.
    lost_told: u32,
}

/// What both halves use.
#[derive(Debug)]
pub(crate) struct Io<R, C> {
    registers: R,
    dma: C,
}

/// Where the uDMA sees the descriptors.
#[derive(Debug, Clone, Copy)]
struct Tables {
    rx: u32,
    tx: u32,
}

/// Whether the MAC works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Stopped,
    /// It was running.
    Fault(Fault),
}
