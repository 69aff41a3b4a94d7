//! `Retry-After` in the responses of servers that refuse the handshake (RFC 9110 section 10.2.3).

use core::time::Duration;

use bytes::BytesMut;
use sansocket::{
    ClientConfig, DialFailed, GaveUpReason, HandshakeError, Instant, Pace, RetryRules, SessionEvent, Verdict,
};

use crate::rig::{Rig, millis, secs};
use crate::run;

/// What comes of a response with this status line and these fields.
fn refused(status: &str, fields: &[&str]) -> HandshakeError {
    let mut response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n");
    for field in fields {
        response.push_str(field);
        response.push_str("\r\n");
    }
    response.push_str("\r\n");
    let mut client = run::client(&ClientConfig::default());
    client.receive(&mut BytesMut::from(&response[..]), Instant::ZERO).expect_err("it is refused")
}

fn verdict(status: &str, fields: &[&str]) -> Verdict {
    RetryRules::default().handshake(&refused(status, fields))
}

#[test]
fn seconds_are_kept() {
    for (value, seconds) in [
        ("0", 0),
        ("1", 1),
        ("120", 120),
        ("000007", 7),
        ("18446744073709551615", u64::MAX),
        ("18446744073709551616", u64::MAX),
        (&"9".repeat(300), u64::MAX),
    ] {
        let field = format!("Retry-After: {value}");
        assert_eq!(
            verdict("503 Service Unavailable", &[&field]),
            Verdict::Retry(Pace::After(secs(seconds))),
            "{value}",
        );
    }
}

#[test]
fn a_date_counts_from_the_date_of_the_response() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT";
    for (until, seconds) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 08:51:37 GMT", 120),
        ("Mon, 07 Nov 1994 00:00:00 GMT", 54_623),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
    ] {
        let field = format!("Retry-After: {until}");
        for fields in [[date, &field], [&field, date]] {
            let expected = Verdict::Retry(Pace::After(secs(seconds)));
            assert_eq!(verdict("429 Too Many Requests", &fields), expected, "{until}");
        }
    }
}

#[test]
fn what_cannot_be_understood_is_as_if_it_were_not_there() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT";
    let without_date = ["Retry-After: Sun, 06 Nov 1994 08:51:37 GMT"];
    assert_eq!(verdict("503 Service Unavailable", &without_date), Verdict::Retry(Pace::Normal));
    for value in ["", "soon", "-1", "+1", "1.5", "1 s", "0x10", "Sunday, 06-Nov-94 08:49:37 GMT"] {
        let field = format!("Retry-After: {value}");
        let fields = [&field[..], date];
        assert_eq!(verdict("503 Service Unavailable", &fields), Verdict::Retry(Pace::Normal), "{value}");
        assert_eq!(verdict("429 Too Many Requests", &fields), Verdict::Retry(Pace::Slower), "{value}");
    }
    let fields = ["Retry-After: Sun, 06 Nov 1994 08:51:37 GMT", "Date: today"];
    assert_eq!(verdict("503 Service Unavailable", &fields), Verdict::Retry(Pace::Normal));
}

#[test]
fn it_counts_with_every_status_that_is_worth_a_retry_and_with_no_other() {
    let fields = ["Retry-After: 5"];
    for status in ["408 x", "429 x", "500 x", "502 x", "503 x", "504 x", "520 x"] {
        assert_eq!(verdict(status, &fields), Verdict::Retry(Pace::After(secs(5))), "{status}");
    }
    for status in ["200 x", "301 x", "403 x", "404 x", "501 x"] {
        assert_eq!(verdict(status, &fields), Verdict::Never, "{status}");
    }
}

/// A server that is busy, and says for how long.
pub(crate) fn busy(seconds: u64) -> DialFailed {
    refused("503 Service Unavailable", &[&format!("Retry-After: {seconds}")]).into()
}

fn since_start(rig: &Rig) -> Duration {
    rig.now.since(Instant::ZERO)
}

#[track_caller]
fn assert_used_up(rig: &mut Rig, max: u32) {
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(gave_up.why, GaveUpReason::TooManyAttempts { max });
}

#[test]
fn attempts_at_other_servers_do_not_count_before_the_time_that_one_has_named() {
    for seed in 0..50 {
        let mut rig = Rig::with(2, seed, |config| config.max_reconnect_attempts = Some(2));
        assert_eq!(rig.fail(busy(600)).0, 0);
        let mut others = 0;
        let at = loop {
            match rig.refuse() {
                (0, _) => break since_start(&rig),
                _ => others += 1,
            }
        };
        assert!(others > 10, "the other server is not left alone meanwhile: {others}");
        assert!(at >= secs(600), "{at:?}");
        assert!(at <= secs(600) + millis(500), "then, whatever the delay of the others has become: {at:?}");
        assert_eq!(rig.refuse().0, 1, "it was the first of two attempts, and now they count for all");
        assert_used_up(&mut rig, 2);
    }
}

#[test]
fn each_of_several_servers_is_asked_at_the_time_that_it_has_named() {
    let mut rig = Rig::with(2, 7, |config| config.max_reconnect_attempts = Some(1));
    assert_eq!(rig.fail(busy(100)).0, 0);
    assert_eq!(rig.fail(busy(300)).0, 1, "it has named no time yet, so it is asked at once");
    assert_eq!(rig.fail(busy(100)).0, 0);
    assert!(since_start(&rig) >= secs(100));
    // That was the only attempt, but the other server was told to be waited for before it.
    assert_eq!(rig.fail(busy(100)).0, 1);
    assert!(since_start(&rig) >= secs(300));
    assert_used_up(&mut rig, 1);
}

#[test]
fn a_server_that_always_names_a_time_does_not_go_beyond_the_attempts() {
    for max in [0, 1, 5] {
        let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(max));
        for _ in 0..=max {
            rig.fail(busy(10));
        }
        assert_used_up(&mut rig, max);
        assert!(since_start(&rig) >= secs(10) * max);
    }
}

#[test]
fn how_many_attempts_there_may_be_grows_by_those_that_do_not_count() {
    let mut rig = Rig::with(2, 7, |config| config.max_reconnect_attempts = Some(3));
    rig.fail(busy(5));
    while since_start(&rig) < secs(30) && rig.session.state() != sansocket::SessionState::Ended {
        rig.refuse();
    }
    let counts: Vec<_> = rig
        .events
        .iter()
        .filter_map(|event| match event {
            SessionEvent::Reconnecting(next) => Some((next.attempt, next.of.expect("a limit"), next.server)),
            _ => None,
        })
        .collect();
    let others = counts.iter().take_while(|(.., server)| *server == 1).count() as u32;
    assert!(others > 1, "{counts:?}");
    for (at, (attempt, of, _)) in (1..).zip(&counts) {
        assert_eq!((*attempt, *of), (at, 3 + at.min(others)), "{counts:?}");
    }
    assert_eq!(counts.len() as u32, 3 + others, "{counts:?}");
}
