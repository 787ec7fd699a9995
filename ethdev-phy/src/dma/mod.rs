//! Memory that is shared with a DMA engine, for MACs with descriptor rings.

pub mod ring;
mod sys_dma;
#[cfg(feature = "host")]
mod sys_host;

pub use sys_dma::{BUFFER_LEN, Buffers, Descriptors, Dma, DmaRange, Layout, NonCacheable, Ring, RingStorage, Rings};
#[cfg(feature = "host")]
pub use sys_host::HostMemory;
