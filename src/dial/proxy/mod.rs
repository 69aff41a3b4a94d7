//! Proxies: where they are (`address`), which one is asked for which server (`choice`, `no_proxy`), and what is said to them:
//! HTTP CONNECT (`http`) or SOCKS5 (`socks`), as one `handshake` with one `error`.

mod address;
mod choice;
mod error;
mod handshake;
mod http;
mod no_proxy;
mod socks;

pub use address::{InvalidProxy, Proxy, ProxyKind};
pub use choice::{InvalidProxyVariable, Proxies};
pub use error::{ProxyError, ProxyFault, SocksReply};
pub use handshake::{ProxyHandshake, ProxyStep};
