//! Members of a `usage` object, whatever their type: what is not of the expected one counts as absent, in one pass and
//! without spoiling the members beside it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Largest whole number that a float holds exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A whole number however it is written (`12`, `12.0`); anything else is `None`.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Count)
}

/// An object; anything else is an empty one.
pub(super) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    deserializer.deserialize_any(Object(PhantomData))
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        let whole = (0.0..=MAX_EXACT).contains(&value) && value.fract() == 0.0;
        Ok(whole.then_some(value as u64))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_map(map).map(|_| None)
    }
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| T::default())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Outer {
        #[serde(deserialize_with = "count")]
        first: Option<u64>,
        #[serde(deserialize_with = "object")]
        inner: Inner,
        #[serde(deserialize_with = "count")]
        last: Option<u64>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        #[serde(deserialize_with = "count")]
        value: Option<u64>,
    }

    #[test]
    fn odd_members_are_absent_and_spoil_nothing() {
        let whole = |first| Outer { first, inner: Inner { value: Some(7) }, last: Some(9) };
        let values = [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("18446744073709551615", Some(u64::MAX)),
            ("3.5", None),
            ("-3", None),
            ("-3.0", None),
            ("1e300", None),
            ("null", None),
            ("true", None),
            ("\"3\"", None),
            ("[3,[4]]", None),
            ("{\"value\":3}", None),
        ];
        for (value, expected) in values {
            let text = format!("{{\"first\":{value},\"inner\":{{\"value\":7,\"x\":[]}},\"last\":9}}");
            assert_eq!(serde_json::from_str::<Outer>(&text).unwrap(), whole(expected), "{text}");
            if !value.starts_with('{') {
                let text = format!("{{\"inner\":{value},\"last\":9}}");
                let expected = Outer { last: Some(9), ..Outer::default() };
                assert_eq!(serde_json::from_str::<Outer>(&text).unwrap(), expected, "{text}");
            }
        }
    }
}
