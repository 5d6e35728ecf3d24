//! When a figure is out of bounds, and when it is well again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::FieldError;

use crate::standing::Verdict;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionType {
    Above,
    Below,
    /// In percent, against the same window a day or a week before.
    Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Up,
    Down,
    Either,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    Day,
    Week,
}

impl Before {
    pub fn ms(self) -> u64 {
        const DAY: u64 = 86_400_000;
        match self {
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        }
    }
}

/// A condition as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionText {
    pub r#type: ConditionType,
    /// For `above` and `below`, in the unit of the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Where it is well again: below a threshold of `above`, above one of `below`. The threshold unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover: Option<f64>,
    /// For `change`, more than 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// For `change`; `either` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// For `change`; `day` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Before>,
}

/// What it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    Above { threshold: f64, recover: f64 },
    Below { threshold: f64, recover: f64 },
    Change { percent: f64, direction: Direction, against: Before },
}

impl ConditionText {
    /// # Errors
    /// The first member that is missing, out of bounds, or of another type of condition.
    pub fn check(&self) -> Result<Condition, FieldError> {
        let wrong = |member: &str, problem: &str, expected: &str| {
            FieldError::new(&format!("rule.condition.{member}"), problem, expected)
        };
        let stranger = |member: &str, is_there: bool| match is_there {
            true => Err(wrong(member, "is of another type of condition", "nothing")),
            false => Ok(()),
        };
        if self.r#type == ConditionType::Change {
            stranger("threshold", self.threshold.is_some())?;
            stranger("recover", self.recover.is_some())?;
            let percent = self.percent.filter(|percent| *percent > 0.0 && percent.is_finite());
            let percent =
                percent.ok_or_else(|| wrong("percent", "is missing or not more than 0", "such as 50"))?;
            return Ok(Condition::Change {
                percent,
                direction: self.direction.unwrap_or(Direction::Either),
                against: self.against.unwrap_or(Before::Day),
            });
        }
        stranger("percent", self.percent.is_some())?;
        stranger("direction", self.direction.is_some())?;
        stranger("against", self.against.is_some())?;
        let threshold = self.threshold.filter(|threshold| threshold.is_finite());
        let threshold = threshold
            .ok_or_else(|| wrong("threshold", "is missing", "a number in the unit of the metric"))?;
        let recover = self.recover.unwrap_or(threshold);
        let is_above = self.r#type == ConditionType::Above;
        if if is_above { recover > threshold } else { recover < threshold } {
            let expected = if is_above { "the threshold or less" } else { "the threshold or more" };
            return Err(wrong("recover", "is on the wrong side of the threshold", expected));
        }
        Ok(match is_above {
            true => Condition::Above { threshold, recover },
            false => Condition::Below { threshold, recover },
        })
    }
}

impl Condition {
    /// What it is compared with, if that is not fixed.
    pub fn against(&self) -> Option<Before> {
        match self {
            Self::Change { against, .. } => Some(*against),
            Self::Above { .. } | Self::Below { .. } => None,
        }
    }

    /// The bound, for those who are told: a threshold, or percent.
    pub fn bound(&self) -> f64 {
        match self {
            Self::Above { threshold, .. } | Self::Below { threshold, .. } => *threshold,
            Self::Change { percent, .. } => *percent,
        }
    }

    /// The figure that is looked at (the change in percent, for `change`), and what it means. Nothing where there is nothing
    /// to look at, or nothing to compare with.
    pub(crate) fn judge(&self, value: Option<f64>, base: Option<f64>) -> (Option<f64>, Verdict) {
        let Some(value) = value else { return (None, Verdict::Unknown) };
        let (shown, out, well) = match *self {
            Self::Above { threshold, recover } => (value, value > threshold, value <= recover),
            Self::Below { threshold, recover } => (value, value < threshold, value >= recover),
            Self::Change { percent, direction, .. } => {
                let Some(base) = base.filter(|base| *base != 0.0) else { return (None, Verdict::Unknown) };
                let change = (value - base) / base.abs() * 100.0;
                let out = match direction {
                    Direction::Up => change > percent,
                    Direction::Down => -change > percent,
                    Direction::Either => change.abs() > percent,
                };
                (change, out, !out)
            }
        };
        let verdict = match (out, well) {
            (true, _) => Verdict::Out,
            (false, true) => Verdict::Well,
            (false, false) => Verdict::Between,
        };
        (Some(shown), verdict)
    }
}
