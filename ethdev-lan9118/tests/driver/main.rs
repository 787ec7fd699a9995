//! Tests of the driver on a simulated chip: what is specific to the LAN9118. The contract of every
//! device is tested by the conformance suite, in `tests/conformance/lan9118.rs` of the repository.

mod control;
mod link;
mod misbehaving_chip;
mod receive;
mod start;
mod testbed;
mod transmit;
