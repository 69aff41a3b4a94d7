//! The tests of the client that connects again, over loopback TCP. Each adapter includes this file beside a module `runtime` that
//! names its own types, as it does with the list of `mod.rs`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::relay::Relay;
use super::runtime::{self, TcpListener, adapter, run, spawn};
use adapter::{
    Client, ClientBuilder, CloseCode, Error, GaveUpReason, Message, ServerConfig, SessionEvent, SessionState,
    accept, accept_with, sansocket,
};

/// What came to a server, connection by connection. Each message is written down, and acknowledged by the same text.
type Log = Arc<Mutex<Vec<Vec<String>>>>;

/// All of it. What the server reads of a connection that was killed may come after the first of the next one, and belongs before it.
fn all(log: &Log) -> Vec<String> {
    log.lock().unwrap().concat()
}

/// A server on a free port.
async fn server() -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let log = Log::default();
    let shared = Arc::clone(&log);
    spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let log = Arc::clone(&shared);
            let number = log.lock().unwrap().len();
            log.lock().unwrap().push(Vec::new());
            spawn(async move {
                let mut socket = accept(stream).await?;
                while let Some(message) = socket.recv().await? {
                    log.lock().unwrap()[number].push(message.as_text().unwrap().to_owned());
                    socket.send(message).await?;
                }
                Ok::<(), Error>(())
            });
        }
    });
    (address, log)
}

fn builder(server: impl ToString) -> ClientBuilder {
    let delay = Duration::from_millis(20);
    let builder = Client::builder().server(&format!("ws://{}", server.to_string())).unwrap();
    builder.reconnect_delay(delay).max_reconnect_delay(delay)
}

/// An address where nobody listens.
async fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[test]
fn it_talks_and_closes() {
    run(async {
        let (address, log) = server().await;
        let mut client = builder(address).build().unwrap();
        for i in 0..100 {
            assert_eq!(client.send(format!("{i}")).await, Ok(i));
            assert_eq!(client.recv().await.unwrap(), Some(Message::from(format!("{i}"))));
        }
        let closed = client.close(CloseCode::NORMAL, "done").await.unwrap().unwrap();
        assert!(closed.is_clean(), "{closed}");
        assert!(client.next().await.is_none());
        assert_eq!(all(&log).len(), 100);
        assert_eq!(client.stats().messages_written, 100);
    });
}

#[test]
fn a_server_that_is_killed_again_and_again_loses_nothing_that_it_has_acknowledged() {
    let kills = 100;
    run(async move {
        let (address, log) = server().await;
        let relay = Relay::to(address);
        let mut client = builder(relay.address).build().unwrap();
        let sender = client.sender();
        // A load that never pauses, as large as the queue lets it be.
        let load = spawn(async move {
            let mut sent = 0_u64;
            while let Ok(number) = sender.send(format!("{sent} {}", "x".repeat((sent % 700) as usize))).await
            {
                assert_eq!(number, sent);
                sent += 1;
            }
            sent
        });
        let (mut acknowledged, mut unknown) = (Vec::new(), BTreeSet::new());
        let (mut up, mut kills_done) = (0, 0);
        // Until the next kill; none while it is on its way.
        let mut countdown = None;
        while let Some(event) = client.next().await {
            match event {
                SessionEvent::Connected(_) | SessionEvent::Reconnected(_) => {
                    up += 1;
                    // Each time at another point.
                    countdown = Some(50 + kills_done * 7 % 150);
                }
                SessionEvent::Message(message) => {
                    acknowledged.push(number(message.as_text().unwrap()));
                    countdown = countdown.map(|left| left - 1);
                    if countdown == Some(0) {
                        countdown = None;
                        if kills_done == kills {
                            client.sender().close(CloseCode::NORMAL, "").unwrap();
                        } else {
                            relay.kill();
                            relay.restart();
                            kills_done += 1;
                        }
                    }
                }
                SessionEvent::Disconnected(lost) => {
                    let lost = lost.unconfirmed;
                    if !lost.is_empty() {
                        unknown.extend(lost.first..=lost.last);
                    }
                }
                SessionEvent::GaveUp(all) => panic!("{all}"),
                _ => {}
            }
        }
        assert_eq!((kills_done, up), (kills, kills + 1));
        let sent = runtime::join(load).await;
        let left: BTreeSet<_> = client.take_queue().into_iter().map(|(number, _)| number).collect();

        let received: Vec<_> = all(&log).iter().map(|line| number(line)).collect();
        assert!(received.is_sorted_by(|a, b| a < b), "once, and in order");
        assert!(acknowledged.is_sorted_by(|a, b| a < b), "once, and in order");
        let received: BTreeSet<_> = received.into_iter().collect();
        for number in &acknowledged {
            assert!(received.contains(number), "{number} was acknowledged, and did not come");
        }
        for number in 0..sent {
            let told = received.contains(&number) || unknown.contains(&number) || left.contains(&number);
            assert!(told, "{number} is lost, and nothing has told so");
        }
        assert_eq!(client.stats().connections, kills + 1);
        assert_eq!(client.stats().messages_accepted, sent);
        assert!(!unknown.is_empty(), "it was killed in the middle of it");
    });
}

fn number(line: &str) -> u64 {
    line.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn heartbeats_take_their_time_and_say_what_has_arrived() {
    run(async {
        let (address, _) = server().await;
        let mut client = builder(address).heartbeat_interval(Duration::from_millis(2)).build().unwrap();
        let number = client.send("hello").await.unwrap();
        let mut heard = 0;
        while heard < 50 || client.confirmed() <= number {
            if let SessionEvent::Heartbeat { round_trip, .. } = client.next().await.unwrap() {
                assert!(round_trip > Duration::ZERO, "a Pong came before its Ping");
                heard += 1;
            }
        }
        assert_eq!(client.stats().messages_confirmed, 1);
    });
}

#[test]
fn it_is_back_within_its_delays_when_the_server_is() {
    run(async {
        let (address, _) = server().await;
        let relay = Relay::to(address);
        let mut client = builder(relay.address).build().unwrap();
        assert!(matches!(client.next().await, Some(SessionEvent::Connected(_))));
        relay.kill();
        let mut tries = 0;
        while tries < 5 {
            if let Some(SessionEvent::Reconnecting(_)) = client.next().await {
                tries += 1;
            }
        }
        client.send("kept").await.unwrap();
        relay.restart();
        let back = Instant::now();
        assert_eq!(client.recv().await.unwrap(), Some(Message::from("kept")));
        // The delay is 20 ms at most; the rest is for a machine that has other things to do.
        assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
        assert_eq!(client.state(), SessionState::Open);
    });
}

#[test]
fn another_server_takes_over() {
    run(async {
        let (address, log) = server().await;
        let dead = nowhere().await;
        let builder = builder(dead).server(&format!("ws://{address}")).unwrap();
        let mut client = builder.build().unwrap();
        client.send("hello").await.unwrap();
        let connected = loop {
            match client.next().await.unwrap() {
                SessionEvent::Connected(connected) => break connected,
                SessionEvent::Reconnecting(next) => {
                    assert!(next.why.to_string().contains(&dead.to_string()), "{}", next.why);
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((connected.server, connected.info.address), (1, Some(address)));
        assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
        assert_eq!(all(&log), ["hello"]);
    });
}

#[test]
fn it_gives_up_and_says_what_was_tried() {
    run(async {
        let dead = nowhere().await;
        let mut client = builder(dead).max_reconnect_attempts(3).build().unwrap();
        client.send("left over").await.unwrap();
        let gave_up = client.recv().await.unwrap_err();
        assert_eq!(gave_up.why, GaveUpReason::TooManyAttempts { max: 3 });
        let lines: Vec<_> = gave_up.attempts.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.contains(&dead.to_string())), "{lines:?}");
        assert_eq!(client.take_queue().len(), 1);
    });
}

#[test]
fn tasks_send_by_one_client_in_a_task_of_its_own() {
    run(async {
        let (address, log) = server().await;
        let heard = Arc::new(Mutex::new(0));
        let counts = Arc::clone(&heard);
        let builder = builder(address).on_event(move |event| {
            if matches!(event, SessionEvent::Message(_)) {
                *counts.lock().unwrap() += 1;
            }
        });
        let client = builder.build().unwrap();
        let sender = client.sender();
        let client = spawn(client.run());
        let tasks = ["a", "b"].map(|name| {
            let sender = sender.clone();
            spawn(async move {
                for i in 0..2000 {
                    sender.send(format!("{name} {i} {}", "x".repeat(i))).await.unwrap();
                }
            })
        });
        for task in tasks {
            runtime::join(task).await;
        }
        sender.close(CloseCode::NORMAL, "").unwrap();
        runtime::join(client).await.unwrap();
        let log = all(&log);
        for name in ["a", "b"] {
            let of = log.iter().filter(|line| line.starts_with(name));
            let numbers: Vec<usize> =
                of.map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
            assert_eq!(numbers, (0..2000).collect::<Vec<_>>(), "{name}: all, once and in order");
        }
        assert_eq!(sender.stats().messages_written, 4000);
        assert!(*heard.lock().unwrap() > 0);
    });
}

#[test]
fn each_connection_begins_with_the_token() {
    run(async {
        let (address, log) = server().await;
        let relay = Relay::to(address);
        let builder = builder(relay.address)
            .first_messages(|connected| vec![Message::from(format!("token for {}", connected.server))]);
        let mut client = builder.build().unwrap();
        for round in 0..3 {
            client.send(format!("message {round}")).await.unwrap();
            assert_eq!(client.recv().await.unwrap(), Some(Message::from("token for 0")));
            assert_eq!(client.recv().await.unwrap(), Some(Message::from(format!("message {round}"))));
            relay.kill();
            relay.restart();
            while client.state() == SessionState::Open {
                client.next().await.unwrap();
            }
        }
        let expected = (0..3).flat_map(|round| ["token for 0".into(), format!("message {round}")]);
        // The fourth connection may be there already.
        assert_eq!(all(&log)[..6], expected.collect::<Vec<String>>());
    });
}

#[test]
fn a_client_that_is_dropped_goes_away_politely() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let config = ServerConfig::default();
            let mut socket = accept_with(stream, &config, |_| Ok(sansocket::Accept::new())).await.unwrap();
            let message = socket.recv().await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), None);
            (message, socket.closed().unwrap())
        });
        let mut client = builder(address).build().unwrap();
        assert!(matches!(client.next().await, Some(SessionEvent::Connected(_))));
        client.sender().try_send("last words").unwrap();
        drop(client);
        let (message, closed) = runtime::join(server).await;
        assert_eq!(message, Some(Message::from("last words")));
        assert_eq!(closed.received.unwrap().code(), CloseCode::GOING_AWAY);
    });
}

#[cfg(feature = "tls")]
#[test]
fn it_is_back_inside_of_tls_and_stays_away_from_whom_it_does_not_trust() {
    use super::certificates::Authority;
    use adapter::{Tls, TlsAcceptor};

    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1"]);
    let acceptor = TlsAcceptor::from_pem(identity.chain.as_bytes(), identity.key.as_bytes()).unwrap();
    let trusting =
        |authority: &Authority| Tls::builder().only_authorities(&authority.pem()).unwrap().build().unwrap();
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::to(listener.local_addr().unwrap());
        spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                spawn(async move {
                    let mut socket = accept(acceptor.accept(stream).await?).await?;
                    while let Some(message) = socket.recv().await? {
                        socket.send(message).await?;
                    }
                    Ok::<(), Error>(())
                });
            }
        });
        let client = |tls| {
            let builder = Client::builder().server(&format!("wss://{}", relay.address)).unwrap();
            builder.reconnect_delay(Duration::from_millis(20)).tls(tls).build().unwrap()
        };
        let mut trusts = client(trusting(&authority));
        for round in 0..3 {
            trusts.send(format!("{round}")).await.unwrap();
            assert_eq!(trusts.recv().await.unwrap(), Some(Message::from(format!("{round}"))));
            relay.kill();
            relay.restart();
            while trusts.state() == SessionState::Open {
                trusts.next().await.unwrap();
            }
        }
        let gave_up = client(trusting(&Authority::new())).recv().await.unwrap_err();
        assert_eq!(gave_up.why, GaveUpReason::AllRefused, "another try would find the same certificate");
        assert!(gave_up.to_string().contains("tls-untrusted-issuer"), "{gave_up}");
    });
}
