//! The model of the CYW43439 against the known behaviour of the chip, by bare transactions on its
//! bus.

#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod access_point;
mod boot;
mod bus;
mod faults;
mod frames;
mod host;
mod ioctls;
mod networks;
mod pins;
mod power_save;
mod scans;
mod violations;
