//! The lines of the contracts, by name.

use std::fmt;

/// One line of a contract: what a check names.
///
/// `device.N` is line N of the contract of [`EthernetDevice`](ethdev::EthernetDevice); the others are those of the trait that the name begins with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// Trait and number.
    pub id: &'static str,
    /// What it says, in short.
    pub text: &'static str,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

macro_rules! lines {
    ($($name:ident = $id:literal: $text:literal;)*) => {
        $(#[doc = concat!("`", $id, "`: ", $text, ".")] pub const $name: Line = Line { id: $id, text: $text };)*

        /// Every line that the suite has a check for.
        pub const ALL: &[Line] = &[$($name),*];
    };
}

lines! {
    DEVICE_1 = "device.1": "receiving never waits for a frame";
    DEVICE_2 = "device.2": "a frame crosses exactly once, in order, byte for byte, without FCS";
    DEVICE_3 = "device.3": "too small a buffer is BufferTooSmall and loses nothing; discarding is the way past";
    DEVICE_4 = "device.4": "no room is Busy and loses nothing; after tx_ready the next send is not Busy";
    DEVICE_5 = "device.5": "receiving does not depend on room to transmit, nor the other way round";
    DEVICE_6 = "device.6": "illegal lengths are typed errors, short frames are padded with zeros, received padding is passed on";
    DEVICE_7 = "device.7": "cached values never touch the bus; sending with the link down is LinkDown, nothing queued";
    DEVICE_8 = "device.8": "nothing that the wire or the chip says can panic or hang the driver, or lead it astray";
    DEVICE_9 = "device.9": "every frame is delivered or counted under one reason";
    DEVICE_10 = "device.10": "a fault is a typed error, never silence";
    CAPABILITIES = "capabilities": "lengths and queues are as the device says, frame lengths are not IP MTUs";
    EVENTS = "events": "what service tells is so";
    LEND_1 = "lend.1": "a lent frame is lent again until released or discarded, whatever is dropped";
    LEND_2 = "lend.2": "the halves are independent, and look at the same frames as the pull surface";
    LEND_3 = "lend.3": "memory that was reserved and not committed costs nothing";
    LEND_4 = "lend.4": "reserve and commit refuse what they cannot do, and use up the reservation";
    CALLBACK_1 = "callback.1": "exclusive: each frame goes to the handler once, in order";
    CALLBACK_2 = "callback.2": "quiescent: a former handler never runs again, and is returned";
    CALLBACK_3 = "callback.3": "budgeted: at most so many frames a poll, and more tells whether any are left";
    CALLBACK_4 = "callback.4": "without a handler frames stay where they are";
    CALLBACK_5 = "callback.5": "the handler runs inside poll only, and can answer there";
    REARM_1 = "rearm.1": "Armed: work that comes after the call began causes an interrupt";
    REARM_2 = "rearm.2": "work that is there already is WorkPending";
    REARM_3 = "rearm.3": "disarmed, the device is silent";
    REARM_4 = "rearm.4": "only what is of interest causes an interrupt";
    CONTROL_1 = "control.1": "start and stop are idempotent; stopped, the device is silent and its link is down";
    CONTROL_2 = "control.2": "a stop loses what is pending, and counts it";
    CONTROL_3 = "control.3": "address and filter decide what is received";
    CONTROL_4 = "control.4": "address and filter survive stop, sleep and recovery";
    CONTROL_5 = "control.5": "after recover the device works, and what was lost is counted";
    ASYNC_1 = "async.1": "ready is cancel-safe: dropped at any point, it has taken nothing";
    ASYNC_2 = "async.2": "a future that was never polled has done nothing";
    ASYNC_3 = "async.3": "a dropped recv_frame delivers nothing twice and loses nothing uncounted";
    ASYNC_4 = "async.4": "a dropped send goes out whole or not at all";
    ASYNC_5 = "async.5": "ready completes, and wakes, when what is of interest is so; only then";
}
