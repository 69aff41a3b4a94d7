//! `Retry-After` in the responses of servers that refuse the handshake (RFC 9110 section 10.2.3).

use bytes::BytesMut;
use sansocket::{ClientConfig, HandshakeError, Instant, Pace, RetryRules, Verdict};

use crate::rig::secs;
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
