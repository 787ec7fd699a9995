#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
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

pub mod asynch;
mod buffered;
mod callback;
#[cfg(feature = "channel")]
pub mod channel;
mod erased;
mod group_set;
#[cfg(feature = "critical-section")]
mod irq_device;
#[cfg(feature = "critical-section")]
mod irq_signal;
mod reports;
#[cfg(feature = "critical-section")]
mod shared;
pub mod stack;
mod trace;

pub use buffered::{Buffered, BufferedRx, BufferedTx};
pub use callback::Callback;
pub use erased::{Erased, ErasedDevice, ErasedIrqDevice};
pub use group_set::GroupSet;
#[cfg(feature = "critical-section")]
pub use irq_device::IrqDevice;
#[cfg(feature = "critical-section")]
pub use irq_signal::{IrqSignal, Wait};
