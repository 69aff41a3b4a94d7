//! Control frames: those that the application sends, and the answers (RFC 6455 section 5.5).

use super::send::Sender;
use crate::error::SendRefused;
use crate::frame::{CloseCode, CloseFrame, FirstByte, Flags, MAX_CONTROL_PAYLOAD, Opcode};

impl Sender {
    /// Queues a Ping ([RFC 6455 section 5.5.2]); it overtakes messages that wait.
    ///
    /// # Errors
    ///
    /// Over 125 bytes; the closing handshake has begun; or control frames of [`Limits::write_control`](crate::Limits::write_control) wait already.
    ///
    /// [RFC 6455 section 5.5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.2
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendRefused> {
        self.send_control(Opcode::Ping, payload)
    }

    /// Queues a Pong that nobody asked for ([RFC 6455 section 5.5.3]). Pings are answered without it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    ///
    /// [RFC 6455 section 5.5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendRefused> {
        self.send_control(Opcode::Pong, payload)
    }

    fn send_control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendRefused> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendRefused::ControlTooLong { len: payload.len() });
        }
        if self.closing.has_begun() {
            return Err(SendRefused::Closing);
        }
        let (queued, limit) = (self.queue.control_len(), self.write_control);
        if queued >= limit {
            return Err(SendRefused::ControlQueueFull { queued, limit });
        }
        self.queue.push_control(opcode, payload, self.entropy.as_mut());
        Ok(())
    }

    /// Begins the closing handshake ([RFC 6455 section 7.1.2]): queues a Close frame behind the messages that wait.
    ///
    /// [`CloseCode::NO_STATUS`] with an empty reason sends a frame without code and reason.
    ///
    /// Go on reading: messages may still come, then the peer's Close frame.
    ///
    /// # Errors
    ///
    /// A code or reason that cannot be sent; or the closing handshake has begun already.
    ///
    /// [RFC 6455 section 7.1.2]: https://www.rfc-editor.org/rfc/rfc6455#section-7.1.2
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendRefused> {
        self.close_with(CloseFrame::new(code, reason)?)
    }

    /// As [`close`](Self::close), with a frame that is there already: one that another peer sent, perhaps.
    ///
    /// # Errors
    ///
    /// The closing handshake has begun already.
    pub fn close_with(&mut self, frame: CloseFrame) -> Result<(), SendRefused> {
        if self.closing.has_begun() {
            return Err(SendRefused::Closing);
        }
        self.queue_close(frame);
        Ok(())
    }

    /// Answers a Ping: at once, or together with later ones if too many answers wait already.
    //= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
    //# If an endpoint receives a Ping frame and has not yet sent Pong
    //# frame(s) in response to previous Ping frame(s), the endpoint MAY
    //# elect to send a Pong frame for only the most recently processed Ping
    //# frame.
    pub(super) fn answer_ping(&mut self, payload: &[u8]) {
        if self.queue.control_len() < self.write_control {
            self.queue.push_control(Opcode::Pong, payload, self.entropy.as_mut());
        } else {
            self.newest_ping = Some(payload.into());
        }
    }

    /// Answers the Ping that was not answered at once, if there is room now.
    pub(super) fn answer_newest_ping(&mut self) {
        if self.queue.control_len() < self.write_control {
            if let Some(payload) = self.newest_ping.take() {
                self.queue.push_control(Opcode::Pong, &payload, self.entropy.as_mut());
            }
        }
    }

    /// Queues the one Close frame of this end.
    pub(super) fn queue_close(&mut self, frame: CloseFrame) {
        let mut payload = alloc::vec::Vec::new();
        frame.encode(&mut payload);
        let first = FirstByte::new(Flags::WHOLE, Opcode::Close);
        self.queue.push(first, &payload, self.entropy.as_mut());
        self.closing.queued(frame, self.role);
        self.open = None;
    }
}
