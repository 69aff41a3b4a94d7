//! The events of the log, for the tests that look at it.

mod fields;

use std::sync::{Arc, Mutex};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Level and fields of each event.
pub(crate) type Lines = Arc<Mutex<Vec<(Level, String)>>>;

/// Keeps the events of `level` and above.
pub(crate) struct Log {
    pub(crate) lines: Lines,
    pub(crate) level: Level,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.lines.lock().unwrap().push((*event.metadata().level(), fields::line(event)));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
