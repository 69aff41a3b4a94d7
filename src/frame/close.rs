//! Close codes and the payload of a Close frame (RFC 6455 sections 5.5.1 and 7.4).

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use thiserror::Error;

use crate::error::Violation;
use crate::role::Role;
use crate::utf8::validate;

/// Why an endpoint closes the connection ([RFC 6455 section 7.4]).
///
/// [RFC 6455 section 7.4]: https://www.rfc-editor.org/rfc/rfc6455#section-7.4
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint is going away: a server shuts down, a browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke a rule of the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: the endpoint cannot accept this type of data.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: never on the wire; stands for a Close frame without a code.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: never on the wire; stands for the end of a connection without a Close frame.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: a message holds data that does not fit its type, such as a text message that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: a message breaks a policy of the endpoint.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is too big to process.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree to an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server met an unexpected condition.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service is restarting.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid answer from the server behind it.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: never on the wire; stands for a failed TLS handshake.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// Whether a Close frame may carry this code: 1000 to 1003, 1007 to 1014, 3000 to 4999.
    ///
    /// Codes below 1000 are not used; 1004, 1005, 1006 and 1015 must not be sent; the rest of 1000 to 2999 is reserved
    /// for what the RFC and its extensions define.
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for CloseCode {
    /// The number, and the name where it has one: `1009 (too big)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::NORMAL => "normal",
            Self::GOING_AWAY => "going away",
            Self::PROTOCOL_ERROR => "protocol error",
            Self::UNSUPPORTED_DATA => "unsupported data",
            Self::NO_STATUS => "no code given",
            Self::ABNORMAL => "no Close frame",
            Self::INVALID_DATA => "invalid data",
            Self::POLICY_VIOLATION => "policy violation",
            Self::TOO_BIG => "too big",
            Self::MANDATORY_EXTENSION => "mandatory extension",
            Self::INTERNAL_ERROR => "internal error",
            Self::SERVICE_RESTART => "service restart",
            Self::TRY_AGAIN_LATER => "try again later",
            Self::BAD_GATEWAY => "bad gateway",
            Self::TLS_HANDSHAKE => "TLS handshake failed",
            Self(code) => return write!(f, "{code}"),
        };
        write!(f, "{} ({name})", self.0)
    }
}

/// The content of a Close frame: a close code and a close reason ([RFC 6455 section 5.5.1]).
///
/// [RFC 6455 section 5.5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    code: CloseCode,
    reason: Box<str>,
}

impl CloseFrame {
    /// A Close frame that can be sent.
    ///
    /// [`CloseCode::NO_STATUS`] with an empty reason makes a frame without payload data.
    ///
    /// # Errors
    ///
    /// A code that must not be sent, or a reason over 123 bytes.
    pub fn new(code: CloseCode, reason: &str) -> Result<Self, InvalidCloseFrame> {
        if code == CloseCode::NO_STATUS {
            if !reason.is_empty() {
                return Err(InvalidCloseFrame::ReasonWithoutCode);
            }
        } else if !code.is_sendable() {
            return Err(InvalidCloseFrame::Code(code));
        }
        if reason.len() > MAX_REASON {
            return Err(InvalidCloseFrame::Reason { len: reason.len() });
        }
        Ok(Self { code, reason: reason.into() })
    }

    /// The close code; [`CloseCode::NO_STATUS`] if the frame had none.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// The close reason, at most 123 bytes; empty if the frame had none.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// A Close frame of the core's own: `reason` is cut at a character border to fit.
    pub(crate) fn own(code: CloseCode, reason: &str) -> Self {
        let mut end = reason.len().min(MAX_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        Self { code, reason: reason[..end].into() }
    }

    /// Reads the payload data of a peer's Close frame.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Violation> {
        if payload.is_empty() {
            return Ok(Self { code: CloseCode::NO_STATUS, reason: Box::default() });
        }
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            return Err(Violation::CloseFrameOfOneByte);
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        if !code.is_sendable() {
            return Err(Violation::CloseCode { code });
        }
        let reason = validate(reason).map_err(|_| Violation::InvalidUtf8InCloseReason)?;
        Ok(Self { code, reason: reason.into() })
    }

    /// Bytes of the whole frame that an endpoint of `role` makes of it.
    pub(crate) fn encoded_len(&self, role: Role) -> usize {
        let mask = if role == Role::Client { 4 } else { 0 };
        let code = if self.code == CloseCode::NO_STATUS { 0 } else { 2 };
        2 /* header */ + mask + code + self.reason.len()
    }

    /// Appends the payload data to `out`.
    pub(crate) fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
        if self.code != CloseCode::NO_STATUS {
            out.extend_from_slice(&self.code.0.to_be_bytes());
            out.extend_from_slice(self.reason.as_bytes());
        }
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if !self.reason.is_empty() {
            let reason: String = self.reason.escape_debug().collect();
            write!(f, " \"{reason}\"")?;
        }
        Ok(())
    }
}

/// A Close frame that must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCloseFrame {
    /// The code is not one that a Close frame may carry (RFC 6455 section 7.4).
    #[error("close code {} must not be sent: use 1000-1003, 1007-1014 or 3000-4999", .0.0)]
    Code(CloseCode),
    /// A Close frame without a code has no reason either.
    #[error("a close reason needs a close code before it: 1000, for example")]
    ReasonWithoutCode,
    /// The reason is over 123 bytes.
    #[error("close reason of {len} bytes is too long: at most 123 fit into a Close frame")]
    Reason {
        /// Bytes of the reason.
        len: usize,
    },
}

/// 125 bytes of a control frame's payload less 2 for the code.
const MAX_REASON: usize = super::MAX_CONTROL_PAYLOAD - 2;
