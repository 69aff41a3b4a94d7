//! Getting to a server: what the driver needs of a runtime for it (`Dialer`), the options (`Connector`), and the `plan` of the
//! core executed, with the `race` of its connections.

mod connector;
mod plan;
mod race;
mod tcp;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use sansocket::{Addresses, TcpOptions};

use crate::maybe_tls::MaybeTls;
use crate::runtime::Transport;

pub use connector::Connector;
pub use tcp::set_tcp_options;

/// A runtime that can find addresses and connect TCP. Implemented once by each adapter, beside
/// [`Runtime`](crate::Runtime).
///
/// Several of these futures run at once inside of one task. To drop one gives up what it does, and closes what it holds.
pub trait Dialer:
    Transport<<Self as Dialer>::Stream> + Transport<MaybeTls<<Self as Dialer>::Stream, Self>>
{
    /// The runtime's TCP stream.
    type Stream: Send + Unpin + 'static;

    /// Finds the addresses of `host`, each with `port`. Of families that `addresses` does not want, none need be found.
    fn resolve(
        host: String,
        port: u16,
        addresses: Addresses,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static;

    /// Connects TCP to one address, with these options set before a byte is sent ([`set_tcp_options`]).
    fn connect(
        address: SocketAddr,
        tcp: TcpOptions,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send + 'static;
}
