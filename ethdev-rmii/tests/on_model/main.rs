//! The one-shot MAC on the model of such a port, which somebody else made; with ports that are polled, and with ports that have an interrupt handler.

mod conformance;
mod holes;
mod ports;
