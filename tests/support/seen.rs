//! Events that outlive the input they were borrowed from.

use sansocket::{CloseFrame, Closed, Event, Failure, MessageKind};

/// An [`Event`] with everything owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Chunk { kind: MessageKind, data: Vec<u8>, first: bool, frame_end: bool, last: bool },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(CloseFrame),
    Failed(Failure),
    Closed(Box<Closed>),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into_owned()),
            Event::Binary(bytes) => Self::Binary(bytes.into_owned()),
            Event::Chunk(chunk) => Self::Chunk {
                kind: chunk.kind,
                data: chunk.data.to_vec(),
                first: chunk.first,
                frame_end: chunk.frame_end,
                last: chunk.last,
            },
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(frame) => Self::Close(frame),
            Event::Failed(failure) => Self::Failed(failure),
            Event::Closed(closed) => Self::Closed(closed),
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }
}

impl Seen {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(crate) fn binary(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_vec())
    }

    pub(crate) fn ping(payload: &[u8]) -> Self {
        Self::Ping(payload.to_vec())
    }

    pub(crate) fn pong(payload: &[u8]) -> Self {
        Self::Pong(payload.to_vec())
    }
}

/// Events without what depends on how the input was split: the pieces of a message are joined, and of a message that
/// never became whole only its beginning counts.
pub(crate) fn joined(events: &[Seen]) -> Vec<Seen> {
    let mut joined = Vec::new();
    let mut open: Option<(MessageKind, Vec<u8>)> = None;
    for event in events {
        let Seen::Chunk { kind, data, first, last, .. } = event else {
            joined.push(event.clone());
            continue;
        };
        assert_eq!(*first, open.is_none(), "a chunk is the first exactly when no message is open");
        let (open_kind, so_far) = open.get_or_insert_with(|| (*kind, Vec::new()));
        assert_eq!(open_kind, kind, "all chunks of a message are of its type");
        so_far.extend_from_slice(data);
        if *last {
            let whole = open.take().map(|(_, whole)| whole).unwrap_or_default();
            joined.push(match kind {
                MessageKind::Text => Seen::Text(String::from_utf8(whole).expect("text is UTF-8")),
                MessageKind::Binary => Seen::Binary(whole),
            });
        }
    }
    joined
}
