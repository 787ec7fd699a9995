//! The adapter: a lending device on one side, smoltcp's `phy::Device` on the other.

use core::fmt;

use ethdev::{
    Control, ControlError, Error, ErrorType, Events, FilterOutcome, Interest, LendingDevice, Link, MacAddress,
    MaxFrameLen, Rearm, RearmOutcome, RxFilter, RxHalf, Stats, TxHalf,
};
use smoltcp::iface::{Interface, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress};

use crate::caps::{self, MIN_SPARE_LEN};
use crate::ledger::{DropStats, ErrorCounts, Ledger};
use crate::tokens::{RxToken, TxToken};
use crate::tx_port::{TxPort, TxState};
use crate::wakeup::{Backoff, PollAt};

/// How many frames one [`poll`](smoltcp::iface::Interface::poll) receives at most, unless [told otherwise](SmoltcpDevice::with_rx_budget).
pub const DEFAULT_RX_BUDGET: u16 = 64;

/// Lets smoltcp use a lending device.
///
/// See the [crate documentation](crate) for how it is used and for what it promises.
///
/// # Panics
///
/// Nothing that the device or the wire does makes it panic, or makes smoltcp panic. smoltcp itself panics if an `Interface` that was made for a device with
/// longer frames is polled with this one: make the interface and poll it with the same adapter.
pub struct SmoltcpDevice<'b, D: ErrorType> {
    device: D,
    port: TxPort<'b, D::Error>,
    rx: RxPort<D::Error>,
    caps: DeviceCapabilities,
    naps: Backoff,
    /// What was noticed while smoltcp was polling, for the next [`service`](Self::service).
    events: Events,
}

/// What is kept about receiving.
#[derive(Debug)]
struct RxPort<E> {
    /// How many frames may be received before smoltcp is told that there are none, of `budget`.
    left: u16,
    budget: u16,
    /// The last `poll` ended because none were left of the budget, not because nothing was received.
    spent: bool,
    ledger: Ledger<E>,
}

impl<E> RxPort<E> {
    const fn new(budget: u16) -> Self {
        Self {
            left: budget,
            budget,
            spent: false,
            ledger: Ledger::new(),
        }
    }

    #[cold]
    const fn refill(&mut self, spent: bool) {
        self.left = self.budget;
        self.spent = spent;
    }
}

/// The spare is shorter than [`MIN_SPARE_LEN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SpareTooShort {
    /// Its length in bytes.
    pub len: usize,
}

impl fmt::Display for SpareTooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spare of {} bytes, at least {MIN_SPARE_LEN} are needed", self.len)
    }
}

impl core::error::Error for SpareTooShort {}

impl<'b, D: LendingDevice> SmoltcpDevice<'b, D> {
    /// Puts smoltcp's interface in front of `device`.
    ///
    /// `spare` takes the frame that smoltcp insists on writing when the device has no room for it. smoltcp is told the shortest of `N` and the device's
    /// longest frames; 1514 bytes are right for Ethernet. Fewer than [`MIN_SPARE_LEN`] do not compile.
    #[must_use]
    pub fn new<const N: usize>(device: D, spare: &'b mut [u8; N]) -> Self {
        const {
            assert!(N >= MIN_SPARE_LEN, "the spare is shorter than MIN_SPARE_LEN");
        }
        Self::build(device, spare)
    }

    /// The same with a spare whose length is known at run time only.
    ///
    /// # Errors
    ///
    /// The spare is shorter than [`MIN_SPARE_LEN`].
    pub fn try_new(device: D, spare: &'b mut [u8]) -> Result<Self, SpareTooShort> {
        if spare.len() < MIN_SPARE_LEN {
            return Err(SpareTooShort { len: spare.len() });
        }
        Ok(Self::build(device, spare))
    }

    fn build(device: D, spare: &'b mut [u8]) -> Self {
        let caps = caps::of(&device.capabilities(), spare.len());
        let state = if device.link().is_up() {
            TxState::Clear
        } else {
            TxState::Blocked
        };
        Self {
            device,
            port: TxPort::new(spare, state),
            rx: RxPort::new(DEFAULT_RX_BUDGET),
            caps,
            naps: Backoff::DEFAULT,
            events: Events::NONE,
        }
    }

    /// The same with shorter frames than the device can do, for networks whose IP MTU is smaller. It never becomes longer, nor shorter than
    /// [`MIN_SPARE_LEN`].
    ///
    /// smoltcp reads it when the interface is made.
    #[must_use]
    pub fn with_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.caps.max_transmission_unit = self.caps.max_transmission_unit.min(len.bytes()).max(MIN_SPARE_LEN);
        self
    }

    /// The same with another limit of the TCP receive window, in frames of the longest length; `None` = only the socket's buffer limits it.
    ///
    /// smoltcp reads it when the interface is made.
    #[must_use]
    pub fn with_max_burst_size(mut self, frames: Option<usize>) -> Self {
        self.caps.max_burst_size = frames;
        self
    }

    /// The same with another limit of frames that one `poll` receives; 0 counts as 1.
    #[must_use]
    pub fn with_rx_budget(mut self, frames: u16) -> Self {
        self.rx = RxPort::new(frames.max(1));
        self
    }

    /// The same with other pauses while nothing can be sent.
    #[must_use]
    pub fn with_naps(mut self, naps: Backoff) -> Self {
        self.naps = naps;
        self
    }

    /// The device's address, as an interface wants it.
    pub fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(EthernetAddress(self.device.mac_address().octets()))
    }

    /// The link as last seen.
    pub fn link(&self) -> Link {
        self.device.link()
    }

    /// What became of every frame at the device.
    pub fn stats(&self) -> Stats {
        self.device.stats()
    }

    /// What became of frames between the device and smoltcp.
    pub fn drops(&self) -> DropStats {
        DropStats::both(self.rx.ledger.drops(), self.port.ledger.drops())
    }

    /// How often the device failed while smoltcp used it, by kind.
    pub fn errors(&self) -> ErrorCounts {
        self.rx.ledger.errors().plus(self.port.ledger.errors())
    }

    /// The first error since the last call, with its cause: of receiving, and where there is none, of sending. smoltcp has no way to pass it on.
    pub fn take_error(&mut self) -> Option<D::Error> {
        self.rx.ledger.take_error().or_else(|| self.port.ledger.take_error())
    }

    /// Whether a frame waits in the spare for room.
    pub const fn has_pending_reply(&self) -> bool {
        matches!(self.port.state, TxState::Parked(_))
    }

    /// The device, for what is specific to it.
    pub const fn inner(&self) -> &D {
        &self.device
    }

    /// The device, for what is specific to it. Frames taken from it directly are not seen by smoltcp.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Gives the device back. A frame that waits in the spare is dropped.
    pub fn into_inner(self) -> D {
        self.device
    }

    /// Housekeeping, to be called once per turn of the loop: refreshes the link, lets the device collect what it sent, sends what waits in the spare.
    ///
    /// The events include what was noticed since the last call while smoltcp was polling.
    ///
    /// # Errors
    ///
    /// The device failed. The error is counted in [`errors`](Self::errors), and yours: it is not what [`take_error`](Self::take_error) returns.
    pub fn service(&mut self) -> Result<Events, D::Error> {
        let events = match self.device.service() {
            Ok(events) => events,
            Err(e) => {
                self.port.ledger.count_error(e.kind());
                return Err(e);
            }
        };
        match self.port.state {
            TxState::Parked(_) => {
                self.port.flush(&mut self.device.split().1);
            }
            TxState::Blocked if self.device.link().is_up() => self.port.state = TxState::Clear,
            TxState::Clear if !self.device.link().is_up() => self.port.state = TxState::Blocked,
            TxState::Blocked | TxState::Clear => {}
        }
        Ok(core::mem::take(&mut self.events).merge(events))
    }

    /// When to poll again, from what smoltcp waits for and from what the device can do now.
    ///
    /// smoltcp's own `poll_at` says "at once" for as long as something is to be sent. With the link down or no room to transmit that burns the processor for
    /// nothing: this says what to wait for instead.
    ///
    /// Between this and going to sleep, [`rearm`](Rearm::rearm) the device for the `interest`, or a frame that arrives meanwhile waits for the next one.
    ///
    /// It is never later than the device wants to be [serviced](ethdev::Capabilities::max_service_interval).
    pub fn poll_at(&mut self, interface: &mut Interface, sockets: &SocketSet<'_>, now: Instant) -> PollAt {
        let wakeup = self.next_work(interface, sockets, now);
        match self.device.capabilities().max_service_interval {
            Some(interval) => wakeup.not_after(now + interval.into()),
            None => wakeup,
        }
    }

    fn next_work(&mut self, interface: &mut Interface, sockets: &SocketSet<'_>, now: Instant) -> PollAt {
        if self.rx.spent {
            return PollAt::Now;
        }
        let due = interface.poll_at(now, sockets);
        let nothing_to_send = due.is_none_or(|at| at > now);
        let idle = Interest::RX | Interest::LINK;
        let nap = |length, interest| PollAt::Wait {
            until: Some(now + length),
            interest,
        };
        if !self.has_pending_reply() && nothing_to_send {
            return PollAt::Wait {
                until: due,
                interest: idle,
            };
        }
        if !self.device.link().is_up() {
            return nap(self.naps.blocked, idle);
        }
        let (_, mut half) = self.device.split();
        let ready = if self.port.has_pending_reply() {
            Ok(self.port.flush(&mut half))
        } else {
            half.ready()
        };
        match ready {
            Ok(true) if nothing_to_send => PollAt::Wait {
                until: due,
                interest: idle,
            },
            Ok(true) => PollAt::Now,
            Ok(false) => nap(self.naps.full, Interest::ALL),
            Err(e) => {
                self.port.ledger.latch(e);
                nap(self.naps.blocked, Interest::ALL)
            }
        }
    }

    /// Gets out of the way whatever keeps smoltcp from sending. Whether it may.
    #[cold]
    fn unblock(&mut self) -> bool {
        if self.port.has_pending_reply() && !self.port.flush(&mut self.device.split().1) {
            return false;
        }
        // The spare is free; sending it may have shown that the link is down.
        if self.port.state == TxState::Blocked && !self.device.link().is_up() {
            match self.device.service() {
                Ok(events) => self.events = self.events.merge(events),
                Err(e) => self.port.ledger.latch(e),
            }
        }
        let up = self.device.link().is_up();
        self.port.state = if up { TxState::Clear } else { TxState::Blocked };
        up
    }
}

impl<'b, D: LendingDevice> phy::Device for SmoltcpDevice<'b, D> {
    type RxToken<'a>
        = RxToken<'a, D::Rx<'a>>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, 'b, D::Tx<'a>>
    where
        Self: 'a;

    /// A received frame and the right to answer it, whether or not there is room to transmit.
    #[inline]
    fn receive(&mut self, _now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let (left, spent) = self.rx.left.overflowing_sub(1);
        self.rx.left = left;
        if spent {
            self.rx.refill(true);
            return None;
        }
        let (mut rx, mut tx) = self.device.split();
        if self.port.has_pending_reply() {
            self.port.flush(&mut tx);
        }
        match rx.pending() {
            Ok(true) => Some((RxToken::new(rx, &mut self.rx.ledger), TxToken::new(tx, &mut self.port))),
            Ok(false) => {
                self.rx.refill(false);
                None
            }
            Err(e) => {
                self.rx.refill(false);
                self.rx.ledger.latch(e);
                None
            }
        }
    }

    /// The right to send one frame; `None` while there is no room, the link is down, or a reply waits for room.
    #[inline]
    fn transmit(&mut self, _now: Instant) -> Option<Self::TxToken<'_>> {
        if self.port.state != TxState::Clear && !self.unblock() {
            return None;
        }
        let (_, mut half) = self.device.split();
        match half.ready() {
            Ok(true) => Some(TxToken::new(half, &mut self.port)),
            Ok(false) => None,
            Err(e) => {
                self.port.ledger.latch(e);
                None
            }
        }
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.caps.clone()
    }
}

impl<D: ErrorType + fmt::Debug> fmt::Debug for SmoltcpDevice<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmoltcpDevice")
            .field("device", &self.device)
            .field("tx", &self.port.state)
            .field("rx_books", &self.rx.ledger)
            .field("tx_books", &self.port.ledger)
            .finish_non_exhaustive()
    }
}

impl<D: ErrorType> ErrorType for SmoltcpDevice<'_, D> {
    type Error = D::Error;
}

/// Management is the device's. After [`set_mac_address`](Control::set_mac_address) tell the interface too (`Interface::set_hardware_addr`).
impl<D: Control> Control for SmoltcpDevice<'_, D> {
    fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.device.start()
    }

    fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.device.stop()
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        self.device.set_mac_address(address)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        self.device.set_rx_filter(filter)
    }

    fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.device.recover()
    }

    fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.device.sleep()
    }

    fn wake(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.device.wake()
    }
}

impl<D: Rearm> Rearm for SmoltcpDevice<'_, D> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.device.disarm()
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        self.device.rearm(interest)
    }
}
