//! Randomness as an input: masking-keys and the handshake's nonce come from a seed that the caller supplies.

use alloc::boxed::Box;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The source of a client's nonce ([RFC 6455 section 4.1]) and masking-keys ([section 5.3]).
///
/// A cryptographic generator (ChaCha12), because a masking-key "MUST be unpredictable". It is seeded once by the caller;
/// the adapters take the seed from the operating system. Each connection needs a seed of its own.
///
/// [RFC 6455 section 4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
/// [section 5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.3
pub struct Entropy {
    // 320 bytes, which a server's connection does not pay for: it holds no `Entropy`.
    rng: Box<ChaCha12Rng>,
}

impl Entropy {
    /// Starts the generator from 32 bytes that nobody else can guess.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { rng: Box::new(ChaCha12Rng::from_seed(seed)) }
    }

    /// The 16 bytes of `Sec-WebSocket-Key` before base64.
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.rng.fill_bytes(&mut nonce);
        nonce
    }

    /// A number from 0 to `max`, both included, each as likely as the others up to one part in 2^64.
    pub(crate) fn up_to(&mut self, max: u64) -> u64 {
        // The high half of the product scales without the division of a remainder, and without its bias towards small numbers.
        let product = u128::from(self.rng.next_u64()) * (u128::from(max) + 1);
        (product >> 64) as u64
    }

    /// A fresh masking-key for one frame.
    #[inline]
    pub(crate) fn masking_key(&mut self) -> [u8; 4] {
        self.rng.next_u32().to_ne_bytes()
    }
}

impl core::fmt::Debug for Entropy {
    /// Shows nothing of the state: it would let a reader predict masking-keys.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Entropy").finish_non_exhaustive()
    }
}
