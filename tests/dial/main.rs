//! How a client gets to its server: addresses, proxies, TLS, redirects, and the time for each of them. Without IO.

mod credentials;
mod errors;
mod happy_eyeballs;
mod http_connect;
mod limits;
mod no_proxy;
mod order;
mod proxies;
mod proxy_splits;
mod redirects;
mod resolving;
mod socks;
mod support;
mod urls;
