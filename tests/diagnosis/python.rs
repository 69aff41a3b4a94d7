//! What the page's lines of Python put on the wire, without running them: the same bytes and the same end, as a case.
//!
//! It knows the few forms that the page uses, and fails on others: `tests/interop` runs the lines for real.

use sansocket::Role;

use crate::cases::{Case, End};
use crate::run::accept_value;

/// The handshake in which a block of Python takes part.
pub(crate) fn case(name: &str, block: &str) -> Case {
    let role = match (block.contains("socket.create_connection("), block.contains("socket.create_server(")) {
        (true, false) => Role::Server,
        (false, true) => Role::Client,
        _ => panic!("{name}: neither a client nor a server:\n{block}"),
    };
    let mut bytes = Vec::new();
    let mut rest = block;
    while let Some((_, call)) = rest.split_once(".sendall(") {
        rest = expression(call, &mut bytes);
    }
    let end = if block.contains("SO_LINGER") {
        End::Reset
    } else if block.contains(".shutdown(") || block.contains(".close()") || role == Role::Client {
        // A server of these ends with its process, when it has sent.
        End::Eof
    } else {
        assert!(block.contains(".recv("), "{name}: it neither ends nor waits");
        End::Timeout
    };
    Case { role, name: name.to_owned(), expected: String::new(), plain_http: false, end, bytes }
}

/// Appends the value of a sum of literals and `accept`, up to the bracket that closes the call; returns what is behind it.
fn expression<'a>(text: &'a str, out: &mut Vec<u8>) -> &'a str {
    let mut rest = text;
    loop {
        rest = match rest.strip_prefix("accept") {
            Some(rest) => {
                out.extend_from_slice(accept_value().as_bytes());
                rest
            }
            None => literal(rest, out),
        };
        match rest.strip_prefix(" + ") {
            Some(next) => rest = next,
            None => return rest.strip_prefix(')').unwrap_or_else(|| panic!("no bracket closes {text:?}")),
        }
    }
}

/// Appends the value of the bytes literal with which `text` begins; returns what is behind it.
pub(crate) fn literal<'a>(text: &'a str, out: &mut Vec<u8>) -> &'a str {
    let inside = text.strip_prefix("b'").unwrap_or_else(|| panic!("no bytes literal: {text:?}"));
    let mut characters = inside.char_indices();
    let mut next = || characters.next().unwrap_or_else(|| panic!("a literal without its end: {text:?}"));
    loop {
        match next() {
            (at, '\'') => return &inside[at + 1..],
            (_, '\\') => out.push(match next().1 {
                'r' => b'\r',
                'n' => b'\n',
                't' => b'\t',
                same @ ('\\' | '\'') => same as u8,
                'x' => {
                    let digits = String::from_iter([next().1, next().1]);
                    u8::from_str_radix(&digits, 16).unwrap_or_else(|_| panic!("\\x{digits} in {text:?}"))
                }
                other => panic!("no such escape: \\{other} in {text:?}"),
            }),
            (_, character) => {
                assert!(character.is_ascii(), "Python allows only ASCII in {text:?}");
                out.push(character as u8);
            }
        }
    }
}

#[test]
fn bytes_are_read_as_python_reads_them() {
    let mut out = Vec::new();
    let rest = expression(r"b'a\r\n\x00\'\\' + b'b') and more", &mut out);
    assert_eq!((&out[..], rest), (&b"a\r\n\0'\\b"[..], " and more"));
}
