//! The traits that the author of a driver implements: a device and its link peer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ethdev::ErrorType;
use ethdev_util::IrqSignal;

/// Constructs a new device under test and its link peer for each check.
///
/// Both are constructed in the thread in which the check runs; neither needs to be `Send`.
pub trait Fixture: 'static {
    /// The device under test, as an application uses it.
    type Device: ErrorType + 'static;
    /// The other end of the device's link.
    type LinkPeer: LinkPeer + 'static;

    /// What the fixture or the device lacks: names of optional hooks of [`LinkPeer`] (`stall_tx`),
    /// of methods of `Control` (`sleep`), and of capabilities (`rx_queue_frames`). See
    /// [`checks`](crate::checks) for what each check needs.
    ///
    /// With a list, exactly the checks that need one of its entries have to be skipped. Another
    /// check that is skipped fails, for example when a driver loses a method, and so does one that
    /// could run. Without a list, any check may be skipped.
    const MISSING: Option<&'static [&'static str]> = None;

    /// Returns a started device and its link peer.
    ///
    /// The device has the default receive filter (own address and broadcast). Its link is up, or
    /// comes up within ten seconds of [`advance`](LinkPeer::advance) and `service`. No frame is
    /// in flight.
    fn new() -> (Self::Device, Self::LinkPeer);
}

/// The other end of the link, and control over the chip: a model of the chip, a simulated wire, a
/// raw socket.
///
/// The medium between the two ends must not lose, change or reorder frames. Three methods are
/// required: [`peer_send`](Self::peer_send), [`peer_recv`](Self::peer_recv) and
/// [`advance`](Self::advance). The others are optional hooks: where a fixture keeps the default, the
/// checks that need the hook are skipped and the reason is printed.
///
/// For devices on a simulated wire, [`WirePeer`](crate::WirePeer) implements it. To add single hooks
/// to another link peer, return it from [`inner`](Self::inner) and [`inner_mut`](Self::inner_mut):
/// every method that is not implemented is forwarded to it.
///
/// ```
/// use ethdev_conformance::{HookResult, LinkPeer, WirePeer};
/// use std::{cell::Cell, rc::Rc};
///
/// /// A wire, and a bus that can fail.
/// struct Peer {
///     wire: WirePeer,
///     bus_fails: Rc<Cell<bool>>,
/// }
///
/// impl LinkPeer for Peer {
///     fn inner(&self) -> Option<&dyn LinkPeer> {
///         Some(&self.wire)
///     }
///     fn inner_mut(&mut self) -> Option<&mut dyn LinkPeer> {
///         Some(&mut self.wire)
///     }
///     fn fail_bus(&mut self, failing: bool) -> HookResult {
///         self.bus_fails.set(failing);
///         Ok(())
///     }
/// }
/// ```
#[allow(
    clippy::redundant_closure_for_method_calls,
    reason = "a path to the method of a trait object requires `'static`"
)]
pub trait LinkPeer {
    /// Returns the link peer to which methods that are not implemented are forwarded.
    fn inner(&self) -> Option<&dyn LinkPeer> {
        None
    }

    /// [`inner`](Self::inner), for the methods that change it.
    fn inner_mut(&mut self) -> Option<&mut dyn LinkPeer> {
        None
    }

    /// Sends one frame to the device: these bytes and a correct FCS. It may arrive later, during
    /// [`advance`](Self::advance).
    ///
    /// # Panics
    ///
    /// Unless implemented, or forwarded to [`inner_mut`](Self::inner_mut).
    fn peer_send(&mut self, frame: &[u8]) {
        required(self.inner_mut()).peer_send(frame);
    }

    /// Returns the next frame that the device sent, with its padding, without FCS.
    ///
    /// # Panics
    ///
    /// Unless implemented, or forwarded to [`inner_mut`](Self::inner_mut).
    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        required(self.inner_mut()).peer_recv()
    }

    /// Lets time pass for the medium and the chip.
    ///
    /// # Panics
    ///
    /// Unless implemented, or forwarded to [`inner_mut`](Self::inner_mut).
    fn advance(&mut self, by: Duration) {
        required(self.inner_mut()).advance(by);
    }

    /// Returns the longest time that a frame takes from `send` to arrival.
    fn frame_time(&self) -> Duration {
        self.inner()
            .map_or(Duration::from_millis(2), |inner| inner.frame_time())
    }

    /// Returns the length of the shortest frame of the medium in bytes, without FCS: 60 on 802.3,
    /// 14 where there is no minimum.
    fn medium_min_frame_len(&self) -> usize {
        self.inner()
            .map_or(ethdev::frame::MIN_FRAME_LEN, |inner| inner.medium_min_frame_len())
    }

    /// Returns whether [`peer_recv`](Self::peer_recv) returns frames with their VLAN tags. The Linux
    /// kernel, for example, removes them before a packet socket receives a frame.
    fn keeps_vlan_tags(&self) -> bool {
        self.inner().is_none_or(|inner| inner.keeps_vlan_tags())
    }

    /// Returns the length of the longest frame of the medium in bytes, without FCS. A device whose
    /// maximum is lower fails a check: it may report the IP MTU as its frame length.
    fn medium_max_frame_len(&self) -> usize {
        self.inner()
            .map_or(ethdev::frame::MAX_FRAME_LEN, |inner| inner.medium_max_frame_len())
    }

    /// Connects (`true`) or disconnects the link.
    fn set_link(&mut self, up: bool) -> HookResult {
        hook(self.inner_mut(), "the fixture cannot change the link (`set_link`)")?.set_link(up)
    }

    /// Stops the transmitter of the chip, so that its transmit queue fills, or lets it run again.
    /// Reception continues.
    fn stall_tx(&mut self, stalled: bool) -> HookResult {
        hook(
            self.inner_mut(),
            "the fixture cannot stall the transmitter (`stall_tx`)",
        )?
        .stall_tx(stalled)
    }

    /// Sends arbitrary bytes, FCS included: runts, giants, wrong check sequences.
    fn peer_send_raw(&mut self, bytes: &[u8]) -> HookResult {
        hook(self.inner_mut(), "the fixture cannot send bad frames (`peer_send_raw`)")?.peer_send_raw(bytes)
    }

    /// Makes the chip report the length `len`, in bytes without FCS, for the next frame that
    /// arrives.
    fn override_rx_len(&mut self, len: usize) -> HookResult {
        hook(
            self.inner_mut(),
            "the fixture cannot override lengths (`override_rx_len`)",
        )?
        .override_rx_len(len)
    }

    /// Puts the chip into a state that requires a recovery.
    fn inject_fault(&mut self) -> HookResult {
        hook(
            self.inner_mut(),
            "the fixture cannot inject a chip fault (`inject_fault`)",
        )?
        .inject_fault()
    }

    /// Makes every access to the bus fail, until called with `false`.
    fn fail_bus(&mut self, failing: bool) -> HookResult {
        hook(self.inner_mut(), "the fixture cannot fail the bus (`fail_bus`)")?.fail_bus(failing)
    }

    /// Returns the simulated time. It advances during calls of the driver where they take time.
    fn now(&self) -> HookResult<Duration> {
        hook(self.inner(), "the fixture has no clock that runs during calls (`now`)")?.now()
    }

    /// Returns the number of accesses of the driver to the chip: registers, descriptors, bus
    /// transactions.
    fn accesses(&self) -> HookResult<u64> {
        hook(self.inner(), "the fixture does not count accesses (`accesses`)")?.accesses()
    }

    /// Makes the `nth` access of the driver to the chip, counted from 0, the next one, fail without
    /// effect. Only this one fails.
    ///
    /// [`AccessEvents`](crate::AccessEvents) implements this hook, [`accesses`](Self::accesses), and
    /// the two that follow.
    fn fail_bus_at(&mut self, nth: u32) -> HookResult {
        hook(
            self.inner_mut(),
            "the fixture cannot fail a single access (`fail_bus_at`)",
        )?
        .fail_bus_at(nth)
    }

    /// Sends a frame that arrives just before the `nth` access of the driver to the chip, counted
    /// from 0, the next one: for races. Several frames may be scheduled, for one access or for
    /// several.
    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> HookResult {
        let missing = "the fixture cannot time an arrival to an access (`peer_send_before_access`)";
        hook(self.inner_mut(), missing)?.peer_send_before_access(nth, frame)
    }

    /// [Connects or disconnects the link](Self::set_link) just before the `nth` access of the driver
    /// to the chip, counted from 0, the next one.
    fn set_link_before_access(&mut self, nth: u32, up: bool) -> HookResult {
        let missing = "the fixture cannot time a link change to an access (`set_link_before_access`)";
        hook(self.inner_mut(), missing)?.set_link_before_access(nth, up)
    }

    /// Cancels what was scheduled for accesses that have not come.
    fn cancel_access_events(&mut self) {
        if let Some(inner) = self.inner_mut() {
            inner.cancel_access_events();
        }
    }

    /// Returns the signal that the device's interrupt handler signals. The interrupt is
    /// edge-triggered.
    fn irq_signal(&self) -> HookResult<Arc<IrqSignal>> {
        hook(self.inner(), "the fixture has no interrupt line (`irq_signal`)")?.irq_signal()
    }

    /// Returns whether the chip masks receive, transmit and link interrupts separately.
    fn masks_by_source(&self) -> bool {
        self.inner().is_none_or(|inner| inner.masks_by_source())
    }

    /// Returns whether a link change causes an interrupt.
    fn link_interrupts(&self) -> bool {
        self.inner().is_none_or(|inner| inner.link_interrupts())
    }
}

/// The inner link peer of a wrapper, for methods that every link peer has.
fn required(inner: Option<&mut dyn LinkPeer>) -> &mut dyn LinkPeer {
    inner.expect("a `LinkPeer` implements `peer_send`, `peer_recv` and `advance`, or `inner_mut`")
}

/// The inner link peer of a wrapper, for hooks.
fn hook<T>(inner: Option<T>, missing: &'static str) -> HookResult<T> {
    inner.ok_or(Unsupported(missing))
}

/// The result of an optional hook of a [`LinkPeer`].
pub type HookResult<T = ()> = Result<T, Unsupported>;

/// A hook that the fixture does not have, with the reason that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported(pub &'static str);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unsupported {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Inner {
        sent: usize,
        link: bool,
    }

    impl LinkPeer for Inner {
        fn peer_send(&mut self, _: &[u8]) {
            self.sent += 1;
        }
        fn peer_recv(&mut self) -> Option<Vec<u8>> {
            Some(vec![7])
        }
        fn advance(&mut self, _: Duration) {}
        fn frame_time(&self) -> Duration {
            Duration::from_secs(7)
        }
        fn set_link(&mut self, up: bool) -> HookResult {
            self.link = up;
            Ok(())
        }
        fn link_interrupts(&self) -> bool {
            false
        }
    }

    struct Wrapper(Inner);

    impl LinkPeer for Wrapper {
        fn inner(&self) -> Option<&dyn LinkPeer> {
            Some(&self.0)
        }
        fn inner_mut(&mut self) -> Option<&mut dyn LinkPeer> {
            Some(&mut self.0)
        }
        fn stall_tx(&mut self, _: bool) -> HookResult {
            Ok(())
        }
    }

    #[test]
    fn wrapper_not_implemented_methods_forwarded() {
        let mut peer = Wrapper(Inner::default());
        peer.peer_send(&[]);
        assert_eq!(peer.0.sent, 1);
        assert_eq!(peer.peer_recv(), Some(vec![7]));
        assert_eq!(peer.frame_time(), Duration::from_secs(7));
        assert_eq!(peer.set_link(true), Ok(()));
        assert!(peer.0.link);
        assert!(!peer.link_interrupts());
        assert!(peer.masks_by_source());
    }

    #[test]
    fn wrapper_hook_in_neither_unsupported() {
        let mut peer = Wrapper(Inner::default());
        assert_eq!(peer.stall_tx(true), Ok(()));
        assert!(peer.fail_bus(true).unwrap_err().0.contains("`fail_bus`"));
        assert!(peer.0.stall_tx(true).is_err());
    }

    #[test]
    #[should_panic(expected = "implements `peer_send`")]
    fn peer_send_not_implemented_panics() {
        struct Nothing;
        impl LinkPeer for Nothing {}
        Nothing.peer_send(&[]);
    }
}
