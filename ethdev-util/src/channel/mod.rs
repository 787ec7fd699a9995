//! The channel: an async device on one side, a lending device on the other, fixed-size frame queues between.
//!
//! [`Channel::split`] makes two ends. The [`Runner`] owns the async device and moves frames for as long as its [`run`](Runner::run) is awaited; the
//! [`Endpoint`] is a [`LendingDevice`](ethdev::LendingDevice), so every stack adapter works over it unchanged. The two live in different tasks, on
//! different executors or cores if need be: all they need is a critical section.
//!
//! ```
//! use core::task::{Context, Waker};
//! use core::{future::Future, pin::pin};
//! use ethdev::{EthernetDevice, asynch};
//! use ethdev_util::channel::Channel;
//!
//! /// Sends one frame over any async device, through a channel, and gives back what comes in.
//! fn ask<D: asynch::EthernetDevice>(device: D, question: &[u8]) -> Vec<u8> {
//!     // The caller's memory: four frames each way. In firmware these are statics.
//!     let (mut rx, mut tx) = ([[0; 1514]; 4], [[0; 1514]; 4]);
//!     let mut channel = Channel::new();
//!     let (mut runner, mut stack) = channel.split(device, &mut rx, &mut tx);
//!
//!     // Any executor does. This one polls by hand; it is also what a stack's task and the runner's task look like to each other.
//!     let mut run = pin!(runner.run());
//!     let mut cx = Context::from_waker(Waker::noop());
//!     stack.send_frame(question).unwrap();
//!     let mut answer = [0; 1514];
//!     loop {
//!         assert!(run.as_mut().poll(&mut cx).is_pending()); // it ends with an error of the device only
//!         if let Some(meta) = stack.recv_frame(&mut answer).unwrap() {
//!             return answer[..meta.len].to_vec();
//!         }
//!     }
//! }
//! # use ethdev::*;
//! # struct Loopback(Option<Vec<u8>>);
//! # impl ErrorType for Loopback { type Error = ErrorKind; }
//! # impl asynch::EthernetDevice for Loopback {
//! #     fn mac_address(&self) -> MacAddress { MacAddress::new([2, 0, 0, 0, 0, 1]) }
//! #     fn capabilities(&self) -> Capabilities { Capabilities::ETHERNET }
//! #     fn link(&self) -> Link { Link::UP }
//! #     fn stats(&self) -> Stats { Stats::ZERO }
//! #     async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
//! #         Ok(self.0.try_take().map(|f| { buf[..f.len()].copy_from_slice(&f); RxMeta::new(f.len()) }))
//! #     }
//! #     async fn discard_frame(&mut self) -> Result<bool, ErrorKind> { Ok(self.0.try_take().is_some()) }
//! #     async fn tx_ready(&mut self) -> Result<bool, ErrorKind> { Ok(true) }
//! #     async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> { self.0 = Some(parts.concat()); Ok(()) }
//! #     async fn service(&mut self) -> Result<Events, ErrorKind> { Ok(Events::NONE) }
//! #     async fn ready(&mut self, interest: Interest) -> Result<Interest, ErrorKind> {
//! #         if self.0.is_some() && interest.rx { Ok(Interest::RX) } else { core::future::pending().await }
//! #     }
//! # }
//! assert_eq!(ask(Loopback(None), b"\x02\0\0\0\0\x01\x02\0\0\0\0\x01\x88\xb5hello"), b"\x02\0\0\0\0\x01\x02\0\0\0\0\x01\x88\xb5hello");
//! ```
//!
//! # Contract
//!
//! - *No copy between the queues*: the buffers wander by reference. The device reads into the buffer that the stack is lent, and sends from the one that the
//!   stack wrote.
//! - *No deadlock*: each direction has its own buffers. With the receive queue full, frames stay in the device (which counts overruns) and sending goes on;
//!   with the device busy, frames wait in the queue and receiving goes on.
//! - *Cancel-safe*: `run()` may be dropped at any await and called again. A frame that was accepted is neither lost nor delivered out of order: see
//!   [`Runner::run`].
//! - *Fair*: one frame each way per turn, and others run every so many turns, even where device and stack never make the pump wait.
//! - *The books balance* ([`Stats`](ethdev::Stats)) across pump and device: see [`Endpoint`].
//!
//! # Management
//!
//! The runner owns the device. To change a filter or to recover from a fault, drop `run()` (a `select` with the command that arrived does it), call
//! [`inner_mut`](Runner::inner_mut), and run again: that costs no frame.

mod endpoint;
mod runner;
mod state;

pub use endpoint::{Endpoint, EndpointRx, EndpointTx};
pub use runner::Runner;

use crate::IrqSignal;
use crate::shared::Shared;
use ethdev::{asynch, frame};
use state::{State, put};

/// The queues between an async device and a stack: `RX` received frames, `TX` frames to send.
///
/// The frames themselves are in the caller's buffers, whose lifetime `'b` is. For tasks that live for ever, put both in statics (`StaticCell` and the
/// like): `static PUMP: StaticCell<Channel<'static, 4, 4>>`.
pub struct Channel<'b, const RX: usize, const TX: usize> {
    state: Shared<State<'b, RX, TX>>,
    to_runner: IrqSignal,
    to_stack: IrqSignal,
}

impl<'b, const RX: usize, const TX: usize> Channel<'b, RX, TX> {
    /// Queues without buffers.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(RX > 0 && TX > 0, "a pump needs a buffer each way") }
        Self {
            state: Shared::new(State::EMPTY),
            to_runner: IrqSignal::new(),
            to_stack: IrqSignal::new(),
        }
    }

    /// Queues without buffers. (The model checker's primitives cannot be made in a constant.)
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Shared::new(State::EMPTY),
            to_runner: IrqSignal::new(),
            to_stack: IrqSignal::new(),
        }
    }

    /// Makes the two ends. `rx` and `tx` are the frame buffers; 1514 bytes each take every frame without a VLAN tag.
    ///
    /// Received frames longer than `N_RX` are thrown away and counted in [`rx_discarded`](ethdev::Stats::rx_discarded). A pump that is split once more takes
    /// other buffers; what the former ends left in the queues is gone.
    pub fn split<'p, D: asynch::EthernetDevice, const N_RX: usize, const N_TX: usize>(
        &'p mut self,
        device: D,
        rx: &'b mut [[u8; N_RX]; RX],
        tx: &'b mut [[u8; N_TX]; TX],
    ) -> (Runner<'p, 'b, D, RX, TX>, Endpoint<'p, 'b, RX, TX>) {
        const {
            assert!(
                N_RX >= frame::HEADER_LEN && N_TX >= frame::HEADER_LEN,
                "a buffer takes a header at least"
            );
        }
        let channel: &'p Self = self;
        channel.state.with(|state| {
            *state = State::EMPTY;
            for buffer in rx {
                put(&mut state.rx_free, buffer.as_mut_slice());
            }
            for buffer in tx {
                put(&mut state.tx_free, buffer.as_mut_slice());
            }
        });
        channel.to_runner.try_take();
        channel.to_stack.try_take();
        let capabilities = endpoint::capabilities(device.capabilities(), (N_RX, RX), (N_TX, TX));
        let runner = Runner::new(device, channel);
        let stack = Endpoint::new(channel, capabilities);
        (runner, stack)
    }
}

impl<const RX: usize, const TX: usize> Default for Channel<'_, RX, TX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const RX: usize, const TX: usize> core::fmt::Debug for Channel<'_, RX, TX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (received, to_send) = self.state.with(|s| (s.rx_full.len(), s.tx_full.len()));
        f.debug_struct("Channel")
            .field("received", &received)
            .field("to_send", &to_send)
            .finish_non_exhaustive()
    }
}
