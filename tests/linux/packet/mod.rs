//! A packet socket on one end of a pair of virtual Ethernet interfaces (veth(4)).

mod conformance;
mod filter;
mod frames;
mod lifecycle;
mod offload;
mod open;
mod pair;
