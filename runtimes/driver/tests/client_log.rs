//! What operators see of a session: one line for each thing that happens, at the level that it deserves, inside of its span.
//!
//! A binary of its own: what is enabled is remembered for the process, and other tests enable nothing.

#[path = "log/fields.rs"]
mod fields;
#[path = "client/rig.rs"]
#[expect(dead_code, reason = "shared with the other tests of the client")]
mod rig;
#[path = "driver/script.rs"]
#[expect(dead_code, reason = "shared with the tests of the driver")]
mod script;

use std::sync::{Arc, Mutex};

use sansocket::{CloseCode, QueuePolicy};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use rig::{Tcp, accept, builder, events, next_attempt, reject, set};
use script::done;

/// Level, outermost span and fields of each event at `info` and above.
type Lines = Arc<Mutex<Vec<(Level, &'static str, String)>>>;

#[derive(Default)]
struct Log {
    lines: Lines,
    names: Mutex<Vec<&'static str>>,
    entered: Mutex<Vec<u64>>,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut names = self.names.lock().unwrap();
        names.push(attributes.metadata().name());
        Id::from_u64(names.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let outermost = self.entered.lock().unwrap().first().copied();
        let span = outermost.map_or("", |id| self.names.lock().unwrap()[id as usize - 1]);
        self.lines.lock().unwrap().push((*event.metadata().level(), span, fields::line(event)));
    }

    fn enter(&self, id: &Id) {
        self.entered.lock().unwrap().push(id.into_u64());
    }

    fn exit(&self, id: &Id) {
        self.entered.lock().unwrap().retain(|entered| *entered != id.into_u64());
    }
}

/// The lines that `session` leads to; each must be inside of the span, and hold the text that is expected.
#[track_caller]
fn assert_log(session: impl FnOnce(), expected: &[(Level, &str)]) {
    let log = Log::default();
    let lines = Arc::clone(&log.lines);
    tracing::subscriber::with_default(log, session);
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for ((level, span, line), (expected, text)) in lines.iter().zip(expected) {
        assert_eq!((level, *span), (expected, "session"), "{line}");
        assert!(line.contains(text), "{line}");
    }
}

#[test]
fn each_turn_of_a_session_is_one_line() {
    let session = || {
        set(1, Tcp::Refuses);
        let mut client = builder(1).build().unwrap();
        let failed = events(&mut client);
        set(1, Tcp::Accepts);
        next_attempt(&mut client, &failed);
        let server = accept();
        events(&mut client);
        server.kill();
        let lost = events(&mut client);
        next_attempt(&mut client, &lost);
        let mut server = accept();
        events(&mut client);
        client.sender().close(CloseCode::NORMAL, "").unwrap();
        events(&mut client);
        server.received();
        server.peer.end(Ok(()));
        events(&mut client);
    };
    assert_log(
        session,
        &[
            (Level::WARN, "will try again: no connection to ws://192.0.2.1"),
            (Level::INFO, "connected server=\"ws://192.0.2.1\" address=192.0.2.1:80"),
            (Level::WARN, "disconnected: "),
            (Level::INFO, "will connect again"),
            (Level::INFO, "reconnected"),
            (Level::INFO, "disconnected: "),
            (Level::INFO, "session closed by=client queued=0"),
        ],
    );
}

#[test]
fn a_failed_handshake_is_logged_once_and_giving_up_is_an_error() {
    let session = || {
        let mut client = builder(1).queue(QueuePolicy::DropNewest);
        client.session.queue_messages = 0;
        let mut client = client.max_reconnect_attempts(1).build().unwrap();
        done(client.send("no room")).unwrap();
        reject(503, "");
        let refused = events(&mut client);
        next_attempt(&mut client, &refused);
        reject(401, "");
        events(&mut client);
    };
    assert_log(
        session,
        &[
            (Level::WARN, "messages dropped"),
            (Level::WARN, "503"),
            (Level::INFO, "will try again"),
            (Level::ERROR, "401"),
            (Level::ERROR, "gave up: no server is left"),
        ],
    );
}

#[test]
fn a_server_that_is_left_out_is_not_announced_as_one_to_be_tried_again() {
    let session = || {
        let mut client = builder(2).max_reconnect_attempts(1).build().unwrap();
        events(&mut client);
        reject(403, "");
        let refused = events(&mut client);
        set(2, Tcp::Refuses);
        next_attempt(&mut client, &refused);
    };
    assert_log(
        session,
        &[
            (Level::WARN, "403"),
            (Level::WARN, "left_out=\"ws://192.0.2.1\" server=\"ws://192.0.2.2\" attempt=1 of=1"),
            (Level::ERROR, "; ws://192.0.2.2/ (tried once): no connection to ws://192.0.2.2:80: "),
        ],
    );
}
