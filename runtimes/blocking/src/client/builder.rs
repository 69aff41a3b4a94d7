//! Everything that can be set about a client that connects again.

use std::ops::{Deref, DerefMut};

use sansocket::UrlError;
use sansocket_driver::Error;

use super::Client;
use crate::runtime::Blocking;

/// Options of a [`Client`]. Methods are for what most clients set; all the rest is in the fields, which are those of
/// [`sansocket_driver::ClientBuilder`].
///
/// ```
/// # fn build() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use sansocket_blocking::{Client, QueuePolicy};
///
/// let mut builder = Client::builder()
///     .server("wss://a.example.com/feed")?
///     .server("wss://b.example.com/feed")?
///     .connection_timeout(Duration::from_secs(5))
///     .heartbeat_interval(Duration::from_secs(10))
///     .queue(QueuePolicy::DropOldest);
/// builder.session.stable_after = Duration::from_secs(60);
/// builder.dial.redirects = 3;
/// let client = builder.build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    inner: sansocket_driver::ClientBuilder<Blocking>,
}

impl Deref for ClientBuilder {
    type Target = sansocket_driver::ClientBuilder<Blocking>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for ClientBuilder {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl ClientBuilder {
    /// Adds a server, by its URL. The first is preferred, the next takes over when it fails.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, and where.
    pub fn server(self, url: &str) -> Result<Self, UrlError> {
        Ok(Self { inner: self.inner.server(url)? })
    }

    sansocket_driver::client_options!(inner);

    /// The client. It begins to connect with the first call that waits, and gives up at once if it has no server.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the operating system has no random bytes.
    pub fn build(self) -> Result<Client, Error> {
        Ok(Client { inner: self.inner.build()? })
    }
}
