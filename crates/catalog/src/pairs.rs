//! A small ordered table of names and texts, written in the data as an object.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// Pairs in the order of the data. Rows hold a handful, so look-up is a walk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(&'static str, &'static str)>);

impl Pairs {
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
        self.0.iter().copied()
    }

    pub fn get(&self, name: &str) -> Option<&'static str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deserialize<'static> for Pairs {
    fn deserialize<D: Deserializer<'static>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl Visitor<'static> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<M: MapAccess<'static>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
