//! The device and the reply buffer, which driver and handle share.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::task::Waker;

use embassy_net_driver::LinkState;
use ethdev::{Control, ErrorKind, EthernetDevice, LendingDevice, MacAddress, Multicast, RxFilter};
use ethdev_util::stack::{ErrorLog, MIN_BUFFER_LEN, TxPath};

/// The device and a buffer for replies: what driver and handle share.
///
/// It is not `Sync`: stack and handle run on one executor.
pub struct State<'b, D: LendingDevice> {
    pub(super) inner: RefCell<Inner<'b, D>>,
    /// Of the task that runs the stack.
    waker: Cell<Option<Waker>>,
    // As of the last access to the device.
    pub(super) link_state: Cell<LinkState>,
    pub(super) address: Cell<MacAddress>,
}

/// What a turn of the stack borrows.
pub(super) struct Inner<'b, D: LendingDevice> {
    pub(super) device: D,
    pub(super) tx: TxPath<'b, D::Error>,
    pub(super) rx: RxPath<D::Error>,
    /// The last turn ended with a device that failed twice.
    pub(super) failed: bool,
    /// The stack waits for transmit capacity.
    pub(super) waits_for_tx: bool,
}

/// The receive side.
pub(super) struct RxPath<E> {
    /// Frames dropped because they were shorter than a header.
    pub(super) too_short: u32,
    pub(super) errors: ErrorLog<E>,
}

impl<'b, D: LendingDevice> State<'b, D> {
    /// Takes a device, and opens its receive filter for all multicast: IPv6 needs groups for
    /// neighbor discovery (RFC 4861), and embassy-net does not tell a driver which groups it has
    /// joined. To narrow the filter, call `set_rx_filter` in `Handle::with`.
    ///
    /// `reply` holds a reply that waits because the device has no free transmit buffer. The stack
    /// uses frames as long as this buffer and the device allow; 1514 bytes are right for Ethernet.
    ///
    /// # Errors
    ///
    /// `BufferTooSmall` if `reply` is shorter than [`MIN_BUFFER_LEN`]; or the device failed. A
    /// device without a filter (`Unsupported`) is no error.
    pub fn new(mut device: D, reply: &'b mut [u8]) -> Result<Self, D::Error>
    where
        D: Control,
    {
        match device.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::All)) {
            Err(e) if ethdev::Error::kind(&e) != ErrorKind::Unsupported => Err(e),
            _ => Self::with_filter_unchanged(device, reply),
        }
    }

    /// Takes a device without changing its receive filter: for devices without [`Control`], such as
    /// the endpoint of a channel. IPv6 works if all multicast, or the right groups, pass.
    ///
    /// # Errors
    ///
    /// `BufferTooSmall` if `reply` is shorter than [`MIN_BUFFER_LEN`].
    pub fn with_filter_unchanged(device: D, reply: &'b mut [u8]) -> Result<Self, D::Error> {
        if reply.len() < MIN_BUFFER_LEN {
            return Err(ErrorKind::BufferTooSmall { needed: MIN_BUFFER_LEN }.into());
        }
        Ok(Self {
            waker: Cell::new(None),
            link_state: Cell::new(link_state(&device)),
            address: Cell::new(device.mac_address()),
            inner: RefCell::new(Inner {
                device,
                tx: TxPath::new(reply),
                rx: RxPath {
                    too_short: 0,
                    errors: ErrorLog::new(),
                },
                failed: false,
                waits_for_tx: false,
            }),
        })
    }

    /// Returns the device. A pending reply is dropped.
    #[must_use]
    pub fn into_inner(self) -> D {
        self.inner.into_inner().device
    }

    /// Notes what the driver reports while the device is in use.
    pub(super) fn end_access(&self, inner: &Inner<'b, D>) {
        self.link_state.set(link_state(&inner.device));
        self.address.set(inner.device.mac_address());
    }

    pub(super) fn register(&self, waker: &Waker) {
        let kept = self.waker.take().filter(|kept| kept.will_wake(waker));
        self.waker.set(Some(kept.unwrap_or_else(|| waker.clone())));
    }

    /// Wakes the task that runs the stack.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

fn link_state<D: EthernetDevice>(device: &D) -> LinkState {
    if device.link().is_up() {
        LinkState::Up
    } else {
        LinkState::Down
    }
}

impl<D: LendingDevice> Inner<'_, D> {
    /// Sends the pending reply. Returns whether the reply buffer is free then.
    #[cold]
    pub(super) fn flush(&mut self) -> bool {
        self.tx.flush(&mut self.device)
    }
}

impl<D: LendingDevice> fmt::Debug for State<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
