//! The requirements of the contracts, by name.

use std::fmt;

/// One requirement of a contract: what a check verifies.
///
/// `device.N` is number N of the contract of [`EthernetDevice`](ethdev::EthernetDevice). The others
/// are those of the trait that the name begins with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// Trait and number.
    pub id: &'static str,
    /// The requirement in short.
    pub text: &'static str,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id)
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

macro_rules! requirements {
    ($($name:ident = $id:literal: $text:literal;)*) => {
        $(#[doc = concat!("`", $id, "`: ", $text, ".")] pub const $name: Requirement = Requirement { id: $id, text: $text };)*

        /// Every requirement that the suite checks.
        pub const ALL: &[Requirement] = &[$($name),*];
    };
}

requirements! {
    DEVICE_1 = "device.1": "recv_frame never waits for a frame";
    DEVICE_2 = "device.2": "each frame is delivered exactly once, in order, byte for byte, without FCS";
    DEVICE_3 = "device.3": "a buffer that is too small returns BufferTooSmall and the frame stays next; discard_frame skips it";
    DEVICE_4 = "device.4": "a full transmit queue returns Busy and nothing is lost; after tx_ready the next send is not Busy";
    DEVICE_5 = "device.5": "reception does not depend on transmit capacity, nor transmission on received frames being read";
    DEVICE_6 = "device.6": "illegal lengths are typed errors, short frames are padded with zeros, received padding is passed on";
    DEVICE_7 = "device.7": "cached values never access the bus; sending with the link down returns LinkDown and queues nothing";
    DEVICE_8 = "device.8": "no input from the wire or the chip panics the driver, hangs it or stops reception";
    DEVICE_9 = "device.9": "every frame is delivered, or counted under one reason";
    DEVICE_10 = "device.10": "a fault of the bus or the chip is a typed error";
    ERROR = "error": "an error made from a kind has that kind";
    CAPABILITIES = "capabilities": "frame lengths and queue lengths are as declared; frame lengths are not IP MTUs";
    EVENTS = "events": "the events that service reports match the state of the device";
    LENDING_1 = "lending.1": "a lent frame is lent again until it is released or discarded, whatever is dropped";
    LENDING_2 = "lending.2": "the halves are independent, and the pull API sees the same frames";
    LENDING_3 = "lending.3": "memory that was reserved and not committed is free again";
    LENDING_4 = "lending.4": "reserve and commit reject illegal lengths, and commit ends the reservation";
    CALLBACK_1 = "callback.1": "exclusive: each frame is delivered to the handler once, in order";
    CALLBACK_2 = "callback.2": "quiescent: a former handler is returned and never runs again";
    CALLBACK_3 = "callback.3": "budgeted: poll delivers at most its budget, and `more` reports whether frames are pending";
    CALLBACK_4 = "callback.4": "without a handler frames stay pending";
    CALLBACK_5 = "callback.5": "the handler runs inside poll only, and can send from there";
    REARM_1 = "rearm.1": "Armed: an event after the start of the call causes an interrupt";
    REARM_2 = "rearm.2": "an event that is pending already returns WorkPending";
    REARM_3 = "rearm.3": "a disarmed device causes no interrupt";
    REARM_4 = "rearm.4": "only events of the interest cause an interrupt";
    CONTROL_1 = "control.1": "start and stop are idempotent; a stopped device neither sends nor receives, and its link is down";
    CONTROL_2 = "control.2": "frames that are pending at a stop are dropped and counted";
    CONTROL_3 = "control.3": "address and filter decide which frames are received";
    CONTROL_4 = "control.4": "address and filter survive stop, sleep and recovery";
    CONTROL_5 = "control.5": "after recover the device works, and lost frames are counted";
    CONTROL_6 = "control.6": "a call that failed or was dropped, repeated, has its whole effect or returns an error";
    ASYNC_1 = "async.1": "ready is cancel-safe: dropped at any point, it has consumed nothing";
    ASYNC_2 = "async.2": "a future that was never polled has no effect";
    ASYNC_3 = "async.3": "a dropped recv_frame delivers nothing twice and loses nothing uncounted";
    ASYNC_4 = "async.4": "a dropped send sends the whole frame or nothing";
    ASYNC_5 = "async.5": "ready completes, and wakes, when a condition of its interest holds, and only then";
    POLL_READY = "poll_ready": "a wake-up that does not concern the device causes no access; the last waker is woken";
}
