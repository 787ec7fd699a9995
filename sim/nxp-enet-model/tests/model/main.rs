//! The model of the ENET, driven by hand: what the reference manual says, seen from registers and
//! memory.

mod host;
mod receive;
mod registers;
mod transmit;
mod violations;
