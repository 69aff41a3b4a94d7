//! Events that came while an application only sent, and that wait until it asks for them.

use std::collections::VecDeque;

use sansocket::SessionEvent;

/// Bounded: of an outage that nobody looks at, the newest is kept.
#[derive(Default)]
pub(super) struct Waiting {
    events: VecDeque<SessionEvent>,
    messages: usize,
}

impl Waiting {
    /// Whether a message waits. Then no more are to be received.
    pub(super) fn has_message(&self) -> bool {
        self.messages > 0
    }

    pub(super) fn push(&mut self, event: SessionEvent) {
        if is_message(&event) {
            self.messages += 1;
        } else if self.events.len() >= MAX_EVENTS {
            // There is one message at most, so there is one that is none.
            if let Some(oldest) = self.events.iter().position(|event| !is_message(event)) {
                self.events.remove(oldest);
            }
        }
        self.events.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<SessionEvent> {
        let event = self.events.pop_front()?;
        if is_message(&event) {
            self.messages -= 1;
        }
        Some(event)
    }
}

fn is_message(event: &SessionEvent) -> bool {
    matches!(event, SessionEvent::Message(_))
}

/// Events that wait: several outages of the usual length.
pub(super) const MAX_EVENTS: usize = 64;
