//! The opening handshake of both roles: against an obvious slow one, against tungstenite's, and in any pieces.

mod differences;
mod generate;
pub(crate) mod grammar;
mod replies;
mod request;
pub(crate) mod response;
pub(crate) mod run;
mod target;
mod tungstenite;
mod words;

use sansocket::{HandshakeErrorKind, Limits};

use self::differences::Difference;
use self::grammar::Verdict;
use self::request::{Accepted, Agreed};
use self::run::{End, Endpoint, Held, OFFERED, Open, Outcome, Role, Run};
use self::tungstenite::Theirs;

/// The first byte chooses the endpoint: `s` a server, `w` a server that answers plain HTTP too, `c` a client, in capitals
/// with small limits (and a server that accepts a malformed key). The rest is what its peer sends. The client offers the
/// subprotocols chat and superchat.
///
/// If the first byte is `3`, `7` or `#` instead, the peer of such an endpoint sends a head that is fine but for what the rest
/// does to it (see `generate`). 0x13, 0x17 and 0x03 are those with small limits.
///
/// - The result is that of a naive reader of RFC 9112 and RFC 6455: accepted or not, as what, with which status, answered
///   with which `Sec-WebSocket-Accept`, and how much of the input is the head. So it is if the peer falls silent.
/// - tungstenite accepts what is accepted, and nothing else, but for the differences that are listed in `differences`.
/// - Whole, byte by byte (long ones not always) and in pieces of any size, the result is the same, the reply too, and so is
///   what is left.
/// - A reply is one well-formed HTTP message; a line for the log is one line. Neither lets the peer write control characters.
/// - What is held is bounded by what was received and by the limit on the head.
/// - After the result every call repeats it.
pub fn handshake(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let endpoint = Endpoint {
        role: if first & 0x10 != 0 { Role::Server } else { Role::Client },
        small: first & 0x20 == 0,
        plain_http: first & 0x04 != 0,
    };
    if first & 0x40 != 0 {
        check(endpoint, rest, &[]);
    } else {
        let (stream, lengths) = generate::head(endpoint.role, rest);
        check(endpoint, &stream, &lengths);
    }
}

/// Checks what comes of a stream, also in pieces of these `lengths`.
fn check(endpoint: Endpoint, stream: &[u8], lengths: &[usize]) {
    // Cuts that the fuzzer can move without bytes of their own.
    let sum = stream.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    // Long ones byte by byte only now and then, or it would take most of the time.
    let bytewise = if stream.len() < 2_000 || sum % 8 == 0 { 1 } else { 700 };
    let bytes: Vec<&[u8]> = stream.chunks(bytewise).collect();
    let cut = sum % (stream.len() + 1);
    let two = [&stream[..cut], &stream[cut..]];
    let equal: Vec<&[u8]> = stream.chunks(sum % 61 + 2).collect();
    let uneven = pieces(stream, lengths);
    for end in [End::Eof, End::Timeout] {
        let Run { outcome: whole, error, held } = run::run(endpoint, &[stream], end);
        check_held(endpoint, stream.len(), held);
        error.iter().for_each(replies::check);
        for pieces in [&bytes[..], &two, &equal, &uneven] {
            let Run { outcome, held, .. } = run::run(endpoint, pieces, end);
            let cut = || pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>();
            assert_eq!(outcome, whole, "left: in pieces of {:?}, right: whole", cut());
            check_held(endpoint, stream.len(), held);
        }
        check_bytes(endpoint, stream.len(), &whole);
        match endpoint.role {
            Role::Server => check_server(endpoint, stream, end, &whole),
            Role::Client => check_client(endpoint, stream, end, &whole),
        }
        if !matches!(whole, Outcome::Failed { at_end: true, .. }) {
            // What was settled before the end is the same with another.
            break;
        }
    }
}

/// Pieces of these lengths, one after the other; the last takes the rest.
fn pieces<'a>(stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = stream;
    let mut pieces: Vec<&[u8]> = Vec::new();
    for len in lengths {
        let (piece, after) = rest.split_at((*len).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Few bytes are held for each byte received, of which no more are taken than the limits say: the head itself in a buffer that
/// grows by doubling, offsets of what is in it (a subprotocol may be one letter and a comma), and what a reply quotes of it.
fn check_held(endpoint: Endpoint, received: usize, held: Held) {
    assert!(held.at_first <= 1024, "{} bytes held before anything was received", held.at_first);
    let bound = 8 * received.min(endpoint.most_taken()) + 8 * 1024;
    assert!(held.most <= bound, "{} bytes held after {received} were received", held.most);
}

fn check_bytes(endpoint: Endpoint, received: usize, outcome: &Outcome) {
    let Outcome::Failed { bytes, at_end, .. } = outcome else { return };
    let (received, limit) = (received as u64, endpoint.most_taken() as u64);
    assert!(*bytes <= received, "{bytes} bytes were counted of {received}");
    assert!(*bytes <= limit + 1, "{bytes} bytes were counted, of which {limit} are allowed");
    assert!(!at_end || *bytes == received, "{bytes} bytes were taken of {received} when more were needed");
}

fn check_server(endpoint: Endpoint, stream: &[u8], end: End, outcome: &Outcome) {
    let config = endpoint.server_config();
    let head = request::read(&config.limits, stream);
    let len = head.as_ref().map_or(0, |request| request.len);
    let judged = match &head {
        Ok(request) => request::judge(&config, request),
        Err(verdict) => Err(*verdict),
    };
    match (&judged, outcome) {
        (Ok(Accepted::WebSocket(agreed)), Outcome::Open(open, left)) => {
            check_reply(agreed, open);
            assert_eq!(left, &stream[len..], "left: left in the input, right: behind the head");
        }
        (Ok(Accepted::Plain(resource_name)), Outcome::Plain(target, left)) => {
            assert_eq!(target, resource_name);
            assert_eq!(left, &stream[len..], "left: left in the input, right: behind the head");
        }
        (Err(verdict), Outcome::Failed { .. }) => {
            let late = (end == End::Timeout && request::may_answer(stream)).then_some(408);
            // TLS is told that this is none, unless nobody is there any more.
            let hung_up = end == End::Eof && matches!(outcome, Outcome::Failed { at_end: true, .. });
            let foreign = (request::begins_tls(stream) && !hung_up).then_some(400);
            check_failed(*verdict, stream, end, [late, foreign], outcome);
        }
        _ => panic!("{outcome:?}, where the reference says {judged:?}"),
    }
    if matches!(outcome, Outcome::Plain(..)) {
        return;
    }
    let ours = matches!(outcome, Outcome::Open(..));
    let mut theirs = tungstenite::serve(stream);
    let mut known = Vec::new();
    if let (Theirs::BytesBehind, true) = (&theirs, ours) {
        known.push(Difference::BytesBehindTheRequest);
        theirs = tungstenite::serve(&stream[..len]);
    }
    match (&head, ours, theirs) {
        (Ok(_), true, Theirs::Open { accept }) => {
            let Outcome::Open(Open::Server { reply, .. }, _) = outcome else { return };
            let field = format!("\r\nSec-WebSocket-Accept: {}\r\n", accept.unwrap_or_default());
            assert!(String::from_utf8_lossy(reply).contains(&field), "tungstenite says {field}");
            return;
        }
        (Ok(request), true, _) => known.extend(differences::stricter_server(request)),
        (_, false, Theirs::Open { .. }) => {
            known = differences::laxer_server(|limits: Limits| request::read(&limits, stream), config.limits);
        }
        _ => return,
    }
    assert!(!known.is_empty(), "tungstenite decides otherwise than: {outcome:?}");
}

fn check_reply(agreed: &Agreed, open: &Open) {
    let Open::Server { target, host, subprotocols, reply } = open else { panic!("{open:?}") };
    assert_eq!((target, host), (&agreed.resource_name, &agreed.host));
    assert_eq!(subprotocols, &agreed.subprotocols);
    let reply = String::from_utf8_lossy(reply);
    let fields = reply.strip_prefix("HTTP/1.1 101 Switching Protocols\r\n").expect("a reply");
    let fields = fields.strip_suffix("\r\n\r\n").expect("the reply ends");
    let all = |wanted: &str| -> Vec<&str> {
        let fields = fields.split("\r\n").filter_map(|line| line.split_once(": "));
        fields.filter(|(name, _)| *name == wanted).map(|(_, value)| value).collect()
    };
    assert_eq!(all("Upgrade"), ["websocket"]);
    assert_eq!(all("Connection"), ["Upgrade"]);
    assert_eq!(all("Sec-WebSocket-Accept"), [&agreed.accept]);
    assert_eq!(all("Sec-WebSocket-Protocol"), Vec::from_iter(agreed.subprotocols.first()));
}

fn check_client(endpoint: Endpoint, stream: &[u8], end: End, outcome: &Outcome) {
    let limits = endpoint.limits();
    let head = response::read(&limits, stream);
    let judged = match &head {
        Ok(response) => response::judge(&run::accept_value(), &OFFERED, response),
        Err(verdict) => Err(*verdict),
    };
    match (&judged, outcome) {
        (Ok(subprotocol), Outcome::Open(open, left)) => {
            assert_eq!(open, &Open::Client { subprotocol: subprotocol.clone() });
            let len = head.as_ref().map_or(0, |response| response.len);
            assert_eq!(left, &stream[len..], "left: left in the input, right: behind the head");
        }
        (Err(verdict), Outcome::Failed { .. }) => check_failed(*verdict, stream, end, [None; 2], outcome),
        _ => panic!("{outcome:?}, where the reference says {judged:?}"),
    }
    let known = match (&head, &judged, tungstenite::connect(stream).is_open()) {
        (Ok(response), Ok(_), false) => differences::stricter_client(response),
        (_, Err(_), true) => {
            differences::laxer_client(|limits: Limits| response::read(&limits, stream), limits)
        }
        _ => return,
    };
    assert!(!known.is_empty(), "tungstenite decides otherwise than: {outcome:?}");
}

/// A failure is the one that the reference came to; `late` is the status if it came to none before the end, `foreign` that for another
/// protocol.
fn check_failed(
    verdict: Verdict,
    stream: &[u8],
    end: End,
    [late, foreign]: [Option<u16>; 2],
    outcome: &Outcome,
) {
    let Outcome::Failed { kind, status, at_end, .. } = outcome else { panic!("{outcome:?}") };
    let expected = match verdict {
        Verdict::Incomplete => {
            let kind_is_fine = match end {
                End::Eof if stream.is_empty() => *kind == HandshakeErrorKind::ClosedBeforeFirstByte,
                End::Eof => *kind == HandshakeErrorKind::ClosedInsideHead,
                End::Timeout => matches!(kind, HandshakeErrorKind::TimedOut { .. }),
            };
            assert!(kind_is_fine && *at_end, "{outcome:?}, where the reference needs more");
            late
        }
        // What else it is may not be known yet.
        Verdict::NotHttp => {
            assert_eq!(kind, &HandshakeErrorKind::NotHttp);
            foreign
        }
        Verdict::Refused(status) => {
            assert_ne!(kind, &HandshakeErrorKind::NotHttp);
            // A client waits for the body of a response.
            assert!(
                !at_end || status.is_some_and(|status| status != 101),
                "{outcome:?}, where it is settled"
            );
            status
        }
    };
    assert_eq!(*status, expected, "left: the status, right: the reference's, {outcome:?}");
}
