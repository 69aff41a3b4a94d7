//! Options of a TCP socket.

use std::io;

use sansocket::TcpOptions;
use socket2::{SockRef, TcpKeepalive};

/// Sets what a client wants of its TCP socket: for adapters, whose own types have less.
///
/// # Errors
///
/// Those of the operating system.
pub fn set_tcp_options<'s, S>(socket: &'s S, options: TcpOptions) -> io::Result<()>
where
    SockRef<'s>: From<&'s S>,
{
    let socket = SockRef::from(socket);
    socket.set_tcp_nodelay(options.nodelay)?;
    if let Some(keepalive) = options.keepalive {
        let mut probes = TcpKeepalive::new().with_time(keepalive.idle);
        if let Some(interval) = keepalive.interval {
            probes = with_interval(probes, interval);
        }
        if let Some(retries) = keepalive.retries {
            probes = with_retries(probes, retries);
        }
        socket.set_tcp_keepalive(&probes)?;
    }
    Ok(())
}

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    windows
))]
fn with_interval(probes: TcpKeepalive, interval: std::time::Duration) -> TcpKeepalive {
    probes.with_interval(interval)
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    windows
)))]
fn with_interval(probes: TcpKeepalive, _interval: std::time::Duration) -> TcpKeepalive {
    probes
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd"))]
fn with_retries(probes: TcpKeepalive, retries: u32) -> TcpKeepalive {
    probes.with_retries(retries)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd")))]
fn with_retries(probes: TcpKeepalive, _retries: u32) -> TcpKeepalive {
    probes
}
