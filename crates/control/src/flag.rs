//! Switches that clients write as `true`, `1` or `"true"`, and read as numbers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Read from all three, written as 0 or 1: several clients decode integers there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Switch(bool),
    Number(u8),
    Word(String),
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("is no switch, expected true or false");
        match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Switch(on) => Ok(Self(on)),
            Written::Number(0) => Ok(Self(false)),
            Written::Number(1) => Ok(Self(true)),
            Written::Word(word) => match word.as_str() {
                "true" | "1" => Ok(Self(true)),
                "false" | "0" => Ok(Self(false)),
                _ => Err(wrong()),
            },
            Written::Number(_) => Err(wrong()),
        }
    }
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(self.0))
    }
}

impl JsonSchema for Flag {
    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [true, false, 0, 1] })
    }
}
