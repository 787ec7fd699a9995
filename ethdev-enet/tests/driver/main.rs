//! Tests of the driver on a simulated MAC and on a mock: what is specific to descriptor rings and
//! to the ENET. The contract of every device is tested by the conformance suite, in
//! `tests/conformance/enet.rs` of the repository.

mod control;
mod faults;
mod misbehaving_chip;
mod mock_chip;
mod modes;
mod order;
mod overrun;
mod stats;
mod sys_recorder;
mod testbed;
