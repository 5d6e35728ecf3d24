//! The rule that `wordCount` and `characterCount` share: a count within whole bounds, both ends included.

use serde_json::{Value, json};

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

/// What is counted, and the names of the members that say so.
pub(super) struct CountRange {
    /// `words`.
    pub(super) noun: &'static str,
    pub(super) count_member: &'static str,
    pub(super) min_member: &'static str,
    pub(super) max_member: &'static str,
    /// How errors begin.
    pub(super) error_prefix: &'static str,
    /// Why bounds are refused.
    pub(super) bad_range: &'static str,
    /// The part of the text that counts.
    pub(super) relevant: fn(&str) -> &str,
    pub(super) count: fn(&str) -> usize,
}

impl CountRange {
    pub(super) fn check(&self, scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
        let (text, not) = (scene.text()?, parameters.not());
        let relevant = (self.relevant)(&text);
        if relevant.is_empty() {
            return Ok(self.failed("Missing text to analyze", &text, parameters));
        }
        let (Some(min), Some(max)) =
            (whole(parameters.get(self.min_member)), whole(parameters.get(self.max_member)))
        else {
            return Ok(self.failed(self.bad_range, &text, parameters));
        };
        let count = (self.count)(relevant);
        let is_within = (min..=max).contains(&(count as f64));
        let place = if is_within { "within" } else { "outside" };
        let surprise = match (is_within, not) {
            (_, false) => "",
            (true, true) => " when it should not be",
            (false, true) => " as expected",
        };
        let noun = self.noun;
        let explanation = format!(
            "The text contains {count} {noun}, which is {place} the specified range of {min}-{max} {noun}{surprise}."
        );
        let verdict = is_within != not;
        let data = js::object([
            (self.count_member, Some(count.into())),
            (self.min_member, parameters.copy(self.min_member)),
            (self.max_member, parameters.copy(self.max_member)),
            ("not", Some(not.into())),
            ("verdict", Some(verdict.into())),
            ("explanation", Some(explanation.into())),
            ("textExcerpt", Some(js::excerpt(relevant).into())),
        ]);
        Ok(Finding::new(verdict, data))
    }

    fn failed(&self, reason: &str, text: &str, parameters: &Parameters) -> Finding {
        let data = js::object([
            ("explanation", Some(format!("{}: {reason}", self.error_prefix).into())),
            (self.min_member, parameters.copy(self.min_member)),
            (self.max_member, parameters.copy(self.max_member)),
            ("not", Some(json!(parameters.not()))),
            ("textExcerpt", Some(js::excerpt_or_none(text).into())),
        ]);
        Finding::failed(CheckError::new(reason), data)
    }
}

fn whole(bound: Option<&Value>) -> Option<f64> {
    bound.filter(|bound| js::is_integer(bound))?.as_f64()
}
