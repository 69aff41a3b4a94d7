//! Messages that go to many connections: compressed once for each set of parameters, and understood by all.

use bytes::Buf;
use sansocket::{Connection, DeflateConfig, DeflateParams, MessageKind, Prepared, Role, SendRefused};

use crate::support::drive::{Drive, open as open_plain};
use crate::support::seen::Seen;
use crate::support::wire;
use crate::with_deflate::{ALONE, BINARY, KEPT, TEXT, config, noise, open, open_with, pass, prose};

/// A connection and its peer.
fn pair(role: Role, params: DeflateParams, config: &DeflateConfig) -> (Connection, Connection) {
    (open_with(role, params, config, |_| {}), open(role.peer(), params))
}

#[test]
fn one_message_for_connections_of_every_kind() {
    let config = config(|_| {});
    let message = prose(30_000);
    let prepared = Prepared::new(&message[..]);
    for role in [Role::Server, Role::Client] {
        for bits in [8, 9, 12, 15] {
            for context in [KEPT, ALONE] {
                let params =
                    DeflateParams { server_max_window_bits: bits, client_max_window_bits: bits, ..context };
                let (mut end, mut peer) = pair(role, params, &config);
                // The messages before and behind it are in the same context.
                for _ in 0..3 {
                    end.send_text(&prose(3_000)).unwrap();
                    end.send_prepared(&prepared).unwrap();
                    end.send_prepared(&prepared.clone()).unwrap();
                    end.send_text(&prose(40_000)).unwrap();
                    end.send_fragment(MessageKind::Text, prose(2_000).as_bytes(), false).unwrap();
                    end.send_fragment(MessageKind::Text, b"", true).unwrap();
                    let sent = end.sent();
                    assert!(wire::decode(&sent)[..4].iter().all(|frame| frame.first == TEXT), "{params}");
                    let expected = [3_000, 30_000, 30_000, 40_000, 2_000].map(|len| Seen::Text(prose(len)));
                    assert!(peer.receive(&sent) == expected, "{role}, {params}");
                }
            }
        }
    }
    assert_eq!(prepared.as_bytes(), message.as_bytes());
    assert_eq!(prepared.kind(), MessageKind::Text);
}

#[test]
fn connections_with_the_same_parameters_send_the_same_bytes_in_memory() {
    // Large enough that it is handed to the transport as it is.
    let prepared = Prepared::new(noise(40_000, 1).iter().map(|byte| byte % 16).collect::<Vec<u8>>());
    let config = config(|_| {});
    let mut ends: Vec<Connection> = [KEPT, ALONE, KEPT, ALONE]
        .map(|params| open_with(Role::Server, params, &config, |_| {}))
        .into_iter()
        .collect();
    // Another configuration with the same settings compresses the same.
    ends.push(open(Role::Server, KEPT));
    let mut places = Vec::new();
    for end in &mut ends {
        end.send_prepared(&prepared).unwrap();
        let transmit = end.transmit();
        assert_eq!(transmit.chunk()[0], BINARY);
        assert_eq!(transmit.chunk().len(), transmit.remaining(), "one piece");
        places.push(transmit.chunk().as_ptr());
    }
    assert!(places.iter().all(|place| *place == places[0]), "compressed once, and not copied");
    // Other settings are another form.
    let small = DeflateParams { server_max_window_bits: 10, ..KEPT };
    let mut other = open(Role::Server, small);
    other.send_prepared(&prepared).unwrap();
    assert_ne!(other.transmit().chunk().as_ptr(), places[0]);
    let slow = crate::with_deflate::config(|config| config.level = 9);
    let mut other = open_with(Role::Server, KEPT, &slow, |_| {});
    other.send_prepared(&prepared).unwrap();
    assert_ne!(other.transmit().chunk().as_ptr(), places[0]);
}

#[test]
fn the_form_that_is_not_compressed_is_shared_as_well() {
    let data = noise(20_000, 2);
    let prepared = Prepared::new(data.clone());
    // Without an agreement; with one, but switched off; and where compression makes it longer.
    let mut off = open(Role::Server, KEPT);
    off.set_compression(false);
    let mut ends = [open_plain(Role::Server), off, open(Role::Server, ALONE), open(Role::Server, KEPT)];
    let mut places = Vec::new();
    for end in &mut ends {
        end.send_prepared(&prepared).unwrap();
        assert_eq!(end.transmit().chunk()[0], wire::BINARY);
        places.push(end.transmit().chunk().as_ptr());
    }
    assert!(places.iter().all(|place| *place == places[0]));
    for end in &mut ends {
        assert_eq!(end.frames_sent()[0].payload, data);
    }
    let mut short = open(Role::Server, KEPT);
    short.send_prepared(&Prepared::new("short")).unwrap();
    assert_eq!(short.sent(), wire::encode(wire::TEXT, None, b"short"));
}

#[test]
fn a_message_that_is_sent_as_it_is_leaves_the_context_alone() {
    let (mut server, mut client) = pair(Role::Server, KEPT, &config(|_| {}));
    let text: Vec<u8> = noise(600, 1).iter().map(|byte| byte % 16).collect();
    server.send_binary(&text).unwrap();
    assert_eq!(pass(&mut server, &mut client), [Seen::binary(&text)]);
    server.send_prepared(&Prepared::new("short")).unwrap();
    server.set_compression(false);
    server.send_prepared(&Prepared::new(prose(5_000))).unwrap();
    server.set_compression(true);
    assert_eq!(pass(&mut server, &mut client), [Seen::text("short"), Seen::Text(prose(5_000))]);
    // It refers to the first one still.
    server.send_binary(&text).unwrap();
    let sent = server.sent();
    assert!(sent.len() < 30, "{} bytes", sent.len());
    assert_eq!(client.receive(&sent), [Seen::Binary(text)]);
}

#[test]
fn a_client_masks_each_copy_anew() {
    let prepared = Prepared::new(prose(20_000));
    let (mut client, mut server) = pair(Role::Client, KEPT, &config(|_| {}));
    client.send_prepared(&prepared).unwrap();
    client.send_prepared(&prepared).unwrap();
    let sent = client.sent();
    let frames = wire::decode(&sent);
    assert!(frames[0].key.is_some() && frames[1].key.is_some());
    assert_ne!(frames[0].key, frames[1].key);
    assert_eq!(frames[0].payload, frames[1].payload);
    assert!(server.receive(&sent) == [Seen::Text(prose(20_000)), Seen::Text(prose(20_000))]);
    // And the shared bytes are as they were.
    let mut other = open(Role::Server, KEPT);
    other.send_prepared(&prepared).unwrap();
    assert_eq!(other.frames_sent()[0].payload, frames[0].payload);
}

#[test]
fn it_is_refused_where_a_message_would_be() {
    let prepared = Prepared::new(prose(5_000));
    let mut server = open(Role::Server, KEPT);
    server.send_fragment(MessageKind::Text, b"begun", false).unwrap();
    assert_eq!(server.send_prepared(&prepared), Err(SendRefused::InsideMessage));
    server.send_fragment(MessageKind::Text, b"", true).unwrap();
    server.send_prepared(&prepared).unwrap();
    server.close(sansocket::CloseCode::NORMAL, "").unwrap();
    assert_eq!(server.send_prepared(&prepared), Err(SendRefused::Closing));
    let mut full = open_with(Role::Server, KEPT, &config(|_| {}), |setup| setup.limits.write_hard = 10);
    full.send_prepared(&prepared).unwrap();
    assert!(matches!(full.send_prepared(&prepared), Err(SendRefused::QueueFull { .. })));
}

#[test]
fn many_threads_may_send_it_at_once() {
    let prepared = Prepared::new(prose(50_000));
    let config = config(|_| {});
    let forms: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut server = open_with(Role::Server, ALONE, &config, |_| {});
                    server.send_prepared(&prepared).unwrap();
                    server.sent()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(forms.iter().all(|form| *form == forms[0] && form[0] == TEXT));
}

#[test]
fn it_shows_no_content_in_a_log() {
    let text = format!("{:?}", Prepared::new("a secret"));
    assert!(text.contains("Prepared") && text.contains('8') && !text.contains("secret"), "{text}");
}
