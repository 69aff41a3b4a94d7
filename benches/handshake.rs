//! The server's opening handshake: the head as a whole, in few pieces and byte by byte, with tungstenite beside it.
//!
//! tungstenite refuses a head that comes in more than 64 reads of less than 128 bytes on average, so byte by byte there is nothing
//! to compare with. What matters there: twice the head takes at most twice the time.

#[path = "support/handshakes.rs"]
mod handshakes;
#[path = "support/report.rs"]
mod report;

use bytes::BytesMut;
use criterion::{Criterion, Throughput};

use report::{Report, Side};

fn main() {
    let mut criterion = report::criterion();
    let report = Report::default();
    bench(&mut criterion, &report);
    criterion.final_summary();
    report.print("server handshake");
}

fn bench(criterion: &mut Criterion, report: &Report) {
    let head = handshakes::head(0);
    let doubled = handshakes::head(head.len());
    assert_eq!(doubled.len(), 2 * head.len());
    let cases = [
        ("whole", &head, head.len()),
        ("whole, doubled", &doubled, doubled.len()),
        ("in 64 reads", &head, head.len().div_ceil(64)),
        ("byte by byte", &head, 1),
        ("byte by byte, doubled", &doubled, 1),
    ];
    let mut group = criterion.benchmark_group("server handshake");
    for (case, head, read) in cases {
        group.throughput(Throughput::Bytes(head.len() as u64));
        let mut input = BytesMut::with_capacity(head.len());
        report.bench(&mut group, case, Side::Sansocket, 1, || {
            handshakes::sansocket(head, read, &mut input);
            assert!(input.is_empty());
        });
        if handshakes::tungstenite_accepts(head, read) {
            let mut reply = Vec::new();
            report.bench(&mut group, case, Side::Tungstenite, 1, || {
                reply.clear();
                handshakes::tungstenite(head, read, &mut reply);
            });
        }
    }
    group.finish();
}
