//! A MAC in software: one buffer for each frame, over two ports that the caller supplies.
//!
//! For hosts without a MAC whose programmable I/O does the RMII: the RP2040 and its kind. What is left to hardware is bits: preamble and start delimiter, two
//! of them at each clock, into and out of memory. Everything else is here: the FCS both ways (CRC-32 by a table of 1 KiB), padding, the filter, the lengths,
//! the counters, and a watch over a transmitter that does not end. Frames are [lent](ethdev::LendingDevice) in the buffers that the port filled and sends from:
//! nothing is copied.
//!
//! 100 Mbit/s full duplex and nothing else, and that alone is [advertised](ethdev_phy::Mac::modes): nobody here would notice a collision, and 10 Mbit/s would need
//! programs of their own. A link in another mode is refused.
//!
//! # What goes wrong in such MACs, and where it is dealt with
//!
//! | in the field | here |
//! |---|---|
//! | who makes the FCS is unclear: it goes out twice or not at all | the driver, always, with the padding before it: [`TxPort::start`] gets complete frames |
//! | received frames are delivered with their FCS and a stray byte, and never checked | checked and cut off; up to [`RxPort::MAX_DRIBBLE_BYTES`] stray bytes are tolerated |
//! | a runt has length 0, and nobody arms the receiver again: deaf until reset | [`RxPort::done`] gives a buffer back for every end of a reception, whatever its length. The port is armed before the length is looked at |
//! | the next frame is started while the tail of the last is still in the FIFO | the port owns the buffer until the gap is over: there is no way to start over it ([`TxPort::done`]) |
//! | a frame is longer than its buffer, and the transmitter waits for ever with `TX_EN` high | lengths are checked against the buffer. What does not end in 100 ms is stopped and set up again, and counted in [`tx_aborted`](ethdev::Stats::tx_aborted) |
//! | two pins are the same | [`distinct_pins`] |
//! | the receiver runs on a clock of its own, and drifts within a frame | said to the port's author: [`RxPort`] |
//! | the length is read before the last byte is in memory | said to the port's author: [`RxPort`] |
//! | the link is up at 10 Mbit/s or half duplex, and nothing gets through | not advertised, and refused |
//!
//! What the driver cannot see is a receiver that hangs: on carrier without a start delimiter, for instance. [`recover`](ethdev::Control::recover) restarts it.
//!
//! # How many buffers
//!
//! Two to receive into are the least: the port gets the second before the first is looked at. Between two frames there are 960 ns, which no main loop keeps:
//! with a port that takes one buffer at a time, frames that follow each other at once are lost. A port whose interrupt handler goes on to the next of several
//! buffers loses none until they are full. Such a port, all in safe code but for the two functions that start the DMA:
//!
//! ```
//! use core::cell::RefCell;
//! use critical_section::Mutex;
//! use ethdev::ErrorKind;
//! use ethdev_rmii::{Received, RxPort};
//! # mod hardware {
//! #     pub fn receive_into(_: *mut u8, _: usize) {}
//! #     pub fn drained_len() -> usize { 0 }
//! #     pub fn abort() {}
//! # }
//!
//! type Buffer = &'static mut [u8; 1536];
//!
//! /// Buffers wander from hand to hand; the one that the DMA writes to is in `active`, and in nobody else's reach.
//! struct State {
//!     active: Option<Buffer>,
//!     next: Option<Buffer>,
//!     done: [Option<Received<Buffer>>; 2],
//! }
//!
//! static STATE: Mutex<RefCell<State>> = Mutex::new(RefCell::new(State { active: None, next: None, done: [None, None] }));
//!
//! impl State {
//!     fn arm(&mut self, buffer: Buffer) {
//!         hardware::receive_into(buffer.as_mut_ptr(), buffer.len());
//!         self.active = Some(buffer);
//!     }
//! }
//!
//! /// The interrupt at the end of a frame. It has 960 ns to arm the next buffer.
//! fn on_end_of_frame() {
//!     critical_section::with(|cs| {
//!         let mut state = STATE.borrow_ref_mut(cs);
//!         let len = hardware::drained_len(); // waits for what is still in the FIFO: a byte or two
//!         let ended = state.active.take();
//!         if let Some(next) = state.next.take() {
//!             state.arm(next);
//!         }
//!         if let (Some(buffer), Some(slot)) = (ended, state.done.iter_mut().find(|slot| slot.is_none())) {
//!             *slot = Some(Received::new(buffer, len));
//!         }
//!     }); // and rings the interrupt signal
//! }
//!
//! struct Rx;
//!
//! impl RxPort for Rx {
//!     type Buffer = Buffer;
//!     type Error = ErrorKind;
//!
//!     fn depth(&self) -> usize {
//!         2
//!     }
//!     fn has_room(&mut self) -> bool {
//!         // Each buffer needs a place in `done` one day.
//!         critical_section::with(|cs| {
//!             let state = STATE.borrow_ref(cs);
//!             let done = state.done.iter().flatten().count();
//!             usize::from(state.active.is_some()) + usize::from(state.next.is_some()) + done < 2
//!         })
//!     }
//!     fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
//!         if !self.has_room() {
//!             return Err(buffer);
//!         }
//!         critical_section::with(|cs| {
//!             let mut state = STATE.borrow_ref_mut(cs);
//!             if state.active.is_none() { state.arm(buffer) } else { state.next = Some(buffer) }
//!         });
//!         Ok(())
//!     }
//!     fn done(&mut self) -> Result<Option<Received<Buffer>>, ErrorKind> {
//!         critical_section::with(|cs| {
//!             let mut state = STATE.borrow_ref_mut(cs);
//!             let [first, second] = &mut state.done;
//!             let oldest = first.take();
//!             *first = second.take();
//!             Ok(oldest)
//!         })
//!     }
//!     fn stop(&mut self) -> Option<Buffer> {
//!         critical_section::with(|cs| {
//!             let mut state = STATE.borrow_ref_mut(cs);
//!             hardware::abort(); // before the buffer is anybody's again
//!             let done = state.done.iter_mut().find_map(Option::take);
//!             state.active.take().or_else(|| state.next.take()).or(done.map(|done| done.buffer))
//!         })
//!     }
//! }
//! # let buffers = [(); 2].map(|()| &mut *Box::leak(Box::new([0; 1536])));
//! # let mut rx = Rx;
//! # for buffer in buffers { rx.start(buffer).unwrap(); }
//! # assert!(!rx.has_room() && rx.done().unwrap().is_none());
//! # on_end_of_frame();
//! # on_end_of_frame();
//! # assert!(rx.done().unwrap().is_some() && rx.done().unwrap().is_some() && rx.stop().is_none() && rx.has_room());
//! ```
//!
//! # What it costs
//!
//! The CRC is a table look-up for each byte, both ways: on a small core that, and not the wire, is the limit. The hardware keeps up in any case; frames that
//! the core does not get around to are overruns, and counted where the port [can](RxPort::COUNTS_MISSED).

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

mod device;
mod error;
mod fcs;
mod fifo;
mod filter;
mod mdio;
mod port;
mod rx;
mod trace;
mod tx;

use core::fmt;

use ethdev::Stats;

pub use error::Error;
pub use port::{FrameError, PortInterrupt, Received, RxPort, TxPort, distinct_pins};
pub use rx::OneShotRx;
pub use tx::OneShotTx;

/// A MAC over an [`RxPort`] and a [`TxPort`], with `RX` buffers to receive into and `TX` to send from. `M` is the MDIO bus to its PHY, `C` a clock.
///
/// Stopped on construction, with its link down: [`EthernetPort`](ethdev_phy::EthernetPort) starts it and tells it the link.
///
/// ```
/// use core::time::Duration;
/// use ethdev::MacAddress;
/// use ethdev_phy::mdio::{Mdio, PhyAddress};
/// use ethdev_rmii::{SoftMac, RxPort, TxPort};
/// use ethdev_phy::{Error, Mac};
/// use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
/// # type Broken<R, M> = Error<ethdev_rmii::Error<<R as RxPort>::Error, <M as Mdio>::Error>>;
///
/// /// `mdio` is a `BitBang`, say. Eight buffers to receive into, and two to send from.
/// fn port<R: RxPort, T: TxPort<Error = R::Error>, M: Mdio>(
///     ports: (R, T),
///     mdio: M,
///     now: impl FnMut() -> Duration + Copy,
///     rx: [R::Buffer; 8],
///     tx: [T::Buffer; 2],
/// ) -> Result<Lan8720<impl Mac<Error = ethdev_rmii::Error<R::Error, M::Error>>, impl FnMut() -> Duration>, Broken<R, M>> {
///     let address = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);
///     let mac = SoftMac::new(ports, mdio, now, address, rx, tx).map_err(Error::Mac)?;
///     // Most boards strap the PHY to address 1.
///     let phy = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new());
///     Lan8720::new(mac, phy, now)
/// }
/// ```
pub struct SoftMac<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> {
    rx: rx::Receiver<R, RX>,
    tx: tx::Transmitter<T, C, TX>,
    mdio: M,
    /// What was asked for. The ports' own say what is.
    started: bool,
    /// The counters as of the last `service`.
    told: Stats,
}

impl<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> fmt::Debug for SoftMac<R, T, M, C, RX, TX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftMac")
            .field("rx", &self.rx)
            .field("tx", &self.tx)
            .finish_non_exhaustive()
    }
}

/// What a [`SoftMac`] was made of.
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
