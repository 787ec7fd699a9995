//! The PHY driver on a mock whose registers the tests set.

mod faults;
mod features;
mod interrupts;
mod mock;
mod modes;
mod reset;
