//! The model of the ENC28J60 against its data sheet and its errata, by bare SPI transactions.

#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod apis;
mod errata;
mod faults;
mod fifo;
mod host;
mod power;
mod receive;
mod registers;
mod transmit;
mod violations;
