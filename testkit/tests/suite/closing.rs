//! The closing handshake over a distance: frames that cross, messages on the way, and connections that break meanwhile.

use std::time::Duration;

use sansocket::{Cause, CloseCode, Closed, MessageKind, Position, Role, TransportError, Violation};
use sansocket_testkit::{Cut, Direction, Endpoint, Link, Network, Outcome, Pair, Script, Seen, Split};

use crate::support::{CLOSE, FIRST, TEXT, calm, cause, close_payload, code, frame, ms, secs};

const ONE_WAY: Duration = ms(50);

fn distant() -> Network {
    calm(1).both_ways(Link::new().latency(ONE_WAY))
}

#[track_caller]
fn closed(endpoint: &Endpoint) -> &Closed {
    assert_one_end(endpoint);
    endpoint.closed().expect("the connection has ended")
}

/// There is one terminal event, and it is the last.
#[track_caller]
fn assert_one_end(endpoint: &Endpoint) {
    let ends = endpoint.events().iter().filter(|seen| matches!(seen, Seen::Closed(_))).count();
    assert_eq!(ends, 1, "{:?}", endpoint.events());
    assert!(matches!(endpoint.events().last(), Some(Seen::Closed(_))));
}

fn codes(closed: &Closed) -> (Option<u16>, Option<u16>) {
    let code = |frame: &Option<sansocket::CloseFrame>| frame.as_ref().map(|frame| frame.code().0);
    (code(&closed.sent), code(&closed.received))
}

#[test]
fn close_frames_that_cross_make_a_clean_end_for_both() {
    // The server closes so much before or after the client.
    for offset in [-60, -50, -49, -1, 0, 1, 49, 50, 60] {
        for split in [Split::Whole, Split::EveryByte] {
            let link = Link::new().latency(ONE_WAY).split(split);
            let mut pair = calm(1).both_ways(link).without_handshake();
            let (first, second) =
                if offset < 0 { (Role::Server, Role::Client) } else { (Role::Client, Role::Server) };
            close(&mut pair, first);
            pair.run_for(ms(i64::unsigned_abs(offset)));
            // At a distance of 50 ms the other's Close frame has come, and nothing may follow its answer.
            let crosses = i64::abs(offset) < 50;
            assert_eq!(close(&mut pair, second), crosses, "{offset}");
            assert_eq!(pair.run(), Outcome::Quiet);
            let (client, server) = (closed(&pair.client), closed(&pair.server));
            assert!(client.is_clean() && server.is_clean(), "{offset}: {client} / {server}");
            if crosses {
                assert_eq!(codes(client), (Some(1000), Some(1001)), "{offset}");
                assert_eq!(codes(server), (Some(1001), Some(1000)), "{offset}");
                assert_eq!(
                    (client.first, server.first),
                    (Role::Client, Role::Server),
                    "each was first, as it saw it"
                );
            } else {
                let code = Some(if first == Role::Client { 1000 } else { 1001 });
                assert_eq!((codes(client), codes(server)), ((code, code), (code, code)), "{offset}");
                assert_eq!((client.first, server.first), (first, first), "{offset}");
            }
        }
    }
}

#[test]
fn the_server_ends_tcp_and_the_client_waits_for_it() {
    for first in [Role::Client, Role::Server] {
        let mut pair = distant().traced().without_handshake();
        close(&mut pair, first);
        assert!(pair.run_until(|pair| pair.client.closed().is_some() && pair.server.closed().is_some()));
        let trace = pair.trace().expect("it is traced").to_string();
        let server = trace.find("server closes the connection").expect("it does");
        let client = trace.find("client closes the connection").expect("it does");
        assert!(server < client, "{trace}");
        // TCP ends as soon as the server has the second Close frame; the client is the last to know.
        let ways = if first == Role::Client { 2 } else { 3 };
        assert_eq!(pair.elapsed(), ways * ONE_WAY);
    }
}

#[test]
fn messages_on_the_way_arrive_before_the_close_frame() {
    for split in [Split::Whole, Split::EveryByte, Split::Random] {
        let link = Link::new().latency(ONE_WAY).split(split).window(3_000).bandwidth(100_000);
        let mut pair = calm(1).both_ways(link).without_handshake();
        for n in 0..20_u8 {
            pair.client.send(vec![n; 500]).unwrap();
            pair.server.send(vec![n; 700]).unwrap();
        }
        close(&mut pair, Role::Client);
        close(&mut pair, Role::Server);
        assert_eq!(pair.run(), Outcome::Quiet);
        assert!(closed(&pair.client).is_clean() && closed(&pair.server).is_clean());
        let sent = |len| (0..20_u8).map(move |n| vec![n; len].into()).collect::<Vec<_>>();
        assert_eq!(pair.server.take_messages(), sent(500));
        assert_eq!(pair.client.take_messages(), sent(700));
    }
}

#[test]
fn a_message_that_is_half_sent_when_the_other_end_closes_is_not_seen() {
    let mut pair = distant().without_handshake();
    pair.client.connection().send_fragment(MessageKind::Text, b"never ", false).unwrap();
    close(&mut pair, Role::Server);
    pair.run_for(ONE_WAY);
    let refused = pair.client.connection().send_fragment(MessageKind::Text, b"finished", true);
    assert_eq!(refused, Err(sansocket::SendRefused::Closing));
    pair.run();
    assert!(closed(&pair.client).is_clean() && closed(&pair.server).is_clean());
    assert_eq!(pair.server.take_messages(), []);
}

#[test]
fn a_failure_that_crosses_a_close_frame_keeps_its_cause() {
    // The server closes, and meanwhile the client breaks the protocol.
    let script = Script::new().request().wait(ms(30)).send([0xFF; 20]).until([CLOSE]).close();
    let mut sim = distant().raw_client(script);
    assert!(sim.run_until(|sim| sim.server.is_open()));
    sim.server.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(sim.run(), Outcome::Quiet);
    let closed = closed(&sim.server);
    assert_eq!(closed.cause, Cause::Failed(Violation::ReservedBits { bits: 7 }.into()));
    assert_eq!(codes(closed), (Some(1000), None), "there is one Close frame, and it was on its way");
}

#[test]
fn a_failed_connection_is_read_on_so_that_its_close_frame_arrives() {
    // The client sends on and on; a reset would destroy the Close frame on its way.
    let link = Link::new().latency(ONE_WAY).bandwidth(100_000).split(Split::Every(500));
    let script = Script::new().request().send([0xFF; 50_000]).until([CLOSE]).wait(ms(1)).half_close();
    let mut sim = calm(1).both_ways(link).raw_client(script);
    assert_eq!(sim.run(), Outcome::Quiet);
    let frames = crate::support::server_frames(sim.client.received_behind_head());
    let [(CLOSE, payload)] = &frames[..] else { panic!("not one Close frame: {frames:?}") };
    assert_eq!(payload[..2], close_payload(1002));
    assert_eq!(sim.client.ended(), Some(sansocket_testkit::Ended::Eof));
    assert!(sim.elapsed() < secs(1), "{:?}", sim.elapsed());
}

#[test]
fn a_stream_that_ends_without_close_is_told_by_its_position() {
    let text = frame(Role::Client, TEXT, b"hello");
    let first = frame(Role::Client, FIRST, b"hel");
    for (len, position) in (0..=text.len())
        .map(|len| {
            (text[..len].to_vec(), if len % text.len() == 0 { Position::Boundary } else { Position::Frame })
        })
        .chain([(first, Position::Message)])
    {
        let mut sim = calm(1).raw_client(Script::new().request().send(&len).half_close());
        assert_eq!(sim.run(), Outcome::Quiet);
        assert_eq!(cause(&sim.server), Cause::Eof(position), "{len:?}");
        assert_one_end(&sim.server);
    }
}

#[test]
fn a_connection_that_breaks_while_closing_ends_honestly_at_every_byte() {
    // The client closes; the server's answer is cut.
    let answer = frame(Role::Server, CLOSE, &close_payload(1000)).len() as u64;
    for len in 0..=answer {
        for how in [Cut::Eof, Cut::Reset, Cut::Silence] {
            let mut pair = distant().without_handshake();
            pair.set_link(Direction::ToClient, Link::new().latency(ONE_WAY).cut_after(len, how));
            close(&mut pair, Role::Client);
            assert_eq!(pair.run(), Outcome::Quiet);
            let cause = closed(&pair.client).cause;
            let expected = match how {
                _ if len == answer => Cause::Clean,
                Cut::Eof if len == 0 => Cause::Eof(Position::Boundary),
                Cut::Eof => Cause::Eof(Position::Frame),
                Cut::Reset => Cause::Transport(TransportError::Reset),
                Cut::Silence => Cause::CloseTimeout(Role::Server),
            };
            assert_eq!(cause, expected, "{len} {how:?}");
            let limit = if how == Cut::Silence { secs(5) } else { 2 * ONE_WAY };
            assert!(pair.elapsed() <= limit + 2 * ONE_WAY, "{len} {how:?}: {:?}", pair.elapsed());
        }
    }
}

#[test]
fn a_close_frame_whose_tail_is_lost_is_no_clean_end() {
    for lost in 1..=8 {
        let script = Script::new().accept().send(frame(Role::Server, CLOSE, b"\x03\xE9bye123")).close();
        let link = Link::new().latency(ONE_WAY).lose_tail(lost, Cut::Reset);
        let mut sim = calm(1).to_client(link).raw_server(script);
        assert_eq!(sim.run(), Outcome::Quiet);
        assert_eq!(cause(&sim.client), Cause::Transport(TransportError::Reset), "{lost}");
    }
}

#[test]
fn both_ends_that_close_with_a_reset_in_between_are_told_so() {
    let mut pair = distant().open().unwrap();
    let opened = pair.elapsed();
    close(&mut pair, Role::Client);
    close(&mut pair, Role::Server);
    pair.run_for(ONE_WAY / 2);
    pair.cut(Direction::ToServer, Cut::Reset);
    assert_eq!(pair.run(), Outcome::Quiet);
    assert_eq!((code(&pair.client), code(&pair.server)), ("", ""));
    let reset = Cause::Transport(TransportError::Reset);
    assert_eq!((closed(&pair.client).cause, closed(&pair.server).cause), (reset, reset));
    assert_eq!(pair.elapsed(), opened + ONE_WAY / 2);
}

/// The client closes with 1000, the server with 1001. Returns whether it could.
fn close(pair: &mut Pair, role: Role) -> bool {
    match role {
        Role::Client => pair.client.close(CloseCode::NORMAL, "").is_ok(),
        Role::Server => pair.server.close(CloseCode::GOING_AWAY, "").is_ok(),
    }
}
