//! The options of the examples about compression, and what they configure.

use clap::{Args, ValueEnum};
use sansocket::{ClientConfig, DeflateConfig};

/// What an endpoint offers or accepts of compression.
#[derive(Debug, Clone, Copy, Args)]
pub struct Compression {
    /// Compress messages (permessage-deflate), if the other end does so too.
    #[arg(long)]
    deflate: bool,
    /// Who may keep a window from message to message: fewer bytes on the wire, more in memory.
    #[arg(long, requires = "deflate", value_enum, require_equals = true)]
    #[arg(num_args = 0..=1, default_missing_value = "both")]
    context_takeover: Option<Takeover>,
    /// The largest window to compress with, as a power of two: 8 to 15.
    #[arg(long, requires = "deflate", value_parser = clap::value_parser!(u8).range(8..=15))]
    window_bits: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Takeover {
    Both,
    Server,
    Client,
}

impl Compression {
    /// What to offer or accept; nothing without `--deflate`.
    #[must_use]
    pub fn config(self) -> Option<DeflateConfig> {
        self.deflate.then(|| {
            let mut deflate = DeflateConfig::default();
            let takeover = self.context_takeover;
            deflate.server_no_context_takeover = !matches!(takeover, Some(Takeover::Both | Takeover::Server));
            deflate.client_no_context_takeover = !matches!(takeover, Some(Takeover::Both | Takeover::Client));
            if let Some(bits) = self.window_bits {
                deflate.server_max_window_bits = bits;
                deflate.client_max_window_bits = bits;
            }
            deflate
        })
    }

    /// A client's configuration that offers it.
    #[must_use]
    pub fn client_config(self) -> ClientConfig {
        let mut config = ClientConfig::default();
        config.deflate = self.config();
        config
    }
}
