//! Tests that involve several crates. The code in the pages of the project is compiled here too.

/// The README of the project.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// How to add a driver.
#[cfg(doctest)]
#[doc = include_str!("../docs/adding-a-driver.md")]
pub struct AddingADriver;

/// Which API to choose.
#[cfg(doctest)]
#[doc = include_str!("../docs/choose-your-api.md")]
pub struct ChooseYourApi;

/// A stack without a heap.
#[cfg(doctest)]
#[doc = include_str!("../docs/heap-free.md")]
pub struct HeapFree;

/// How to migrate.
#[cfg(doctest)]
#[doc = include_str!("../docs/migrating.md")]
pub struct Migrating;
