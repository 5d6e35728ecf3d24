//! When something ends: a day, a time, or never.

use std::str::FromStr;

use serde::{Serialize, Serializer};
use tidegate_core::clock::rfc3339_seconds;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiry {
    /// RFC 3339.
    At(String),
    /// Takes an end away.
    Never,
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        // A day means its beginning, in UTC.
        let time = if text.len() == 10 { format!("{text}T00:00:00.000Z") } else { text.to_owned() };
        match rfc3339_seconds(&time) {
            Some(_) => Ok(Self::At(time)),
            None => {
                Err("write a day such as 2027-01-31, a time such as 2027-01-31T12:00:00Z, or never"
                    .to_owned())
            }
        }
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(time) => to.serialize_str(time),
            Self::Never => to.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_never() {
        assert_eq!("2027-01-31".parse(), Ok(Expiry::At("2027-01-31T00:00:00.000Z".to_owned())));
        assert_eq!(
            "2027-01-31T12:00:00+01:00".parse(),
            Ok(Expiry::At("2027-01-31T12:00:00+01:00".to_owned()))
        );
        assert_eq!(serde_json::to_string(&"Never".parse::<Expiry>().unwrap()).unwrap(), "null");
        for text in ["", "tomorrow", "2027-13-01", "2027-01-31T12:00:00"] {
            assert!(text.parse::<Expiry>().is_err(), "{text}");
        }
    }
}
