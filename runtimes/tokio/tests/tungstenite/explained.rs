//! What this library says of a failure, through tungstenite's error and beside it.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use sansocket_tokio::sansocket::{Cause, HandshakeErrorKind, SendRefused};
use sansocket_tokio::tungstenite::tungstenite::Message;
use sansocket_tokio::tungstenite::tungstenite::client::IntoClientRequest as _;
use sansocket_tokio::tungstenite::tungstenite::error::{Error, ProtocolError, UrlError};
use sansocket_tokio::tungstenite::tungstenite::handshake::server::{
    ErrorResponse, NoCallback, Request, Response,
};
use sansocket_tokio::tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use sansocket_tokio::tungstenite::{
    Explained, WebSocketStream, accept_async, accept_explained, accept_hdr_async, client_async,
    connect_async, connect_explained, diagnosis,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{connected, run};

#[test]
fn a_client_that_hangs_up_is_explained_and_still_has_its_variant() {
    run(async {
        let (server, client) = connected().await;
        drop(client);
        let explained = accept_explained(server, NoCallback, None).await.unwrap_err();
        assert!(explained.to_string().contains("closed TCP before it sent a byte"), "{explained}");
        let handshake = explained.diagnosis().unwrap().handshake().unwrap();
        assert_eq!(*handshake.kind(), HandshakeErrorKind::ClosedBeforeFirstByte);
        let error = Error::from(explained);
        assert!(matches!(error, Error::Protocol(ProtocolError::HandshakeIncomplete)), "{error}");
    });
}

#[test]
fn an_error_of_this_librarys_own_functions_is_sorted_as_those_of_the_module_are() {
    async fn moved_on(stream: TcpStream) -> Result<(), Explained> {
        let mut socket = sansocket_tokio::accept(stream).await?;
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(socket.send("late").await?)
    }

    run(async {
        let (server, client) = connected().await;
        drop(client);
        let explained = moved_on(server).await.unwrap_err();
        assert!(explained.to_string().contains("closed TCP before it sent a byte"), "{explained}");
        assert!(matches!(explained.error, Error::Protocol(ProtocolError::HandshakeIncomplete)));

        // What a client sends when it is there, what a program of tokio-tungstenite would find, and what this library says.
        for (bytes, variant, said) in [
            (&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], "Utf8(", "UTF-8"),
            (&[], "Protocol(ResetWithoutClosingHandshake)", "closed TCP without a Close frame"),
            (&[0x83, 0x80, 0, 0, 0, 0], "Protocol(InvalidOpcode(3))", "opcode"),
            (&[0x88, 0x80, 0, 0, 0, 0], "Protocol(SendAfterClosing)", "nothing may follow a Close frame"),
        ] {
            let (server, client) = connected().await;
            let client = tokio::spawn(async move {
                let (socket, _) = client_async("ws://h/", client).await.unwrap();
                let mut raw = socket.into_inner();
                raw.write_all(bytes).await.unwrap();
                raw.shutdown().await.unwrap();
                let _ = raw.read_to_end(&mut Vec::new()).await;
            });
            let explained = moved_on(server).await.unwrap_err();
            let error = format!("{:?}", explained.error);
            assert!(error.starts_with(variant), "{error}");
            assert!(explained.to_string().contains(said), "{explained}");
            assert!(explained.diagnosis().is_some());
            client.await.unwrap();
        }
    });

    // What has no message to give back.
    let refused = |reason| Explained::from(sansocket_tokio::Error::Refused(reason));
    let closing = refused(SendRefused::Closing);
    assert!(matches!(closing.error, Error::Protocol(ProtocolError::SendAfterClosing)), "{closing:?}");
    let full = refused(SendRefused::QueueFull { queued: 2, limit: 1 });
    assert!(matches!(&full.error, Error::Io(io) if diagnosis_of(io).is_some()), "{full:?}");
}

#[test]
fn a_refused_client_is_answered() {
    run(async {
        let (server, mut client) = connected().await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        let (refused, answer) = tokio::join!(accept_async(server), async {
            let mut answer = String::new();
            client.shutdown().await.unwrap();
            client.read_to_string(&mut answer).await.unwrap();
            answer
        });
        assert!(matches!(refused, Err(Error::Protocol(ProtocolError::MissingConnectionUpgradeHeader))));
        assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    });
}

#[test]
fn a_server_that_is_not_there_is_an_io_error_with_all_that_was_tried() {
    run(async {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = connect_async(format!("ws://{address}")).await.unwrap_err();
        let Error::Io(io) = &error else { panic!("{error}") };
        assert_eq!(io.kind(), io::ErrorKind::ConnectionRefused);
        let Some(sansocket_tokio::Error::Dial(dial)) = diagnosis(&error) else { panic!("{error:?}") };
        assert_eq!(dial.code(), "refused");
        assert!(error.source().is_some() && error.to_string().contains("refused the connection"), "{error}");
    });
}

#[test]
fn a_servers_refusal_has_its_diagnosis_with_it() {
    run(async {
        let (server, client) = connected().await;
        let server = tokio::spawn(async move {
            let refuse = |_: &Request, _: Response| {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = 503.try_into().unwrap();
                Err(refusal)
            };
            accept_hdr_async(server, refuse).await.unwrap_err()
        });
        let theirs = client_async("ws://h/", client).await.unwrap_err();
        assert_eq!(diagnosis(&theirs).unwrap().handshake().unwrap().code(), "server-busy");
        let ours = server.await.unwrap();
        assert_eq!(diagnosis(&ours).unwrap().handshake().unwrap().code(), "rejected");
    });
}

#[test]
fn a_callback_that_refuses_with_success_or_accepts_with_another_status() {
    run(async {
        let (server, client) = connected().await;
        let client = tokio::spawn(async move { client_async("ws://h/", client).await.err().unwrap() });
        let error = accept_hdr_async(server, |_: &Request, _: Response| Err(ErrorResponse::new(None))).await;
        assert!(matches!(error, Err(Error::Protocol(ProtocolError::CustomResponseSuccessful))));
        assert!(matches!(client.await.unwrap(), Error::Http(response) if response.status() == 500));

        let (server, client) = connected().await;
        let client = tokio::spawn(async move { client_async("ws://h/", client).await.err().unwrap() });
        let error = accept_hdr_async(server, |_: &Request, mut response: Response| {
            *response.status_mut() = 404.try_into().unwrap();
            Ok::<_, ErrorResponse>(response)
        });
        assert!(matches!(error.await, Err(Error::Http(response)) if response.status() == 404));
        assert!(matches!(client.await.unwrap(), Error::Http(response) if response.status() == 404));
    });
}

#[test]
fn a_subprotocol_that_nobody_offers_is_refused() {
    run(async {
        let (server, client) = connected().await;
        let client = tokio::spawn(async move { client_async("ws://h/", client).await.err().unwrap() });
        let choose = |_: &Request, mut response: Response| {
            response.headers_mut().insert("sec-websocket-protocol", "chat".parse().unwrap());
            Ok::<_, ErrorResponse>(response)
        };
        let explained = accept_explained(server, choose, None).await.unwrap_err();
        assert!(explained.to_string().contains("does not offer the subprotocol"), "{explained}");
        assert!(matches!(explained.error, Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_))));
        assert!(matches!(client.await.unwrap(), Error::Http(response) if response.status() == 500));
    });
}

#[test]
fn arguments_that_are_no_request() {
    run(async {
        let connector = sansocket_tokio::Connector::default();
        let error = connect_explained("http://h/", None, &connector).await.unwrap_err().error;
        assert!(matches!(error, Error::Url(UrlError::UnsupportedUrlScheme)), "{error}");
        let error = connect_async("/path").await.unwrap_err();
        assert!(matches!(error, Error::Url(UrlError::NoHostName)), "{error}");
        let error = connect_async("not a uri").await.unwrap_err();
        assert!(matches!(error, Error::HttpFormat(_)), "{error}");
        let error = connect_async("ws://127.0.0.1:1/%zz").await.unwrap_err();
        assert!(matches!(&error, Error::Io(io) if io.kind() == io::ErrorKind::InvalidInput), "{error}");
    });
}

#[test]
fn the_end_is_known_in_full() {
    run(async {
        let (server, client) = connected().await;
        let server = tokio::spawn(async move {
            let mut server = accept_async(server).await.unwrap();
            while server.next().await.is_some() {}
            server.closed().unwrap().clone()
        });
        let (mut client, _) = client_async("ws://h/", client).await.unwrap();
        assert!(client.closed().is_none());
        client.close(None).await.unwrap();
        while client.next().await.is_some() {}
        assert!(client.closed().unwrap().is_clean());
        assert!(server.await.unwrap().is_clean());
    });
}

#[test]
fn a_peer_that_does_not_answer_a_close_frame_is_given_up() {
    // Virtual time: it runs on when there is nothing else to do.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (server, _client) = tokio::io::duplex(1024);
        let mut server = WebSocketStream::from_raw_socket(server, Role::Server, None).await;
        server.close(None).await.unwrap();
        let Some(Err(Error::Io(io))) = server.next().await else { panic!("no error") };
        assert_eq!(io.kind(), io::ErrorKind::TimedOut);
        let Some(sansocket_tokio::Error::Closed { closed, .. }) = diagnosis_of(&io) else { panic!("{io}") };
        assert!(matches!(closed.cause, Cause::CloseTimeout(_)), "{closed}");
        assert!(server.next().await.is_none());
    });
}

#[test]
fn a_server_that_chooses_no_subprotocol_is_the_programs_business() {
    run(async {
        let (server, client) = connected().await;
        let server = tokio::spawn(async move { accept_async(server).await.unwrap() });
        let mut request = "ws://h/".into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "a, b".parse().unwrap());
        let (_client, response) = client_async(request, client).await.unwrap();
        assert!(!response.headers().contains_key("sec-websocket-protocol"));
        server.await.unwrap();
    });
}

#[test]
fn a_stream_that_takes_three_bytes_at_a_time() {
    run(async {
        let (server, client) = tokio::io::duplex(3);
        let server = tokio::spawn(async move {
            let (write, read) = accept_async(server).await.unwrap().split();
            let messages = read.filter(|message| std::future::ready(matches!(message, Ok(Message::Text(_)))));
            messages.forward(write).await
        });
        let (client, _) = client_async("ws://h/", client).await.unwrap();
        let (mut write, mut read) = client.split();
        let sender = tokio::spawn(async move {
            for len in 0..300 {
                write.send(Message::text("x".repeat(len))).await.unwrap();
            }
            write
        });
        for len in 0..300 {
            assert_eq!(read.next().await.unwrap().unwrap().len(), len);
        }
        let mut write = sender.await.unwrap();
        write.send(Message::Close(None)).await.unwrap();
        assert_eq!(read.next().await.unwrap().unwrap(), Message::Close(None));
        assert!(read.next().await.is_none());
        server.await.unwrap().unwrap();
    });
}

#[test]
fn a_message_that_does_not_fit_comes_back_as_it_was() {
    run(async {
        let (server, _client) = tokio::io::duplex(10);
        let config = WebSocketConfig::default().write_buffer_size(10).max_write_buffer_size(100);
        let mut server = WebSocketStream::from_raw_socket(server, Role::Server, Some(config)).await;
        server.feed(Message::text("x".repeat(50))).await.unwrap();
        let message = Message::text("y".repeat(50));
        let full = server.start_send_unpin(message.clone()).unwrap_err();
        assert!(matches!(full, Error::WriteBufferFull(back) if *back == message));
    });
}

fn diagnosis_of(io: &io::Error) -> Option<&sansocket_tokio::Error> {
    io.get_ref()?.downcast_ref()
}

#[test]
fn who_waits_to_send_is_woken_by_the_peers_close() {
    run(async {
        let (server, client) = connected().await;
        let server = tokio::spawn(async move { accept_async(server).await.unwrap() });
        let (client, _) = client_async("ws://h/", client).await.unwrap();
        let mut server = server.await.unwrap();
        let (mut write, mut read) = client.split();
        let sender = tokio::spawn(async move {
            // More than fits, to a peer that does not read.
            let mut sent = 0;
            loop {
                let message = Message::binary(vec![0; 1 << 20]);
                if let Err(error) = write.send(message).await {
                    break (sent, error);
                }
                sent += 1;
                assert!(sent < 1000);
            }
        });
        tokio::task::yield_now().await;
        server.close(None).await.unwrap();
        assert!(matches!(read.next().await, Some(Ok(Message::Close(None)))));
        let reader = tokio::spawn(async move { while read.next().await.is_some() {} });
        drop(server);
        reader.await.unwrap();
        let (_, error) = sender.await.unwrap();
        assert!(
            matches!(
                error,
                Error::Protocol(ProtocolError::SendAfterClosing) | Error::AlreadyClosed | Error::Io(_)
            ),
            "{error}"
        );
    });
}

#[test]
fn errors_can_go_where_programs_send_them() {
    fn is<T: std::error::Error + Send + Sync + 'static>() {}
    is::<Explained>();
    fn shared<T: Send + Sync>() {}
    shared::<WebSocketStream<TcpStream>>();
    shared::<Arc<sansocket_tokio::Error>>();
}
