//! The obvious slow client of a SOCKS5 proxy: RFC 1928 and RFC 1929, each answer as a whole.

use core::net::IpAddr;

use sansocket::{ProxyFault, SocksReply};

use super::check_undecided;
use super::run::{Ended, Outcome, Setup};

pub(super) fn check(setup: Setup<'_>, with_credentials: bool, stream: &[u8], end: Ended, outcome: &Outcome) {
    match (read(with_credentials, stream), outcome) {
        (Answer::Part, outcome) => check_undecided(outcome, end),
        (Answer::Refused(fault, len), Outcome::Failed { fault: seen, body, bytes, at_end }) => {
            assert_eq!((seen, &body[..], *bytes), (&fault, &b""[..], len as u64), "left: the library's");
            assert!(!at_end);
        }
        (Answer::Open(len), Outcome::Open { sent, left }) => {
            assert_eq!(left, &stream[len..], "left: the library's");
            assert_eq!(sent, &conversation(setup, with_credentials, stream[1]), "left: the library's");
        }
        (expected, outcome) => panic!("expected was {expected:?}, and it came to {outcome:?}"),
    }
}

/// What the proxy's answers come to, and in how many bytes.
#[derive(Debug)]
enum Answer {
    Part,
    Refused(ProxyFault, usize),
    Open(usize),
}

fn read(with_credentials: bool, stream: &[u8]) -> Answer {
    // RFC 1928 section 3.
    let authentication = match stream {
        [] | [5] => return Answer::Part,
        [5, 0, ..] => 0,
        [5, 2, ..] if with_credentials => 2,
        [5, 0xFF, ..] => return Answer::Refused(ProxyFault::NoMethod { sent: with_credentials }, 2),
        [5, method, ..] => return Answer::Refused(ProxyFault::UnofferedMethod { method: *method }, 2),
        [version, ..] => return Answer::Refused(ProxyFault::NotSocks5 { version: *version }, 1),
    };
    // RFC 1929 section 2; not every proxy knows the version of that.
    let reply = match &stream[2..] {
        rest if authentication == 0 => rest,
        [] | [_] => return Answer::Part,
        [_, 0, rest @ ..] => rest,
        _ => return Answer::Refused(ProxyFault::CredentialsRefused, 4),
    };
    let before = 2 + authentication;
    // RFC 1928 section 6.
    let len = match reply {
        [version, ..] if *version != 5 => {
            return Answer::Refused(ProxyFault::NotSocks5 { version: *version }, before + 1);
        }
        [_, reply, ..] if *reply != 0 => {
            return Answer::Refused(ProxyFault::Reply(SocksReply(*reply)), before + 2);
        }
        [_, _, _, 1, ..] => 4 + 4 + 2,
        [_, _, _, 4, ..] => 4 + 16 + 2,
        [_, _, _, 3, len, ..] => 4 + 1 + usize::from(*len) + 2,
        [_, _, _, 3] => return Answer::Part,
        [_, _, _, byte, ..] => return Answer::Refused(ProxyFault::AddressType { byte: *byte }, before + 4),
        _ => return Answer::Part,
    };
    if reply.len() < len { Answer::Part } else { Answer::Open(before + len) }
}

/// All that the client sends.
fn conversation(setup: Setup<'_>, with_credentials: bool, method: u8) -> Vec<u8> {
    let mut sent = if with_credentials { vec![5, 2, 0, 2] } else { vec![5, 1, 0] };
    if method == 2 {
        sent.extend(b"\x01\x06SECRET\x09pass@word");
    }
    sent.extend([5, 1, 0]);
    match setup.server.ip() {
        Some(IpAddr::V4(address)) => sent.extend([&[1], &address.octets()[..]].concat()),
        Some(IpAddr::V6(address)) => sent.extend([&[4], &address.octets()[..]].concat()),
        None => sent.extend([&[3, setup.server.host().len() as u8], setup.server.host().as_bytes()].concat()),
    }
    sent.extend(setup.server.port().to_be_bytes());
    sent
}
