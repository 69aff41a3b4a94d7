//! What a program sends: each type of message, as the core takes it.

use std::io;

use ::tungstenite::Message;
use ::tungstenite::error::ProtocolError;
use ::tungstenite::protocol::WebSocketConfig;
use ::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use ::tungstenite::protocol::frame::{CloseFrame, Frame};
use bytes::Buf;
use sansocket::{CloseFrame as OurCloseFrame, MessageKind, SendRefused, State};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::Error;
use crate::tungstenite::WsError;
use crate::tungstenite::link::Link;

/// What is kept of what was sent.
#[derive(Debug)]
pub(super) struct Sending {
    /// Bytes that may wait before they are written unasked.
    soft: usize,
    /// Bytes that may wait at all.
    hard: usize,
    /// The message that was begun with a bare frame.
    open: Option<MessageKind>,
}

impl Sending {
    pub(super) fn new(config: &WebSocketConfig) -> Self {
        Self { soft: config.write_buffer_size, hard: config.max_write_buffer_size, open: None }
    }

    pub(super) fn send<S>(&mut self, link: &mut Link<S>, message: Message) -> Result<(), WsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if link.closed.is_some() {
            return Err(WsError::AlreadyClosed);
        }
        if link.connection.state() != State::Open {
            return Err(WsError::Protocol(ProtocolError::SendAfterClosing));
        }
        if let Some(error) = link.io_error() {
            return Err(error.into());
        }
        if matches!(message, Message::Ping(_) | Message::Pong(_))
            && link.connection.transmit().has_remaining()
        {
            // In the order in which they were sent, where that is possible: in the queue they would overtake messages.
            let _ = link.poll_write();
        }
        if link.connection.transmit().remaining().saturating_add(message.len() + MAX_HEADER) > self.hard {
            let _ = link.poll_write();
            if link.connection.transmit().has_remaining() {
                return Err(WsError::WriteBufferFull(Box::new(message)));
            }
        }
        if let Err(refused) = self.queue(link, &message) {
            return Err(match refused {
                Refused::Theirs(error) => error,
                Refused::Ours(reason) => of_refused(reason, Some(message)),
            });
        }
        if matches!(message, Message::Close(_)) {
            link.begin_closing();
        }
        if link.connection.transmit().remaining() > self.soft || matches!(message, Message::Close(_)) {
            let _ = link.poll_write();
            return link.io_error().map_or(Ok(()), |error| Err(error.into()));
        }
        Ok(())
    }

    fn queue<S>(&mut self, link: &mut Link<S>, message: &Message) -> Result<(), Refused> {
        let connection = &mut link.connection;
        match message {
            Message::Text(text) => connection.send_text(text)?,
            Message::Binary(bytes) => connection.send(bytes.clone()).map_err(|error| error.reason)?,
            Message::Ping(payload) => connection.ping(payload)?,
            Message::Pong(payload) => connection.pong(payload)?,
            Message::Close(frame) => connection.close_with(close_frame(frame.clone())?)?,
            Message::Frame(frame) => self.queue_frame(link, frame)?,
        }
        Ok(())
    }

    /// A frame that the program made by itself: a fragment, most likely.
    fn queue_frame<S>(&mut self, link: &mut Link<S>, frame: &Frame) -> Result<(), Refused> {
        let header = frame.header();
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(ProtocolError::NonZeroReservedBits.into());
        }
        let (last, payload) = (header.is_final, frame.payload());
        let connection = &mut link.connection;
        let kind = match (header.opcode, self.open) {
            (OpCode::Data(Data::Text), None) => MessageKind::Text,
            (OpCode::Data(Data::Binary), None) => MessageKind::Binary,
            (OpCode::Data(Data::Continue), Some(open)) => open,
            (OpCode::Data(Data::Continue), None) => return Err(ProtocolError::UnexpectedContinueFrame.into()),
            (OpCode::Data(data @ (Data::Text | Data::Binary)), Some(_)) => {
                return Err(ProtocolError::ExpectedFragment(data).into());
            }
            (OpCode::Control(Control::Ping), _) => return Ok(connection.ping(payload)?),
            (OpCode::Control(Control::Pong), _) => return Ok(connection.pong(payload)?),
            (OpCode::Control(Control::Close), _) => {
                connection.close_with(close_frame(parse_close(payload)?)?)?;
                link.begin_closing();
                return Ok(());
            }
            (other, _) => return Err(ProtocolError::InvalidOpcode(other.into()).into()),
        };
        connection.send_fragment(kind, payload, last)?;
        self.open = (!last).then_some(kind);
        Ok(())
    }
}

/// Why something was not queued.
enum Refused {
    Ours(SendRefused),
    Theirs(WsError),
}

impl From<SendRefused> for Refused {
    fn from(reason: SendRefused) -> Self {
        Self::Ours(reason)
    }
}

impl From<ProtocolError> for Refused {
    fn from(error: ProtocolError) -> Self {
        Self::Theirs(error.into())
    }
}

fn close_frame(frame: Option<CloseFrame>) -> Result<OurCloseFrame, ProtocolError> {
    frame.try_into().map_err(|_| ProtocolError::InvalidCloseSequence)
}

/// The payload data of a Close frame.
fn parse_close(payload: &[u8]) -> Result<Option<CloseFrame>, ProtocolError> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk::<2>().ok_or(ProtocolError::InvalidCloseSequence)?;
    let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::InvalidCloseSequence)?;
    Ok(Some(CloseFrame { code: u16::from_be_bytes(*code).into(), reason: reason.into() }))
}

/// Why a message was not sent, which is given back where tungstenite does and it is still there.
pub(super) fn of_refused(reason: SendRefused, message: Option<Message>) -> WsError {
    match (reason, message) {
        (SendRefused::Closing, _) => WsError::Protocol(ProtocolError::SendAfterClosing),
        (SendRefused::QueueFull { .. } | SendRefused::ControlQueueFull { .. }, Some(message)) => {
            WsError::WriteBufferFull(Box::new(message))
        }
        (SendRefused::ControlTooLong { .. }, _) => WsError::Protocol(ProtocolError::ControlFrameTooBig),
        (SendRefused::InvalidUtf8 { .. }, _) => WsError::Utf8(reason.to_string()),
        (SendRefused::CloseFrame(_), _) => WsError::Protocol(ProtocolError::InvalidCloseSequence),
        // A whole message inside of one that was begun with bare frames, say.
        _ => WsError::Io(io::Error::new(io::ErrorKind::InvalidInput, Error::Refused(reason))),
    }
}

/// Bytes of a frame that are not payload data, at most.
const MAX_HEADER: usize = 14;
