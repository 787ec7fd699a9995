//! Drivers for embassy-net, unmodified, as devices: the conformance suite on `EmbassyDevice`.
//!
//! The driver over TAP is checked in `linux_tap`.

#[path = "embassy_third_party/channel.rs"]
mod channel;
#[path = "embassy_third_party/enc28j60.rs"]
mod enc28j60;
#[path = "netsim/frames.rs"]
mod frames;
#[path = "embassy_third_party/known.rs"]
mod known;
#[path = "embassy_third_party/readme.rs"]
mod readme;
