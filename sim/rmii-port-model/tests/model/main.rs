//! The model of the one-shot port, on a bare wire and on a PHY.

#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod bench;
mod on_a_phy;
mod random;
mod receive;
mod transmit;
