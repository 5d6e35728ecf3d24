//! Both spellings of member names, and the nearest known name for a wrong one.

use std::borrow::Cow;

use serde_json::Value;

/// `onStatusCodes` → `on_status_codes`, `awsKMSKeyId` → `aws_kms_key_id`. A leading capital stays: no member
/// is spelt so.
pub(super) fn snake(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, c) in name.char_indices() {
        if i > 0 && c.is_ascii_uppercase() {
            let after_word = bytes[i - 1].is_ascii_lowercase() || bytes[i - 1].is_ascii_digit();
            let starts_word = bytes.get(i + 1).is_some_and(u8::is_ascii_lowercase) && bytes[i - 1] != b'_';
            if after_word || starts_word {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// `on_status_codes` → `onStatusCodes`.
pub(super) fn camel(name: &str) -> Cow<'_, str> {
    if !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        match c {
            '_' if !raise => raise = true,
            c => {
                out.push(if raise { c.to_ascii_uppercase() } else { c });
                raise = false;
            }
        }
    }
    Cow::Owned(out)
}

/// The member in either spelling; where both are present, the later one.
pub(super) fn get<'a>(object: &'a Value, snake_name: &str) -> Option<&'a Value> {
    let members = object.as_object()?;
    let camel_name = camel(snake_name);
    if camel_name == snake_name {
        return members.get(snake_name);
    }
    match (members.get(snake_name), members.get(&*camel_name)) {
        (Some(_), Some(_)) => {
            let is_spelling = |key: &str| key == snake_name || key == camel_name;
            members.iter().rev().find(|(key, _)| is_spelling(key)).map(|(_, value)| value)
        }
        (one, other) => one.or(other),
    }
}

/// The known name that `wrong` was probably meant to be: at most two letters away.
pub(super) fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let wrong = snake(wrong);
    let similar = known.iter().filter(|name| name.len().abs_diff(wrong.len()) <= 2);
    let distances = similar.map(|name| (distance(&wrong, name), *name));
    distances.filter(|(distance, name)| *distance <= 2 && *distance < name.len()).min().map(|(_, name)| name)
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_of_every_kind_of_name() {
        let cases = [
            ("on_status_codes", "onStatusCodes"),
            ("aws_s3_bucket", "awsS3Bucket"),
            ("strict_open_ai_compliance", "strictOpenAiCompliance"),
            ("provider", "provider"),
        ];
        for (snake_name, camel_name) in cases {
            assert_eq!(snake(camel_name), snake_name);
            assert_eq!(snake(snake_name), snake_name);
            assert_eq!(camel(snake_name), camel_name);
        }
        assert_eq!(snake("awsServerSideEncryptionKMSKeyId"), "aws_server_side_encryption_kms_key_id");
        assert_eq!(snake("Provider"), "Provider");
    }

    #[test]
    fn the_later_spelling_counts() {
        let object = json!({"max_age": 1, "maxAge": 2});
        assert_eq!(get(&object, "max_age"), Some(&json!(2)));
        let object = json!({"maxAge": 2, "max_age": 1});
        assert_eq!(get(&object, "max_age"), Some(&json!(1)));
        assert_eq!(get(&json!({"maxAge": 3}), "max_age"), Some(&json!(3)));
        assert_eq!(get(&json!([]), "max_age"), None);
    }

    #[test]
    fn typos_find_their_name_and_nonsense_none() {
        let known = ["failures", "window_s", "open_s", "half_open", "strict"];
        let cases = [
            ("failure", Some("failures")),
            ("windowS", Some("window_s")),
            ("opens", Some("open_s")),
            ("halfopen", Some("half_open")),
            ("threshold", None),
            ("", None),
        ];
        for (wrong, expected) in cases {
            assert_eq!(nearest(wrong, &known), expected, "{wrong}");
        }
    }
}
