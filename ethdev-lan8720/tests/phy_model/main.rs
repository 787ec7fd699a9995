//! The PHY driver on the model of its chip, which somebody else made from the same data sheet.

mod lab;
mod links;
mod pins;
mod troubles;
