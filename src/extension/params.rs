//! The parameters of permessage-deflate and how two ends agree on them (RFC 7692 sections 5 and 7.1).

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::config::DeflateConfig;
use super::{Element, ExtensionFault, WrongAnswer};
use crate::role::Role;

/// What two ends have agreed on ([RFC 7692 section 7.1]).
///
/// [RFC 7692 section 7.1]: https://www.rfc-editor.org/rfc/rfc7692#section-7.1
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeflateParams {
    /// The server compresses each message on its own.
    pub server_no_context_takeover: bool,
    /// The client compresses each message on its own.
    pub client_no_context_takeover: bool,
    /// The base-2 logarithm of the window, in bytes, with which the server compresses: 8 to 15.
    pub server_max_window_bits: u8,
    /// The same for the client.
    pub client_max_window_bits: u8,
}

impl Default for DeflateParams {
    /// What an offer and an answer without parameters mean: context takeover in both directions and windows of 32 KiB.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MAX_BITS,
            client_max_window_bits: MAX_BITS,
        }
    }
}

impl fmt::Display for DeflateParams {
    /// As the value of a `Sec-WebSocket-Extensions` field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stated = |bits: u8| (bits < MAX_BITS).then_some(bits);
        let stated = Stated {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: stated(self.server_max_window_bits),
            client_max_window_bits: stated(self.client_max_window_bits).map(Some),
        };
        stated.fmt(f)
    }
}

impl DeflateParams {
    /// Whether the end with this role compresses each message on its own.
    pub(crate) const fn no_context_takeover(&self, role: Role) -> bool {
        match role {
            Role::Server => self.server_no_context_takeover,
            Role::Client => self.client_no_context_takeover,
        }
    }

    /// The window with which the end with this role compresses.
    pub(crate) const fn window_bits(&self, role: Role) -> u8 {
        match role {
            Role::Server => self.server_max_window_bits,
            Role::Client => self.client_max_window_bits,
        }
    }
}

impl DeflateConfig {
    /// What a server agrees to, and its answer as a field value: to the first of a client's offers that is in order.
    ///
    /// An offer with a fault is declined, and the next one looked at (RFC 7692 section 5.1). The answer has no parameter
    /// that the offer does not permit: some clients fail where the server only says what it would do anyway.
    pub(crate) fn accept<'a>(
        &self,
        offers: impl Iterator<Item = Element<'a>>,
    ) -> Option<(DeflateParams, String)> {
        let mut offer: Option<Stated> = None;
        for element in offers {
            match element {
                Element::Extension(_) if offer.is_some() => break,
                Element::Extension(name) => offer = (name == NAME).then(Stated::default),
                Element::Parameter { name, value } => {
                    offer = offer.and_then(|offer| offer.with(name, value.as_deref()).ok());
                }
            }
        }
        offer.map(|offer| offer.answer(self))
    }

    /// What a client offers, the preferred form first, as a field value.
    pub(crate) fn offer(&self) -> String {
        let stated = |bits: u8| (bits < MAX_BITS).then_some(bits);
        let second = Stated {
            server_no_context_takeover: false,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: None,
            // Without a value it says that the server may choose one.
            client_max_window_bits: Some(stated(self.client_bits())),
        };
        let first = Stated {
            server_no_context_takeover: self.server_no_context_takeover,
            server_max_window_bits: stated(self.server_bits()),
            ..second
        };
        if has_fallback(self) { format!("{first}, {second}") } else { format!("{first}") }
    }

    /// What a client agrees to by a server's answer to its [offer](Self::offer); `None` if the server declined.
    pub(crate) fn confirm<'a>(
        &self,
        answer: impl Iterator<Item = Element<'a>>,
    ) -> Result<Option<DeflateParams>, WrongAnswer<'a>> {
        let mut stated: Option<Stated> = None;
        for element in answer {
            stated = match element {
                Element::Extension(NAME) if stated.is_some() => return Err(ExtensionFault::Repeated.into()),
                Element::Extension(NAME) => Some(Stated::default()),
                Element::Extension(name) => return Err(WrongAnswer::Unsolicited(name)),
                Element::Parameter { name, value } => {
                    stated.map(|stated| stated.with(name, value.as_deref())).transpose()?
                }
            }
        }
        Ok(stated.map(|stated| stated.confirm(self)).transpose()?)
    }
}

/// Whether there is a second offer, without what a server may be unable to do.
fn has_fallback(config: &DeflateConfig) -> bool {
    config.fallback && (config.server_no_context_takeover || config.server_bits() < MAX_BITS)
}

/// The parameters that an offer or an answer states.
#[derive(Debug, Clone, Copy, Default)]
struct Stated {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// In an offer it can stand without a value.
    client_max_window_bits: Option<Option<u8>>,
}

impl Stated {
    /// Adds a parameter.
    fn with(mut self, name: &str, value: Option<&str>) -> Result<Self, ExtensionFault> {
        let repeated = match name {
            SERVER_NO_CONTEXT_TAKEOVER => core::mem::replace(&mut self.server_no_context_takeover, true),
            CLIENT_NO_CONTEXT_TAKEOVER => core::mem::replace(&mut self.client_no_context_takeover, true),
            SERVER_MAX_WINDOW_BITS => {
                let bits = value.and_then(window_bits).ok_or(ExtensionFault::Value)?;
                self.server_max_window_bits.replace(bits).is_some()
            }
            CLIENT_MAX_WINDOW_BITS => {
                let bits = value.map(|value| window_bits(value).ok_or(ExtensionFault::Value)).transpose()?;
                self.client_max_window_bits.replace(bits).is_some()
            }
            _ => return Err(ExtensionFault::UnknownParameter),
        };
        let is_flag = matches!(name, SERVER_NO_CONTEXT_TAKEOVER | CLIENT_NO_CONTEXT_TAKEOVER);
        if repeated {
            Err(ExtensionFault::RepeatedParameter)
        } else if is_flag && value.is_some() {
            Err(ExtensionFault::Value)
        } else {
            Ok(self)
        }
    }

    /// What a server agrees to on these parameters of an offer, and its answer.
    fn answer(self, config: &DeflateConfig) -> (DeflateParams, String) {
        let offered_client_bits = self.client_max_window_bits.map(|bits| bits.unwrap_or(MAX_BITS));
        let params = DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover || config.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover || config.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.unwrap_or(MAX_BITS).min(config.server_bits()),
            client_max_window_bits: offered_client_bits
                .map_or(MAX_BITS, |bits| bits.min(config.client_bits())),
        };
        let client_bits = params.client_max_window_bits;
        let answer = Self {
            server_no_context_takeover: params.server_no_context_takeover,
            client_no_context_takeover: params.client_no_context_takeover,
            //= https://www.rfc-editor.org/rfc/rfc7692#section-7.1.2.1
            //# A server accepts an extension negotiation offer with this parameter
            //# by including the "server_max_window_bits" extension parameter in the
            //# extension negotiation response to send back to the client with the
            //# same or smaller value as the offer.
            server_max_window_bits: self.server_max_window_bits.map(|_| params.server_max_window_bits),
            client_max_window_bits: (client_bits < MAX_BITS).then_some(Some(client_bits)),
        };
        (params, format!("{answer}"))
    }

    /// What a client has agreed to with these parameters of an answer.
    fn confirm(self, config: &DeflateConfig) -> Result<DeflateParams, ExtensionFault> {
        let client_bits = match self.client_max_window_bits {
            // Only an offer can leave the value to the other end.
            Some(None) => return Err(ExtensionFault::Value),
            Some(Some(bits)) if bits > config.client_bits() => return Err(ExtensionFault::NotOffered),
            Some(Some(bits)) => bits,
            None => config.client_bits(),
        };
        if !has_fallback(config) {
            if config.server_no_context_takeover && !self.server_no_context_takeover {
                return Err(ExtensionFault::Missing);
            }
            match self.server_max_window_bits {
                None if config.server_bits() < MAX_BITS => return Err(ExtensionFault::Missing),
                Some(bits) if bits > config.server_bits() => return Err(ExtensionFault::NotOffered),
                _ => {}
            }
        }
        Ok(DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover || config.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.unwrap_or(MAX_BITS),
            client_max_window_bits: client_bits,
        })
    }
}

impl fmt::Display for Stated {
    /// As an element of a `Sec-WebSocket-Extensions` field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        let flags = [
            (self.server_no_context_takeover, SERVER_NO_CONTEXT_TAKEOVER),
            (self.client_no_context_takeover, CLIENT_NO_CONTEXT_TAKEOVER),
        ];
        for (_, name) in flags.into_iter().filter(|(is_set, _)| *is_set) {
            write!(f, "; {name}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_max_window_bits {
            Some(Some(bits)) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
            Some(None) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            None => Ok(()),
        }
    }
}

/// Reads a decimal number without leading zeros, from 8 to 15 (RFC 7692 section 7.1.2).
fn window_bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (MIN_BITS..=MAX_BITS).contains(bits))?;
    let is_plain = value.bytes().all(|digit| digit.is_ascii_digit()) && !value.starts_with('0');
    is_plain.then_some(bits)
}

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

pub(crate) const MIN_BITS: u8 = 8;
pub(crate) const MAX_BITS: u8 = 15;
