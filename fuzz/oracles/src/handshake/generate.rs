//! Heads that are fine but for what a script does to them, so that a fuzzer gets behind the grammar.
//!
//! A script is a sequence of edits, each a byte that chooses it and bytes that say where and what. What is left of the
//! script when it ends with [`END`] are the lengths of the pieces in which the head arrives.

use sansocket::Role;

use super::run::{REQUEST_FIELDS, response_fields};
use super::words::{COLONS, LINE_ENDS, NAMES, SEPARATORS, VALUES, WORDS};
use crate::script::Script;

/// The head that a peer of an endpoint in `role` sends, and the lengths of its pieces.
pub(crate) fn head(role: Role, script: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let mut script = Script(script);
    let mut draft = match role {
        Role::Server => Draft::request(),
        Role::Client => Draft::response(),
    };
    while let Some(edit) = script.next().filter(|edit| *edit != END) {
        draft.edit(edit, &mut script);
    }
    let mut lengths = Vec::new();
    while let Some(len) = script.next() {
        lengths.push(usize::from(len));
    }
    (draft.bytes(), lengths)
}

/// Bytes of a head at most: somewhat more than the limit.
const LONGEST: usize = 18_000;

/// Ends the edits of a script.
const END: u8 = 0xFF;

/// A head in parts.
struct Draft {
    /// What comes before the start line.
    before: Vec<u8>,
    /// Method, target and version, or version, status and reason.
    start: [Vec<u8>; 3],
    start_end: &'static str,
    fields: Vec<Field>,
    /// The empty line.
    end: &'static str,
    behind: Vec<u8>,
    /// Bytes that are cut off at the end.
    cut: usize,
}

#[derive(Clone)]
struct Field {
    name: Vec<u8>,
    /// What stands between name and value.
    colon: &'static str,
    value: Vec<u8>,
    end: &'static str,
}

impl Draft {
    fn request() -> Self {
        Self::new(["GET", "/chat", "HTTP/1.1"], &REQUEST_FIELDS)
    }

    fn response() -> Self {
        let fields = response_fields();
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        Self::new(["HTTP/1.1", "101", "Switching Protocols"], &fields)
    }

    fn new(start: [&str; 3], fields: &[(&str, &str)]) -> Self {
        Self {
            before: Vec::new(),
            start: start.map(|word| word.as_bytes().to_vec()),
            start_end: "\r\n",
            fields: fields.iter().map(|(name, value)| Field::new(name, value)).collect(),
            end: "\r\n",
            behind: Vec::new(),
            cut: 0,
        }
    }

    fn edit(&mut self, edit: u8, script: &mut Script<'_>) {
        let at = |len: usize, number: usize| if len == 0 { 0 } else { number % len };
        match edit % 20 {
            0 => self.start[script.number() % 3] = pick(WORDS, script).to_vec(),
            1 => {
                let len = script.number() % 8;
                self.start[script.number() % 3].extend_from_slice(script.take(len));
            }
            2 => self.start_end = pick_end(script),
            3 => self.before = b"\r\n".repeat(length(script)),
            4 => self.before.extend_from_slice(pick(WORDS, script)),
            5 => self.start[1].extend(b"/".repeat(length(script))),
            6 => {
                let field = Field { name: pick(NAMES, script).to_vec(), ..Field::new("", "") };
                let value = pick(VALUES, script).to_vec();
                let place = script.number() % (self.fields.len() + 1);
                self.fields.insert(place, Field { value, ..field });
            }
            7 => {
                let (len, line) = (script.number(), Field::new("A", "b"));
                self.fields.extend(std::iter::repeat_n(line, len));
            }
            8 => self.end = pick_end(script),
            9 => {
                let len = script.number();
                self.behind = script.take(len).to_vec();
            }
            10 => {
                // Another head behind this one or, where this one is interim, after it.
                let again = std::mem::replace(self, Self::response());
                self.before = again.bytes();
            }
            11 => self.cut = length(script),
            _ if self.fields.is_empty() => {}
            12 => drop(self.fields.remove(at(self.fields.len(), script.number()))),
            13 => {
                let field = self.fields[at(self.fields.len(), script.number())].clone();
                self.fields.insert(at(self.fields.len(), script.number()), field);
            }
            14 => {
                let (one, other) =
                    (at(self.fields.len(), script.number()), at(self.fields.len(), script.number()));
                self.fields.swap(one, other);
            }
            number => {
                let place = at(self.fields.len(), script.number());
                self.fields[place].edit(number, script);
            }
        }
        // No script may take all memory, or more time than another.
        self.fields.truncate(1_000);
        self.before.truncate(LONGEST);
        self.start.iter_mut().for_each(|word| word.truncate(LONGEST));
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.before.clone();
        bytes.extend(self.start.join(&b' '));
        bytes.extend_from_slice(self.start_end.as_bytes());
        for Field { name, colon, value, end } in &self.fields {
            bytes.extend([name, colon.as_bytes(), value, end.as_bytes()].concat());
        }
        bytes.extend_from_slice(self.end.as_bytes());
        bytes.extend_from_slice(&self.behind);
        bytes.truncate(bytes.len() - self.cut.min(bytes.len()));
        bytes.truncate(LONGEST);
        bytes
    }
}

impl Field {
    fn new(name: &str, value: &str) -> Self {
        Self { name: name.as_bytes().to_vec(), colon: ": ", value: value.as_bytes().to_vec(), end: "\r\n" }
    }

    fn edit(&mut self, edit: u8, script: &mut Script<'_>) {
        match edit {
            15 => self.value = pick(VALUES, script).to_vec(),
            16 => {
                let parts = [&self.value[..], pick(SEPARATORS, script), pick(VALUES, script)];
                self.value = parts.concat();
            }
            17 => match script.number() % 6 {
                0 => self.name.make_ascii_lowercase(),
                1 => self.name.make_ascii_uppercase(),
                2 => self.value.make_ascii_lowercase(),
                3 => self.value.make_ascii_uppercase(),
                4 => self.name = pick(NAMES, script).to_vec(),
                _ => self.value.extend(b"x,".repeat(length(script) / 2)),
            },
            18 => match script.number() % 2 {
                0 => self.end = pick_end(script),
                _ => self.colon = COLONS[script.number() % COLONS.len()],
            },
            _ => {
                let part = if script.number() % 4 == 0 { &mut self.name } else { &mut self.value };
                let at = script.number() % (part.len() + 1);
                let len = script.number() % 4;
                part.splice(at..at, script.take(len).iter().copied());
            }
        }
        self.name.truncate(LONGEST);
        self.value.truncate(LONGEST);
    }
}

/// Mostly short, or else around the limit of a head.
fn length(script: &mut Script<'_>) -> usize {
    match script.number() {
        short @ ..200 => short,
        long => long * 70,
    }
}

fn pick(list: &'static [&'static str], script: &mut Script<'_>) -> &'static [u8] {
    list[script.number() % list.len()].as_bytes()
}

fn pick_end(script: &mut Script<'_>) -> &'static str {
    LINE_ENDS[script.number() % LINE_ENDS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(role: Role, script: &[u8]) -> String {
        String::from_utf8(head(role, script).0).expect("nothing else was put in")
    }

    #[test]
    fn without_a_script_the_head_is_fine() {
        let request = text(Role::Server, b"");
        assert!(request.starts_with("GET /chat HTTP/1.1\r\nHost: example.com\r\n"), "{request}");
        assert!(request.ends_with("Sec-WebSocket-Version: 13\r\n\r\n"), "{request}");
        let response = text(Role::Client, b"");
        assert!(
            response.starts_with("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"),
            "{response}"
        );
        assert!(response.ends_with("\r\n\r\n"), "{response}");
    }

    #[test]
    fn edits_change_what_they_say_and_lengths_follow() {
        // The first field is removed; the second, now the first, gets the name in lower case; the target grows by three.
        let (edited, lengths) = head(Role::Server, &[12, 0, 17, 0, 0, 5, 3, END, 1, 20]);
        let edited = String::from_utf8(edited).expect("nothing else was put in");
        assert!(edited.starts_with("GET /chat/// HTTP/1.1\r\nupgrade: websocket\r\n"), "{edited}");
        assert_eq!(lengths, [1, 20]);
    }

    #[test]
    fn every_script_ends_and_stays_small() {
        for edit in 0..20 {
            let script = [edit, 0xFE].repeat(300);
            let (head, _) = head(Role::Client, &script);
            assert!(head.len() <= LONGEST, "{edit}: {} bytes", head.len());
        }
    }
}
