//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 sections 4.1, 4.2.1 and 4.2.2).

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest, Sha1};

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
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let mut accept = [0; ACCEPT_LEN];
    let written = BASE64.encode_slice(hash.finalize(), &mut accept);
    debug_assert_eq!(written, Ok(ACCEPT_LEN));
    accept
}

/// How many bytes `key` decodes to, or `None` if it is not base64.
pub(crate) fn decoded_len(key: &[u8]) -> Option<usize> {
    // Almost all keys are right, which shows without decoding them: 22 characters and the padding.
    if let Some((characters, b"==")) = key.split_last_chunk::<2>() {
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        if key.len() == KEY_LEN && characters.iter().all(is_base64) {
            return Some(NONCE_LEN);
        }
    }
    BASE64.decode(key).ok().map(|decoded| decoded.len())
}

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Forgives bits behind the last byte: even the example in RFC 6455 section 4.1, item 7, has them set.
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
