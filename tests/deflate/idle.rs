//! What connections hold between messages, measured.

use bytes::BytesMut;
use sansocket::{Connection, DeflateConfig, Delivery, Prepared, Role};

use crate::memory::{held, peak};
use crate::support::drive::{BOTH, Drive};
use crate::support::wire;
use crate::with_deflate::{ALONE, KEPT, KIB, TEXT, TEXT_FIRST, config, deflated, open_with, prose};

/// A message each way, of a size at which buffers grow.
fn traffic(end: &mut Connection, role: Role, len: usize) {
    let text = prose(len);
    let frame = wire::from(role.peer(), TEXT, &deflated(text.as_bytes()));
    for piece in frame.chunks(1_000) {
        end.receive(piece);
    }
    end.receive(&frame);
    end.send_text(&text).unwrap();
    end.sent();
}

/// Nothing is kept for other connections.
fn unpooled() -> DeflateConfig {
    config(|config| config.spare_contexts = 0)
}

fn measure(params: sansocket::DeflateParams, role: Role, work: impl Fn(&mut Connection)) -> isize {
    let config = unpooled();
    // What the thread keeps for all of its connections is there after the first.
    work(&mut open_with(role, params, &config, |_| {}));
    let (end, bytes) = held(|| {
        let mut end = Box::new(open_with(role, params, &config, |_| {}));
        work(&mut end);
        end
    });
    drop(end);
    bytes
}

#[test]
fn a_connection_without_takeover_holds_no_window_between_messages() {
    for role in BOTH {
        let fresh = measure(ALONE, role, |_| {});
        assert!(fresh <= 2 * KIB as isize, "{fresh} bytes held by a fresh {role}");
        for len in [300, 20_000, 500_000] {
            for delivery in [Delivery::Messages, Delivery::Chunks] {
                let after = measure(ALONE, role, |end| {
                    end.set_delivery(delivery);
                    traffic(end, role, len);
                });
                assert!(
                    after <= 2 * KIB as isize,
                    "{after} bytes held by a {role} after {len} bytes each way"
                );
            }
        }
    }
}

#[test]
fn with_takeover_the_windows_are_allocated_at_first_use() {
    for role in BOTH {
        let fresh = measure(KEPT, role, |_| {});
        assert!(fresh <= 2 * KIB as isize, "{fresh} bytes held by a fresh {role}");
        // Messages that are not compressed need none.
        let plain = measure(KEPT, role, |end| {
            end.receive(&wire::from(role.peer(), wire::TEXT, b"plain"));
            end.send_text("short").unwrap();
            end.sent();
        });
        assert!(plain <= 2 * KIB as isize, "{plain} bytes held by a {role}");
        let windows = |bytes: isize| (bytes - fresh) / KIB as isize;
        let inflating = measure(KEPT, role, |end| {
            end.receive(&wire::from(role.peer(), TEXT, &deflated(prose(20_000).as_bytes())));
        });
        assert!((32..48).contains(&windows(inflating)), "{inflating} bytes held by a {role} that inflated");
        let deflating = measure(KEPT, role, |end| {
            end.send_text(&prose(20_000)).unwrap();
            end.sent();
        });
        assert!(
            (128..274).contains(&windows(deflating)),
            "{deflating} bytes held by a {role} that compressed"
        );
        let both = measure(KEPT, role, |end| traffic(end, role, 500_000));
        assert!(windows(both) < 320, "{both} bytes held by a {role}, both ways, after large messages");
    }
}

#[test]
fn smaller_windows_and_memory_levels_hold_less() {
    let deflating = |bits, mem_level| {
        let config = config(|config| (config.spare_contexts, config.mem_level) = (0, mem_level));
        let params = sansocket::DeflateParams { server_max_window_bits: bits, ..KEPT };
        let (end, bytes) = held(|| {
            let mut end = Box::new(open_with(Role::Server, params, &config, |_| {}));
            end.send_text(&prose(20_000)).unwrap();
            end.sent();
            end
        });
        drop(end);
        bytes
    };
    assert!(deflating(9, 1) < deflating(12, 5));
    assert!(deflating(12, 5) < deflating(15, 5));
    assert!(deflating(15, 5) < deflating(15, 9));
}

#[test]
fn a_thousand_idle_connections_share_a_few_windows() {
    let config = DeflateConfig::default();
    let (ends, bytes) = held(|| {
        let mut ends: Vec<Connection> =
            (0..1_000).map(|_| open_with(Role::Server, ALONE, &config, |_| {})).collect();
        for end in &mut ends {
            let frame = wire::from(Role::Client, TEXT, &deflated(&[b'a'; 2_000]));
            end.receive(&frame);
            end.send_text(&"b".repeat(2_000)).unwrap();
            end.sent();
        }
        ends
    });
    let pooled = config.spare_contexts * (48 + 276 + 64) * KIB;
    let each = (bytes - pooled as isize) / ends.len() as isize;
    assert!(each <= 2 * KIB as isize, "{bytes} bytes in all, {each} for each connection");
}

#[test]
fn what_is_kept_for_others_is_limited() {
    let config = config(|config| config.spare_contexts = 2);
    // Twenty at once, each in the middle of a message both ways.
    let half = deflated(prose(5_000).as_bytes());
    let ((), bytes) = held(|| {
        let mut ends: Vec<Connection> =
            (0..20).map(|_| open_with(Role::Server, ALONE, &config, |_| {})).collect();
        for end in &mut ends {
            end.receive(&wire::from(Role::Client, TEXT_FIRST, &half[..50]));
            end.send_fragment(sansocket::MessageKind::Text, prose(3_000).as_bytes(), false).unwrap();
        }
    });
    assert!(bytes <= 2 * (48 + 276 + 64) * KIB as isize, "{bytes} bytes kept after all of them are gone");
    assert!(bytes > 0, "and something is");
}

#[test]
fn the_next_message_needs_no_new_window() {
    let config = DeflateConfig::default();
    let mut server = open_with(Role::Server, ALONE, &config, |_| {});
    let frame = wire::from(Role::Client, TEXT, &deflated(prose(1_000).as_bytes()));
    traffic(&mut server, Role::Server, 1_000);
    let mut input = BytesMut::from(&frame[..]);
    let (_, most) = peak(|| {
        let mut reader = server.read(&mut input);
        while reader.next().is_some() {}
    });
    assert!(most < 8 * KIB, "{most} bytes were allocated to receive");
    let message = prose(1_000);
    let (_, most) = peak(|| server.send_text(&message).unwrap());
    assert!(most < 8 * KIB, "{most} bytes were allocated to send");
}

#[test]
fn the_end_gives_everything_back() {
    for role in BOTH {
        for chunks in [false, true] {
            let config = unpooled();
            let (mut end, fresh) = held(|| {
                let delivery = if chunks { Delivery::Chunks } else { Delivery::Messages };
                Box::new(open_with(role, KEPT, &config, |setup| setup.delivery = delivery))
            });
            let ((), grown) = held(|| {
                traffic(&mut end, role, 10_000);
                // In the middle of a message each way.
                let half = deflated(prose(50_000).as_bytes());
                end.receive(&wire::from(role.peer(), TEXT_FIRST, &half[..half.len() / 2]));
                end.send_fragment(sansocket::MessageKind::Text, b"open", false).unwrap();
                end.eof();
                drop(end.receive(b""));
            });
            assert!(fresh + grown <= 2 * KIB as isize, "{grown} bytes more after the end of a {role}");
        }
    }
}

#[test]
fn pieces_that_wait_are_held_as_they_came() {
    let config = unpooled();
    let mut end = open_with(Role::Client, KEPT, &config, |setup| setup.delivery = Delivery::Chunks);
    end.receive(&wire::encode(TEXT, None, &deflated(b"the window is there")));
    let frame = wire::encode(TEXT, None, &deflated(prose(2_000_000).as_bytes()));
    let mut input = BytesMut::from(&frame[..]);
    let ((), bytes) = held(|| {
        let mut reader = end.read(&mut input);
        assert!(reader.next().is_some());
    });
    // Compressed, and at most so much of them; what was inflated has been looked at.
    assert!(bytes <= 17 * KIB as isize, "{bytes} bytes held while the application does not read");
}

#[test]
fn a_prepared_message_holds_one_form_for_each_setup() {
    let config = unpooled();
    let mut ends: Vec<Connection> = (0..50).map(|_| open_with(Role::Server, KEPT, &config, |_| {})).collect();
    let text = prose(40_000);
    let (prepared, plain) = held(|| Prepared::new(&text[..]));
    let ((), more) = held(|| {
        for end in &mut ends {
            end.send_prepared(&prepared).unwrap();
            end.sent();
        }
    });
    assert!((40_000..42_000).contains(&plain), "{plain} bytes");
    assert!(more <= 20 * KIB as isize, "{more} bytes more for 50 connections");
}
