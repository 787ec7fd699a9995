//! The driver of the ENET beyond the conformance suite: what is particular about descriptor rings, and about this MAC.

mod books;
mod faults;
mod hostile;
mod modes;
mod order;
mod puppet;
mod rig;
mod starving;
mod sys_recorder;
