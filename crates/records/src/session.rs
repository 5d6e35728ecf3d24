//! The session that requests belong to: a conversation, or one run of an agent with all of its traces.

use crate::record::RequestRecord;

/// Names that metadata and baggage give it, the first one first: the usual one, OpenTelemetry's, Langfuse's.
pub const NAMES: [&str; 5] =
    ["_session", "session_id", "session.id", "gen_ai.conversation.id", "langfuse_session_id"];

/// Bytes. What is longer is no session: cut short it would be another one.
pub const LONGEST: usize = 256;

/// Whether it can be one: some text of at most [`LONGEST`] bytes that can be shown.
pub fn is_one(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

/// The session that some metadata names.
pub fn of_metadata<T: AsRef<str>>(metadata: &[(T, T)]) -> Option<&str> {
    let named = |name: &&str| metadata.iter().find(|(known, _)| known.as_ref() == *name);
    NAMES.iter().find_map(|name| named(name).map(|(_, value)| value.as_ref()).filter(|value| is_one(value)))
}

/// Of a record: its own, or the one that its metadata names. Empty where there is none.
pub fn of(record: &RequestRecord) -> &str {
    match &*record.who.session {
        "" => of_metadata(&record.who.metadata).unwrap_or_default(),
        session => session,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Who;

    #[test]
    fn its_names_in_their_order() {
        let pairs = |pairs: &[(&'static str, &'static str)]| pairs.to_vec();
        for (metadata, want) in [
            (pairs(&[("session_id", "b"), ("_session", "a")]), Some("a")),
            (pairs(&[("_session", ""), ("session.id", "c")]), Some("c")),
            (pairs(&[("_session", "a\nb")]), None),
            (pairs(&[("session", "x")]), None),
        ] {
            assert_eq!(of_metadata(&metadata), want, "{metadata:?}");
        }
        assert!(is_one(&"s".repeat(LONGEST)) && !is_one(&"s".repeat(LONGEST + 1)));
    }

    #[test]
    fn a_records_own_comes_first() {
        let metadata = vec![("_session".into(), "of metadata".into())];
        let mut record =
            RequestRecord { who: Who { metadata, ..Who::default() }, ..RequestRecord::default() };
        assert_eq!(of(&record), "of metadata");
        record.who.session = "own".into();
        assert_eq!(of(&record), "own");
    }
}
