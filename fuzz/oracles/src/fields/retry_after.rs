//! `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in the one form that senders may use (section 5.6.7).

use core::time::Duration;

use sansocket::{ClientConfig, HandshakeErrorKind as Kind, Pace, RetryRules, Verdict};

use super::Head;
use crate::handshake::grammar::trim;

pub(super) fn check(status: u16, lines: &[&[u8]]) {
    let mut head =
        Head::response().with("Retry-After", &lines[..1]).with("Date", lines.get(1..2).unwrap_or_default());
    head = head.with("Content-Length", &[b"0"]);
    head.start = if status == 503 { "HTTP/1.1 503 Busy" } else { "HTTP/1.1 429 Slowly" };
    let (_, result) = head.answer(&mut ClientConfig::default());
    let error = result.expect_err("it is no 101");
    let value = String::from_utf8(trim(lines[0])).unwrap_or_default();
    let digits = !value.is_empty() && value.chars().all(|digit| digit.is_ascii_digit());
    let seconds = if digits { Some(value.parse().unwrap_or(u64::MAX)) } else { None };
    match error.kind() {
        Kind::ServerBusy { status: seen, retry_after } => {
            assert_eq!(*seen, status);
            assert_eq!(*retry_after, seconds.map(Duration::from_secs), "left: the library's, of {value:?}");
        }
        other => panic!("{other:?}"),
    }
    let made = lines.get(1).and_then(|line| moment(&trim(line)));
    let difference = moment(value.as_bytes()).zip(made).map(|(until, made)| until.saturating_sub(made));
    let expected = match seconds.or(difference) {
        Some(seconds) => Pace::After(Duration::from_secs(seconds)),
        None if status == 429 => Pace::Slower,
        None => Pace::Normal,
    };
    let verdict = RetryRules::default().handshake(&error);
    assert_eq!(verdict, Verdict::Retry(expected), "left: the library's, of {value:?}");
}

/// Seconds from the start of the year 0, counted day by day.
fn moment(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii() && text.len() == 29)?;
    let (weekday, date) = text.split_once(", ")?;
    let [day, month, year, time, "GMT"] = date.split(' ').collect::<Vec<_>>()[..] else { return None };
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>()[..] else { return None };
    let number = |text: &str, digits: usize| {
        let is_fine = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_fine)
    };
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    let is_day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&weekday);
    if !is_day || day == 0 || day > days_in(month, year) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let years: u64 = (0..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: u64 = (0..month).map(|month| days_in(month, year)).sum();
    Some((years + months + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn days_in(month: usize, year: u64) -> u64 {
    match MONTHS[month] {
        "Feb" if is_leap(year) => 29,
        "Feb" => 28,
        "Apr" | "Jun" | "Sep" | "Nov" => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
