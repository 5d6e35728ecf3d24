//! The text form of rules, as OpenAI-Forward has it: `100/2minutes`, `60/minute;600/hour`, `1 per 10 seconds`.
//!
//! `<count> (per | /) [n] <unit>`, units second to year in singular or plural and any case, blanks anywhere between,
//! rules separated by `;`, `,` or `|`. Weeks are ours. `inf` is no rule at all; other text that cannot be read is an
//! error here, because a limit that silently is none is the worst kind.

use super::{Algorithm, Period, Rule, Span, Unit, Window};
use super::{RuleError, shown};

const FORM: &str =
    "`<count>/<n><unit>` such as `60/minute` or `100/2minutes`, several separated by `;`, or `inf`";
const UNITS: &str = "second, minute, hour, day, week, month or year";

/// Reads all rules of `text`; `inf` (in any case) gives none. `field` is where the text stands, for the error.
///
/// `unit` says what they count; for [`Unit::Concurrency`], which has no window, the text is only a number.
pub fn parse_text(field: &str, text: &str, unit: Unit, algorithm: Algorithm) -> Result<Vec<Rule>, RuleError> {
    if is_unlimited(text) {
        return Ok(Vec::new());
    }
    let parts = text.split([';', ',', '|']);
    parts.map(|part| parse_one(field, part, unit, algorithm)).collect()
}

/// Reads a window alone: `minute`, `2minutes`, `10 seconds`.
pub fn parse_window(field: &str, text: &str) -> Result<Span, RuleError> {
    let text = text.trim();
    let (count, word) = split_number(text);
    let word = word.trim();
    let singular = word.strip_suffix(['s', 'S']).unwrap_or(word);
    let period = Period::ALL.into_iter().find(|period| period.word().eq_ignore_ascii_case(singular));
    let period = period.ok_or_else(|| {
        let problem = if word.is_empty() {
            "the unit of time is missing".to_owned()
        } else {
            format!("`{}` is no unit of time", shown(word))
        };
        RuleError::new(field, problem, UNITS)
    })?;
    let count = if count.is_empty() { Some(1) } else { count.parse().ok() };
    count.and_then(|count| Span::new(count, period)).ok_or_else(|| {
        let problem = format!("a window of `{}` cannot be counted", shown(text));
        RuleError::new(field, problem, "a window from one second to ten years")
    })
}

/// `inf`, `INF`, `infinite`: words for no limit.
pub(crate) fn is_unlimited(text: &str) -> bool {
    text.trim().get(..3).is_some_and(|start| start.eq_ignore_ascii_case("inf"))
}

/// One rule of `text`: its amount and its window.
pub(crate) fn parse_rate(field: &str, text: &str) -> Result<(u64, Span), RuleError> {
    let text = text.trim();
    let (digits, rest) = split_number(text);
    if digits.is_empty() {
        let problem = if text.is_empty() {
            "a rule is empty".to_owned()
        } else {
            format!("`{}` does not begin with a count", shown(text))
        };
        return Err(RuleError::new(field, problem, FORM));
    }
    let amount = parse_amount(field, digits)?;
    let rest = rest.trim_start();
    let window = rest.strip_prefix('/').or_else(|| {
        let per = rest.get(..3).filter(|per| per.eq_ignore_ascii_case("per"));
        per.and_then(|_| rest.get(3..))
    });
    let window = window.ok_or_else(|| {
        RuleError::new(field, format!("`{}` has no `/` or `per` after the count", shown(text)), FORM)
    })?;
    Ok((amount, parse_window(field, window)?))
}

fn parse_one(field: &str, text: &str, unit: Unit, algorithm: Algorithm) -> Result<Rule, RuleError> {
    if unit == Unit::Concurrency {
        let text = text.trim();
        let (digits, rest) = split_number(text);
        if digits.is_empty() || !rest.is_empty() {
            let problem = format!("`{}` is no number of requests at once", shown(text));
            return Err(RuleError::new(field, problem, "a whole number such as `8`"));
        }
        return Ok(Rule::concurrency(parse_amount(field, digits)?));
    }
    let (amount, span) = parse_rate(field, text)?;
    let window = Window { span, algorithm };
    Ok(if unit == Unit::Tokens { Rule::tokens(amount, window) } else { Rule::requests(amount, window) })
}

fn parse_amount(field: &str, digits: &str) -> Result<u64, RuleError> {
    let amount = digits.parse().ok().filter(|amount| *amount <= Rule::MAX_AMOUNT);
    amount.ok_or_else(|| {
        let problem = format!("the count {} is too large", shown(digits));
        RuleError::new(field, problem, format!("at most {}, or `inf`", Rule::MAX_AMOUNT))
    })
}

/// The digits that `text` begins with, and what follows.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
