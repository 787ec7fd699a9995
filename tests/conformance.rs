//! Conformance of the drivers on their chip models, on every API. The TAP device is checked in
//! `linux`, `RingNic` in `ethdev-conformance`.

#[path = "conformance/cyw43.rs"]
mod cyw43;
#[path = "conformance/embassy.rs"]
mod embassy;
#[path = "conformance/enc28j60.rs"]
mod enc28j60;
#[path = "conformance/enc28j60_bridge.rs"]
mod enc28j60_bridge;
#[path = "conformance/enet.rs"]
mod enet;
#[path = "conformance/lan9118.rs"]
mod lan9118;
#[path = "conformance/support.rs"]
mod support;
