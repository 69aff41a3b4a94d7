//! The same programs on tokio-tungstenite and on this library's module of its names, against each other in both directions: what they see
//! must be the same, and what is not is written down here.

#![expect(clippy::result_large_err, reason = "as tungstenite's callbacks have it")]

mod explained;
mod ours;
mod raw;
mod theirs;

use std::future::Future;

use tokio::net::{TcpListener, TcpStream};

type Trace = Vec<String>;

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

/// Both ends of a TCP connection.
async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, client)
}

/// Runs both ends of a program, each on both libraries: four traces of each end, that of tokio-tungstenite with itself first.
macro_rules! traces {
    ($server:ident($($a:expr),*), $client:ident($($b:expr),*)) => {{
        let mut traces = Vec::new();
        for (server, client) in [(false, false), (true, false), (false, true), (true, true)] {
            let (accepted, connecting) = connected().await;
            let server = tokio::spawn(async move {
                match server {
                    true => ours::programs::$server($($a,)* accepted).await,
                    false => theirs::programs::$server($($a,)* accepted).await,
                }
            });
            let client = match client {
                true => ours::programs::$client($($b,)* connecting).await,
                false => theirs::programs::$client($($b,)* connecting).await,
            };
            traces.push((server.await.unwrap(), client));
        }
        traces
    }};
}

/// Runs a script of the server and one of the client on both, sees that all traces are the same, and gives them.
fn same(server: &'static str, client: &'static str) -> (Trace, Trace) {
    let traces = run(async { traces!(accept_and_do(server), connect_and_do(client)) });
    for trace in &traces[1..] {
        assert_eq!(*trace, traces[0], "{server} | {client}");
    }
    traces[0].clone()
}

#[test]
fn messages_of_every_type_and_size() {
    let (server, client) = same(
        "recv text:hello recv recv recv pong:unasked recv ping:p recv close drain",
        "text: recv binary:0 binary:200 binary:100000 recv pong:own recv drain",
    );
    assert_eq!(server.len(), 12, "{server:?}");
    assert!(client.contains(&"Ping(b\"p\")".to_owned()), "{client:?}");
}

#[test]
fn a_ping_is_answered_and_delivered() {
    let (server, client) = same("recv recv drain", "ping:one recv ping:two recv close drain");
    assert_eq!(server[..2], ["Ping(b\"one\")", "Ping(b\"two\")"]);
    assert_eq!([&client[1], &client[3]], ["Pong(b\"one\")", "Pong(b\"two\")"]);
}

#[test]
fn the_client_closes() {
    for close in
        ["close:1001 drain", "close drain", "close-message drain", "sink-close drain", "close:4999 drain"]
    {
        let (server, client) = same("recv drain", close);
        assert!(server[0].starts_with("Close("), "{server:?}");
        assert!(client.last().unwrap().starts_with("end, and then None"), "{client:?}");
    }
}

#[test]
fn the_server_closes_and_messages_come_first() {
    same("text:a text:b close:1011 drain", "recv recv recv drain");
    same("close drain", "drain");
}

#[test]
fn both_close() {
    same("close:1001 drain", "close:1000 drain");
}

#[test]
fn messages_between_the_two_close_frames() {
    // The server has closed; what the client sent before it knew still comes.
    let (server, _) = same("recv close:1000 text:late drain", "text:before text:also recv drain");
    assert!(server.contains(&"text:late: Protocol(SendAfterClosing)".to_owned()), "{server:?}");
}

#[test]
fn sending_after_the_end() {
    same("recv everything drain everything", "close:1000 everything drain everything");
    same("drain everything", "close-message drain everything");
    same("close drain everything", "recv everything drain everything");
}

#[test]
fn a_peer_that_is_gone_without_a_word() {
    let (server, _) = same("drain", "drop");
    assert_eq!(server[0], "Protocol(ResetWithoutClosingHandshake)");
    same("drop", "drain close");
}

#[test]
fn fed_messages_leave_when_they_are_flushed_and_in_order() {
    let (server, _) = same("recv recv recv drain", "feed:a feed:b ping:c feed:d flush close drain");
    assert_eq!(server.len(), 6, "{server:?}");
    same("all:1000 close drain", "drain");
}

#[test]
fn fragments_by_hand() {
    let (server, _) = same("recv recv drain", "begin:frag ping:between more:men last:ts close drain");
    assert!(server.contains(&"Text(Utf8Bytes(b\"fragments\"))".to_owned()), "{server:?}");
}

#[test]
fn an_echo_in_one_line() {
    let (server, _) = same("echo", "text:a binary:200000 recv recv close:1000 drain");
    assert_eq!(server, ["echo: ok"]);
}

#[test]
fn a_callback_sees_the_request_and_the_client_its_answer() {
    let traces = run(async { traces!(accept_with_callback(false), connect_with_headers()) });
    for trace in &traces[1..] {
        assert_eq!(*trace, traces[0]);
    }
    let (server, client) = &traces[0];
    assert_eq!(server[0], "GET /chat?room=1 HTTP/1.1");
    assert_eq!(client[0], "101 Switching Protocols Some(\"two\") None Some(\"7\") None");
}

#[test]
fn a_callback_refuses() {
    let traces = run(async { traces!(accept_with_callback(true), connect_with_headers()) });
    for trace in &traces[1..] {
        assert_eq!(*trace, traces[0]);
    }
    let (server, client) = &traces[0];
    assert_eq!(server.last().unwrap(), "Http 401 Unauthorized Some(\"no entry\")");
    assert_eq!(client[0], "401 Unauthorized None Some(\"because\") None Some(\"no entry\")");
}
