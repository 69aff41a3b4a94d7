//! Vectors: frames as bytes in a text file, with what an endpoint makes of them.

use sansocket::Role;

use super::seen::Seen;
use super::wire;

/// One line of such a file.
pub(crate) struct Row {
    pub(crate) line: usize,
    /// Who receives, as the first column says.
    pub(crate) receiver: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: String,
}

/// The lines of `file` but for empty ones and comments.
pub(crate) fn rows(file: &str) -> Vec<Row> {
    let lines = file.lines().enumerate();
    let rows = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(index, line)| {
        let [receiver, bytes, expected] = line.splitn(3, '|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("line {}", index + 1)
        };
        let (receiver, expected) = (receiver.to_owned(), expected.to_owned());
        Row { line: index + 1, receiver, bytes: unhex(bytes), expected }
    });
    rows.collect()
}

pub(crate) fn role(name: &str) -> Role {
    match name {
        "client" => Role::Client,
        "server" => Role::Server,
        other => panic!("no role is called {other}"),
    }
}

/// Events and, for a failure, the close code that the peer is told, as the file writes them.
pub(crate) fn told(seen: &[Seen], sent: &[wire::Frame]) -> String {
    let told = seen.iter().map(|event| match event {
        Seen::Text(text) => format!("text {text:?}"),
        Seen::Binary(bytes) => format!("binary {}", hex(bytes)).trim_end().to_owned(),
        Seen::Ping(payload) => format!("ping {}", hex(payload)).trim_end().to_owned(),
        Seen::Pong(payload) => format!("pong {}", hex(payload)).trim_end().to_owned(),
        Seen::Close(frame) => format!("close {} {:?}", frame.code().0, frame.reason()),
        Seen::Failed(failure) => {
            let close = sent.iter().find(|frame| frame.first == wire::CLOSE).expect("a Close frame");
            let code = close.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            format!("fails {} {failure:?}", code.expect("a close code"))
        }
        other => format!("{other:?}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// `ab cd`; a byte over 8 times in a row is `ab*n`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let runs = bytes.chunk_by(|one, next| one == next).flat_map(|run| match run {
        [first, ..] if run.len() > 8 => vec![format!("{first:02x}*{}", run.len())],
        run => run.iter().map(|byte| format!("{byte:02x}")).collect(),
    });
    runs.collect::<Vec<_>>().join(" ")
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |hex: &str| u8::from_str_radix(hex, 16).expect("two hexadecimal digits");
    text.split_whitespace()
        .flat_map(|part| match part.split_once('*') {
            Some((hex, n)) => vec![byte(hex); n.parse().expect("a number")],
            None => vec![byte(part)],
        })
        .collect()
}
