//! Which frame leaves first: control frames overtake data at frame borders, and neither starves the other.

use bytes::{Buf, Bytes};
use sansocket::{Connection, MessageKind, Role};

use crate::support::drive::{BOTH, Drive, open};
use crate::support::wire::{self, BINARY, Frame, PING, PONG, TEXT};

/// Writes at most `n` bytes.
fn write(end: &mut Connection, n: usize) -> Vec<u8> {
    let mut written = Vec::new();
    let mut transmit = end.transmit();
    while written.len() < n && transmit.has_remaining() {
        let piece = transmit.chunk();
        let len = piece.len().min(n - written.len());
        written.extend_from_slice(&piece[..len]);
        transmit.advance(len);
    }
    written
}

fn firsts(frames: &[Frame]) -> Vec<u8> {
    frames.iter().map(|frame| frame.first).collect()
}

#[test]
fn control_frames_overtake_data_that_waits() {
    for role in BOTH {
        let mut end = open(role);
        end.send_text("data").unwrap();
        end.send(Bytes::from(vec![0; 20_000])).unwrap();
        end.ping(b"").unwrap();
        end.receive(&wire::from(role.peer(), PING, b""));
        assert_eq!(firsts(&end.frames_sent()), [PING, PONG, TEXT, BINARY]);
    }
}

#[test]
fn control_frames_never_go_into_the_middle_of_a_frame() {
    for role in BOTH {
        for sizes in [[10, 10], [20_000, 10], [10, 20_000]] {
            let wait = |end: &mut Connection| {
                for size in sizes {
                    end.send(vec![0x55; size]).unwrap();
                }
            };
            let mut measured = open(role);
            wait(&mut measured);
            let total = measured.sent().len();
            // Where one frame ends and the next begins, and a little beyond.
            let borders = [0, sizes[0], sizes[0] + 20, total];
            let cuts = borders.iter().flat_map(|border| border.saturating_sub(5)..=(border + 15).min(total));
            for cut in cuts {
                let mut end = open(role);
                wait(&mut end);
                let mut written = write(&mut end, cut);
                end.ping(b"now").unwrap();
                written.extend(end.sent());
                let frames = wire::decode(&written);
                assert_eq!(frames.len(), 3, "{role}, {sizes:?}, cut at {cut}");
                assert_eq!(frames.iter().filter(|frame| frame.first == PING).count(), 1);
            }
        }
    }
}

#[test]
fn control_frames_go_between_the_fragments_of_a_message() {
    let mut server = open(Role::Server);
    server.send_fragment(MessageKind::Text, b"a", false).unwrap();
    server.send_fragment(MessageKind::Text, b"b", true).unwrap();
    write(&mut server, 1);
    server.ping(b"").unwrap();
    // The first byte is gone already; what follows completes it.
    let rest = [vec![wire::TEXT_FIRST], server.sent()].concat();
    assert_eq!(firsts(&wire::decode(&rest)), [wire::TEXT_FIRST, PING, wire::LAST]);
}

#[test]
fn continuous_sending_does_not_starve_pongs() {
    let mut server = open(Role::Server);
    let mut written = Vec::new();
    for n in 0..100_u8 {
        while server.may_send() {
            server.send_binary(&[n; 1000]).unwrap();
        }
        if n == 50 {
            server.receive(&wire::from(Role::Client, PING, b""));
            written.clear();
        }
        written.extend(write(&mut server, 1004));
    }
    let pong = written.windows(2).position(|bytes| bytes == [PONG, 0]);
    assert!(pong.is_some_and(|at| at <= 2008), "the Pong is not behind the queue: {pong:?}");
}

#[test]
fn continuous_pings_do_not_starve_data() {
    let mut server = open(Role::Server);
    for _ in 0..5 {
        server.send_text("data").unwrap();
    }
    let mut written = Vec::new();
    for _ in 0..100 {
        // As many bytes of Pings come in as leave.
        server.receive(&wire::from(Role::Client, PING, &[0; 125]));
        written.extend(write(&mut server, 127));
    }
    written.extend(server.sent());
    let frames = firsts(&wire::decode(&written));
    let last = frames.iter().rposition(|first| *first == TEXT).expect("data leaves");
    assert!(last < 50, "the data leaves while the Pings come, not after them: {frames:x?}");
}

#[test]
fn control_frames_that_come_while_others_leave_wait_for_one_frame_of_data() {
    let mut server = open(Role::Server);
    for data in ["1", "2", "3"] {
        server.send_text(data).unwrap();
    }
    server.ping(b"a").unwrap();
    server.ping(b"b").unwrap();
    let mut written = write(&mut server, 1);
    server.ping(b"c").unwrap();
    server.ping(b"d").unwrap();
    written.extend(server.sent());
    let payloads: Vec<_> = wire::decode(&written).into_iter().map(|frame| frame.payload).collect();
    assert_eq!(payloads.concat(), b"ab1cd23");
}

#[test]
fn data_waits_for_the_end_of_a_control_frame_that_has_begun_to_leave() {
    for role in BOTH {
        for (cut, then) in (1..20).flat_map(|cut| [(cut, 0), (cut, cut)]) {
            let mut end = open(role);
            end.ping(b"first").unwrap();
            let mut written = write(&mut end, cut);
            end.ping(b"second").unwrap();
            written.extend(write(&mut end, then));
            end.send_text("data").unwrap();
            end.ping(b"third").unwrap();
            written.extend(end.sent());
            let payloads = wire::decode(&written).into_iter().map(|frame| frame.payload);
            // What waited alone is not overtaken by data that came later.
            let order: Vec<_> = payloads.filter(|payload| payload != b"third").collect();
            assert_eq!(order, [&b"first"[..], b"second", b"data"], "{role}, {cut} and {then} bytes before");
        }
    }
}

#[cfg(feature = "std")]
#[test]
fn vectored_and_plain_writing_give_the_same_bytes() {
    for role in BOTH {
        let fill = |end: &mut Connection| {
            end.send(Bytes::from(vec![1; 20_000])).unwrap();
            end.send_text("small").unwrap();
            end.send(Bytes::from(vec![2; 9_000])).unwrap();
        };
        for first_write in [0, 1, 100, 20_010, 20_100] {
            let (mut plain, mut vectored) = (open(role), open(role));
            for end in [&mut plain, &mut vectored] {
                fill(end);
                write(end, first_write);
                end.ping(b"ping").unwrap();
            }
            let mut pieces = [std::io::IoSlice::new(&[]); 16];
            let transmit = vectored.transmit();
            let used = transmit.chunks_vectored(&mut pieces);
            let bytes: Vec<u8> = pieces[..used].iter().flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(transmit.remaining(), bytes.len());
            assert_eq!(bytes, plain.sent(), "{role}, after {first_write} bytes");
        }
    }
}

#[test]
#[should_panic(expected = "only 6 were waiting")]
fn to_claim_more_than_waited_is_a_bug_of_the_caller() {
    let mut server = open(Role::Server);
    server.send_text("data").unwrap();
    server.transmit().advance(7);
}
