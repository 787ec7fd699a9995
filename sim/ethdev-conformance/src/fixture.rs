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
/// required. The others are optional hooks: where a fixture keeps the default, the checks that need
/// the hook are skipped and the reason is printed.
///
/// For devices on a simulated wire, [`WirePeer`](crate::WirePeer) implements it.
pub trait LinkPeer {
    /// Sends one frame to the device: these bytes and a correct FCS. It may arrive later, during
    /// [`advance`](Self::advance).
    fn peer_send(&mut self, frame: &[u8]);

    /// Returns the next frame that the device sent, with its padding, without FCS.
    fn peer_recv(&mut self) -> Option<Vec<u8>>;

    /// Lets time pass for the medium and the chip.
    fn advance(&mut self, by: Duration);

    /// Returns the longest time that a frame takes from `send` to arrival.
    fn frame_time(&self) -> Duration {
        Duration::from_millis(2)
    }

    /// Returns the length of the shortest frame of the medium in bytes, without FCS: 60 on 802.3,
    /// 14 where there is no minimum.
    fn medium_min_frame_len(&self) -> usize {
        ethdev::frame::MIN_FRAME_LEN
    }

    /// Returns the length of the longest frame of the medium in bytes, without FCS. A device whose
    /// maximum is lower fails a check: it may report the IP MTU as its frame length.
    fn medium_max_frame_len(&self) -> usize {
        ethdev::frame::MAX_FRAME_LEN
    }

    /// Connects (`true`) or disconnects the link.
    fn set_link(&mut self, up: bool) -> HookResult {
        let _ = up;
        Err(Unsupported("the fixture cannot change the link (`set_link`)"))
    }

    /// Stops the transmitter of the chip, so that its transmit queue fills, or lets it run again.
    /// Reception continues.
    fn stall_tx(&mut self, stalled: bool) -> HookResult {
        let _ = stalled;
        Err(Unsupported("the fixture cannot stall the transmitter (`stall_tx`)"))
    }

    /// Sends arbitrary bytes, FCS included: runts, giants, wrong check sequences.
    fn peer_send_raw(&mut self, bytes: &[u8]) -> HookResult {
        let _ = bytes;
        Err(Unsupported("the fixture cannot send bad frames (`peer_send_raw`)"))
    }

    /// Makes the chip report the length `len`, in bytes without FCS, for the next frame that
    /// arrives.
    fn override_rx_len(&mut self, len: usize) -> HookResult {
        let _ = len;
        Err(Unsupported("the fixture cannot override lengths (`override_rx_len`)"))
    }

    /// Puts the chip into a state that requires a recovery.
    fn inject_fault(&mut self) -> HookResult {
        Err(Unsupported("the fixture cannot inject a chip fault (`inject_fault`)"))
    }

    /// Makes every access to the bus fail, until called with `false`.
    fn fail_bus(&mut self, failing: bool) -> HookResult {
        let _ = failing;
        Err(Unsupported("the fixture cannot fail the bus (`fail_bus`)"))
    }

    /// Returns the simulated time. It advances during calls of the driver where they take time.
    fn now(&self) -> HookResult<Duration> {
        Err(Unsupported("the fixture has no clock that runs during calls (`now`)"))
    }

    /// Returns the number of accesses of the driver to the chip: registers, descriptors, bus
    /// transactions.
    fn accesses(&self) -> HookResult<u64> {
        Err(Unsupported("the fixture does not count accesses (`accesses`)"))
    }

    /// Sends a frame that arrives just before the `nth` access of the driver to the chip, counted
    /// from 0, the next one: for races.
    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> HookResult {
        let _ = (nth, frame);
        Err(Unsupported(
            "the fixture cannot time an arrival to an access (`peer_send_before_access`)",
        ))
    }

    /// Returns the signal that the device's interrupt handler signals. The interrupt is
    /// edge-triggered.
    fn irq_signal(&self) -> HookResult<Arc<IrqSignal>> {
        Err(Unsupported("the fixture has no interrupt line (`irq_signal`)"))
    }

    /// Returns whether the chip masks receive, transmit and link interrupts separately.
    fn masks_by_source(&self) -> bool {
        true
    }

    /// Returns whether a link change causes an interrupt.
    fn link_interrupts(&self) -> bool {
        true
    }
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
