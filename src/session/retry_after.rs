//! `Retry-After` (RFC 9110 section 10.2.3): when a server wants to be asked again.

use core::time::Duration;

use crate::handshake::{Response, delay};

/// The time that `Retry-After` asks for, from when the response was made; `None` if there is none that can be understood.
///
/// A date needs a clock, which there is none of here. But the response that names a date mostly says in `Date` when it was
/// made, by the same clock, so that the difference of the two is right even where that clock is wrong.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.field("Retry-After")?;
    if let Some(delay) = delay(value) {
        return Some(delay);
    }
    let until = parse_date(value)?;
    let date = parse_date(response.field("Date")?)?;
    Some(Duration::from_secs(until.saturating_sub(date)))
}

/// Seconds from the start of the year 0 to an IMF-fixdate ([RFC 9110 section 5.6.7]), as `Sun, 06 Nov 1994 08:49:37 GMT`: the
/// one form that senders may use. The day of the week is not compared with the date.
///
/// [RFC 9110 section 5.6.7]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
fn parse_date(value: &[u8]) -> Option<u64> {
    let value: &[u8; 29] = value.try_into().ok()?;
    let [d0, d1, d2, b',', b' ', day1, day2, b' ', m0, m1, m2, b' ', y1, y2, y3, y4, b' ', rest @ ..] = value
    else {
        return None;
    };
    let [h1, h2, b':', min1, min2, b':', s1, s2, b' ', b'G', b'M', b'T'] = rest else { return None };
    if !DAYS.contains(&&[*d0, *d1, *d2]) {
        return None;
    }
    let month = MONTHS.iter().position(|(name, _)| *name == &[*m0, *m1, *m2])?;
    let year = number(&[*y1, *y2, *y3, *y4])?;
    let day = number(&[*day1, *day2])?;
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*min1, *min2])?, number(&[*s1, *s2])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |month: usize, days: u64| if month == 1 && leap { days + 1 } else { days };
    let before: u64 = MONTHS.iter().enumerate().take(month).map(|(at, (_, days))| length(at, *days)).sum();
    let (_, days) = MONTHS.get(month)?;
    // A second of 60 is a leap second.
    if !(1..=length(month, *days)).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Of the years before this one, the year 0 included, so many were leap years.
    let leap_days = year.div_ceil(4) - year.div_ceil(100) + year.div_ceil(400);
    let days = year * 365 + leap_days + before + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
}

const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// The months, with their days in a year that is no leap year.
const MONTHS: [(&[u8; 3], u64); 12] = [
    (b"Jan", 31),
    (b"Feb", 28),
    (b"Mar", 31),
    (b"Apr", 30),
    (b"May", 31),
    (b"Jun", 30),
    (b"Jul", 31),
    (b"Aug", 31),
    (b"Sep", 30),
    (b"Oct", 31),
    (b"Nov", 30),
    (b"Dec", 31),
];

#[cfg(test)]
mod tests {
    use super::parse_date;

    /// Seconds from the start of the year 0 to that of 1970.
    const EPOCH: u64 = 719_528 * 86_400;

    #[test]
    fn dates_are_counted_as_other_clocks_do() {
        // `date -u -d '...' +%s`.
        let known: [(&str, u64); 7] = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ];
        for (date, seconds) in known {
            assert_eq!(parse_date(date.as_bytes()), Some(EPOCH + seconds), "{date}");
        }
    }

    #[test]
    fn what_is_no_imf_fixdate_is_refused() {
        let wrong = [
            "",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Wed, 29 Feb 1900 00:00:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
        ];
        for date in wrong {
            assert_eq!(parse_date(date.as_bytes()), None, "{date}");
        }
    }
}
