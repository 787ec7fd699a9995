//! A MAC in software: one buffer for each frame, over two ports that the caller supplies.
//!
//! PLACEHOLDER

mod device;
mod error;
mod fcs;
mod fifo;
mod filter;
mod mdio;
mod port;
mod rx;
mod tx;

use core::fmt;

use ethdev::Stats;

pub use error::Error;
pub use port::{Flaw, PortInterrupt, Received, RxPort, TxPort, distinct_pins};
pub use rx::OneShotRx;
pub use tx::OneShotTx;

/// A MAC over an [`RxPort`] and a [`TxPort`], with `RX` buffers to receive into and `TX` to send from.
pub struct OneShot<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> {
    rx: rx::Receiver<R, RX>,
    tx: tx::Transmitter<T, C, TX>,
    mdio: M,
    /// What was asked for. The ports' own say what is.
    started: bool,
    /// The counters as of the last `service`.
    told: Stats,
}

impl<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> fmt::Debug for OneShot<R, T, M, C, RX, TX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneShot")
            .field("rx", &self.rx)
            .field("tx", &self.tx)
            .finish_non_exhaustive()
    }
}

/// What a [`OneShot`] was made of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parts<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> {
    /// The receiving port.
    pub rx: R,
    /// The sending port.
    pub tx: T,
    /// The bus to the PHY.
    pub mdio: M,
    /// The clock.
    pub clock: C,
    /// The buffers to receive into. `None` is one that the port did not give back.
    pub rx_buffers: [Option<R::Buffer>; RX],
    /// The buffers to send from. `None` is one that the port did not give back.
    pub tx_buffers: [Option<T::Buffer>; TX],
}
