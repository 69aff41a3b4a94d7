//! What an endpoint offers or accepts of permessage-deflate, and how it compresses.

use core::fmt;

use super::params::{MAX_BITS, MIN_BITS};
use super::pool::Pool;

/// Compression of messages (permessage-deflate, [RFC 7692]): what to offer or accept, and how to compress.
///
/// Set it in [`ServerConfig::deflate`](crate::ServerConfig::deflate) or [`ClientConfig::deflate`](crate::ClientConfig::deflate); without it, a
/// server declines every offer and a client makes none.
///
/// ```
/// use sansocket::{DeflateConfig, ServerConfig};
///
/// let mut config = ServerConfig::default();
/// config.deflate = Some(DeflateConfig::default());
/// ```
///
/// # Memory
///
/// As it is by default, each message is compressed on its own, and a connection holds no window while no compressed message is
/// arriving or leaving: all connections whose configuration is a clone of one share a few. With context takeover, messages
/// become smaller, most of all short ones that resemble each other, and each connection that has received or sent a
/// compressed message holds its windows until it ends.
///
/// # Secrets
///
/// Where a message holds both a secret and text that somebody else chose, the length of what is sent says something about the
/// secret (as in the attacks CRIME and BREACH). Send such messages uncompressed: see
/// [`Sender::set_compression`](crate::Sender::set_compression).
///
/// [RFC 7692]: https://www.rfc-editor.org/rfc/rfc7692
#[derive(Clone)]
#[non_exhaustive]
pub struct DeflateConfig {
    /// How hard to try, from 0 (do not compress) to 9. Default 3: on JSON, within a tenth of the size that level 9
    /// reaches and several times as fast. Values over 9 count as 9.
    pub level: u8,
    /// How much memory a compressor uses for finding repetitions, from 1 to 9. Default 5. Values outside count as the nearest.
    pub mem_level: u8,
    /// Whole messages of fewer bytes are sent uncompressed. Default 256: below, on its own, a message rarely becomes
    /// smaller by what it costs.
    pub min_len: usize,
    /// The server compresses each message on its own (`server_no_context_takeover`). Default `true`. A server says and does so;
    /// a client asks for it.
    pub server_no_context_takeover: bool,
    /// The client compresses each message on its own (`client_no_context_takeover`). Default `true`. A client says and does so;
    /// a server asks for it.
    pub client_no_context_takeover: bool,
    /// The base-2 logarithm of the window, in bytes, with which the server may compress at most (`server_max_window_bits`), 8
    /// to 15. Default 15. A client asks for it if it is less. Values outside count as the nearest.
    pub server_max_window_bits: u8,
    /// The same for the client (`client_max_window_bits`). A server asks for it if it is less, where the client permits it.
    pub client_max_window_bits: u8,
    /// For a client: whether to offer a second set of parameters, without `server_no_context_takeover` and
    /// `server_max_window_bits`, to servers that cannot do these. Default `true`. If not, the server's answer must have what was asked
    /// for, or the handshake fails.
    pub fallback: bool,
    /// How many unused compressors, and how many unused decompressors, are kept for the next message that needs one,
    /// over all connections. Default 8.
    pub spare_contexts: usize,
    pub(super) pool: Pool,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            level: 3,
            mem_level: 5,
            min_len: 256,
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: MAX_BITS,
            client_max_window_bits: MAX_BITS,
            fallback: true,
            spare_contexts: 8,
            pool: Pool::default(),
        }
    }
}

impl DeflateConfig {
    /// With context takeover in both directions, for fewer bytes on the wire and more in memory.
    #[must_use]
    pub fn with_context_takeover() -> Self {
        Self { server_no_context_takeover: false, client_no_context_takeover: false, ..Self::default() }
    }

    pub(super) fn server_bits(&self) -> u8 {
        self.server_max_window_bits.clamp(MIN_BITS, MAX_BITS)
    }

    pub(super) fn client_bits(&self) -> u8 {
        self.client_max_window_bits.clamp(MIN_BITS, MAX_BITS)
    }
}

impl fmt::Debug for DeflateConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeflateConfig")
            .field("level", &self.level)
            .field("mem_level", &self.mem_level)
            .field("min_len", &self.min_len)
            .field("server_no_context_takeover", &self.server_no_context_takeover)
            .field("client_no_context_takeover", &self.client_no_context_takeover)
            .field("server_max_window_bits", &self.server_max_window_bits)
            .field("client_max_window_bits", &self.client_max_window_bits)
            .field("fallback", &self.fallback)
            .field("spare_contexts", &self.spare_contexts)
            .finish_non_exhaustive()
    }
}
