//! The cases: decode and encode of messages of one frame, and the server's opening handshake.

use std::hint::black_box;

use bytes::BytesMut;
use sansocket::{MessageKind, Role};

use crate::frames::{BURST, KINDS, SIZES, frame_len, masked_frame, payload};
use crate::handshakes;
use crate::rounds::{Contender, Contest};
use crate::{sansocket_side, tungstenite_side};

/// Something to measure. It is made when its turn has come, so that no case disturbs another by the memory it holds.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) contest: Box<dyn FnOnce() -> Contest>,
}

/// Every case, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, contest: Box<dyn FnOnce() -> Contest>| cases.push(Case { name, contest });
    for (kind, kind_name) in KINDS {
        for (size, size_name) in SIZES {
            add(format!("decode {kind_name} {size_name}"), Box::new(move || decode(kind, size)));
        }
    }
    for role in [Role::Server, Role::Client] {
        for (kind, kind_name) in KINDS {
            for (size, size_name) in SIZES {
                let name = format!("encode {role} {kind_name} {size_name}");
                if size <= 1024 {
                    add(format!("{name} alone"), Box::new(move || encode(role, kind, size, 1)));
                }
                let burst = (BURST / frame_len(size, role)).max(1);
                add(name, Box::new(move || encode(role, kind, size, burst)));
            }
        }
    }
    for (name, padding, reads) in [
        ("whole", 0, Some(1)),
        ("in 64 reads", 0, Some(64)),
        ("byte by byte", 0, None),
        ("byte by byte, head doubled", handshakes::head(0).len(), None),
    ] {
        add(format!("server handshake {name}"), Box::new(move || handshake(padding, reads)));
    }
    cases.into_iter()
}

fn decode(kind: MessageKind, size: usize) -> Contest {
    let frame = masked_frame(kind, &payload(kind, size));
    let messages = (BURST / frame.len()).max(1);
    let wire = frame.repeat(messages);
    let check = move |bytes: &[u8]| assert_eq!(black_box(bytes).len(), size);
    let theirs = |name, read_buffer| {
        let wire = wire.clone();
        Contender::new(name, move || {
            let mut decoder = tungstenite_side::Decoder::new(wire.clone(), read_buffer);
            move || decoder.decode(messages, check)
        })
    };
    let theirs =
        [theirs("tungstenite", tungstenite_side::READ_BUFFER), theirs("tungstenite, default", 128 * 1024)];
    let ours = Contender::new("sansocket", move || {
        let (mut decoder, wire) = (sansocket_side::Decoder::new(sansocket_side::BLOCK), wire.clone());
        move || assert_eq!(decoder.decode(&wire, check), messages)
    });
    Contest { messages, contenders: [ours].into_iter().chain(theirs).collect() }
}

fn encode(role: Role, kind: MessageKind, size: usize, messages: usize) -> Contest {
    let expected = messages * frame_len(size, role);
    let ours = move || {
        let mut encoder = sansocket_side::Encoder::new(role, kind, &payload(kind, size));
        move || assert_eq!(encoder.encode(messages), expected)
    };
    let theirs = move || {
        let mut encoder = tungstenite_side::Encoder::new(role, kind, &payload(kind, size));
        move || assert_eq!(encoder.encode(messages), expected)
    };
    let contenders = vec![Contender::new("sansocket", ours), Contender::new("tungstenite", theirs)];
    Contest { messages, contenders }
}

/// In so many reads, or byte by byte.
fn handshake(padding: usize, reads: Option<usize>) -> Contest {
    let head = handshakes::head(padding);
    let read = reads.map_or(1, |reads| head.len().div_ceil(reads));
    let ours = move || {
        let head = handshakes::head(padding);
        let mut input = BytesMut::with_capacity(head.len());
        move || handshakes::sansocket(&head, read, &mut input)
    };
    let mut contenders = vec![Contender::new("sansocket", ours)];
    if handshakes::tungstenite_accepts(&head, read) {
        let theirs = move || {
            let (head, mut reply) = (handshakes::head(padding), Vec::new());
            move || {
                reply.clear();
                handshakes::tungstenite(&head, read, &mut reply);
            }
        };
        contenders.push(Contender::new("tungstenite", theirs));
    }
    Contest { messages: 1, contenders }
}
