//! The server's opening handshake: the head as a whole, in 64 reads and byte by byte, at sizes up to the limit.
//!
//! Beside it, tungstenite, and a floor: only what has to be done, written by hand. What matters is that the time per byte does
//! not rise with the size, however the head is split, and that it is at most twice the floor's. tungstenite refuses a head
//! that comes in more than 64 reads of less than 128 bytes on average, so byte by byte there is nothing to compare with.
//!
//! Instructions are counted more steadily than time is measured. `run` does one handshake again and again and nothing else:
//!
//! ```sh
//! cargo bench --bench handshake --no-run
//! valgrind --tool=callgrind target/release/deps/handshake-* run sansocket 4096 1 1000
//! ```
//!
//! It is followed by a side (`sansocket`, `tungstenite` or `floor`), the bytes of the head, the bytes of a read, and how often.
//! The difference between two counts leaves out what is done once.

#[path = "support/handshakes.rs"]
mod handshakes;
#[path = "support/report.rs"]
mod report;

use bytes::BytesMut;
use criterion::{Criterion, Throughput};

use report::{Report, Side};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, run, side, numbers @ ..] = &arguments[..] {
        if run == "run" {
            return run_only(side, numbers);
        }
    }
    let mut criterion = report::criterion();
    let report = Report::default();
    bench(&mut criterion, &report);
    criterion.final_summary();
    report.print("server handshake");
}

fn bench(criterion: &mut Criterion, report: &Report) {
    let mut group = criterion.benchmark_group("server handshake");
    for len in SIZES {
        let head = handshakes::head(len);
        for (case, read) in [("whole", len), ("in 64 reads", len / 64), ("byte by byte", 1)] {
            let case = format!("{len} bytes, {case}");
            group.throughput(Throughput::Bytes(len as u64));
            for (_, side) in SIDES {
                if side == Side::Tungstenite && !handshakes::tungstenite_accepts(&head, read) {
                    continue;
                }
                report.bench(&mut group, &case, side, 1, repeated(side, &head, read));
            }
        }
    }
    group.finish();
}

/// Handshakes without measuring them.
fn run_only(side: &str, numbers: &[String]) {
    let side = SIDES.iter().find(|(name, _)| *name == side).expect("a side").1;
    let numbers: Vec<usize> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
    let [len, read, times] = numbers[..] else { panic!("bytes, bytes of a read, times") };
    let head = handshakes::head(len);
    let mut run = repeated(side, &head, read);
    (0..times).for_each(|_| run());
}

/// A handshake of `side`; what it reads into is used again for the next.
fn repeated(side: Side, head: &[u8], read: usize) -> impl FnMut() {
    let (mut input, mut reply) = (BytesMut::with_capacity(head.len()), Vec::new());
    move || {
        reply.clear();
        match side {
            Side::Sansocket => {
                handshakes::sansocket(head, read, &mut input);
                assert!(input.is_empty());
            }
            Side::Tungstenite => handshakes::tungstenite(head, read, &mut reply),
            Side::Floor => handshakes::floor(head, read),
        }
    }
}

/// In bytes, up to the default limit of the head.
const SIZES: [usize; 6] = [512, 1024, 2 * 1024, 4 * 1024, 8 * 1024, 16 * 1024];

const SIDES: [(&str, Side); 3] =
    [("sansocket", Side::Sansocket), ("tungstenite", Side::Tungstenite), ("floor", Side::Floor)];
