//! The rules of the PHY driver, one by one, on a PHY of registers that the test sets.

mod fake;
mod faults;
mod interrupts;
mod modes;
mod reset;
mod specials;
