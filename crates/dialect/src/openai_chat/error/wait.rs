//! How long a text asks to wait: "Please try again in 6 s", "retry after 1m2.5s".

/// Milliseconds named right after one of the phrases vendors use.
pub(super) fn hinted_ms(message: &str) -> Option<u64> {
    const PHRASES: [&str; 4] = ["try again in ", "retry after ", "retry in ", "wait "];
    let message = message.to_ascii_lowercase();
    PHRASES.iter().find_map(|phrase| {
        let start = message.find(phrase)? + phrase.len();
        duration_ms(&message[start..])
    })
}

/// Number and unit pairs, as in `1h2m3.5s` or `6 seconds`; a bare number is seconds. At most a day is believed.
fn duration_ms(text: &str) -> Option<u64> {
    const DAY_MS: f64 = 86_400_000.0;
    let mut rest = text;
    let mut sum = None;
    loop {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let Ok(number) = rest[..digits].trim_end_matches('.').parse::<f64>() else { break };
        let after = rest[digits..].trim_start_matches(' ');
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit_ms = match &after[..letters] {
            "ms" | "millisecond" | "milliseconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60_000.0,
            "h" | "hour" | "hours" => 3_600_000.0,
            "" | "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
            _ if sum.is_none() => return None,
            _ => break,
        };
        sum = Some(sum.unwrap_or(0.0) + number * unit_ms);
        rest = &after[letters..];
    }
    sum.map(|ms| ms.min(DAY_MS).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_vendors() {
        for (text, ms) in [
            ("Rate limit reached. Please try again in 6s. Visit ..", Some(6_000)),
            ("Please try again in 120ms.", Some(120)),
            ("Please try again in 1m2.5s.", Some(62_500)),
            ("Please try again in 6 s", Some(6_000)),
            ("Please retry after 6 seconds.", Some(6_000)),
            ("Please retry after 2 minutes", Some(120_000)),
            ("Please retry in 33.5s.", Some(33_500)),
            ("retry after 10", Some(10_000)),
            ("try again in a while", None),
            ("try again in 9 lives", None),
            ("try again in 99999999999h", Some(86_400_000)),
            ("bad request", None),
            ("", None),
        ] {
            assert_eq!(hinted_ms(text), ms, "{text}");
        }
    }
}
