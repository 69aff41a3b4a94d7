//! Extensions (RFC 6455 section 9): permessage-deflate (RFC 7692), behind the feature `deflate`.
//!
//! `params` agrees on parameters, `config` says what to agree to, `inflate` and `compress` are what a connection does with
//! them, and `pool` holds the windows of connections that keep none. Without the feature, `absent` stands in: types
//! without values, so that a connection's code is the same with and without.

#[cfg(not(feature = "deflate"))]
mod absent;
#[cfg(feature = "deflate")]
mod compress;
#[cfg(feature = "deflate")]
mod config;
#[cfg(feature = "deflate")]
mod inflate;
#[cfg(feature = "deflate")]
mod params;
#[cfg(feature = "deflate")]
mod pool;

use alloc::borrow::Cow;
use core::fmt;

#[cfg(not(feature = "deflate"))]
pub(crate) use absent::{Compressed, DeflateConfig, DeflateParams, Deflation, Inflation};
#[cfg(feature = "deflate")]
pub(crate) use compress::{Compressed, Deflation};
#[cfg(feature = "deflate")]
pub use config::DeflateConfig;
#[cfg(feature = "deflate")]
pub(crate) use inflate::Inflation;
#[cfg(feature = "deflate")]
pub use params::DeflateParams;

/// A part of a `Sec-WebSocket-Extensions` field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// The name of an extension; its parameters follow.
    Extension(&'a str),
    /// A parameter of the extension before it.
    Parameter { name: &'a str, value: Option<Cow<'a, str>> },
}

/// Why a client cannot take a server's answer to its offer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WrongAnswer<'a> {
    /// An extension that was not offered.
    Unsolicited(&'a str),
    Fault(ExtensionFault),
}

impl From<ExtensionFault> for WrongAnswer<'_> {
    fn from(fault: ExtensionFault) -> Self {
        Self::Fault(fault)
    }
}

/// What is wrong with a `Sec-WebSocket-Extensions` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionFault {
    /// It is no list of extensions with parameters (RFC 6455 section 9.1).
    Grammar,
    /// The answer has permessage-deflate more than once.
    Repeated,
    /// The answer has a parameter that permessage-deflate does not know (RFC 7692 section 7).
    UnknownParameter,
    /// The answer has a parameter twice.
    RepeatedParameter,
    /// A parameter of the answer has a value and must not, or has none and must, or one out of range (RFC 7692 section 7.1).
    Value,
    /// The answer has a parameter, or a value of it, that the offer does not permit.
    NotOffered,
    /// The answer lacks a parameter that the offer insists on.
    Missing,
}

impl fmt::Display for ExtensionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grammar => "it is no list of extensions, each a token with parameters",
            Self::Repeated => "it has permessage-deflate more than once",
            Self::UnknownParameter => "it has a parameter that permessage-deflate does not have",
            Self::RepeatedParameter => "it has a parameter more than once",
            Self::Value => "the value of a parameter is missing, out of place or out of range",
            Self::NotOffered => "it goes beyond what was offered",
            Self::Missing => "it lacks a parameter that the offer requires",
        })
    }
}
