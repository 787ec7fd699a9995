//! Seeded randomness: the same seed gives the same faults, on every machine.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

/// One stream of random decisions. Each kind of fault has its own, so that changing one does not
/// change the others.
#[derive(Debug)]
pub struct Rng(Pcg32);

impl Rng {
    /// The stream `number` of `seed`.
    pub fn new(seed: u64, number: u64) -> Self {
        // An odd constant far from small numbers (2^64 divided by the golden ratio) keeps the
        // streams of neighbouring seeds apart.
        let mixed = seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(Pcg32::seed_from_u64(mixed))
    }

    /// One stream of `seed` after another, from the number `first` on.
    pub fn streams(seed: u64, first: u64) -> impl FnMut() -> Self {
        let mut number = first;
        move || {
            let stream = Self::new(seed, number);
            number += 1;
            stream
        }
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit)
    }
}

/// Returns a valid probability unchanged.
///
/// # Panics
///
/// If it is not between 0 and 1.
#[track_caller]
pub fn probability(p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "probability out of range 0..=1: {p}");
    p
}
