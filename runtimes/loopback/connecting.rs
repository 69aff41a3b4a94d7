//! On the way to a server: addresses, proxies, redirects, time limits.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener as RawListener, TcpStream as RawStream};
use std::thread;
use std::time::Duration;

use super::proxy::{self, Manner, read_head};
use super::{echo_server, listen, run, runtime};
use crate::runtime::adapter::sansocket::{Addresses, DialStepKind, TcpKeepalive};
use crate::runtime::adapter::{
    CloseCode, Connector, DialError, Error, Message, Proxies, Proxy, WebSocket, connect,
};

/// Sends one message and gets it back.
pub(crate) async fn check_echo(socket: &mut WebSocket) {
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::from("hello")));
}

pub(crate) fn dial_error(connected: Result<WebSocket, Error>) -> DialError {
    match connected {
        Err(Error::Dial(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("connected"),
    }
}

/// A server that answers every request with `answer`, as a plain thread.
fn answering(answer: String) -> SocketAddr {
    let listener = RawListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            if read_head(&mut stream).is_ok() {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    address
}

pub(crate) fn address_of(url: &str) -> SocketAddr {
    url.trim_start_matches("ws://").parse().unwrap()
}

#[test]
fn nobody_listens() {
    run(async {
        let (listener, address) = listen().await;
        drop(listener);
        let error = dial_error(connect(&format!("ws://{address}")).await);
        assert_eq!(error.code(), "refused", "{error}");
        assert_eq!(error.decisive().address(), Some(address));
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    });
}

#[test]
fn a_connection_says_how_it_was_made() {
    run(async {
        let url = echo_server().await;
        let mut socket = connect(&format!("{url}/chat?token=secret")).await.unwrap();
        let dialed = socket.dialed().unwrap();
        assert_eq!(dialed.address, address_of(&url));
        assert_eq!((dialed.proxy.as_deref(), dialed.failed.len(), dialed.redirects.len()), (None, 0, 0));
        assert!(dialed.timings.resolve.is_none() && dialed.timings.tls.is_none());
        assert!(dialed.timings.connect.is_some() && dialed.timings.handshake.is_some());
        check_echo(&mut socket).await;
    });
}

#[test]
fn a_name_with_an_address_that_refuses_is_reached_by_another() {
    run(async {
        let url = echo_server().await;
        let port = address_of(&url).port();
        let mut socket = connect(&format!("ws://localhost:{port}")).await.unwrap();
        let dialed = socket.dialed().unwrap();
        assert_eq!(dialed.address, address_of(&url));
        assert!(dialed.timings.resolve.is_some());
        // Where the machine knows `localhost` as ::1 too, nobody listens there.
        for attempt in &dialed.failed {
            assert_eq!(attempt.address(), Some(SocketAddr::new("::1".parse().unwrap(), port)), "{attempt}");
        }
        check_echo(&mut socket).await;
    });
}

#[test]
fn a_name_that_does_not_exist() {
    run(async {
        let error = dial_error(connect("ws://no-such-host.invalid/").await);
        assert_eq!(error.decisive().step(), DialStepKind::Resolve, "{error}");
        assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
    });
}

#[test]
fn only_the_wanted_family_is_tried() {
    run(async {
        let port = address_of(&echo_server().await).port();
        let mut connector = Connector::default();
        connector.dial.addresses = Addresses::OnlyIpv6;
        let error = dial_error(connector.connect(&format!("ws://localhost:{port}")).await);
        assert!(
            matches!(error.code(), "refused" | "dns-no-address" | "unreachable" | "address-not-available"),
            "{error}"
        );
        assert!(error.attempts().iter().all(|a| a.address().is_none_or(|a| a.is_ipv6())), "{error}");
    });
}

#[test]
fn tcp_gets_its_options() {
    run(async {
        let mut connector = Connector::default();
        connector.dial.tcp.nodelay = false;
        connector.dial.tcp.keepalive = Some(TcpKeepalive {
            idle: Duration::from_secs(60),
            interval: Some(Duration::from_secs(5)),
            retries: Some(3),
        });
        let url = echo_server().await;
        check_echo(&mut connector.connect(&url).await.unwrap()).await;
        for nodelay in [true, false] {
            assert_eq!(runtime::nodelay(address_of(&url), nodelay).await, nodelay);
        }
    });
}

#[test]
fn a_proxy_that_lets_everybody_through() {
    run(async {
        let server = address_of(&echo_server().await);
        for (scheme, proxy) in
            [("http", proxy::http(Manner::Open, server)), ("socks5", proxy::socks(Manner::Open, server))]
        {
            let mut connector = Connector::default();
            connector.dial.proxy = parse(&format!("{scheme}://{}", proxy.address));
            let mut socket = connector.connect("ws://some.server.invalid:8080/chat").await.unwrap();
            let dialed = socket.dialed().unwrap();
            assert_eq!(dialed.address, proxy.address);
            assert_eq!(dialed.proxy.as_deref(), Some(&*format!("{scheme}://{}", proxy.address)));
            assert!(dialed.timings.proxy.is_some());
            check_echo(&mut socket).await;
            // The proxy resolves the name.
            assert_eq!(*proxy.targets.lock().unwrap(), ["some.server.invalid:8080"]);
            socket.close(CloseCode::NORMAL, "").await.unwrap();
        }
    });
}

#[test]
fn a_proxy_that_wants_credentials() {
    run(async {
        let server = address_of(&echo_server().await);
        for (scheme, proxy) in [
            ("http", proxy::http(Manner::Guarded, server)),
            ("socks5", proxy::socks(Manner::Guarded, server)),
        ] {
            for (credentials, opens) in [("user:p%40ss@", true), ("user:wrong@", false), ("", false)] {
                let mut connector = Connector::default();
                connector.dial.proxy = parse(&format!("{scheme}://{credentials}{}", proxy.address));
                let connected = connector.connect(&format!("ws://{server}")).await;
                if opens {
                    check_echo(&mut connected.unwrap()).await;
                    continue;
                }
                let error = dial_error(connected);
                assert_eq!(error.code(), "proxy-auth", "{error}");
                assert!(!error.report().contains("wrong"), "{}", error.report());
            }
        }
    });
}

#[test]
fn proxies_that_do_not_do_it() {
    run(async {
        let server = address_of(&echo_server().await);
        for (manner, code) in [
            (Manner::Refusing, "proxy-refused"),
            (Manner::Closing, "proxy-closed"),
            (Manner::Silent, "proxy-timeout"),
        ] {
            for (scheme, proxy) in
                [("http", proxy::http(manner, server)), ("socks5", proxy::socks(manner, server))]
            {
                let mut connector = Connector::default();
                connector.dial.proxy = parse(&format!("{scheme}://{}", proxy.address));
                connector.dial.timeouts.proxy = Some(Duration::from_millis(100));
                let error = dial_error(connector.connect(&format!("ws://{server}")).await);
                assert_eq!(error.code(), code, "{scheme}: {error}");
                assert_eq!(error.decisive().address(), Some(proxy.address));
            }
        }
    });
}

#[test]
fn a_redirect_is_an_error_unless_it_is_allowed() {
    run(async {
        let target = echo_server().await;
        let redirecting = answering(format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: {target}/there\r\nContent-Length: 0\r\n\r\n"
        ));
        let mut connector = Connector::default();
        let error = dial_error(connector.connect(&format!("ws://{redirecting}/here")).await);
        assert_eq!(error.handshake().unwrap().code(), "redirected", "{error}");
        connector.dial.redirects = 1;
        let mut socket = connector.connect(&format!("ws://{redirecting}/here")).await.unwrap();
        let dialed = socket.dialed().unwrap();
        assert_eq!(dialed.address, address_of(&target));
        assert_eq!(dialed.redirects.len(), 1);
        check_echo(&mut socket).await;
    });
}

#[test]
fn redirects_without_end_are_given_up() {
    run(async {
        let one = answering("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".into());
        let mut connector = Connector::default();
        connector.dial.redirects = 10;
        let error = dial_error(connector.connect(&format!("ws://{one}/")).await);
        assert_eq!(error.code(), "redirect-loop", "{error}");
    });
}

#[cfg(not(feature = "tls"))]
#[test]
fn wss_without_tls_sends_nothing() {
    run(async {
        let (address, seen) = recorder();
        let error = dial_error(connect(&format!("wss://{address}/")).await);
        assert_eq!(error.code(), "tls-unavailable", "{error}");
        assert_eq!(seen.join().unwrap(), b"");
    });
}

/// A server that notes all that one client sends until it ends its stream.
pub(crate) fn recorder() -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
    let listener = RawListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (mut seen, mut block) = (Vec::new(), [0; 4096]);
        while let Ok(len @ 1..) = stream.read(&mut block) {
            seen.extend(&block[..len]);
        }
        seen
    });
    (address, seen)
}

#[test]
fn many_clients_by_one_connector() {
    run(async {
        let url = echo_server().await;
        let connector = Connector::default();
        for _ in 0..20 {
            check_echo(&mut connector.connect(&url).await.unwrap()).await;
        }
        assert!(RawStream::connect(address_of(&url)).is_ok());
    });
}

pub(crate) fn parse(proxy: &str) -> Proxies {
    proxy.parse::<Proxy>().unwrap().into()
}
