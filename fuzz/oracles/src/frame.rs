//! Raw bytes, against the obvious slow receiver.

use sansocket::{Cause, Connection};

use crate::reference;
use crate::script::Endpoint;
use crate::support::drive::{Drive, Setup, open_with};
use crate::support::seen::{Seen, joined};
use crate::support::wire::{self, CLOSE, PONG};

/// The first byte chooses the endpoint (see `Endpoint`), the rest is what its peer sends.
///
/// - The events are those of the reference, whole and byte by byte.
/// - A failure is answered with its close code, a Close with its own, the Pings before it with Pongs, and nothing else.
/// - The end of the stream is reported where the reference stands.
pub fn frame(input: &[u8]) {
    let Some((endpoint, stream)) = Endpoint::choose(input) else { return };
    let limits = |setup: &mut Setup| {
        setup.delivery = endpoint.delivery;
        setup.limits.message = 3_000;
        setup.limits.frame = 2_000;
        setup.limits.fragments = 5;
        // Each Ping gets its own answer.
        setup.limits.write_control = usize::MAX;
    };
    let mut setup = Setup::default();
    limits(&mut setup);
    let (expected, position) = reference::receive(endpoint.role, &setup.limits, stream);
    for read in [Connection::receive, Connection::receive_bytewise] {
        let mut connection = open_with(endpoint.role, limits);
        let seen = joined(&read(&mut connection, stream));
        assert_eq!(seen, expected, "left: the library, right: the reference");
        check_answers(&mut connection, &seen);
        check_end(connection, &seen, position);
    }
}

fn check_answers(connection: &mut Connection, seen: &[Seen]) {
    let answers = seen.iter().filter_map(|event| match event {
        Seen::Ping(payload) => Some((PONG, payload.clone())),
        Seen::Close(frame) => {
            let code = frame.code().0;
            Some((CLOSE, if code == 1005 { Vec::new() } else { code.to_be_bytes().to_vec() }))
        }
        Seen::Failed(failure) => {
            let reason = failure.to_string();
            assert!(reason.len() <= 123, "this reason would be cut: {reason}");
            Some((CLOSE, wire::close(reference::close_code(failure), &reason)))
        }
        _ => None,
    });
    let sent = connection.frames_sent().into_iter().map(|frame| (frame.first, frame.payload));
    assert_eq!(sent.collect::<Vec<_>>(), answers.collect::<Vec<_>>(), "left: sent, right: due");
}

fn check_end(mut connection: Connection, seen: &[Seen], position: sansocket::Position) {
    connection.eof();
    let closed = connection.only_closed();
    let expected = match seen.last() {
        Some(Seen::Close(_)) => Cause::Clean,
        Some(Seen::Failed(failure)) => Cause::Failed(*failure),
        _ => Cause::Eof(position),
    };
    assert_eq!(closed.cause, expected);
    let messages = seen.iter().filter(|seen| matches!(seen, Seen::Text(_) | Seen::Binary(_))).count();
    assert_eq!(closed.counts.messages_received, messages as u64);
}
