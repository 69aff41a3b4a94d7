//! A TCP connection through a WebSocket, and messages through the traits of tokio.

use sansocket_tokio::sansocket::MessageKind;
use sansocket_tokio::{CloseCode, Message, accept, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// client - TCP - WebSocket - TCP - server
#[tokio::test]
async fn tcp_goes_through() {
    let listen = || async { TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let (outside, gateway, inside) = (listen().await, listen().await, listen().await);
    let [entry, exit, target] = [&outside, &gateway, &inside].map(|listener| listener.local_addr().unwrap());

    let server = tokio::spawn(async move {
        let (mut stream, _) = inside.accept().await.unwrap();
        let mut request = [0; 7];
        stream.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"request");
        let response = vec![b'r'; 1_000_000];
        stream.write_all(&response).await.unwrap();
    });
    let far_end = tokio::spawn(async move {
        let (stream, _) = gateway.accept().await.unwrap();
        let mut tunnel = accept(stream).await.unwrap().into_byte_stream();
        let mut tcp = TcpStream::connect(target).await.unwrap();
        copy_bidirectional(&mut tunnel, &mut tcp).await.unwrap()
    });
    let near_end = tokio::spawn(async move {
        let (mut tcp, _) = outside.accept().await.unwrap();
        let mut tunnel = connect(&format!("ws://{exit}/tunnel")).await.unwrap().into_byte_stream();
        copy_bidirectional(&mut tcp, &mut tunnel).await.unwrap()
    });

    let mut client = TcpStream::connect(entry).await.unwrap();
    client.write_all(b"request").await.unwrap();
    let mut response = Vec::new();
    client.read_to_end(&mut response).await.unwrap();
    assert_eq!(response.len(), 1_000_000);
    drop(client);
    server.await.unwrap();
    assert_eq!(far_end.await.unwrap(), (7, 1_000_000));
    assert_eq!(near_end.await.unwrap(), (7, 1_000_000));
}

#[tokio::test]
async fn a_file_goes_as_one_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let receiver = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept(stream).await.unwrap();
        let mut message = socket.read_message().await.unwrap().unwrap();
        let mut file = Vec::new();
        tokio::io::copy(&mut message, &mut file).await.unwrap();
        drop(message);
        assert_eq!(socket.recv().await.unwrap(), Some(Message::from("end")));
        socket.close(CloseCode::NORMAL, "").await.unwrap();
        file
    });
    let mut socket = connect(&url).await.unwrap();
    let file = vec![7; 500_000];
    let mut message = socket.write_message(MessageKind::Binary);
    message.write_all(&file).await.unwrap();
    message.shutdown().await.unwrap();
    drop(message);
    socket.send("end").await.unwrap();
    assert!(socket.recv().await.unwrap().is_none());
    assert!(receiver.await.unwrap() == file);
}
