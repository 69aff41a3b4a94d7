//! What the application at one end does.

use sansocket::{CloseCode, Connection, MessageKind, Prepared, SendRefused};

use super::end::End;
use crate::support::seen::Seen;

impl End {
    pub(super) fn send_text(&mut self, number: usize) {
        let text = self.said.text(number);
        let Some(connection) = self.connection_mut() else { return };
        match connection.send(text.clone()) {
            Ok(()) => self.said.accepted(Seen::Text(text)),
            Err(error) => assert_eq!(error.message.as_bytes(), text.as_bytes(), "it is given back"),
        }
    }

    pub(super) fn send_binary(&mut self, number: usize) {
        let bytes = self.said.binary(number);
        let Some(connection) = self.connection_mut() else { return };
        if connection.send_binary(&bytes).is_ok() {
            self.said.accepted(Seen::Binary(bytes));
        }
    }

    pub(super) fn send_prepared(&mut self, message: &Prepared) {
        let Some(connection) = self.connection_mut() else { return };
        if connection.send_prepared(message).is_ok() {
            let text = String::from_utf8(message.as_bytes().to_vec()).expect("it was made of text");
            self.said.accepted(Seen::Text(text));
        }
    }

    pub(super) fn send_fragment(&mut self, operand: usize) {
        let (text, last, len) = (operand & 1 != 0, operand & 2 != 0, operand >> 2);
        let kind = if text { MessageKind::Text } else { MessageKind::Binary };
        let data = self.said.fragment(kind, len * 5);
        let Some(connection) = self.connection_mut() else { return };
        match connection.send_fragment(kind, &data, last) {
            Ok(()) => self.said.accepted_fragment(kind, &data, last),
            Err(SendRefused::InvalidUtf8 { .. }) => {
                assert!(text && last && self.said.would_end_inside(data.len()), "it is UTF-8 so far");
            }
            Err(_) => {}
        }
    }

    pub(super) fn ping(&mut self, len: usize) {
        let payload = self.said.next_ping(len);
        let Some(connection) = self.connection_mut() else { return };
        match connection.ping(&payload) {
            Ok(()) => self.said.ping = Some(payload),
            Err(SendRefused::ControlTooLong { len }) => assert!(len > 125),
            Err(_) => {}
        }
    }

    /// Says whether this is what begins to close.
    pub(super) fn close(&mut self, number: usize) -> bool {
        match number % 8 {
            0 => self.close_with(CloseCode::NO_STATUS, ""),
            at => self.close_with(
                CloseCode([1000, 1001, 1003, 1008, 1011, 3000, 4999][at - 1]),
                &"ö".repeat(number / 5),
            ),
        }
    }

    pub(super) fn close_with(&mut self, code: CloseCode, reason: &str) -> bool {
        self.connection_mut().is_some_and(|connection| connection.close(code, reason).is_ok())
    }

    pub(super) fn toggle_compression(&mut self) {
        if let Some(connection) = self.connection_mut() {
            let enabled = connection.compression();
            connection.set_compression(!enabled);
        }
    }

    /// Says whether there is a connection to give up.
    pub(super) fn abort(&mut self) -> bool {
        let Some(connection) = self.connection_mut() else { return false };
        connection.abort();
        self.take_closed();
        true
    }

    pub(super) fn pause(&mut self) {
        self.connection_mut().into_iter().for_each(Connection::pause);
    }
}
