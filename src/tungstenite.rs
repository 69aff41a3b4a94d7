//! Conversions between this crate's vocabulary and that of [tungstenite], for programs that move from one to the other, or use both.
//!
//! | here | there | there → here | here → there |
//! |---|---|---|---|
//! | [`Message`] | `Message` | `TryFrom`: a control frame or a bare `Frame` is no message, and comes back ([`NoMessage`]) | `From` |
//! | [`Event`] | `Message` | - | `TryFrom`: what `Message` has no name for comes back |
//! | [`CloseFrame`] | `CloseFrame`, or `Option` of it | `TryFrom`: the code must be one that may be sent, and the reason fit ([`InvalidCloseFrame`]) | `From`; [`CloseCode::NO_STATUS`] is `None` |
//! | [`CloseCode`] | `CloseCode` | `From` | `From` |
//! | [`Role`] | `Role` | `From` | `From` |
//! | [`Limits`], [`ServerConfig`], [`ClientConfig`] | `WebSocketConfig` | `From`, with losses | `From`, of [`Limits`], with losses |
//! | [`Failure`] | `Error` | - | `From`, with losses |
//!
//! `max_message_size`, `max_frame_size`, `write_buffer_size` and `max_write_buffer_size` are [`Limits::message`], [`Limits::frame`],
//! [`Limits::write_soft`] and [`Limits::write_hard`]. `read_buffer_size` has no counterpart, as a connection holds no read buffer; nor has
//! `accept_unmasked_frames`: a client that does not mask is always refused ([RFC 6455 section 5.1]). What a `WebSocketConfig` does not
//! know keeps its default.
//!
//! Text is a `String` here and shared bytes there, so that a conversion from there copies it. Binary data is shared.
//!
//! [tungstenite]: https://docs.rs/tungstenite
//! [RFC 6455 section 5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.1

use std::io;
use std::string::ToString;

use bytes::Bytes;
use thiserror::Error;
use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::protocol::frame::coding;
use tungstenite::protocol::{self, WebSocketConfig};

use crate::config::{ClientConfig, Limits, ServerConfig};
use crate::error::{Failure, LimitExceeded, Violation};
use crate::event::Event;
use crate::frame::{CloseCode, CloseFrame, InvalidCloseFrame};
use crate::message::Message;
use crate::role::Role;

/// What is no message but a Ping, a Pong, a Close frame or a bare frame: tungstenite has one type for all, and gets it back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a control frame or a bare frame is no message")]
pub struct NoMessage(pub protocol::Message);

impl From<Message> for protocol::Message {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text.into()),
            Message::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl TryFrom<protocol::Message> for Message {
    type Error = NoMessage;

    /// # Errors
    ///
    /// It is neither text nor binary data.
    fn try_from(message: protocol::Message) -> Result<Self, NoMessage> {
        match message {
            protocol::Message::Text(text) => Ok(Self::Text(text.as_str().into())),
            protocol::Message::Binary(bytes) => Ok(Self::Binary(bytes)),
            other => Err(NoMessage(other)),
        }
    }
}

impl<'a> TryFrom<Event<'a>> for protocol::Message {
    type Error = Event<'a>;

    /// # Errors
    ///
    /// The event itself, if it is a piece of a message, a failure or the end.
    fn try_from(event: Event<'a>) -> Result<Self, Event<'a>> {
        match event {
            Event::Text(text) => Ok(Self::Text(text.into_owned().into())),
            Event::Binary(bytes) => Ok(Self::Binary(bytes.into_owned().into())),
            Event::Ping(payload) => Ok(Self::Ping(Bytes::copy_from_slice(payload))),
            Event::Pong(payload) => Ok(Self::Pong(Bytes::copy_from_slice(payload))),
            Event::Close(frame) => Ok(Self::Close(frame.into())),
            other => Err(other),
        }
    }
}

impl From<CloseFrame> for Option<protocol::CloseFrame> {
    fn from(frame: CloseFrame) -> Self {
        let (code, reason) = (frame.code(), frame.reason());
        (code != CloseCode::NO_STATUS)
            .then(|| protocol::CloseFrame { code: code.into(), reason: reason.into() })
    }
}

impl TryFrom<protocol::CloseFrame> for CloseFrame {
    type Error = InvalidCloseFrame;

    /// # Errors
    ///
    /// As [`CloseFrame::new`].
    fn try_from(frame: protocol::CloseFrame) -> Result<Self, InvalidCloseFrame> {
        Self::new(frame.code.into(), &frame.reason)
    }
}

impl TryFrom<Option<protocol::CloseFrame>> for CloseFrame {
    type Error = InvalidCloseFrame;

    /// # Errors
    ///
    /// As [`CloseFrame::new`].
    fn try_from(frame: Option<protocol::CloseFrame>) -> Result<Self, InvalidCloseFrame> {
        frame.map_or_else(|| Self::new(CloseCode::NO_STATUS, ""), Self::try_from)
    }
}

impl From<CloseCode> for coding::CloseCode {
    fn from(code: CloseCode) -> Self {
        Self::from(code.0)
    }
}

impl From<coding::CloseCode> for CloseCode {
    fn from(code: coding::CloseCode) -> Self {
        Self(code.into())
    }
}

impl From<Role> for protocol::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Client => Self::Client,
            Role::Server => Self::Server,
        }
    }
}

impl From<protocol::Role> for Role {
    fn from(role: protocol::Role) -> Self {
        match role {
            protocol::Role::Client => Self::Client,
            protocol::Role::Server => Self::Server,
        }
    }
}

impl From<&WebSocketConfig> for Limits {
    fn from(config: &WebSocketConfig) -> Self {
        Self {
            message: config.max_message_size.unwrap_or(usize::MAX),
            frame: config.max_frame_size.unwrap_or(usize::MAX),
            // With 0 there every message is written at once; here nothing could ever be sent.
            write_soft: config.write_buffer_size.max(1),
            write_hard: config.max_write_buffer_size,
            ..Self::default()
        }
    }
}

impl From<&Limits> for WebSocketConfig {
    /// A limit of `usize::MAX` is none. `max_write_buffer_size` becomes greater than `write_buffer_size` even if it is not here, as it has
    /// to be there.
    fn from(limits: &Limits) -> Self {
        let limit = |limit: usize| (limit < usize::MAX).then_some(limit);
        let soft = limits.write_soft.min(usize::MAX - 1);
        Self::default()
            .max_message_size(limit(limits.message))
            .max_frame_size(limit(limits.frame))
            .write_buffer_size(soft)
            .max_write_buffer_size(limits.write_hard.max(soft + 1))
    }
}

impl From<&WebSocketConfig> for ServerConfig {
    fn from(config: &WebSocketConfig) -> Self {
        Self { limits: config.into(), ..Self::default() }
    }
}

impl From<&WebSocketConfig> for ClientConfig {
    fn from(config: &WebSocketConfig) -> Self {
        Self { limits: config.into(), ..Self::default() }
    }
}

impl From<Failure> for Error {
    /// What tungstenite says of the same fault. Where it has no word for it, `Error::Io` with the failure inside.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Violation(violation) => of_violation(violation),
            Failure::Limit(limit) => of_limit(limit),
            Failure::OutOfMemory { .. } => Self::Io(io::Error::new(io::ErrorKind::OutOfMemory, failure)),
        }
    }
}

fn of_violation(violation: Violation) -> Error {
    let broken = match violation {
        Violation::ReservedBits { .. } | Violation::MisplacedRsv1 => ProtocolError::NonZeroReservedBits,
        Violation::ReservedOpcode { opcode } => ProtocolError::InvalidOpcode(opcode),
        Violation::UnmaskedFrame => ProtocolError::UnmaskedFrameFromClient,
        Violation::MaskedFrame => ProtocolError::MaskedFrameFromServer,
        Violation::FragmentedControlFrame => ProtocolError::FragmentedControlFrame,
        Violation::ControlFrameTooLong => ProtocolError::ControlFrameTooBig,
        Violation::UnexpectedContinuation => ProtocolError::UnexpectedContinueFrame,
        // Which of the two types the frame has was not kept.
        Violation::MessageInsideMessage => ProtocolError::ExpectedFragment(coding::Data::Text),
        Violation::CloseFrameOfOneByte | Violation::CloseCode { .. } => ProtocolError::InvalidCloseSequence,
        Violation::InvalidUtf8 { .. } | Violation::InvalidUtf8InCloseReason => {
            return Error::Utf8(violation.to_string());
        }
        Violation::NonMinimalLength { .. }
        | Violation::LengthOver63Bits
        | Violation::InvalidDeflate { .. }
        | Violation::TruncatedDeflate => return invalid_data(violation.into()),
    };
    Error::Protocol(broken)
}

fn of_limit(exceeded: LimitExceeded) -> Error {
    let (size, max_size) = match exceeded {
        LimitExceeded::Frame { len, limit } | LimitExceeded::Message { len, limit } => (len, limit),
        // How long it would have become is not known: inflating stops one byte over the limit.
        LimitExceeded::InflatedMessage { limit, .. } => (limit as u64 + 1, limit),
        LimitExceeded::InflateRatio { .. } | LimitExceeded::Fragments { .. } => {
            return invalid_data(exceeded.into());
        }
    };
    Error::Capacity(CapacityError::MessageTooLong {
        size: usize::try_from(size).unwrap_or(usize::MAX),
        max_size,
    })
}

fn invalid_data(failure: Failure) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::InvalidData, failure))
}
