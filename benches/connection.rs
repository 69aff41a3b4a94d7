//! Decode and encode of messages of one frame, by size class, with tungstenite doing the same beside it.
//!
//! Both sides get the same bytes and check them by the same rules (masking, lengths, UTF-8). Decoding starts at a transport in
//! memory, so that each side pays for its own copy out of it; encoding ends at a transport that takes all it is given.
//! `alone` is one message per write, as when each is an answer that is waited for; without it they come in bursts.
//!
//! The sides run one after the other and in fixed places, so a busy machine favours one of them, and from 64 KiB on so does the
//! place of a buffer in memory. `benches/versus` lets them take turns in changing places and has a control; for messages of
//! 1 MiB even that did not resolve less than a factor of two here.

#[path = "support/frames.rs"]
mod frames;
#[path = "support/report.rs"]
mod report;
#[path = "support/sansocket_side.rs"]
mod sansocket_side;
#[path = "support/tungstenite_side.rs"]
mod tungstenite_side;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use sansocket::Role;

use frames::{BURST, KINDS, SIZES, frame_len, masked_frame, payload};
use report::{Report, Side};

fn main() {
    let mut criterion = report::criterion();
    let report = Report::default();
    decode(&mut criterion, &report);
    encode(&mut criterion, &report, Role::Server);
    encode(&mut criterion, &report, Role::Client);
    criterion.final_summary();
    report.print("message");
}

/// As a server: frames that a client has masked.
fn decode(criterion: &mut Criterion, report: &Report) {
    for (kind, kind_name) in KINDS {
        let mut group = criterion.benchmark_group(format!("decode {kind_name}"));
        for (size, size_name) in SIZES {
            let case = format!("decode {kind_name} {size_name}");
            let payload = payload(kind, size);
            let frame = masked_frame(kind, &payload);
            let messages = (BURST / frame.len()).max(1);
            let wire = frame.repeat(messages);
            group.throughput(Throughput::Bytes((messages * size) as u64));

            let mut ours = sansocket_side::Decoder::new(sansocket_side::BLOCK);
            assert_eq!(ours.decode(&wire, |bytes| assert_eq!(bytes, payload)), messages);
            report.bench(&mut group, &case, Side::Sansocket, messages, || {
                let read = ours.decode(&wire, |bytes| assert_eq!(black_box(bytes).len(), size));
                assert_eq!(read, messages);
            });

            let mut theirs = tungstenite_side::Decoder::new(wire, tungstenite_side::READ_BUFFER);
            theirs.decode(messages, |bytes| assert_eq!(bytes, payload));
            report.bench(&mut group, &case, Side::Tungstenite, messages, || {
                theirs.decode(messages, |bytes| assert_eq!(black_box(bytes).len(), size));
            });
        }
        group.finish();
    }
}

/// As `role`: a client has to mask.
fn encode(criterion: &mut Criterion, report: &Report, role: Role) {
    for (kind, kind_name) in KINDS {
        let mut group = criterion.benchmark_group(format!("encode {role} {kind_name}"));
        for (size, size_name) in SIZES {
            let mut bursts = vec![("", (BURST / frame_len(size, role)).max(1))];
            if size <= 1024 {
                bursts.push((" alone", 1));
            }
            for (suffix, messages) in bursts {
                let case = format!("encode {role} {kind_name} {size_name}{suffix}");
                let payload = payload(kind, size);
                let expected = messages * frame_len(size, role);
                group.throughput(Throughput::Bytes((messages * size) as u64));

                let mut ours = sansocket_side::Encoder::new(role, kind, &payload);
                report.bench(&mut group, &case, Side::Sansocket, messages, || {
                    assert_eq!(ours.encode(messages), expected);
                });
                let mut theirs = tungstenite_side::Encoder::new(role, kind, &payload);
                report.bench(&mut group, &case, Side::Tungstenite, messages, || {
                    assert_eq!(theirs.encode(messages), expected);
                });
            }
        }
        group.finish();
    }
}
