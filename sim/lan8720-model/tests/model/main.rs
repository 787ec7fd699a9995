//! The model of the LAN8720A against its data sheet and the standard, by bare accesses to its
//! registers and pins.

#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod bits;
mod energy;
mod faults;
mod frames;
mod host;
mod interrupts;
mod link;
mod partners;
mod power;
mod random;
mod registers;
