//! The LAN9118's driver on the model of its chip: starting, links, frames that are none, chips that are none or go mad.
//!
//! What every device has to do is looked at by the conformance suite, in `tests/conformance/lan9118.rs` of the repository.

mod garbage;
mod link;
mod receive;
mod rig;
mod start;
mod transmit;
