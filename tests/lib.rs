//! What crosses crates is tested here; the code in the project's README is compiled here too.

/// The project's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// How to add a driver.
#[cfg(doctest)]
#[doc = include_str!("../docs/adding-a-driver.md")]
pub struct AddingADriver;
