//! What the author of a driver supplies: a device, and its far end under the control of the suite.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ethdev::ErrorType;
use ethdev_util::IrqSignal;

/// Makes a device for one check. Each check gets a new one, made in the thread that it runs in: neither half needs to be `Send`.
pub trait Fixture: 'static {
    /// The device under test, as an application has it.
    type Device: ErrorType + 'static;
    /// What its frames go to and come from.
    type LinkPeer: LinkPeer + 'static;

    /// A device that is started, with the receive filter that devices start with (own address and broadcast), whose link is up or comes up within ten
    /// seconds of [`advance`](LinkPeer::advance) and `service`; and its far end, where nothing is on its way.
    fn new() -> (Self::Device, Self::LinkPeer);
}

/// The other end of the cable, and whatever else can happen to a device: a model of the chip, a simulated wire, a raw socket.
///
/// The medium between the two ends must not lose, change or reorder anything. Three methods are required. Each of the others is a power: a fixture that lacks it
/// keeps the default, and the checks that need it are skipped, each with the reason printed.
pub trait LinkPeer {
    /// Puts one good frame on the medium, exactly these bytes plus a correct FCS, now. Where the frame arrives later than now, [`advance`](Self::advance)
    /// gets it there.
    fn peer_send(&mut self, frame: &[u8]);

    /// The next frame that the device put on the medium: with its padding, without FCS.
    fn peer_recv(&mut self) -> Option<Vec<u8>>;

    /// Lets this much time pass for the medium and the chip.
    fn advance(&mut self, by: Duration);

    /// How long a frame of the greatest length takes at most, from send to arrival.
    fn frame_time(&self) -> Duration {
        Duration::from_millis(2)
    }

    /// Shortest frame of the medium in bytes, without FCS: 60 on 802.3, 14 where there is no minimum.
    fn medium_min_frame_len(&self) -> usize {
        ethdev::frame::MIN_FRAME_LEN
    }

    /// Longest frame of the medium in bytes, without FCS. A device that can do less than this is reported: it may have taken the IP MTU for the frame length.
    fn medium_max_frame_len(&self) -> usize {
        ethdev::frame::MAX_FRAME_LEN
    }

    /// What the chip loses without a word. [`Stats`](ethdev::Stats) asks that the driver's documentation says so; here it relaxes the bookkeeping.
    fn unreported(&self) -> &'static [Loss] {
        &[]
    }

    /// Connects or cuts the cable.
    fn set_link(&mut self, up: bool) -> Power {
        let _ = up;
        Err(Unsupported("the fixture cannot change the link (`set_link`)"))
    }

    /// Holds back what the device transmits, so that its transmit queue fills; or lets it flow again. Reception goes on.
    fn stall_tx(&mut self, stalled: bool) -> Power {
        let _ = stalled;
        Err(Unsupported("the fixture cannot stall the transmitter (`stall_tx`)"))
    }

    /// Puts any bytes on the medium, FCS included: runts, giants, wrong check sequences.
    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        let _ = bytes;
        Err(Unsupported("the fixture cannot send bad frames (`peer_send_raw`)"))
    }

    /// Makes the chip report this length for the next frame that arrives.
    fn override_rx_len(&mut self, len: usize) -> Power {
        let _ = len;
        Err(Unsupported("the fixture cannot forge lengths (`override_rx_len`)"))
    }

    /// Brings the chip into a state that needs a recovery.
    fn inject_fault(&mut self) -> Power {
        Err(Unsupported("the fixture cannot break the chip (`inject_fault`)"))
    }

    /// Makes every access to the bus fail, until told otherwise.
    fn fail_bus(&mut self, failing: bool) -> Power {
        let _ = failing;
        Err(Unsupported("the fixture cannot break the bus (`fail_bus`)"))
    }

    /// Simulated time, where calls of the driver cost some.
    fn now(&self) -> Power<Duration> {
        Err(Unsupported("the fixture has no clock that runs during calls (`now`)"))
    }

    /// How often the driver accessed the chip so far: registers, descriptors, bus transactions.
    fn accesses(&self) -> Power<u64> {
        Err(Unsupported("the fixture does not count accesses (`accesses`)"))
    }

    /// As [`peer_send`](Self::peer_send), but the frame arrives just before the `nth` access (0 = the next) of the driver to the chip: the races.
    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        let _ = (nth, frame);
        Err(Unsupported(
            "the fixture cannot time an arrival to an access (`peer_send_before_access`)",
        ))
    }

    /// The interrupt signal that the handler of the device's (edge-triggered) interrupt rings.
    fn irq_signal(&self) -> Power<Arc<IrqSignal>> {
        Err(Unsupported("the fixture has no interrupt line (`irq_signal`)"))
    }

    /// Whether the chip can mask receive, transmit and link interrupts one by one.
    fn masks_by_source(&self) -> bool {
        true
    }

    /// Whether a change of the link causes an interrupt.
    fn link_interrupts(&self) -> bool {
        true
    }
}

/// What a power of a [`LinkPeer`] returns.
pub type Power<T = ()> = Result<T, Unsupported>;

/// A power that the fixture lacks, with the reason that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported(pub &'static str);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unsupported {}

/// A way in which a chip loses a received frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// No room.
    Overrun,
    /// Wrong FCS.
    BadFcs,
    /// Runt or giant.
    BadLength,
    /// Not for this station.
    Filtered,
}
