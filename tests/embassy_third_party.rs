//! Drivers for embassy-net, unmodified, as devices: the conformance suite on `EmbassyDevice`.
//!
//! The driver over TAP is checked in `linux_tap`.

#[path = "embassy_third_party/channel.rs"]
mod channel;
#[path = "embassy_third_party/known.rs"]
mod known;
