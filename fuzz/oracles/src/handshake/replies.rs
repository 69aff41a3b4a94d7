//! What a failure says to the peer and to the log: well-formed, whatever the peer sent.

use sansocket::HandshakeError;

/// A line for the log is one line, of bounded length; a reply is one HTTP message. Neither lets the peer write control
/// characters.
pub(crate) fn check(error: &HandshakeError) {
    let line = error.to_string();
    assert!(!line.chars().any(char::is_control), "control characters in {line:?}");
    assert!(line.len() < 2_000, "a line of {} bytes: {line}", line.len());
    let report = error.report();
    assert!(!report.chars().any(|character| character.is_control() && character != '\n'), "{report:?}");
    assert!(error.first_bytes().len() <= 64);
    let Some(reply) = error.reply() else { return };
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a reply has a head");
    let head = core::str::from_utf8(&reply[..end]).expect("a head of ours is ASCII");
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = error.status().expect("a reply has a status");
    assert!(status_line.starts_with(&format!("HTTP/1.1 {status} ")), "{status_line}");
    let (mut content_length, mut close) = (None, false);
    for line in lines {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        let (name, value) = line.split_once(": ").expect("a field line");
        match name {
            "Content-Length" => content_length = value.parse::<usize>().ok(),
            "Connection" => close = value.split(", ").any(|option| option == "close"),
            _ => {}
        }
    }
    let body = &reply[end + 4..];
    assert!(close, "{head}");
    // A reply to HEAD announces a body that it does not have.
    assert!(content_length == Some(body.len()) || body.is_empty(), "{head}");
    let text = core::str::from_utf8(body).expect("a body of ours is text");
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
}
