//! Formats that are checked: dates and times, `email`, `uuid`, IP addresses. Any other name is a note for readers and holds.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) fn matches(name: &str, text: &str) -> bool {
    match name {
        "date" => is_date(text),
        "time" => is_time(text),
        "date-time" => {
            text.split_once(['T', 't', ' ']).is_some_and(|(date, time)| is_date(date) && is_time(time))
        }
        "email" => is_email(text),
        "uuid" => is_uuid(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        _ => true,
    }
}

/// `2026-02-28`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `12:30:00.5Z`, or with an offset such as `+01:00`.
fn is_time(text: &str) -> bool {
    let Some(end) = text.find(['Z', 'z', '+', '-']) else { return false };
    let (clock, zone) = text.split_at(end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let is_zone = zone.eq_ignore_ascii_case("z")
        || zone[1..].split_once(':').is_some_and(|(hour, minute)| below(hour, 24) && below(minute, 60));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    // 60: a leap second.
    is_zone && is_fraction && below(hour, 24) && below(minute, 60) && below(second, 61)
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    let labels_hold = domain.split('.').all(|label| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    });
    is_plain(local) && !local.contains('@') && labels_hold
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex)
}

fn below(text: &str, limit: u32) -> bool {
    digits(text, 2).is_some_and(|number| number < limit)
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let cases = [
            ("date", "2024-02-29", true),
            ("date", "2023-02-29", false),
            ("date", "2023-2-9", false),
            ("time", "23:59:60Z", true),
            ("time", "24:00:00Z", false),
            ("time", "12:00:00", false),
            ("date-time", "2026-01-01T00:00:00.5+01:00", true),
            ("date-time", "2026-01-01", false),
            ("email", "a.b+c@d-e.org", true),
            ("email", "a b@c", false),
            ("email", "zz", false),
            ("email", "a@-b", false),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", true),
            ("uuid", "123e4567e89b12d3a456426614174000", false),
            ("ipv4", "1.2.3.4", true),
            ("ipv4", "1.2.3.256", false),
            ("ipv6", "::1", true),
            ("color", "anything", true),
        ];
        for (name, text, expected) in cases {
            assert_eq!(matches(name, text), expected, "{name} {text}");
        }
    }
}
