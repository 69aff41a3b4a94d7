//! Any split of a proxy's answer gives the same result, the same output and leaves the same bytes.

use bytes::BytesMut;
use proptest::prelude::*;
use sansocket::{Instant, Limits, Proxy, ProxyError, ProxyHandshake, ProxyStep};

use crate::support::{millis, sent};

/// Result, output, and what is left of the input. A part ends with the end of the stream.
///
/// After a failure nothing is written any more. A proxy that fails in the same read in which it answers what it was not
/// asked yet is sent less, which is no difference to anybody: the output of a failure is left out.
type Outcome = (Result<(), ProxyError>, Vec<u8>, Vec<u8>);

fn run(proxy: &str, bytes: &[u8], cuts: &[usize]) -> Outcome {
    let proxy: Proxy = proxy.parse().unwrap();
    let url = "wss://example.com/".parse().unwrap();
    let mut handshake = ProxyHandshake::new(&proxy, &url, &Limits::default(), None, Instant::ZERO).unwrap();
    let mut output = sent(&mut handshake);
    let mut input = BytesMut::new();
    let mut from = 0;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        input.extend_from_slice(&bytes[from..cut]);
        from = cut;
        let step = handshake.receive(&mut input, millis(1));
        output.extend(sent(&mut handshake));
        let result = match step {
            Ok(ProxyStep::NeedMore) => {
                assert!(input.is_empty(), "all of a part is taken");
                continue;
            }
            Ok(ProxyStep::Open) => Ok(()),
            Err(error) => {
                output.clear();
                Err(error)
            }
        };
        input.extend_from_slice(&bytes[from..]);
        return (result, output, input.to_vec());
    }
    (Err(handshake.eof(millis(1))), Vec::new(), Vec::new())
}

const WITH: &str = "socks5://user:pass@p";

fn conversations() -> Vec<(&'static str, Vec<u8>)> {
    let http = [
        "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n\x16\x03",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest",
        "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nbodyrest",
        "HTTP/1.1 502 x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nrest",
        "HTTP/1.1 403 x\r\n\r\nto the end",
        "HTTP/1.1 200 OK\r\nA b\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "SSH-2.0-x\r\n",
    ];
    let socks = [
        vec![5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 80, b'r', b'e'],
        vec![5, 2, 1, 0, 5, 0, 0, 3, 2, b'a', b'b', 0, 80, b'r'],
        vec![5, 2, 1, 0, 5, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 0, 80],
        vec![5, 2, 1, 1, 9],
        vec![5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0],
        vec![5, 255, 1],
        b"HTTP/1.1 400 Bad Request\r\n".to_vec(),
    ];
    let http = http.into_iter().map(|text| ("http://user:pass@p", text.as_bytes().to_vec()));
    http.chain(socks.into_iter().map(|bytes| (WITH, bytes))).collect()
}

#[test]
fn one_cut_anywhere_and_bytes_one_by_one_change_nothing() {
    for (proxy, bytes) in conversations() {
        for end in 0..=bytes.len() {
            let part = &bytes[..end];
            let whole = run(proxy, part, &[]);
            for cut in 0..=end {
                assert_eq!(run(proxy, part, &[cut]), whole, "{} cut at {cut}", part.escape_ascii());
            }
            let single: Vec<usize> = (1..end).collect();
            assert_eq!(run(proxy, part, &single), whole, "{} one by one", part.escape_ascii());
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_and_no_split_matters(
        which in any::<bool>(),
        start in 0..15_usize,
        keep in 0..60_usize,
        noise in prop::collection::vec(any::<u8>(), 0..40),
        cuts in prop::collection::vec(0..100_usize, 0..8),
    ) {
        let (proxy, bytes) = &conversations()[start];
        let proxy = if which { *proxy } else { "socks5://p" };
        let mut bytes = bytes[..keep.min(bytes.len())].to_vec();
        bytes.extend(noise);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        prop_assert_eq!(run(proxy, &bytes, &cuts), run(proxy, &bytes, &[]));
    }
}
