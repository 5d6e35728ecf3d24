//! A mark that somebody gives a trace.

use serde_json::{Map, Value as Json};

use crate::id::RecordId;

/// Whose it is. Everything told belongs to one workspace, and is asked for within it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub organisation: String,
    pub workspace: String,
}

/// From −10 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(i8);

impl Value {
    /// `None`: out of bounds.
    pub fn new(value: i64) -> Option<Self> {
        i8::try_from(value).ok().filter(|value| (-10..=10).contains(value)).map(Self)
    }

    pub fn get(self) -> i8 {
        self.0
    }
}

/// From 0 to 1, in millionths, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u32);

impl Weight {
    pub const ONE: Self = Self(1_000_000);

    /// Rounded to millionths. `None`: out of bounds, or no number.
    pub fn new(weight: f64) -> Option<Self> {
        let is_weight = (0.0..=1.0).contains(&weight);
        // In bounds, so it fits.
        is_weight.then(|| Self((weight * 1e6).round() as u32))
    }

    /// As stored; above a million is a million.
    pub fn of_millionths(millionths: u32) -> Self {
        Self(millionths.min(Self::ONE.0))
    }

    pub fn millionths(self) -> u32 {
        self.0
    }

    pub fn get(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// Several may stand on a trace, also on one that has no records (yet).
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback {
    /// Its time is when the mark was given.
    pub id: RecordId,
    pub place: Place,
    pub trace: String,
    pub value: Value,
    pub weight: Weight,
    pub metadata: Map<String, Json>,
    /// Milliseconds since 1970; that of the id until it is changed.
    pub changed_ms: u64,
}

impl Feedback {
    /// Value times weight in millionths: sums of it are exact.
    pub fn weighted_millionths(&self) -> i64 {
        i64::from(self.value.0) * i64::from(self.weight.0)
    }
}

/// `None` leaves a member as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedbackChange {
    pub value: Value,
    pub weight: Option<Weight>,
    pub metadata: Option<Map<String, Json>>,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        for (value, is_one) in [(-11, false), (-10, true), (0, true), (10, true), (11, false), (266, false)] {
            assert_eq!(Value::new(value).is_some(), is_one, "{value}");
        }
        for (weight, want) in [(0.0, Some(0)), (0.25, Some(250_000)), (1.0, Some(1_000_000)), (1.01, None)] {
            assert_eq!(Weight::new(weight).map(Weight::millionths), want);
        }
        assert_eq!((Weight::new(f64::NAN), Weight::new(-0.1)), (None, None));
    }
}
