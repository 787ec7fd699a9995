//! The model of the ENET, tested through registers and memory against the reference manual.

mod host;
mod receive;
mod registers;
mod transmit;
mod violations;
