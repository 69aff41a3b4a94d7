//! What happened in a simulation, in the order in which it happened.

use core::fmt;
use core::time::Duration;

use sansocket::Role;

/// Everything that happened, as it can be read in the output of a test that failed; see
/// [`Network::traced`](crate::Network::traced).
///
/// Two runs with the same seed and the same script have equal traces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    entries: Vec<Entry>,
}

/// One line of a [`Trace`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// When, counted from the start of the simulation.
    pub at: Duration,
    /// At which end.
    pub role: Role,
    /// What.
    pub what: String,
}

impl Trace {
    /// What happened so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn push(&mut self, at: Duration, role: Role, what: String) {
        self.entries.push(Entry { at, role, what });
    }
}

impl fmt::Display for Trace {
    /// One line for each entry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, role, what } = self;
        write!(f, "{:>6}.{:09} {role} {what}", at.as_secs(), at.subsec_nanos())
    }
}
