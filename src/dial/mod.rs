//! How a client gets to a server: the connect plan as data, without IO.
//!
//! ```text
//!  Resolve ─► Connect, Connect, ... ─► Proxy ─► Tls ─► Handshake ─► Opened
//!             (RFC 8305: they race)   (if any)  (wss)     │
//!     ▲                                                   │
//!     └──────────────── redirect, if allowed ─────────────┘      any of them ─► Failed
//! ```
//!
//! `machine` goes through these steps for one `connect`, with `transitions` from each to the next; `race` finds the address that answers first, from `candidates` in the
//! order of RFC 8305, and `redirect` decides where to go instead. `proxy` has what is said to proxies, and which one is asked.
//! What failed is a `fault` in the words of the layer below, inside a `cause`, with `advice`; the `journal` keeps it, and it ends
//! in an `error`, or else in `dialed`. `config` has the limits.

mod advice;
mod candidates;
mod cause;
mod config;
mod dialed;
mod error;
mod fault;
mod journal;
mod machine;
mod proxy;
mod race;
mod redirect;
mod step;
mod transitions;

pub use candidates::{Addresses, Family};
pub use cause::DialCause;
pub use config::{DialConfig, DialTimeouts, TcpKeepalive, TcpOptions};
pub use dialed::{Dialed, Protocol, Timings, TlsParams};
pub use error::{DialAttempt, DialError};
pub use fault::{ConnectFault, ResolveFault, StepError, TlsFault};
pub use machine::Dial;
pub use proxy::{
    InvalidProxy, InvalidProxyVariable, Proxies, Proxy, ProxyError, ProxyFault, ProxyHandshake, ProxyKind,
    ProxyStep, SocksReply,
};
pub use redirect::{RedirectError, RedirectFault};
pub use step::{AttemptId, DialStep, DialStepKind};
