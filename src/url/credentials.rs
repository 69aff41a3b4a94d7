//! User information of a URI (RFC 3986 section 3.2.1), and how it is sent: the Basic scheme of RFC 7617.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::url::error::UrlError;

/// A user name and a password. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Credentials {
    user: Vec<u8>,
    password: Vec<u8>,
}

impl Credentials {
    /// Takes user information apart, with the `@` behind it. Offsets in the error count from the start of `userinfo`.
    pub(crate) fn parse(userinfo: &str) -> Result<Option<Self>, UrlError> {
        let Some(userinfo) = userinfo.strip_suffix('@').filter(|userinfo| !userinfo.is_empty()) else {
            return Ok(None);
        };
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let before_password = userinfo.len() - password.len();
        let user = decode(user, b":")?;
        let password = decode(password, b"").map_err(|error| error.moved_by(before_password))?;
        Ok(Some(Self { user, password }))
    }

    /// A user name and a password as they are, without percent-encoding. `None` if they cannot be sent: with a control character, or a
    /// colon in the name.
    pub(crate) fn new(user: &str, password: &str) -> Option<Self> {
        let ok = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control());
        let sendable = ok(user) && ok(password) && !user.contains(':');
        sendable.then(|| Self { user: user.into(), password: password.into() })
    }

    pub(crate) fn user(&self) -> &[u8] {
        &self.user
    }

    pub(crate) fn password(&self) -> &[u8] {
        &self.password
    }

    /// The value of `Authorization` or `Proxy-Authorization`. Whatever the credentials are, it is one word of base64.
    pub(crate) fn to_basic(&self) -> String {
        let mut value = String::from("Basic ");
        STANDARD.encode_string([&self.user[..], b":", &self.password].concat(), &mut value);
        value
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// Removes percent-encoding. What it stands for may be any byte but a control character, and none that is `refused`.
fn decode(text: &str, refused: &[u8]) -> Result<Vec<u8>, UrlError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        let at = text.len() - rest.len();
        let meant;
        (meant, rest) = match (byte, behind) {
            (b'%', [high, low, behind @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, behind),
                _ => return Err(UrlError::PercentEscape { at }),
            },
            (b'%', _) => return Err(UrlError::PercentEscape { at }),
            (b'!' | b'$' | b'&'..=b'.' | b':' | b';' | b'=' | b'_' | b'~', _) => (*byte, behind),
            (byte, _) if byte.is_ascii_alphanumeric() => (*byte, behind),
            _ => return Err(UrlError::UserinfoCharacter { at }),
        };
        //= https://www.rfc-editor.org/rfc/rfc7617#section-2
        //# The user-id and password MUST NOT contain any control characters
        if meant.is_ascii_control() || refused.contains(&meant) {
            return Err(UrlError::UserinfoCharacter { at });
        }
        decoded.push(meant);
    }
    Ok(decoded)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
