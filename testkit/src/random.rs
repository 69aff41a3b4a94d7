//! Randomness from a seed: the same seed gives the same values in every run, on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One of the independent sequences that a seed gives.
///
/// Each user has a sequence of its own, so that a change to one direction's faults leaves the other direction as it was.
#[derive(Debug, Clone)]
pub(crate) struct Random(ChaCha8Rng);

/// Who uses a sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Entropy,
    ToServer,
    ToClient,
}

impl Random {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream as u64);
        Self(rng)
    }

    /// A number from 0 to `limit`, both included. That small ones are likelier by less than 2^-32 does not matter here.
    pub(crate) fn up_to(&mut self, limit: u64) -> u64 {
        match limit.checked_add(1) {
            Some(count) => self.0.next_u64() % count,
            None => self.0.next_u64(),
        }
    }

    /// A seed for a client's masking-keys.
    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }
}
