//! Tests of the software MAC on mock ports.

mod faults;
mod frames;
mod lending;
mod mock;
mod order;
