//! The frame channel: fixed-size frame queues between an async device and a lending device.
//!
//! [`Channel::split`] creates two ends. The [`Runner`] owns the async device and moves frames while
//! its [`run`](Runner::run) is awaited; the [`Endpoint`] is a
//! [`LendingDevice`](ethdev::LendingDevice), so that every stack adapter works on it. The two can
//! be in different tasks, on different executors or cores: they share a critical section.
//!
//! ```
//! use core::task::{Context, Waker};
//! use core::{future::Future, pin::pin};
//! use ethdev::{EthernetDevice, asynch};
//! use ethdev_util::channel::Channel;
//!
//! /// Sends one frame over any async device through a channel, and returns the reply.
//! fn ask<D: asynch::EthernetDevice>(device: D, request: &[u8]) -> Vec<u8> {
//!     // The memory of the caller: four frames in each direction. In firmware these are statics.
//!     let (mut rx, mut tx) = ([[0; 1514]; 4], [[0; 1514]; 4]);
//!     let mut channel = Channel::new();
//!     let (mut runner, mut stack) = channel.split(device, &mut rx, &mut tx);
//!
//!     // Polled directly here, usually by an executor.
//!     let mut run = pin!(runner.run());
//!     let mut cx = Context::from_waker(Waker::noop());
//!     stack.send_frame(request).unwrap();
//!     let mut reply = [0; 1514];
//!     loop {
//!         assert!(run.as_mut().poll(&mut cx).is_pending()); // ends only with an error of the device
//!         if let Some(meta) = stack.recv_frame(&mut reply).unwrap() {
//!             return reply[..meta.len].to_vec();
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
//! #         Ok(self.0.take().map(|f| { buf[..f.len()].copy_from_slice(&f); RxMeta::new(f.len()) }))
//! #     }
//! #     async fn discard_frame(&mut self) -> Result<bool, ErrorKind> { Ok(self.0.take().is_some()) }
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
//! - *No copy between the queues*: buffers move by reference. The device reads into the buffer that
//!   the stack is lent, and sends from the one that the stack wrote.
//! - *No deadlock*: each direction has its own buffers. While the receive queue is full, frames
//!   stay in the device (which counts overruns) and transmission continues; while the device is
//!   busy, frames wait in the queue and reception continues.
//! - *Cancel-safe*: `run()` may be dropped at any await and called again. A frame that was accepted
//!   is neither lost nor delivered out of order: see [`Runner::run`].
//! - *Fair*: one frame in each direction per iteration, and other tasks run every 16 iterations,
//!   even if neither device nor stack ever waits.
//! - *Frame accounting*: [`Stats`](ethdev::Stats) covers channel and device together: see
//!   [`Endpoint`].
//!
//! # Management
//!
//! The runner owns the device. To change a filter or to recover from a fault, drop `run()` (a
//! `select` with the command does that), call [`inner_mut`](Runner::inner_mut), and run again: no
//! frame is lost.

mod endpoint;
mod runner;
mod state;

pub use endpoint::{Endpoint, EndpointRx, EndpointTx};
pub use runner::Runner;

use crate::IrqSignal;
use crate::shared::Shared;
use ethdev::{asynch, frame};
use state::{Queues, State, put};

/// The queues between an async device and a stack: `RX` received frames, `TX` frames to send.
///
/// The frames are in the buffers of the caller, with the lifetime `'b`. Put both in statics for
/// tasks that never end: `static CHANNEL: StaticCell<Channel<'static, 4, 4>>`.
pub struct Channel<'b, const RX: usize, const TX: usize> {
    queues: Queues<'b, RX, TX>,
}

impl<'b, const RX: usize, const TX: usize> Channel<'b, RX, TX> {
    /// Creates queues without buffers.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(RX > 0 && TX > 0, "a channel needs a buffer in each direction") }
        Self {
            queues: Queues {
                state: Shared::new(State::EMPTY),
                to_runner: IrqSignal::new(),
                to_stack: IrqSignal::new(),
            },
        }
    }

    /// Creates queues without buffers. (The primitives of the model checker are not
    /// const-constructible.)
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Self {
            queues: Queues {
                state: Shared::new(State::EMPTY),
                to_runner: IrqSignal::new(),
                to_stack: IrqSignal::new(),
            },
        }
    }

    /// Creates the two ends. `rx` and `tx` are the frame buffers; 1514 bytes each hold every frame
    /// without a VLAN tag.
    ///
    /// Received frames longer than a buffer are dropped, counted in
    /// [`rx_discarded`](ethdev::Stats::rx_discarded). Splitting a channel again replaces the
    /// buffers and drops what the queues hold.
    pub fn split<'p, D: asynch::EthernetDevice, const N_RX: usize, const N_TX: usize>(
        &'p mut self,
        device: D,
        rx: &'b mut [[u8; N_RX]; RX],
        tx: &'b mut [[u8; N_TX]; TX],
    ) -> (Runner<'p, 'b, D, RX, TX>, Endpoint<'p, 'b, RX, TX>) {
        const {
            assert!(
                N_RX >= frame::HEADER_LEN && N_TX >= frame::HEADER_LEN,
                "a buffer holds at least a header"
            );
        }
        let queues: &'p Queues<'b, RX, TX> = &self.queues;
        queues.state.with(|state| {
            *state = State::EMPTY;
            for buffer in rx {
                put(&mut state.rx_free, buffer.as_mut_slice());
            }
            for buffer in tx {
                put(&mut state.tx_free, buffer.as_mut_slice());
            }
        });
        queues.to_runner.try_take();
        queues.to_stack.try_take();
        let capabilities = endpoint::capabilities(device.capabilities(), (N_RX, RX), (N_TX, TX));
        let runner = Runner::new(device, queues);
        let endpoint = Endpoint::new(queues, capabilities);
        (runner, endpoint)
    }
}

impl<const RX: usize, const TX: usize> Default for Channel<'_, RX, TX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const RX: usize, const TX: usize> core::fmt::Debug for Channel<'_, RX, TX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (received, to_send) = self.queues.state.with(|s| (s.rx_full.len(), s.tx_full.len()));
        f.debug_struct("Channel")
            .field("received", &received)
            .field("to_send", &to_send)
            .finish_non_exhaustive()
    }
}
