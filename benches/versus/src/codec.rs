//! Messages and opening handshakes in memory: the contests, and the check of every contender's result before anything is timed.

use std::panic::{self, AssertUnwindSafe};

use crate::floor;
use crate::options::Options;
use crate::peers::{self, Handshaking, Peer};
use crate::pipe;
use crate::rounds::{self, CONTROL, Contender, Contest, Run};
use crate::table::{Row, Table};
use crate::work::{Decoding, Encoding, FRAGMENTS, Kind, Role, SIZES, check_written};

/// All tables. Each case is set up when its turn has come, so that none disturbs another by the memory it holds.
pub(crate) fn tables(options: &Options) -> impl Iterator<Item = Table> {
    groups().into_iter().filter_map(|Group { title, cases }| {
        let mut table = Table { title, unit: "ns", rows: Vec::new() };
        for (name, contest) in cases {
            if options.wants(&table.title, &name) {
                let mut contest = contest();
                contest.contenders.retain(|contender| contender.name.contains(&options.only));
                let row = Row { lines: rounds::run(&contest, options.effort), name };
                table.print_row(&row);
                table.rows.push(row);
            }
        }
        (!table.rows.is_empty()).then_some(table)
    })
}

/// What no implementation can be faster than, by size: moving, masking and validating bytes.
pub(crate) fn physical(options: &Options) -> Option<Table> {
    let title = "physical limits".to_owned();
    let mut table = Table { title, unit: "ns", rows: Vec::new() };
    for (size, name) in SIZES {
        if options.wants(&table.title, name) {
            let contest = Contest { messages: 1, contenders: floor::physical(size) };
            let mut lines = rounds::run(&contest, options.effort);
            lines.retain(|line| line.name != CONTROL);
            let row = Row { name: name.to_owned(), lines };
            table.print_row(&row);
            table.rows.push(row);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The cases of a table.
struct Group {
    title: String,
    cases: Vec<(String, Box<dyn FnOnce() -> Contest>)>,
}

fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    let mut add = |title: String, cases| groups.push(Group { title, cases });
    for role in [Role::Server, Role::Client] {
        for kind in [Kind::Binary, Kind::Ascii, Kind::Multibyte] {
            for (fragments, form) in [(1, "one frame"), (FRAGMENTS, "four frames")] {
                let case = move |size| decode(&Decoding::new(role, kind, size, fragments));
                add(format!("decode as {role}, {kind}, {form}"), sizes(4 * 1024 * 1024, case));
            }
        }
    }
    for role in [Role::Server, Role::Client] {
        for kind in [Kind::Binary, Kind::Ascii] {
            let case = move |size| encode(&Encoding::new(role, kind, size, None));
            add(format!("encode as {role}, {kind}"), sizes(4 * 1024 * 1024, case));
            let case = move |size| encode(&Encoding::new(role, kind, size, Some(1)));
            add(format!("encode as {role}, {kind}, each message flushed"), sizes(1024, case));
        }
    }
    let head = head(0).len();
    let cases = [
        ("whole", 0, usize::MAX),
        ("whole, head doubled", head, usize::MAX),
        ("in 64 reads", 0, head.div_ceil(64)),
        ("byte by byte", 0, 1),
        ("byte by byte, head doubled", head, 1),
    ];
    let cases = cases.map(|(name, padding, read)| -> (String, Box<dyn FnOnce() -> Contest>) {
        (name.to_owned(), Box::new(move || handshake(padding, read)))
    });
    add("server handshake".to_owned(), cases.into());
    groups
}

/// A case for each size up to `largest`.
fn sizes(
    largest: usize,
    case: impl Fn(usize) -> Contest + Copy + 'static,
) -> Vec<(String, Box<dyn FnOnce() -> Contest>)> {
    let sizes = SIZES.into_iter().filter(|(size, _)| *size <= largest);
    sizes.map(|(size, name)| (name.to_owned(), Box::new(move || case(size)) as _)).collect()
}

fn decode(work: &Decoding) -> Contest {
    let check = |run: &mut Run| {
        work.expected.comparing(run);
        false
    };
    let mut contest =
        contest(work, work, work.messages, |peer, work| peer.decode(work), floor::decode, check);
    if work.kind.is_text() {
        let work = work.not_text();
        let unchecked = peers::all().into_iter().filter(|peer| peer.decode(&work).is_some_and(succeeds));
        let names: Vec<_> = unchecked.map(|peer| peer.name()).collect();
        for contender in &mut contest.contenders {
            contender.apart |= names.contains(&contender.name.as_str());
        }
    }
    contest
}

/// Whether a run finds nothing wrong.
fn succeeds(mut run: Run) -> bool {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(&mut run));
    panic::set_hook(hook);
    result.is_ok()
}

fn encode(work: &Encoding) -> Contest {
    let capturing = Encoding { capture: true, ..work.clone() };
    let check = |run: &mut Run| {
        // What a connection sends first may not be what it sends later.
        let mut writes = 0;
        for _ in 0..2 {
            run();
            let written = pipe::written();
            check_written(work, &written.0);
            writes = written.1;
        }
        work.messages > 1 && writes >= work.messages
    };
    contest(work, &capturing, work.messages, |peer, work| peer.encode(work), floor::encode, check)
}

fn handshake(padding: usize, read: usize) -> Contest {
    let work = Handshaking { head: head(padding).into(), read, capture: false };
    let capturing = Handshaking { capture: true, ..work.clone() };
    let check = |run: &mut Run| {
        run();
        let (reply, _) = pipe::written();
        assert!(reply.starts_with(b"HTTP/1.1 101 "));
        assert!(reply.windows(28).any(|value| value == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert!(reply.ends_with(b"\r\n\r\n"));
        false
    };
    contest(&work, &capturing, 1, |peer, work| peer.handshake(work), floor::handshake, check)
}

/// Everybody who can do the work, and the floor. `check` looks at a run of each on `checked`, which is the same work, and says
/// whether it stands [`apart`](Contender::apart).
fn contest<W: Clone + 'static>(
    work: &W,
    checked: &W,
    messages: usize,
    of: fn(&dyn Peer, &W) -> Option<Run>,
    floor: fn(&W) -> Run,
    check: impl Fn(&mut Run) -> bool,
) -> Contest {
    let mut contenders = Vec::new();
    for peer in peers::all() {
        if let Some(mut run) = of(&*peer, checked) {
            let apart = check(&mut run);
            let (name, work) = (peer.name().to_owned(), work.clone());
            let set_up = move || of(&*peer, &work).expect("it could the first time");
            contenders.push(Contender { name, set_up: Box::new(set_up), apart });
        }
    }
    check(&mut floor(checked));
    let work = work.clone();
    contenders.push(Contender {
        name: FLOOR.to_owned(),
        set_up: Box::new(move || floor(&work)),
        apart: false,
    });
    Contest { messages, contenders }
}

/// A request as browsers send it, about 500 bytes, with `padding` more in fields that no library looks at.
pub(crate) fn head(padding: usize) -> Vec<u8> {
    let mut head = b"GET /chat?room=42 HTTP/1.1\r\n\
        Host: server.example.com\r\n\
        Connection: Upgrade\r\n\
        Pragma: no-cache\r\n\
        Cache-Control: no-cache\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
        Upgrade: websocket\r\n\
        Origin: https://server.example.com\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Accept-Encoding: gzip, deflate, br, zstd\r\n\
        Accept-Language: en-GB,en;q=0.9\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        .to_vec();
    let mut left = padding;
    while left > 0 {
        // The last field takes what is left, so that none is too short.
        let len = if left < 2 * PADDING_FIELD { left } else { PADDING_FIELD };
        let value = "0".repeat(len - b"X-Padding: \r\n".len());
        head.extend_from_slice(format!("X-Padding: {value}\r\n").as_bytes());
        left -= len;
    }
    head.extend_from_slice(b"\r\n");
    head
}

const PADDING_FIELD: usize = 50;

/// The name of the hand-written minimum.
pub(crate) const FLOOR: &str = "(floor)";
