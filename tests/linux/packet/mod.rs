//! A packet socket on one end of a pair of virtual Ethernet interfaces (veth(4)).

mod conformance;
mod pair;
