//! tokio, async-std and smol behind one trait, so that a program is written once and runs on all of them.
//!
//! A program of your own has one runtime and needs nothing of this: it calls `sansocket_tokio::connect` and the like. That the
//! functions of all adapters have the same names and types is what makes this file short.

use std::future::Future;
use std::io;
use std::net::TcpStream;

use clap::ValueEnum;
use sansocket::{Accept, ClientConfig, ClientRequest, Reject, Request, ServerConfig};
use sansocket_driver::{Dialer, Error, MaybeTls};

/// An async runtime together with its adapter.
pub trait Runtime: 'static {
    /// The runtime's name.
    const NAME: &'static str;
    /// The runtime's TCP stream.
    type Stream: Send + 'static;
    /// What the adapter implements the driver's traits on.
    type Adapter: Dialer<Stream = Self::Stream>;

    /// Runs `future` to its end on this thread.
    fn block_on<T>(future: impl Future<Output = T>) -> T;

    /// The runtime's own stream of a connected socket.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn stream(tcp: TcpStream) -> io::Result<Self::Stream>;

    /// The adapter's `connect_with`.
    fn connect_with(
        request: &ClientRequest,
        config: &ClientConfig,
    ) -> impl Future<Output = Result<WebSocket<Self>, Error>>;

    /// The adapter's `accept_with`.
    fn accept_with(
        stream: MaybeTls<Self::Stream, Self::Adapter>,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> impl Future<Output = Result<WebSocket<Self>, Error>>;
}

/// An open WebSocket on the runtime `R`, plain or inside of TLS.
pub type WebSocket<R> = sansocket_driver::WebSocket<
    MaybeTls<<R as Runtime>::Stream, <R as Runtime>::Adapter>,
    <R as Runtime>::Adapter,
>;

/// The runtime tokio.
pub enum Tokio {}

impl Runtime for Tokio {
    const NAME: &'static str = "tokio";
    type Stream = tokio::net::TcpStream;
    type Adapter = sansocket_tokio::Tokio;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("the operating system has an event queue for tokio").block_on(future)
    }

    fn stream(tcp: TcpStream) -> io::Result<Self::Stream> {
        tcp.set_nonblocking(true)?;
        Self::Stream::from_std(tcp)
    }

    async fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Result<WebSocket<Self>, Error> {
        sansocket_tokio::connect_with(request, config).await
    }

    async fn accept_with(
        stream: MaybeTls<Self::Stream, Self::Adapter>,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> Result<WebSocket<Self>, Error> {
        sansocket_tokio::accept_with(stream, config, decide).await
    }
}

/// The runtime async-std.
pub enum AsyncStd {}

impl Runtime for AsyncStd {
    const NAME: &'static str = "async-std";
    type Stream = async_std::net::TcpStream;
    type Adapter = sansocket_async_std::AsyncStd;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        async_std::task::block_on(future)
    }

    fn stream(tcp: TcpStream) -> io::Result<Self::Stream> {
        Ok(tcp.into())
    }

    async fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Result<WebSocket<Self>, Error> {
        sansocket_async_std::connect_with(request, config).await
    }

    async fn accept_with(
        stream: MaybeTls<Self::Stream, Self::Adapter>,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> Result<WebSocket<Self>, Error> {
        sansocket_async_std::accept_with(stream, config, decide).await
    }
}

/// The runtime smol.
pub enum Smol {}

impl Runtime for Smol {
    const NAME: &'static str = "smol";
    type Stream = smol::net::TcpStream;
    type Adapter = sansocket_smol::Smol;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        smol::block_on(future)
    }

    fn stream(tcp: TcpStream) -> io::Result<Self::Stream> {
        smol::Async::new(tcp).map(Self::Stream::from)
    }

    async fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Result<WebSocket<Self>, Error> {
        sansocket_smol::connect_with(request, config).await
    }

    async fn accept_with(
        stream: MaybeTls<Self::Stream, Self::Adapter>,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> Result<WebSocket<Self>, Error> {
        sansocket_smol::accept_with(stream, config, decide).await
    }
}

/// The value of the option `--runtime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RuntimeName {
    /// [`Tokio`].
    Tokio,
    /// [`AsyncStd`].
    AsyncStd,
    /// [`Smol`].
    Smol,
    /// None: a thread whose calls block.
    Blocking,
}
