//! Counts as providers write them: whole numbers, null for none, now and then with a fraction of zero.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::money::decimal;

/// A count of tokens, pages or calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) Option<u64>);

/// A length in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Option<Decimal>);

impl Count {
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    pub(super) fn or_zero(self) -> u64 {
        self.0.unwrap_or(0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(count) = Seconds::deserialize(deserializer)?.0 else { return Ok(Self(None)) };
        let whole = u64::try_from(count.trunc().mantissa()).ok().filter(|_| count.fract().is_zero());
        whole.map(|whole| Self(Some(whole))).ok_or_else(|| D::Error::custom("a count is a whole number"))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl<'de> Visitor<'de> for Number {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of zero or more")
            }

            fn visit_unit<E: Error>(self) -> Result<Seconds, E> {
                Ok(Seconds(None))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Seconds, E> {
                Ok(Seconds(Some(number.into())))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Seconds, E> {
                Err(E::custom("a count is not below zero"))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Seconds, E> {
                // The shortest text that means this number is what the provider wrote.
                let read = decimal(&number.to_string()).ok().filter(|number| !number.is_sign_negative());
                read.map(|number| Seconds(Some(number))).ok_or_else(|| E::custom("a number of zero or more"))
            }
        }

        deserializer.deserialize_any(Number)
    }
}
