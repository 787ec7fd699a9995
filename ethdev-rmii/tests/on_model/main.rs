//! The software MAC on a simulated RMII port, polled and with an interrupt handler.

mod conformance;
mod ports;
mod rx_gaps;
