//! A device as the driver of embassy-net.

mod capabilities;
mod handle;
mod state;
#[cfg(test)]
mod tests;
mod tokens;

use core::cell::RefMut;
use core::fmt;
use core::task::{Context, Poll};

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState};
use ethdev::{ErrorKind, Interest, LendingDevice, PollReady, RxHalf, TxHalf};
use ethdev_util::stack::FrameOrigin;

pub use handle::Handle;
pub use state::State;
pub use tokens::{RxToken, TxToken};

use state::Inner;

/// How many frames one turn of the stack receives at most. The rest is received in the next turn,
/// so that a flood does not stop the other tasks of the executor.
const RX_BUDGET: u16 = 64;
/// Number of checks in one turn of a device that keeps reporting events that are not there.
const MAX_CHECKS_PER_TURN: usize = 4;

impl<'b, D: LendingDevice> State<'b, D> {
    /// Returns the driver, for `embassy_net::new`, and the handle, for everything that a driver of
    /// embassy-net cannot report.
    pub fn split(&mut self) -> (EmbassyDriver<'_, 'b, D>, Handle<'_, 'b, D>) {
        let inner = self.inner.get_mut();
        let capabilities = capabilities::of(&inner.device.capabilities(), inner.tx.buffer_len());
        let state = &*self;
        (EmbassyDriver::new(state, capabilities), Handle::new(state))
    }
}

/// An ethdev device as the [`Driver`] of embassy-net: [`State::split`] returns it.
///
/// See the [crate documentation](crate) for its use and behaviour.
pub struct EmbassyDriver<'s, 'b, D: LendingDevice> {
    state: &'s State<'b, D>,
    /// The device, from the first call of a turn to `link_state`, which ends it: the tokens borrow
    /// it.
    turn: Option<RefMut<'s, Inner<'b, D>>>,
    /// Frames that may still be received in this turn.
    rx_left: u16,
    /// A transmit token was refused in this turn.
    refused: bool,
    capabilities: Capabilities,
}

impl<'s, 'b, D: LendingDevice> EmbassyDriver<'s, 'b, D> {
    fn new(state: &'s State<'b, D>, capabilities: Capabilities) -> Self {
        Self {
            state,
            turn: None,
            rx_left: RX_BUDGET,
            refused: false,
            capabilities,
        }
    }
}

/// Begins a turn, or continues it. `None` inside [`Handle::with`], which embassy-net never calls
/// the driver from.
#[inline]
fn enter<'t, 's, 'b, D: LendingDevice>(
    turn: &'t mut Option<RefMut<'s, Inner<'b, D>>>,
    state: &'s State<'b, D>,
) -> Option<&'t mut Inner<'b, D>> {
    if turn.is_none() {
        *turn = state.inner.try_borrow_mut().ok();
    }
    turn.as_deref_mut()
}

impl<'b, D: LendingDevice + PollReady> Driver for EmbassyDriver<'_, 'b, D> {
    type RxToken<'a>
        = RxToken<'a, D>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, 'b, D>
    where
        Self: 'a;

    /// Returns a received frame and the right to answer it, whether or not the device can send.
    ///
    /// The waker is registered by [`link_state`](Self::link_state).
    #[inline]
    fn receive(&mut self, _cx: &mut Context<'_>) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        self.rx_left = self.rx_left.checked_sub(1)?;
        let inner = enter(&mut self.turn, self.state)?;
        if inner.tx.is_pending() {
            inner.flush();
        }
        let Inner {
            device, tx: path, rx, ..
        } = inner;
        let (mut half, tx) = device.split();
        match half.pending() {
            Ok(true) => {
                path.origin = FrameOrigin::Reply;
                let rx = RxToken { half, path: rx };
                return Some((rx, TxToken::new(tx, path, None)));
            }
            Ok(false) => {}
            Err(e) => rx.errors.latch(e),
        }
        None
    }

    /// Returns the right to send one frame; `None` while the device has no free buffer or a reply
    /// is pending.
    ///
    /// With the link down, or if the device failed, the frame is dropped and counted: after a
    /// `None` embassy-net runs no timer at all.
    #[inline]
    fn transmit(&mut self, _cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        let inner = enter(&mut self.turn, self.state)?;
        if inner.tx.is_pending() && !inner.flush() {
            self.refused = true;
            return None;
        }
        let ready = inner.device.split().1.ready();
        let refusal = match ready {
            Ok(true) => None,
            other => {
                let refusal = inner.why_not_ready(other);
                if refusal.is_none() {
                    self.refused = true;
                    return None;
                }
                refusal
            }
        };
        inner.tx.origin = FrameOrigin::Socket;
        Some(TxToken::new(inner.device.split().1, &mut inner.tx, refusal))
    }

    /// Ends a turn of the stack: sends a pending reply, services the device, arms its interrupt and
    /// registers the waker, for a received frame, a change of the link and, if it was refused,
    /// transmit capacity.
    ///
    /// embassy-net calls it last in each turn.
    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        let Some(mut inner) = self.turn.take().or_else(|| self.state.inner.try_borrow_mut().ok()) else {
            cx.waker().wake_by_ref();
            return self.state.link_state.get();
        };
        let refused = core::mem::take(&mut self.refused);
        self.rx_left = RX_BUDGET;
        if inner.tx.is_pending() {
            inner.flush();
        }
        let armed = inner.arm(refused, cx);
        // The next token drops its frame, and until there is one embassy-net runs no timer.
        let drops = refused && (inner.failed || !inner.device.link().is_up());
        inner.waits_for_tx = refused || inner.tx.is_pending();
        if !armed || drops {
            cx.waker().wake_by_ref();
        }
        self.state.end_access(&inner);
        drop(inner);
        self.state.register(cx.waker());
        self.state.link_state.get()
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    /// Returns the address of the device. embassy-net reads it in each turn, so that it cannot
    /// differ from that of the device.
    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.state.address.get().octets())
    }
}

impl<D: LendingDevice + PollReady> Inner<'_, D> {
    /// Returns why a frame is to be dropped; `None` if it has to wait for a free buffer.
    #[cold]
    fn why_not_ready(&self, ready: Result<bool, D::Error>) -> Option<D::Error> {
        match ready {
            Err(e) => Some(e),
            Ok(_) if !self.device.link().is_up() => Some(ErrorKind::LinkDown.into()),
            Ok(_) if self.failed => Some(ErrorKind::Fault.into()),
            Ok(_) => None,
        }
    }

    /// Arms the device for the next turn. Returns `false` if it must be immediately.
    fn arm(&mut self, refused: bool, cx: &mut Context<'_>) -> bool {
        let mut interest = Interest::RX | Interest::LINK;
        interest.tx = refused || self.tx.is_pending();
        self.failed = false;
        let mut retried = false;
        for _ in 0..MAX_CHECKS_PER_TURN {
            match self.device.poll_ready(interest, cx) {
                Poll::Pending => return true,
                Poll::Ready(Ok(found)) if found.rx || found.tx => return false,
                // The link changed, which is reported once.
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(e)) => {
                    self.rx.errors.latch(e);
                    // A device that fails twice is left to the owner of the handle.
                    if core::mem::replace(&mut retried, true) {
                        self.failed = true;
                        return true;
                    }
                }
            }
        }
        false
    }
}

impl<D: LendingDevice> fmt::Debug for EmbassyDriver<'_, '_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbassyDriver")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}
