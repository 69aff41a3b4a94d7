//! What the driver needs of a runtime to listen.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use crate::dial::Dialer;

/// A runtime that can listen on TCP. Implemented once by each adapter, beside [`Dialer`].
pub trait Listen: Dialer {
    /// The runtime's listener.
    type Listener: Send + 'static;

    /// Listens on an address; with port 0 the system chooses one.
    fn listen(address: SocketAddr) -> impl Future<Output = io::Result<Self::Listener>> + Send + 'static;

    /// The address that a listener has.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn local_address(listener: &Self::Listener) -> io::Result<SocketAddr>;

    /// Accepts one TCP connection, and says where it is from. To drop the future must lose none.
    fn accept(
        listener: &mut Self::Listener,
    ) -> impl Future<Output = io::Result<(<Self as Dialer>::Stream, SocketAddr)>> + Send;
}
