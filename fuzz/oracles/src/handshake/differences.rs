//! Where tungstenite 0.30 is known to decide otherwise, each with what the RFCs say.
//!
//! A verdict of tungstenite that is not this library's is a finding, unless one of these is in the head and leads that
//! way. Each has an example in the tests below, which fail when a difference is gone.

use sansocket::Limits;
use tungstenite::http::Uri;

use super::grammar::{Fields, Verdict};
use super::request::{Request, has_fine_extensions, is_key, subprotocols};
use super::response::Response;
use super::target::{is_authority, resource_name};

/// A known difference. Its documentation says what tungstenite does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    // A server that refuses what this library accepts.
    /// It refuses bytes that came with the head, which may be the first frame: RFC 6455 section 4.1 has the client wait,
    /// but nothing allows the server to fail because it did not, and TCP keeps no borders.
    BytesBehindTheRequest,
    /// It reads `Upgrade` as one value, of the first line. It is a list (RFC 9110 section 7.8).
    UpgradeIsAList,
    /// It reads the first line of `Connection` alone, and only if that is visible ASCII. It is a list (RFC 9110 section
    /// 7.6.1), and lines of a list are joined (section 5.3).
    ConnectionOnSeveralLines,
    /// It refuses HTTP/1.2 and later. A recipient takes a higher minor version for the highest that it knows (RFC 9110
    /// section 2.5).
    LaterMinorVersion,
    /// It refuses a key with bits behind the 16th byte. They do not count, and the example of RFC 6455 section 4.1 sets
    /// them. Nor does it have an option to accept malformed keys.
    KeyThatIsNotCanonical,
    /// It refuses a target that the `http` crate does not take, such as an escape in the host, which RFC 3986 section 3.2.2
    /// allows. Which characters those are depends on the version of that crate; browsers leave more unescaped than RFC 3986
    /// lists.
    TargetThatHttpRefuses,

    // A server that accepts what this library refuses.
    /// It does not look at `Host`: missing, repeated or malformed, it is answered with 400 (RFC 9112 section 3.2).
    Host,
    /// It takes targets with a fragment, a broken escape, another scheme or user information, and those of other methods,
    /// `*` and `host:port`. The target is a resource name, or an http or https URI with one (RFC 6455 section 4.2.1).
    TargetThatIsNoResourceName,
    /// It looks only at the first `Sec-WebSocket-Key` and `-Version`; each comes once (RFC 6455 sections 11.3.1 and 11.3.5).
    RepeatedField,
    /// It ignores `Content-Length`, `Transfer-Encoding` and `Expect`. Content would be taken for frames, and an expectation
    /// that cannot be met is answered with 417 (RFC 9110 section 10.1.1).
    Content,
    /// It does not look at the subprotocols: each is a token, and none comes twice (RFC 6455 section 4.1, item 10).
    Subprotocols,
    /// It does not look at the extensions, which are a list of tokens with parameters (RFC 6455 section 9.1).
    Extensions,
    /// It splits `Connection` at spaces too; elements of a list are separated by commas (RFC 9110 section 5.6.1).
    ConnectionWithSpaces,
    /// It has other limits: 124 field lines, 64 KiB, and none for the request line. Ours are answered with 431 and 414.
    OtherLimits,

    // A client that refuses what this library accepts.
    /// It wants `Connection` to be `Upgrade` and nothing else, on the first line; it has to contain it (RFC 6455 section
    /// 4.1, item 3 of the response).
    ConnectionIsAList,
    /// It refuses a response without a subprotocol if it has offered some. A server may choose none (RFC 6455 section
    /// 4.2.2), and the connection is open without (section 4.1).
    NoSubprotocolChosen,
    /// It takes an interim response for the final one. A client must be able to skip them (RFC 9110 section 15.2).
    InterimResponse,

    // A client that accepts what this library refuses.
    /// It accepts extensions that it has not offered, which RFC 6455 section 4.1 forbids (item 5 of the response).
    UnsolicitedExtension,
    /// It looks at the first line only of `Upgrade`, `Sec-WebSocket-Accept` and `-Protocol`. The last two come once (RFC
    /// 6455 sections 11.3.3 and 11.3.4), and `Upgrade` may name no other protocol (section 4.1, item 2 of the response).
    RepeatedResponseField,
}

/// The differences in a request because of which tungstenite refuses what this library accepts.
pub(crate) fn stricter_server(request: &Request) -> Vec<Difference> {
    let fields = &request.fields;
    let first = |name| fields.all(name).first().copied().unwrap_or_default();
    let key = first("sec-websocket-key");
    chosen([
        (!first("upgrade").eq_ignore_ascii_case(b"websocket"), Difference::UpgradeIsAList),
        (!tungstenite_finds_upgrade(fields), Difference::ConnectionOnSeveralLines),
        (request.minor_version > 1, Difference::LaterMinorVersion),
        (!is_key(key) || !is_canonical(key), Difference::KeyThatIsNotCanonical),
        (request.target.parse::<Uri>().is_err(), Difference::TargetThatHttpRefuses),
    ])
}

/// The differences in a request because of which tungstenite accepts what this library refuses; `read` reads its head within
/// limits.
pub(crate) fn laxer_server(
    read: impl Fn(Limits) -> Result<Request, Verdict>,
    limits: Limits,
) -> Vec<Difference> {
    let Ok(request) = read(unlimited()) else { return Vec::new() };
    let fields = &request.fields;
    let count = |name| fields.all(name).len();
    let host = |host: &[u8]| std::str::from_utf8(host).is_ok_and(is_authority);
    let content = ["content-length", "transfer-encoding", "expect"].iter().any(|name| count(name) > 0);
    chosen([
        (read(limits).is_err(), Difference::OtherLimits),
        (!matches!(fields.all("host")[..], [one] if host(one)), Difference::Host),
        (resource_name(&request.target).is_none(), Difference::TargetThatIsNoResourceName),
        (count("sec-websocket-key") > 1 || count("sec-websocket-version") > 1, Difference::RepeatedField),
        (content, Difference::Content),
        (subprotocols(fields).is_none(), Difference::Subprotocols),
        (!has_fine_extensions(fields), Difference::Extensions),
        (!fields.list_has("connection", "upgrade"), Difference::ConnectionWithSpaces),
    ])
}

/// The differences in a response because of which tungstenite refuses what this library accepts.
pub(crate) fn stricter_client(response: &Response) -> Vec<Difference> {
    let fields = &response.fields;
    let first = |name| fields.all(name).first().copied().unwrap_or_default();
    chosen([
        (!first("upgrade").eq_ignore_ascii_case(b"websocket"), Difference::UpgradeIsAList),
        (!first("connection").eq_ignore_ascii_case(b"upgrade"), Difference::ConnectionIsAList),
        (response.minor_version > 1, Difference::LaterMinorVersion),
        (response.interim > 0, Difference::InterimResponse),
        (fields.all("sec-websocket-protocol").is_empty(), Difference::NoSubprotocolChosen),
    ])
}

/// The differences in a response because of which tungstenite accepts what this library refuses; `read` reads its head within
/// limits.
pub(crate) fn laxer_client(
    read: impl Fn(Limits) -> Result<Response, Verdict>,
    limits: Limits,
) -> Vec<Difference> {
    let Ok(response) = read(unlimited()) else { return Vec::new() };
    let fields = &response.fields;
    let once = ["upgrade", "sec-websocket-accept", "sec-websocket-protocol"];
    chosen([
        (read(limits).is_err(), Difference::OtherLimits),
        (!fields.list("sec-websocket-extensions").is_empty(), Difference::UnsolicitedExtension),
        (once.iter().any(|name| fields.all(name).len() > 1), Difference::RepeatedResponseField),
    ])
}

fn unlimited() -> Limits {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.head_fields, limits.request_line) = (usize::MAX, usize::MAX, usize::MAX);
    limits
}

fn chosen<const N: usize>(found: [(bool, Difference); N]) -> Vec<Difference> {
    found.into_iter().filter(|(is, _)| *is).map(|(_, difference)| difference).collect()
}

/// As tungstenite looks for it.
fn tungstenite_finds_upgrade(fields: &Fields) -> bool {
    let first = fields.all("connection").first().copied().unwrap_or_default();
    let is_visible = first.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    let mut words = first.split(|byte| matches!(byte, b' ' | b','));
    is_visible && words.any(|word| word.eq_ignore_ascii_case(b"upgrade"))
}

/// Whether the last of 22 characters has no bits set behind the 16th byte: a multiple of 16 in the alphabet.
fn is_canonical(key: &[u8]) -> bool {
    key.get(21).is_some_and(|last| b"AQgw".contains(last))
}

#[cfg(test)]
mod tests {
    use Accepts::{OnlyOurs, OnlyTheirs};
    use Difference::*;

    use super::super::run::accept_value;
    use super::super::tungstenite::{connect, serve};
    use super::super::{OFFERED, request, response};
    use super::*;

    /// Who accepts an example.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum Accepts {
        OnlyOurs,
        OnlyTheirs,
    }

    /// Requests that are fine but for one difference.
    fn server_examples() -> Vec<(Difference, Accepts, Vec<u8>)> {
        let fine = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
        let put = |from: &str, to: &str| [&fine.replace(from, to), "\r\n"].concat().into_bytes();
        let add = |line: &str| [fine, line, "\r\n\r\n"].concat().into_bytes();
        vec![
            (BytesBehindTheRequest, OnlyOurs, [fine, "\r\n\u{1}\u{0}"].concat().into_bytes()),
            (UpgradeIsAList, OnlyOurs, put("Upgrade: websocket", "Upgrade: h2c, websocket")),
            (ConnectionOnSeveralLines, OnlyOurs, put("Connection: ", "Connection: close\r\nConnection: ")),
            (LaterMinorVersion, OnlyOurs, put("HTTP/1.1", "HTTP/1.2")),
            (KeyThatIsNotCanonical, OnlyOurs, put("ZQ==", "ZR==")),
            (TargetThatHttpRefuses, OnlyOurs, put("GET /", "GET ws://a%41/")),
            (Host, OnlyTheirs, put("Host: a\r\n", "")),
            (Host, OnlyTheirs, put("Host: a", "Host: a\r\nHost: a")),
            (Host, OnlyTheirs, put("Host: a", "Host: a b")),
            (TargetThatIsNoResourceName, OnlyTheirs, put("GET /", "GET /#a")),
            (TargetThatIsNoResourceName, OnlyTheirs, put("GET /", "GET /%")),
            (TargetThatIsNoResourceName, OnlyTheirs, put("GET /", "GET *")),
            (TargetThatIsNoResourceName, OnlyTheirs, put("GET /", "GET a:80")),
            (TargetThatIsNoResourceName, OnlyTheirs, put("GET /", "GET ftp://a/")),
            (RepeatedField, OnlyTheirs, add("Sec-WebSocket-Version: 8")),
            (RepeatedField, OnlyTheirs, add("Sec-WebSocket-Key: a")),
            (Content, OnlyTheirs, add("Content-Length: 1")),
            (Content, OnlyTheirs, add("Transfer-Encoding: chunked")),
            (Content, OnlyTheirs, add("Expect: a miracle")),
            (Subprotocols, OnlyTheirs, add("Sec-WebSocket-Protocol: a b")),
            (Subprotocols, OnlyTheirs, add("Sec-WebSocket-Protocol: a, a")),
            (Extensions, OnlyTheirs, add("Sec-WebSocket-Extensions: a; b=")),
            (Extensions, OnlyTheirs, add("Sec-WebSocket-Extensions: a b")),
            (ConnectionWithSpaces, OnlyTheirs, put("Connection: ", "Connection: keep-alive ")),
            (OtherLimits, OnlyTheirs, add(&["A: b"; 100].join("\r\n"))),
            (OtherLimits, OnlyTheirs, add(&format!("A: {}", "b".repeat(20_000)))),
        ]
    }

    /// Responses of the same kind.
    fn client_examples() -> Vec<(Difference, Accepts, Vec<u8>)> {
        let accept = accept_value();
        let fine = format!(
            "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
             Sec-WebSocket-Protocol: chat\r\n"
        );
        let put = |from: &str, to: &str| [&fine.replace(from, to), "\r\n"].concat().into_bytes();
        let add = |line: &str| [&fine, line, "\r\n\r\n"].concat().into_bytes();
        vec![
            (UpgradeIsAList, OnlyOurs, put("websocket", ", websocket")),
            (ConnectionIsAList, OnlyOurs, put("Connection: ", "Connection: keep-alive, ")),
            (LaterMinorVersion, OnlyOurs, put("HTTP/1.1", "HTTP/1.2")),
            (NoSubprotocolChosen, OnlyOurs, put("Sec-WebSocket-Protocol: chat\r\n", "")),
            (InterimResponse, OnlyOurs, put("HTTP/1.1 101", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101")),
            (UnsolicitedExtension, OnlyTheirs, add("Sec-WebSocket-Extensions: permessage-deflate")),
            (RepeatedResponseField, OnlyTheirs, add("Upgrade: h2c")),
            (RepeatedResponseField, OnlyTheirs, add("Sec-WebSocket-Accept: a")),
            (RepeatedResponseField, OnlyTheirs, add("Sec-WebSocket-Protocol: superchat")),
            (OtherLimits, OnlyTheirs, add(&["A: b"; 100].join("\r\n"))),
        ]
    }

    #[test]
    fn every_difference_of_the_server_is_there_and_explains_its_example() {
        let config = sansocket::ServerConfig::default();
        for (difference, accepts, head) in server_examples() {
            let read = |limits: Limits| request::read(&limits, &head);
            let ours = read(config.limits).and_then(|request| {
                request::judge(&config, &request)?;
                Ok(request)
            });
            assert_eq!(ours.is_ok(), accepts == OnlyOurs, "{difference:?}");
            assert_eq!(serve(&head).is_open(), accepts == OnlyTheirs, "{difference:?}: it is gone");
            let known = match &ours {
                Ok(_) if difference == BytesBehindTheRequest => vec![BytesBehindTheRequest],
                Ok(request) => stricter_server(request),
                Err(_) => laxer_server(read, config.limits),
            };
            assert_eq!(known, [difference]);
            crate::handshake(&[b"s", &head[..]].concat());
        }
    }

    #[test]
    fn every_difference_of_the_client_is_there_and_explains_its_example() {
        let limits = Limits::default();
        for (difference, accepts, head) in client_examples() {
            let read = |limits: Limits| response::read(&limits, &head);
            let ours = read(limits).and_then(|response| {
                response::judge(&accept_value(), &OFFERED, &response)?;
                Ok(response)
            });
            assert_eq!(ours.is_ok(), accepts == OnlyOurs, "{difference:?}");
            assert_eq!(connect(&head).is_open(), accepts == OnlyTheirs, "{difference:?}: it is gone");
            let known = match &ours {
                Ok(response) => stricter_client(response),
                Err(_) => laxer_client(read, limits),
            };
            assert_eq!(known, [difference]);
            crate::handshake(&[b"c", &head[..]].concat());
        }
    }
}
