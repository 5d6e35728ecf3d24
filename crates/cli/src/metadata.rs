//! `NAME=VALUE` arguments.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::failure::Failure;

/// Names and their values, as a JSON object of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Pairs(BTreeMap<String, String>);

impl Pairs {
    /// # Errors
    /// Text without `=`, a name without letters, a name that is given twice.
    pub(crate) fn parse(flag: &str, arguments: &[String]) -> Result<Self, Failure> {
        let mut pairs = BTreeMap::new();
        for argument in arguments {
            let pair = argument.split_once('=').filter(|(name, _)| !name.trim().is_empty());
            let (name, value) =
                pair.ok_or_else(|| Failure::usage(format!("{flag}: `{argument}` is not NAME=VALUE")))?;
            if pairs.insert(name.trim().to_owned(), value.to_owned()).is_some() {
                return Err(Failure::usage(format!("{flag}: {name} is given twice")));
            }
        }
        Ok(Self(pairs))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_mistakes_named() {
        let read = |arguments: &[&str]| {
            Pairs::parse("--metadata", &arguments.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            serde_json::to_string(&read(&["a=1", "b=x=y", "c="]).unwrap()).unwrap(),
            r#"{"a":"1","b":"x=y","c":""}"#
        );
        for (arguments, problem) in [
            (["team"].as_slice(), "--metadata: `team` is not NAME=VALUE"),
            (["=x"].as_slice(), "--metadata: `=x` is not NAME=VALUE"),
            (["a=1", "a=2"].as_slice(), "--metadata: a is given twice"),
        ] {
            assert_eq!(read(arguments).unwrap_err().message, problem);
        }
    }
}
