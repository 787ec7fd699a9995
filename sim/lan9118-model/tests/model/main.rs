//! The model of the LAN9118 against its data sheet, by a host that is written here for that.

mod frames;
mod host;
mod registers;
mod system;
mod violations;
