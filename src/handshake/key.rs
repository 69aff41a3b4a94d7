//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 sections 4.1, 4.2.1 and 4.2.2).

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use sha1::block_api::compress;
use sha1::{Digest, Sha1};

use crate::handshake::characters::Characters;

/// Bytes of a `Sec-WebSocket-Accept` value: SHA-1 in base64.
pub(crate) const ACCEPT_LEN: usize = 28;

/// Bytes of a decoded key.
pub(crate) const NONCE_LEN: usize = 16;

/// Bytes of a `Sec-WebSocket-Key` value.
const KEY_LEN: usize = 24;

/// The `Sec-WebSocket-Key` that carries `nonce`.
//= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
//# The value of this header field MUST be a
//# nonce consisting of a randomly selected 16-byte value that has
//# been base64-encoded (see Section 4 of [RFC4648]).
pub(crate) fn encode_nonce(nonce: [u8; NONCE_LEN]) -> [u8; KEY_LEN] {
    let mut key = [0; KEY_LEN];
    let written = BASE64.encode_slice(nonce, &mut key);
    debug_assert_eq!(written, Ok(KEY_LEN));
    key
}

/// The `Sec-WebSocket-Accept` that answers `key`, which is taken as it was sent and not decoded.
//= https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2
//# The value of this
//# header field is constructed by concatenating /key/, defined
//# above in step 4 in Section 4.2.2, with the string "258EAFA5-
//# E914-47DA-95CA-C5AB0DC85B11", taking the SHA-1 hash of this
//# concatenated value to obtain a 20-byte value and base64-
//# encoding (see Section 4 of [RFC4648]) this 20-byte hash.
pub(crate) fn accept_value(key: &[u8]) -> [u8; ACCEPT_LEN] {
    let hash = match key.try_into() {
        Ok(key) => hash_usual(key),
        Err(_) => Sha1::new().chain_update(key).chain_update(GUID).finalize().into(),
    };
    let mut accept = [0; ACCEPT_LEN];
    let written = BASE64.encode_slice(hash, &mut accept);
    debug_assert_eq!(written, Ok(ACCEPT_LEN));
    accept
}

/// The SHA-1 hash of `key` and the GUID. As their length is known, so is every other bit of the two blocks.
fn hash_usual(key: &[u8; KEY_LEN]) -> [u8; 20] {
    let mut blocks = PADDED;
    if let Some(start) = blocks.as_flattened_mut().first_chunk_mut() {
        *start = *key;
    }
    // RFC 3174 section 6.1.
    let mut state = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    compress(&mut state, &blocks);
    let mut hash = [0; 20];
    for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// How many bytes `key` decodes to, or `None` if it is not base64.
pub(crate) fn decoded_len(key: &[u8]) -> Option<usize> {
    // Almost all keys are right, which shows without decoding them: 22 characters and the padding.
    if let Some((characters, b"==")) = key.split_first_chunk::<{ KEY_LEN - 2 }>() {
        if Characters::BASE64.contain_all(characters) {
            return Some(NONCE_LEN);
        }
    }
    BASE64.decode(key).ok().map(|decoded| decoded.len())
}

const GUID: &[u8; 36] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What is hashed for a key of the usual length, with zeros in its place: the GUID, a bit 1, zeros, and how many bits came before
/// them (RFC 3174 section 4).
const PADDED: [[u8; 64]; 2] = {
    let mut blocks = [[0; 64]; 2];
    let mut at = 0;
    while at < GUID.len() {
        blocks[0][KEY_LEN + at] = GUID[at];
        at += 1;
    }
    blocks[0][KEY_LEN + GUID.len()] = 0x80;
    let [.., high, low] = ((KEY_LEN + GUID.len()) as u64 * 8).to_be_bytes();
    (blocks[1][62], blocks[1][63]) = (high, low);
    blocks
};

/// Forgives bits behind the last byte: the example in RFC 6455 section 4.1, item 7, had them set before erratum 3150, and was copied.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(&accept_value(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(&encode_nonce(*b"the sample nonce"), b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(decoded_len(b"AQIDBAUGBwgJCgsMDQ4PEC=="), Some(NONCE_LEN));
    }

    #[test]
    fn a_key_of_the_usual_length_is_hashed_as_any_other() {
        for seed in 0..=u8::MAX {
            let key = core::array::from_fn(|at| seed.wrapping_mul(31).wrapping_add(at as u8));
            let expected: [u8; 20] = Sha1::new().chain_update(key).chain_update(GUID).finalize().into();
            assert_eq!(hash_usual(&key), expected);
        }
    }

    #[test]
    fn decoded_length_tells_short_keys_from_text_that_is_not_base64() {
        assert_eq!(decoded_len(b"dGhlIHNhbXBsZSBub25jZQ=="), Some(16));
        assert_eq!(decoded_len(b"SGVsbG8sIHdvcmxkIQ=="), Some(13));
        assert_eq!(decoded_len(b"AAAAAAAAAAAAAAAAAAAAAAAA"), Some(18));
        assert_eq!(decoded_len(b""), Some(0));
        assert_eq!(decoded_len(b"dGhlIHNhbXBsZSBub25jZQ"), None, "padding is not optional");
        assert_eq!(decoded_len(b"dGhlIHNhbXBsZSBub25jZR=="), Some(16), "bits behind the last byte are set");
        assert_eq!(decoded_len(b"dGhl IHNhbXBsZSBub25jZQ=="), None);
    }
}
