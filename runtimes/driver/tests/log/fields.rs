//! An event of the log as a line. Each of its fields has to be on the page about the log.

use std::fmt::Write as _;

use tracing::Event;
use tracing::field::{Field, Visit};

struct Fields<'a>(&'a mut String);

/// The fields of an event.
pub(crate) fn line(event: &Event<'_>) -> String {
    let mut line = String::new();
    event.record(&mut Fields(&mut line));
    line
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let page = include_str!("../../../../docs/logging.md");
        let name = field.name();
        assert!(name == "message" || page.contains(&format!("`{name}`")), "no word on {name} on the page");
        write!(self.0, "{name}={value:?} ").unwrap();
    }
}
