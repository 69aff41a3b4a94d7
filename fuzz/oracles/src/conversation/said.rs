//! What an end of a conversation sends: messages that differ from each other, and Pings.

use sansocket::{Message, MessageKind};

use crate::support::seen::Seen;

/// What was accepted for sending, in order.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) messages: Vec<Seen>,
    /// The message that is being sent in fragments.
    open: Option<(MessageKind, Vec<u8>)>,
    /// Frames of all that.
    pub(super) frames: usize,
    /// The payload data of the last Ping.
    pub(super) ping: Option<Vec<u8>>,
    tried: usize,
    largest: usize,
    bytes: usize,
}

impl Said {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the largest message, whole or not.
    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    pub(super) fn text(&mut self, number: usize) -> String {
        format!("{} {}", self.tag(), "né".repeat(number * 16))
    }

    /// Bytes that cannot be compressed.
    pub(super) fn binary(&mut self, number: usize) -> Vec<u8> {
        let mut state = self.tag() as u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        core::iter::repeat_with(next).take(number * 64).collect()
    }

    /// What goes on where the fragments so far have ended, also inside of a character.
    pub(super) fn fragment(&mut self, kind: MessageKind, len: usize) -> Vec<u8> {
        let tag = self.tag();
        match (&self.open, kind) {
            (Some((_, so_far)), MessageKind::Text) => {
                "né€".bytes().cycle().skip(so_far.len() % 6).take(len).collect()
            }
            (None, MessageKind::Text) => "né€".bytes().cycle().take(len).collect(),
            (_, MessageKind::Binary) => vec![tag as u8; len],
        }
    }

    /// Whether a text message that has so many bytes more ends inside of a character.
    pub(super) fn would_end_inside(&self, more: usize) -> bool {
        let so_far = self.open.as_ref().map_or(0, |(_, so_far)| so_far.len());
        ![0, 1, 3].contains(&((so_far + more) % 6))
    }

    /// Whether the last fragment has yet to come.
    pub(super) fn is_inside_message(&self) -> bool {
        self.open.is_some()
    }

    /// Different for each Ping, and of at least five bytes, which no keepalive Ping has.
    pub(super) fn next_ping(&mut self, len: usize) -> Vec<u8> {
        let mut payload = b"p".to_vec();
        payload.extend((self.tag() as u32).to_be_bytes());
        payload.resize(len.max(5), b'.');
        payload
    }

    pub(super) fn accepted(&mut self, message: Seen) {
        let len = match &message {
            Seen::Text(text) => text.len(),
            Seen::Binary(bytes) => bytes.len(),
            other => panic!("no message: {other:?}"),
        };
        self.count(len, len);
        self.messages.push(message);
    }

    pub(super) fn accepted_fragment(&mut self, kind: MessageKind, data: &[u8], last: bool) {
        let (_, so_far) = self.open.get_or_insert_with(|| (kind, Vec::new()));
        so_far.extend_from_slice(data);
        let len = so_far.len();
        self.count(data.len(), len);
        if let Some((kind, whole)) = self.open.take_if(|_| last) {
            self.messages.push(match kind {
                MessageKind::Text => Seen::Text(String::from_utf8(whole).expect("it was accepted as text")),
                MessageKind::Binary => Seen::Binary(whole),
            });
        }
    }

    fn count(&mut self, bytes: usize, message: usize) {
        self.frames += 1;
        self.bytes += bytes;
        self.largest = self.largest.max(message);
    }

    fn tag(&mut self) -> usize {
        self.tried += 1;
        self.tried
    }
}

/// Text that is the same for both ends.
pub(super) fn prepared(number: u8) -> Message {
    format!("prepared {number} {}", "for many ".repeat(usize::from(number))).into()
}
