//! The PHY driver on the model of the chip, which was written independently from the data sheet.

mod faults;
mod links;
mod pins;
mod testbed;
