//! The obvious slow client: responses read by RFC 9112 and judged by RFC 6455 section 4.1.

use sansocket::Limits;

use super::grammar::{self, Fields, Verdict, empty_lines, first_line, is_text, minor_version, without_cr};

/// A final response whose head is whole and follows the grammar.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) minor_version: u8,
    pub(crate) status: u16,
    pub(crate) fields: Fields,
    /// Responses before it that were interim.
    pub(crate) interim: usize,
    /// Bytes of all heads.
    pub(crate) len: usize,
}

/// Reads the final response at the start of `stream`, and the interim ones before it (RFC 9110 section 15.2).
pub(crate) fn read(limits: &Limits, stream: &[u8]) -> Result<Response, Verdict> {
    let within = &stream[..stream.len().min(limits.head_bytes)];
    let (mut len, mut interim) = (0, 0);
    loop {
        match read_one(limits, &within[len..]) {
            Ok(response) => {
                len += response.len;
                match response.status {
                    100 | 102..=199 => interim += 1,
                    _ => return Ok(Response { len, interim, ..response }),
                }
            }
            Err(Verdict::Incomplete) if stream.len() > limits.head_bytes => {
                return Err(Verdict::Refused(None));
            }
            Err(verdict) => return Err(verdict),
        }
    }
}

fn read_one(limits: &Limits, bytes: &[u8]) -> Result<Response, Verdict> {
    let start = empty_lines(bytes)?;
    let (line, rest) = first_line(&bytes[start..]);
    let begins = line.iter().zip(b"HTTP/").all(|(byte, expected)| byte == expected);
    if !begins || (rest.is_some() && line.len() < b"HTTP/".len()) {
        return Err(Verdict::NotHttp);
    }
    let rest = rest.ok_or(Verdict::Incomplete)?;
    let malformed = Verdict::Refused(None);
    let (minor_version, status) = status_line(without_cr(line)).ok_or(malformed)?;
    let (fields, rest) = grammar::fields(rest, limits.head_fields, malformed, malformed)?;
    Ok(Response { minor_version, status, fields, interim: 0, len: bytes.len() - rest.len() })
}

/// `HTTP-version SP status-code SP [ reason-phrase ]` (section 4). Without a reason the second space may lack.
fn status_line(line: &[u8]) -> Option<(u8, u16)> {
    let (version, rest) = line.split_at_checked(8)?;
    let minor_version = minor_version(version)?;
    let [b' ', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', reason @ ..] = rest else { return None };
    let reason_is_fine = match reason {
        [] => true,
        [b' ', reason @ ..] => reason.iter().all(|byte| is_text(*byte)),
        _ => false,
    };
    let status = [a, b, c].into_iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    reason_is_fine.then_some((minor_version, status))
}

/// Judges a final response to a client that expects `accept` and offers `subprotocols` and no extension: the subprotocol.
pub(crate) fn judge(
    accept: &str,
    subprotocols: &[&str],
    response: &Response,
) -> Result<Option<String>, Verdict> {
    let Response { fields, status, .. } = response;
    let upgrade = fields.list("upgrade");
    let upgrades = matches!(&upgrade[..], [token] if token.eq_ignore_ascii_case(b"websocket"));
    let accepts = matches!(fields.all("sec-websocket-accept")[..], [value] if value == accept.as_bytes());
    let subprotocol = match fields.all("sec-websocket-protocol")[..] {
        [] => Some(None),
        [value] => subprotocols.iter().find(|offered| offered.as_bytes() == value).map(Some),
        _ => None,
    };
    let is_fine = *status == 101
        && response.minor_version > 0
        && upgrades
        && fields.list_has("connection", "upgrade")
        && accepts
        && fields.list("sec-websocket-extensions").is_empty();
    match subprotocol {
        Some(subprotocol) if is_fine => Ok(subprotocol.map(|name| (*name).to_owned())),
        _ => Err(Verdict::Refused(Some(*status))),
    }
}
