//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).

use alloc::borrow::Cow;
use alloc::string::String;
use core::str;

use crate::extension::Element;
use crate::handshake::fields::is_tchar;

pub(crate) const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// The value of a field breaks the grammar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoExtensions;

/// Reads the value of one field line, element after element; the first fault ends it.
///
/// ```text
/// extension-list  = 1#extension            elements may be empty (RFC 9110 section 5.6.1.2)
/// extension       = token *( ";" token [ "=" ( token | quoted-string ) ] )
/// ```
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = Result<Element<'_>, NoExtensions>> {
    let mut lexer = Lexer { rest: value };
    // What the next element follows.
    let mut separator = Some(b',');
    core::iter::from_fn(move || {
        let element = lexer.element(separator?);
        separator = match &element {
            Ok(_) => lexer.separator(),
            Err(_) => None,
        };
        if matches!(element, Ok(None)) {
            separator = None;
        }
        element.transpose()
    })
}

struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    /// What comes behind a comma or a semicolon; nothing at the end of the list.
    fn element(&mut self, separator: u8) -> Result<Option<Element<'a>>, NoExtensions> {
        self.skip_whitespace();
        if separator == b';' {
            let name = self.token()?;
            let value = self.parameter_value()?;
            self.end_of_element()?;
            return Ok(Some(Element::Parameter { name, value }));
        }
        while self.take(b',') {
            self.skip_whitespace();
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let name = self.token()?;
        self.end_of_element()?;
        Ok(Some(Element::Extension(name)))
    }

    fn end_of_element(&mut self) -> Result<(), NoExtensions> {
        self.skip_whitespace();
        match self.rest.first() {
            None | Some(b',' | b';') => Ok(()),
            Some(_) => Err(NoExtensions),
        }
    }

    fn separator(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn parameter_value(&mut self) -> Result<Option<Cow<'a, str>>, NoExtensions> {
        self.skip_whitespace();
        if !self.take(b'=') {
            return Ok(None);
        }
        self.skip_whitespace();
        if self.take(b'"') {
            return self.quoted_token().map(|value| Some(Cow::Owned(value)));
        }
        self.token().map(|value| Some(Cow::Borrowed(value)))
    }

    //= https://www.rfc-editor.org/rfc/rfc6455#section-9.1
    //# When using the quoted-string syntax
    //# variant, the value after quoted-string unescaping MUST conform to the
    //# 'token' ABNF.
    fn quoted_token(&mut self) -> Result<String, NoExtensions> {
        let mut value = String::new();
        loop {
            if self.take(b'"') {
                return if value.is_empty() { Err(NoExtensions) } else { Ok(value) };
            }
            self.take(b'\\');
            let (&byte, rest) = self.rest.split_first().ok_or(NoExtensions)?;
            if !is_tchar(byte) {
                return Err(NoExtensions);
            }
            value.push(char::from(byte));
            self.rest = rest;
        }
    }

    fn token(&mut self) -> Result<&'a str, NoExtensions> {
        let len = self.rest.iter().position(|&byte| !is_tchar(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(len);
        self.rest = rest;
        if token.is_empty() { Err(NoExtensions) } else { str::from_utf8(token).map_err(|_| NoExtensions) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.rest.strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_whitespace(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn parameter<'a>(name: &'a str, value: Option<&'a str>) -> Element<'a> {
        Element::Parameter { name, value: value.map(Cow::Borrowed) }
    }

    #[test]
    fn lists_of_extensions_with_parameters() {
        use Element::Extension;

        for (value, expected) in [
            ("", Vec::new()),
            (" , ,", Vec::new()),
            ("a", alloc::vec![Extension("a")]),
            (",a , b,", alloc::vec![Extension("a"), Extension("b")]),
            ("a;x", alloc::vec![Extension("a"), parameter("x", None)]),
            (
                "a ; x = 1\t;y=\"2\", b; z=\"\\3\\4\"",
                alloc::vec![
                    Extension("a"),
                    parameter("x", Some("1")),
                    parameter("y", Some("2")),
                    Extension("b"),
                    parameter("z", Some("34")),
                ],
            ),
        ] {
            let found: Result<Vec<_>, _> = elements(value.as_bytes()).collect();
            assert_eq!(found, Ok(expected), "{value:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_extensions() {
        for value in [
            ";",
            "a;",
            "a;;b",
            "a b",
            "=",
            "a=1",
            "a;x=",
            "a;x=,",
            "a;x=\"",
            "a;x=\"\"",
            "a;x=\"1",
            "a;x=\"1 2\"",
            "a;x=\"1,2\"",
            "a;x=\"\\",
            "a;x=\"1\"2",
            "a;x y",
            "a;x=1 2",
            "a;=1",
            "\"a\"",
            "a;x==1",
            "a;\u{e9}",
        ] {
            let found: Result<Vec<_>, _> = elements(value.as_bytes()).collect();
            assert_eq!(found, Err(NoExtensions), "{value:?}");
        }
    }
}
