//! A packet socket on one end of a pair of virtual Ethernet interfaces (veth(4)).

mod conformance;
mod ethercat;
mod filter;
mod frames;
mod full_queue;
mod lifecycle;
mod offload;
mod open;
mod pair;
mod readme;
mod sys_ignore_outgoing;
