//! permessage-deflate: messages compressed and inflated, with and without context takeover, next to zlib-rs without anything around it.
//!
//! Everybody inflates the same bytes, and compresses at the same level with the same window and memory.

use std::hint::black_box;
use std::sync::Arc;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush};

use crate::options::Options;
use crate::peers::{self, Peer};
use crate::pipe::{self, Pipe};
use crate::rounds::{self, Contender, Contest, Run};
use crate::table::{Row, Table};
use crate::work::frame;

/// Messages to compress, and the same compressed.
#[derive(Clone)]
pub(crate) struct Deflating {
    /// Text; each resembles the ones before it.
    pub(crate) messages: Arc<[Arc<str>]>,
    /// Each message compressed, without the last four bytes of RFC 7692 section 7.2.1.
    pub(crate) compressed: Arc<[Vec<u8>]>,
    /// The frames of a client that sends them.
    pub(crate) wire: Arc<[u8]>,
    pub(crate) takeover: bool,
    pub(crate) level: u8,
    /// Keep what is written, to be looked at.
    pub(crate) capture: bool,
}

impl Deflating {
    fn new(size: usize, takeover: bool) -> Self {
        // Level 1 is what soketto has, which compresses without takeover only; 6 is the default of the others.
        let level = if takeover { 6 } else { 1 };
        let count = (256 * 1024 / size).clamp(4, 64);
        let mut random = 1;
        let messages: Arc<[Arc<str>]> = (0..count).map(|_| orders(size, &mut random).into()).collect();
        let mut deflate = compressor(level);
        let mut wire = Vec::new();
        let compressed: Arc<[Vec<u8>]> = messages
            .iter()
            .map(|message| {
                let mut compressed = vec![0; size + 64];
                let len = compress(&mut deflate, message.as_bytes(), &mut compressed, takeover);
                compressed.truncate(len);
                frame(&mut wire, 0xC1, &compressed, Some([0x37, 0xFA, 0x21, 0x3D]));
                compressed
            })
            .collect();
        Self { messages, compressed, wire: wire.into(), takeover, level, capture: false }
    }

    /// A message came out of [`wire`](Self::wire), as the `index`-th.
    #[inline]
    pub(crate) fn see(&self, index: usize, bytes: &[u8]) {
        let expected = &self.messages[index];
        assert_eq!(black_box(bytes).len(), expected.len());
        if self.capture {
            assert!(bytes == expected.as_bytes(), "the text is not what was sent");
        }
    }
}

/// All tables.
pub(crate) fn tables(options: &Options) -> impl Iterator<Item = Table> {
    let cases = [("inflate", true), ("inflate", false), ("deflate", true), ("deflate", false)];
    cases.into_iter().filter_map(|(what, takeover)| {
        let with =
            if takeover { "with context takeover, level 6" } else { "without context takeover, level 1" };
        let mut table = Table { title: format!("{what}, {with}"), unit: "ns per message", rows: Vec::new() };
        for (size, name) in [(1024, "1 KiB of JSON"), (64 * 1024, "64 KiB of JSON")] {
            if options.wants(&table.title, name) {
                let work = Deflating::new(size, takeover);
                let contest = if what == "inflate" { inflate(&work) } else { deflate(&work) };
                let row = Row { name: name.to_owned(), lines: rounds::run(&contest, options.effort) };
                table.print_row(&row);
                table.rows.push(row);
            }
        }
        (!table.rows.is_empty()).then_some(table)
    })
}

fn inflate(work: &Deflating) -> Contest {
    contest(
        work,
        |peer, work| peer.inflate(work),
        inflate_floor,
        |run| {
            run();
            run();
        },
    )
}

fn deflate(work: &Deflating) -> Contest {
    contest(
        work,
        |peer, work| peer.deflate(work),
        deflate_floor,
        |run| {
            let mut inflate = Inflate::new(false, 15);
            for _ in 0..2 {
                run();
                check_written(work, &pipe::written().0, &mut inflate);
            }
        },
    )
}

/// Everybody who can do the work, and the floor, after `check` has looked at what comes out.
fn contest(
    work: &Deflating,
    of: fn(&dyn Peer, &Deflating) -> Option<Run>,
    floor: fn(&Deflating) -> Run,
    check: impl Fn(&mut Run),
) -> Contest {
    let capturing = Deflating { capture: true, ..work.clone() };
    let mut contenders = Vec::new();
    for peer in peers::all() {
        if let Some(mut run) = of(&*peer, &capturing) {
            check(&mut run);
            let (name, work) = (peer.name().to_owned(), work.clone());
            let set_up = move || of(&*peer, &work).expect("it could the first time");
            contenders.push(Contender { name, set_up: Box::new(set_up), apart: false });
        }
    }
    check(&mut floor(&capturing));
    let (messages, work) = (work.messages.len(), work.clone());
    contenders.push(Contender {
        name: FLOOR.to_owned(),
        set_up: Box::new(move || floor(&work)),
        apart: false,
    });
    Contest { messages, contenders }
}

/// zlib-rs on buffers that are large enough from the start; then the text is validated.
fn inflate_floor(work: &Deflating) -> Run {
    let work = work.clone();
    let mut inflate = Inflate::new(false, 15);
    let largest = work.messages.iter().map(|message| message.len()).max().unwrap_or_default();
    let mut output = vec![0; largest];
    let mut input = Vec::new();
    Box::new(move || {
        for (index, compressed) in work.compressed.iter().enumerate() {
            input.clear();
            input.extend_from_slice(compressed);
            input.extend_from_slice(&TAIL);
            let before = inflate.total_out();
            inflate.decompress(&input, &mut output, InflateFlush::SyncFlush).expect("the data is valid");
            let text = &output[..(inflate.total_out() - before) as usize];
            black_box(simdutf8::basic::from_utf8(text).expect("the text is UTF-8"));
            work.see(index, text);
        }
    })
}

fn deflate_floor(work: &Deflating) -> Run {
    let work = work.clone();
    let mut pipe = Pipe::sink(work.capture);
    let mut deflate = compressor(work.level);
    let largest = work.messages.iter().map(|message| message.len()).max().unwrap_or_default();
    let mut output = vec![0; largest + 64];
    let mut framed = Vec::with_capacity(output.len() + 16);
    Box::new(move || {
        for message in &*work.messages {
            let len = compress(&mut deflate, message.as_bytes(), &mut output, work.takeover);
            framed.clear();
            frame(&mut framed, 0xC1, &output[..len], None);
            pipe.accept(&framed);
        }
    })
}

/// Raw deflate with a window of 32 KiB and zlib's own amount of memory.
fn compressor(level: u8) -> Deflate {
    Deflate::new_with_config(DeflateConfig {
        level: level.into(),
        window_bits: -15,
        ..DeflateConfig::default()
    })
}

/// Compresses a message into `output`, which is large enough; gives the length without the tail.
fn compress(deflate: &mut Deflate, message: &[u8], output: &mut [u8], takeover: bool) -> usize {
    let before = deflate.total_out();
    let flush = if takeover { DeflateFlush::SyncFlush } else { DeflateFlush::FullFlush };
    deflate.compress(message, output, flush).expect("there is room");
    let len = (deflate.total_out() - before) as usize;
    assert!(output[..len].ends_with(&TAIL));
    len - TAIL.len()
}

/// Takes apart what a server wrote: compressed or not, each frame must come to the message that was sent.
fn check_written(work: &Deflating, mut written: &[u8], inflate: &mut Inflate) {
    for message in &*work.messages {
        let (len, header) = match written[1] {
            126 => (usize::from(u16::from_be_bytes([written[2], written[3]])), 4),
            127 => (u64::from_be_bytes(written[2..10].try_into().expect("eight bytes")) as usize, 10),
            len => (usize::from(len), 2),
        };
        let payload = &written[header..header + len];
        assert_eq!(written[0], 0xC1, "one compressed frame of text");
        let mut output = vec![0; message.len() + 1];
        let before = inflate.total_out();
        for part in [payload, &TAIL] {
            let at = (inflate.total_out() - before) as usize;
            inflate.decompress(part, &mut output[at..], InflateFlush::SyncFlush).expect("the data is valid");
        }
        output.truncate((inflate.total_out() - before) as usize);
        assert!(output == message.as_bytes(), "the text is what was to be sent");
        written = &written[header + len..];
    }
    assert!(written.is_empty(), "nothing else was written");
}

/// JSON as an exchange might send it, `size` bytes of it; what follows the last whole order is blank.
fn orders(size: usize, random: &mut u64) -> String {
    let mut next = |bound: u64| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % bound
    };
    let mut text = String::from("{\"type\":\"orders\",\"orders\":[");
    loop {
        let symbol = ["BTC-USD", "ETH-USD", "SOL-EUR", "DOGE-GBP"][next(4) as usize];
        let side = ["buy", "sell"][next(2) as usize];
        let order = format!(
            "{{\"id\":{},\"symbol\":\"{symbol}\",\"side\":\"{side}\",\"price\":\"{}.{:02}\",\"quantity\":{},\"time\":\"2026-01-{:02}T{:02}:{:02}:{:02}Z\"}},",
            next(1 << 40),
            next(90_000),
            next(100),
            next(1000),
            1 + next(28),
            next(24),
            next(60),
            next(60)
        );
        if text.len() + order.len() + 2 > size {
            break;
        }
        text += &order;
    }
    text.pop();
    text += "]}";
    text += &" ".repeat(size - text.len());
    text
}

/// The end of an empty block, which permessage-deflate leaves out.
pub(crate) const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// The name of the floor.
const FLOOR: &str = "(raw zlib-rs)";
