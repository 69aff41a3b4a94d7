//! A `Server` over loopback TCP: its limits, its end, TLS, and handlers that panic or take their time. Each adapter with futures includes this
//! file beside `mod.rs`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as RawStream};
use std::thread;
use std::time::Duration;

#[cfg(feature = "tls")]
use super::list::certificates::Authority;
use super::list::connecting::{check_echo, dial_error};
#[cfg(feature = "tls")]
use super::list::secure::{LOCAL, acceptor, trusting};
use super::list::{REQUEST, listen};
use super::runtime::adapter::{
    Accept, Answer, CloseCode, Error, Message, Reject, Server, ServerBuilder, ServerHandle, WebSocket,
    connect,
};
use super::runtime::{self, run, spawn};

fn options() -> ServerBuilder {
    Server::bind("127.0.0.1:0")
}

/// Starts a server that echoes.
async fn echo(options: ServerBuilder) -> (ServerHandle, String) {
    let server = options.on_connection(|mut socket, info| async move {
        assert_eq!(info.local_address.ip(), info.peer_address.ip());
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok::<(), Error>(())
    });
    let handle = server.start().await.unwrap();
    let url = format!("ws://{}", address(&handle));
    (handle, url)
}

fn address(handle: &ServerHandle) -> SocketAddr {
    handle.local_addresses()[0]
}

/// Waits for what other tasks do.
async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        // Real sockets and tasks: there is no virtual time for them.
        runtime::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came so far");
}

/// With which code the server has closed, after nothing else.
async fn close_code(socket: &mut WebSocket) -> Option<CloseCode> {
    let received = socket.recv().await;
    assert!(!matches!(received, Ok(Some(_))), "{received:?}");
    Some(socket.closed()?.received.as_ref()?.code())
}

/// A client that cannot be served: the status, and the sentence that it is told.
async fn refusal(url: &str) -> (Option<u16>, String) {
    let error = dial_error(connect(url).await);
    (error.handshake().unwrap().status(), error.to_string())
}

#[test]
fn a_server_echoes_counts_and_ends() {
    run(async {
        let (server, url) = echo(options()).await;
        let mut sockets = Vec::new();
        for _ in 0..10 {
            let mut socket = connect(&url).await.unwrap();
            check_echo(&mut socket).await;
            sockets.push(socket);
        }
        assert_eq!((server.counts().open, server.counts().accepted), (10, 10));
        sockets.pop().unwrap().close(CloseCode::NORMAL, "").await.unwrap();
        until(|| server.counts().closed == 1).await;

        let mut clients = Vec::new();
        for mut socket in sockets {
            clients.push(spawn(async move {
                let code = close_code(&mut socket).await;
                assert!(socket.closed().unwrap().is_clean());
                code
            }));
        }
        let report = server.shutdown().await;
        assert_eq!((report.closed, report.ended, report.cut_off), (9, 0, 0), "{report:?}");
        for client in clients {
            assert_eq!(runtime::join(client).await, Some(CloseCode::GOING_AWAY));
        }
        let error = dial_error(connect(&url).await);
        assert_eq!(error.code(), "refused", "nobody listens any more: {error}");
    });
}

#[test]
fn who_is_one_too_many_is_told_so_and_may_come_again() {
    run(async {
        for (options, why) in [
            (options().max_connections(2), "The server has as many connections as it may have."),
            (
                options().max_connections_per_address(2),
                "Your address has as many connections to this server as it may have.",
            ),
            (options().max_memory(2 * 8192 + 1000), "The server has no memory left for another connection."),
        ] {
            let (server, url) = echo(options).await;
            let (mut first, mut second) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
            let (status, text) = refusal(&url).await;
            assert_eq!(status, Some(503), "{text}");
            assert!(text.contains(why), "{text}");
            check_echo(&mut first).await;
            first.close(CloseCode::NORMAL, "").await.unwrap();
            until(|| server.counts().open == 1).await;
            let mut third = connect(&url).await.unwrap();
            check_echo(&mut third).await;
            check_echo(&mut second).await;
            until(|| (server.counts().refused.total(), server.counts().unopened) == (1, 1)).await;
        }
    });
}

#[test]
fn a_peer_that_is_stuck_is_cut_off_and_newcomers_are_refused_meanwhile() {
    run(async {
        let (server, url) = echo(options()).await;
        let mut stuck = RawStream::connect(address(&server)).unwrap();
        stuck.write_all(REQUEST).unwrap();
        let mut good = connect(&url).await.unwrap();
        until(|| server.counts().open == 2).await;
        let end = server.drain(Duration::from_secs(2));
        assert_eq!(close_code(&mut good).await, Some(CloseCode::GOING_AWAY));
        let (status, text) = refusal(&url).await;
        assert_eq!(status, Some(503), "{text}");
        assert!(text.contains("The server is shutting down."), "{text}");
        let report = end.await;
        assert_eq!((report.closed, report.cut_off, report.refused), (1, 1, 1), "{report:?}");
        assert!(report.elapsed >= Duration::from_secs(2), "{report:?}");
        let seen = thread::spawn(move || {
            let mut seen = Vec::new();
            let _ = stuck.read_to_end(&mut seen);
            seen
        });
        let seen = seen.join().unwrap();
        assert!(seen.windows(2).any(|code| code == 1001_u16.to_be_bytes()), "it was told, too");
        until(|| server.counts().cut_off == 1).await;
    });
}

#[test]
fn a_silent_client_is_given_up_within_the_time_limit() {
    run(async {
        let mut options = options();
        options.config.timeouts.handshake = Some(Duration::from_secs(2));
        options.limits.handshakes_per_address = 1;
        let (server, url) = echo(options).await;
        let mut silent = RawStream::connect(address(&server)).unwrap();
        until(|| server.counts().handshaking == 1).await;
        let mut refused = RawStream::connect(address(&server)).unwrap();
        let read = |stream: &mut RawStream| stream.read(&mut [0; 100]).map_err(|error| error.kind());
        assert!(matches!(read(&mut refused), Ok(0) | Err(_)), "closed without a word");
        assert!(matches!(read(&mut silent), Ok(0) | Err(_)));
        until(|| server.counts().unopened == 1).await;
        check_echo(&mut connect(&url).await.unwrap()).await;
        assert_eq!(server.counts().refused.handshakes_of_address, 1);
    });
}

#[test]
fn handlers_that_panic_or_take_their_time_hold_nobody_up() {
    run(async {
        let server = options().on_connection(|mut socket, info| async move {
            match info.request.target() {
                "/panic" => panic!("a handler that panics, as this test wants it"),
                "/slow" => runtime::sleep(Duration::from_secs(3600)).await,
                _ => {}
            }
            while let Ok(Some(message)) = socket.recv().await {
                let _ = socket.send(message).await;
            }
        });
        let server = server.start().await.unwrap();
        let url = |path: &str| format!("ws://{}{path}", address(&server));
        let mut slow = connect(&url("/slow")).await.unwrap();
        let mut other = connect(&url("/")).await.unwrap();
        let mut panics = connect(&url("/panic")).await.unwrap();
        assert_eq!(close_code(&mut panics).await, Some(CloseCode::INTERNAL_ERROR));
        check_echo(&mut other).await;
        until(|| server.counts().panicked == 1).await;
        // Its peer is told although its handler does not listen, and then the time is over.
        let end = server.drain(Duration::from_millis(200));
        let (code, report) = (close_code(&mut slow).await, end.await);
        assert_eq!(code, Some(CloseCode::GOING_AWAY));
        assert_eq!(report.cut_off, 2, "the other client did not answer, and the handler did not return");
    });
}

#[test]
fn a_message_that_has_no_room_is_answered_with_1013() {
    run(async {
        let (server, url) = echo(options().max_memory(2 * 8192 + 100_000)).await;
        let (mut greedy, mut other) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
        let large = Message::from(vec![b'x'; 8 * 1024 * 1024]);
        // It may notice while it sends.
        let _ = greedy.send(large).await;
        assert_eq!(close_code(&mut greedy).await, Some(CloseCode::TRY_AGAIN_LATER));
        assert_eq!(server.counts().out_of_memory, 1);
        check_echo(&mut other).await;
        drop((greedy, other));
        until(|| server.counts().memory == 0).await;
    });
}

#[test]
fn a_health_check_is_answered_beside() {
    run(async {
        let options = options().max_connections(0).answer_http(|request, server| match request.target() {
            "/healthz" => Answer::new(200).body("text/plain", server.counts().open.to_string()).unwrap(),
            _ => Answer::new(404),
        });
        let (server, _) = echo(options).await;
        let address = address(&server);
        let answer = thread::spawn(move || {
            let mut stream = RawStream::connect(address).unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let answer = answer.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n0"), "{answer}");
    });
}

/// A server that looks up a token, which takes a while or for ever.
fn looking_up() -> ServerBuilder {
    options().decide_async(|info| async move {
        let token = info.request.query();
        let takes = if token == Some("token=late") { 3_600_000 } else { 20 };
        runtime::sleep(Duration::from_millis(takes)).await;
        match token {
            Some("token=good") => Ok(Accept::new()),
            Some("token=panic") => panic!("a decision that panics, as this test wants it"),
            _ => Err(Reject::unauthorized("Bearer").unwrap()),
        }
    })
}

#[test]
fn a_decision_that_takes_too_long_is_not_waited_for() {
    run(async {
        let mut options = looking_up();
        options.config.timeouts.handshake = Some(Duration::from_millis(300));
        let (server, url) = echo(options).await;
        let (status, text) = refusal(&format!("{url}/?token=late")).await;
        assert_eq!((status, server.counts().decided_too_late), (Some(503), 1), "{text}");
        assert!(text.contains("The server is too busy."), "{text}");
        assert_eq!(server.counts().open, 0);
    });
}

#[test]
fn decisions_that_take_their_time() {
    run(async {
        let (server, url) = echo(looking_up()).await;
        let with = |token: &str| format!("{url}/?token={token}");
        let mut good = connect(&with("good")).await.unwrap();
        assert_eq!(refusal(&with("bad")).await.0, Some(401));
        assert_eq!(refusal(&with("panic")).await.0, Some(500));
        check_echo(&mut good).await;
        // Two who wait: one goes away, and one is there when the server begins to end.
        let late = with("late");
        let mut gone = RawStream::connect(address(&server)).unwrap();
        let request = String::from_utf8_lossy(REQUEST).replacen("GET / ", "GET /?token=late ", 1);
        gone.write_all(request.as_bytes()).unwrap();
        until(|| server.counts().open == 2).await;
        drop(gone);
        until(|| server.counts().open == 1).await;
        assert_eq!(server.counts().decided_too_late, 0);
        let waits = spawn(async move { refusal(&late).await });
        until(|| server.counts().open == 2).await;
        let end = server.shutdown();
        assert_eq!(close_code(&mut good).await, Some(CloseCode::GOING_AWAY));
        let (status, text) = runtime::join(waits).await;
        assert_eq!(status, Some(503), "{text}");
        assert!(text.contains("The server is shutting down."), "{text}");
        let report = end.await;
        assert_eq!((report.closed, report.refused, report.cut_off), (1, 1, 0), "{report:?}");
    });
}

#[test]
fn a_listener_that_listens_already() {
    run(async {
        let (listener, local) = listen().await;
        let (server, url) = echo(Server::on(listener).bind("127.0.0.1:0")).await;
        assert_eq!((server.local_addresses().len(), address(&server)), (2, local));
        check_echo(&mut connect(&url).await.unwrap()).await;
        let other = server.local_addresses()[1];
        check_echo(&mut connect(&format!("ws://{other}")).await.unwrap()).await;
        server.drain(Duration::ZERO).await;
        let error = dial_error(connect(&url).await);
        assert_eq!(error.code(), "refused", "it is closed with the server: {error}");
    });
}

#[test]
fn an_address_that_is_taken_is_named() {
    run(async {
        let (server, _) = echo(options()).await;
        let address = address(&server);
        let error = Server::bind(address).on_connection(|_, _| async {}).start().await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot listen on {address}: ")), "{error}");
    });
}

#[cfg(feature = "tls")]
#[test]
fn a_server_inside_of_tls() {
    run(async {
        let authority = Authority::new();
        let options = options().tls(acceptor(&authority.issue(LOCAL))).max_connections(1);
        let server = options.on_connection(|mut socket, info| async move {
            assert!(info.is_secure);
            while let Some(message) = socket.recv().await? {
                socket.send(message).await?;
            }
            Ok::<(), Error>(())
        });
        let server = server.start().await.unwrap();
        let url = format!("wss://{}/", address(&server));
        // Somebody who does not speak TLS, and somebody who says nothing.
        let mut plain = RawStream::connect(address(&server)).unwrap();
        plain.write_all(REQUEST).unwrap();
        let _silent = RawStream::connect(address(&server)).unwrap();
        let connector = trusting(&authority);
        let mut socket = connector.connect(&url).await.unwrap();
        check_echo(&mut socket).await;
        let error = dial_error(connector.connect(&url).await);
        assert_eq!(error.handshake().unwrap().status(), Some(503), "{error}");
        let client = spawn(async move { close_code(&mut socket).await });
        let report = server.shutdown().await;
        assert_eq!((report.closed, report.cut_off), (1, 0), "{report:?}");
        assert_eq!(runtime::join(client).await, Some(CloseCode::GOING_AWAY));
    });
}
