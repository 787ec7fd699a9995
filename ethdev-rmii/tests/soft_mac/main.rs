//! The one-shot MAC, on ports that exist in memory alone.

mod faults;
mod frames;
mod line;
mod order;
mod surfaces;
