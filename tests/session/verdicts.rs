//! Which failures are worth another try: tables that leave nothing out.

use std::collections::BTreeMap;

use sansocket::{
    CloseCode, Closed, Connection, HandshakeErrorKind, Instant, Pace, RetryRules, SessionConfig,
    SessionEvent, TransportError, Verdict,
};

use crate::cases;
use crate::rig::Rig;
use crate::run;
use crate::support::drive::{Drive, ms, open_with};
use crate::support::wire::{self, CLOSE, TEXT};

const NORMAL: Verdict = Verdict::Retry(Pace::Normal);

fn lines(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        line.split_once(' ').map(|(key, value)| (key, value.trim())).expect("a key and a verdict")
    })
}

fn named(verdict: &str) -> Verdict {
    match verdict {
        "retry" => NORMAL,
        "slower" => Verdict::Retry(Pace::Slower),
        "restart" => Verdict::Retry(Pace::Restart),
        "never" => Verdict::Never,
        "done" => Verdict::Done,
        other => panic!("no verdict: {other}"),
    }
}

/// A table over ranges that follow each other, for every number of 16 bits.
fn ranges(file: &'static str) -> Vec<Verdict> {
    let mut all = Vec::new();
    for (range, verdict) in lines(file) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let [first, last] = [first, last].map(|number| number.parse::<usize>().expect("a number"));
        assert_eq!(all.len(), first, "the ranges follow each other");
        all.resize(last + 1, named(verdict));
    }
    assert_eq!(all.len(), 65_536, "nothing is left out");
    all
}

fn statuses() -> Vec<Verdict> {
    ranges(include_str!("data/statuses.txt"))
}

#[test]
fn every_code_of_a_failed_handshake_is_judged_as_the_table_says() {
    let table: BTreeMap<_, _> = lines(include_str!("data/handshake.txt")).collect();
    let codes: Vec<_> = HandshakeErrorKind::CODES.to_vec();
    assert!(codes.iter().all(|code| table.contains_key(code)) && table.len() == codes.len());
    let statuses = statuses();
    let mut seen = BTreeMap::new();
    for case in cases::all() {
        let (_, Some(error)) = run::whole(&case) else { continue };
        let verdict = RetryRules::default().handshake(&error);
        let expected = match table[error.code()] {
            "status" => statuses[usize::from(error.status().expect("there is a status"))],
            verdict => named(verdict),
        };
        // A time to come back is another test.
        let has_time = matches!(verdict, Verdict::Retry(Pace::After(_)));
        if has_time {
            assert!(matches!(error.status(), Some(429 | 503)), "{}", case.name);
            continue;
        }
        assert_eq!(verdict, expected, "{}: {error}", case.name);
        seen.insert(error.code(), ());
    }
    assert_eq!(seen.len(), codes.len(), "there is a case for each: {seen:?}");
}

#[test]
fn every_status_is_judged_as_the_table_says() {
    for (status, expected) in (0..=u16::MAX).zip(statuses()) {
        assert_eq!(RetryRules::default().status(status, None), expected, "{status}");
    }
}

#[test]
fn every_close_code_is_judged_as_the_table_says() {
    for (code, expected) in (0..=u16::MAX).zip(ranges(include_str!("data/closes.txt"))) {
        assert_eq!(RetryRules::default().close_code(CloseCode(code)), expected, "{code}");
    }
}

#[test]
fn exceptions_decide_and_never_comes_before_retry() {
    let mut rules = RetryRules::default();
    rules.retry_statuses = vec![404, 418];
    rules.never_statuses = vec![503, 418];
    rules.retry_codes = vec![CloseCode::NORMAL, CloseCode::POLICY_VIOLATION, CloseCode(4001)];
    rules.never_codes = vec![CloseCode::GOING_AWAY, CloseCode::SERVICE_RESTART, CloseCode(4001)];
    for (status, expected) in
        [(404, NORMAL), (418, Verdict::Never), (503, Verdict::Never), (403, Verdict::Never)]
    {
        assert_eq!(rules.status(status, None), expected, "{status}");
    }
    for (code, expected) in [
        (1000, NORMAL),
        (1001, Verdict::Never),
        (1008, NORMAL),
        (1011, NORMAL),
        (1012, Verdict::Never),
        (4001, Verdict::Never),
    ] {
        assert_eq!(rules.close_code(CloseCode(code)), expected, "{code}");
    }
    rules.retry_codes = vec![CloseCode::SERVICE_RESTART];
    rules.never_codes = vec![];
    assert_eq!(rules.close_code(CloseCode::SERVICE_RESTART), Verdict::Retry(Pace::Restart), "its pace stays");
}

/// How a client's connection ends to which this happens.
fn ended(work: impl FnOnce(&mut Connection)) -> Closed {
    let mut connection = open_with(sansocket::Role::Client, |_| {});
    work(&mut connection);
    connection.sent();
    connection.only_closed()
}

fn judge(closed: &Closed) -> Verdict {
    RetryRules::default().closed(closed)
}

fn from_server(first: u8, payload: &[u8]) -> Vec<u8> {
    wire::encode(first, None, payload)
}

#[test]
fn an_end_without_a_close_frame_is_worth_a_retry() {
    let ends = [
        ended(|connection| connection.eof()),
        ended(|connection| connection.transport_failed(TransportError::Reset)),
        ended(|connection| connection.transport_failed(TransportError::TlsTruncated)),
        ended(|connection| connection.abort()),
        ended(|connection| {
            // No Pong.
            connection.at(20_000);
            connection.sent();
            connection.at(40_000);
        }),
    ];
    for closed in ends {
        assert_eq!(judge(&closed), NORMAL, "{closed}");
        let mut rules = RetryRules::default();
        rules.never_codes = vec![CloseCode::ABNORMAL];
        assert_eq!(rules.closed(&closed), Verdict::Never, "{closed}");
    }
}

#[test]
fn a_servers_close_frame_decides_however_tcp_ends() {
    for (code, expected) in [(1000, Verdict::Done), (1001, NORMAL), (1008, Verdict::Never), (4000, NORMAL)] {
        let close = from_server(CLOSE, &wire::close(code, ""));
        let clean = ended(|connection| {
            connection.receive(&close);
            connection.sent();
            connection.eof();
        });
        let reset = ended(|connection| {
            connection.receive(&close);
            connection.transport_failed(TransportError::Reset);
        });
        let late = ended(|connection| {
            connection.receive(&close);
            connection.timeout(Instant::ZERO);
            connection.timeout(ms(5_000));
        });
        for closed in [clean, reset, late] {
            assert_eq!(judge(&closed), expected, "{closed}");
        }
    }
    let without_code = ended(|connection| {
        connection.receive(&from_server(CLOSE, b""));
        connection.sent();
        connection.eof();
    });
    assert_eq!(judge(&without_code), NORMAL);
}

#[test]
fn what_this_end_found_wrong_decides_whatever_the_server_answers() {
    for (bytes, expected) in [
        (from_server(TEXT, b"\xFF"), Verdict::Never),
        (from_server(0x83, b"reserved opcode"), Verdict::Never),
        (wire::header(TEXT, false, 1 << 40), Verdict::Never),
    ] {
        for answer in [None, Some(1000), Some(1001)] {
            let closed = ended(|connection| {
                connection.receive(&bytes);
                connection.sent();
                if let Some(code) = answer {
                    connection.receive(&from_server(CLOSE, &wire::close(code, "")));
                }
                connection.eof();
            });
            assert_eq!(judge(&closed), expected, "{closed}");
        }
    }
}

#[test]
fn a_client_that_was_closed_behind_the_back_of_its_session_is_done() {
    let closed = ended(|connection| {
        connection.close(CloseCode::GOING_AWAY, "").expect("it is open");
        connection.sent();
        connection.receive(&from_server(CLOSE, &wire::close(1001, "")));
        connection.eof();
    });
    assert_eq!(judge(&closed), Verdict::Done);
}

#[test]
fn the_session_applies_its_rules() {
    let never_1001 = |config: &mut SessionConfig| config.rules.never_codes = vec![CloseCode::GOING_AWAY];
    let mut rig = Rig::new(never_1001);
    rig.connect();
    rig.server_closes(1001);
    assert!(matches!(rig.terminal(), SessionEvent::GaveUp(_)));

    let mut rig = Rig::new(|config| config.rules.retry_codes = vec![CloseCode::NORMAL]);
    rig.connect();
    rig.server_closes(1000);
    rig.connect();

    let handshake = |status: &str| {
        let mut client = run::client(&sansocket::ClientConfig::default());
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        client.receive(&mut response.as_bytes().into(), Instant::ZERO).expect_err("it is refused")
    };
    let mut rig = Rig::new(|config| config.rules.retry_statuses = vec![404]);
    rig.fail(handshake("404 Not Found").into());
    rig.fail(handshake("401 Unauthorized").into());
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    let last = gave_up.attempts.last().expect("two attempts").to_string();
    assert!(last.contains("authentication-required"), "{last}");
}

#[test]
fn a_dial_that_says_done_is_no_end_without_blame() {
    let mut rig = Rig::new(|_| {});
    rig.fail(sansocket::DialFailed::judged(Verdict::Done, "no connection is never what was wanted"));
    assert!(matches!(rig.terminal(), SessionEvent::GaveUp(_)));
}
