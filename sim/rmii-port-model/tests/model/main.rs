//! The model of the port, on a bare wire and on a PHY.

#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod harness;
mod on_phy;
mod random;
mod receive;
mod transmit;
