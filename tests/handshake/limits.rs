//! Limits on the head: at, below and above; what they count; and at which byte they are noticed.

use sansocket::{ClientConfig, HandshakeErrorKind, ServerConfig};

use crate::support::{
    Failed, HOST, KEY, Outcome, UPGRADE, VERSION, connect, request, request_with, response_with, serve,
};

/// What came of `input` at once and byte by byte, which must be the same.
fn serve_both(config: &ServerConfig, input: &[u8]) -> Outcome {
    let whole = serve(config, &[input]);
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(serve(config, &bytes), whole, "byte by byte");
    whole
}

fn failed(outcome: Outcome) -> Failed {
    match outcome {
        Outcome::Failed(failed) => failed,
        other => panic!("the limit is exceeded, but: {other:?}"),
    }
}

fn with_head_bytes(limit: usize) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.limits.head_bytes = limit;
    config
}

#[test]
fn head_bytes_below_at_and_above_the_limit() {
    let head = request();
    for limit in [head.len() + 1, head.len()] {
        assert_eq!(serve_both(&with_head_bytes(limit), &head).summary(), "ok /chat", "limit {limit}");
    }
    let limit = head.len() - 1;
    let failed = failed(serve_both(&with_head_bytes(limit), &head));
    assert_eq!(failed.kind, HandshakeErrorKind::HeadTooLarge { limit });
    assert_eq!(failed.bytes, head.len() as u64);
    assert!(failed.reply.unwrap().starts_with(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

#[test]
fn an_oversized_head_is_noticed_at_the_limit_and_not_at_its_end() {
    for limit in [0, 1, 30, 100] {
        // No empty line ever comes.
        let endless = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'y'; 200]].concat();
        let config = with_head_bytes(limit);
        assert_eq!(serve_both(&config, &endless[..limit]), Outcome::NeedMore);
        let failed = failed(serve_both(&config, &endless));
        assert_eq!(failed.kind, HandshakeErrorKind::HeadTooLarge { limit });
        assert_eq!(failed.bytes, limit as u64 + 1);
        assert_eq!(failed.rest, endless[limit + 1..]);
    }
}

#[test]
fn frames_behind_the_head_do_not_count() {
    let head = request();
    let input = [head.clone(), vec![0x82; 100_000]].concat();
    let Outcome::Accepted(agreed) = serve(&with_head_bytes(head.len()), &[&input]) else {
        panic!("the head is as long as the limit");
    };
    assert_eq!(agreed.rest.len(), 100_000);
    // The same where the head comes in two pieces, the second with frames.
    let pieces = [&input[..10], &input[10..]];
    let Outcome::Accepted(agreed) = serve(&with_head_bytes(head.len()), &pieces) else {
        panic!("the head is as long as the limit");
    };
    assert_eq!(agreed.rest.len(), 100_000);
}

#[test]
fn empty_lines_before_the_head_count() {
    let failed = failed(serve_both(&with_head_bytes(64), &[b'\n'; 65]));
    assert_eq!(failed.kind, HandshakeErrorKind::HeadTooLarge { limit: 64 });
}

#[test]
fn field_lines_below_at_and_above_the_limit() {
    // Five are in every request.
    for (limit, extra, fits) in
        [(7, 1, true), (7, 2, true), (7, 3, false), (100, 95, true), (100, 96, false), (0, 0, false)]
    {
        let mut config = ServerConfig::default();
        config.limits.head_fields = limit;
        let outcome = serve_both(&config, &request_with(&"X: y\r\n".repeat(extra)));
        if fits {
            assert_eq!(outcome.summary(), "ok /chat", "{extra} more, limit {limit}");
        } else {
            let failed = failed(outcome);
            assert_eq!(failed.kind, HandshakeErrorKind::TooManyFields { limit });
            assert!(failed.reply.unwrap().starts_with(b"HTTP/1.1 431 "));
        }
    }
}

#[test]
fn too_many_fields_are_noticed_before_the_head_ends() {
    let mut config = ServerConfig::default();
    config.limits.head_fields = 2;
    let head = "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n";
    let failed = failed(serve_both(&config, head.as_bytes()));
    assert_eq!(failed.bytes, head.len() as u64);
    let fits = "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n";
    assert_eq!(serve_both(&config, fits.as_bytes()), Outcome::NeedMore);
}

#[test]
fn request_lines_below_at_and_above_the_limit() {
    for end in ["\r\n", "\n"] {
        for (len, fits) in [(39, true), (40, true), (41, false), (42, false)] {
            let mut config = ServerConfig::default();
            config.limits.request_line = 40;
            let path = "x".repeat(len - "GET / HTTP/1.1".len());
            let head = format!("GET /{path} HTTP/1.1{end}{HOST}{UPGRADE}{KEY}{VERSION}\r\n");
            let outcome = serve_both(&config, head.as_bytes());
            if fits {
                assert_eq!(outcome.summary(), format!("ok /{path}"));
            } else {
                let failed = failed(outcome);
                assert_eq!(failed.kind, HandshakeErrorKind::RequestLineTooLong { limit: 40 });
                assert_eq!(failed.bytes, 41);
                assert!(failed.reply.unwrap().starts_with(b"HTTP/1.1 414 URI Too Long\r\n"));
            }
        }
    }
}

#[test]
fn a_request_line_without_an_end_is_noticed_at_its_limit() {
    let config = ServerConfig::default();
    let line = [b"GET /".to_vec(), vec![b'x'; 10_000]].concat();
    assert_eq!(failed(serve_both(&config, &line)).bytes, 8 * 1024 + 1);
    // Also while it is all method.
    let failed = failed(serve_both(&config, &vec![b'G'; 10_000]));
    assert_eq!(failed.kind, HandshakeErrorKind::RequestLineTooLong { limit: 8 * 1024 });
    assert_eq!(failed.bytes, 8 * 1024 + 1);
}

#[test]
fn a_status_line_has_no_limit_but_that_of_the_head() {
    let reason = "x".repeat(10_000);
    let head = String::from_utf8(response_with("")).unwrap().replace("Switching Protocols", &reason);
    assert_eq!(connect(&ClientConfig::default(), &[head.as_bytes()]).summary(), "ok -");
}

#[test]
fn interim_responses_count_to_the_limit_of_the_head() {
    let response = response_with("");
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut config = ClientConfig::default();
    config.limits.head_bytes = response.len() + 2 * interim.len();
    let two = [&interim[..], interim, &response].concat();
    assert_eq!(connect(&config, &[&two]).summary(), "ok -");
    let three = [&interim[..], interim, interim, &response].concat();
    let failed = failed(connect(&config, &[&three]));
    assert_eq!(failed.kind, HandshakeErrorKind::HeadTooLarge { limit: config.limits.head_bytes });
    assert_eq!(failed.bytes, config.limits.head_bytes as u64 + 1);
    // A server that sends nothing else is noticed too.
    let endless = interim.repeat(10_000);
    assert_eq!(connect(&ClientConfig::default(), &[&endless]).summary(), "head-too-large");
}

#[test]
fn a_client_refuses_an_oversized_response() {
    let endless = [b"HTTP/1.1 101 x\r\nX: ".to_vec(), vec![b'y'; 20_000]].concat();
    let failed = failed(connect(&ClientConfig::default(), &[&endless]));
    assert_eq!(failed.kind, HandshakeErrorKind::HeadTooLarge { limit: 16 * 1024 });
    assert_eq!(failed.bytes, 16 * 1024 + 1);
    assert_eq!(failed.reply, None);
    let many = [b"HTTP/1.1 101 x\r\n".to_vec(), b"X: y\r\n".repeat(101)].concat();
    assert_eq!(connect(&ClientConfig::default(), &[&many]).summary(), "too-many-fields");
}
