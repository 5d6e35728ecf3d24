//! Budgets and amounts in the words of the tables.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use serde_json::Value;
use tidegate_ledger::{Amount, Budget, Reset};

/// By what a budget is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) scope: String,
    pub(crate) owner: String,
    pub(crate) unit: String,
    pub(crate) reset: String,
}

/// A period of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: Key,
    pub(crate) start: i64,
    /// `None`: never.
    pub(crate) ends: Option<i64>,
}

impl Key {
    pub(crate) fn of(budget: &Budget) -> Self {
        Self {
            scope: word(&serde_json::to_value(budget.scope)),
            owner: budget.id.clone(),
            unit: word(&serde_json::to_value(budget.limit.unit())),
            reset: word(&serde_json::to_value(budget.limit.reset())),
        }
    }

    /// The same in every process, as far as anybody needs it: each has lines of its own.
    pub(crate) fn line(&self, lines: usize) -> usize {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(self);
        usize::try_from(hash % lines.max(1) as u64).unwrap_or(0)
    }
}

impl Place {
    pub(crate) fn of(budget: &Budget, start: u64) -> Self {
        let ends = budget.limit.reset().period(start).end;
        let ends = (ends != Reset::NEVER).then(|| milliseconds(ends));
        Self { key: Key::of(budget), start: milliseconds(start), ends }
    }
}

pub(crate) fn milliseconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// `None` for what is no amount of ours.
pub(crate) fn amount(text: &str) -> Option<Amount> {
    text.parse().ok()
}

/// A word without quotes, or the whole of what has parts. Both are as the ledger's journal has them.
fn word(value: &serde_json::Result<Value>) -> String {
    match value {
        Ok(Value::String(word)) => word.clone(),
        Ok(other) => other.to_string(),
        // Plain enums: it cannot fail.
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_ledger::{FirstDay, Limit, Scope, Unit};

    use super::*;

    fn budget(reset: Reset) -> Budget {
        Budget::new(Scope::ApiKey, "a", Limit::new(Unit::Usd, Amount::tokens(1), reset, Vec::new()).unwrap())
    }

    /// What stands in tables must not change with the program.
    #[test]
    fn words_stay_as_they_are() {
        for (reset, word) in [
            (Reset::Never, "never"),
            (Reset::Daily, "daily"),
            (Reset::Weekly(FirstDay::Sunday), r#"{"weekly":"sunday"}"#),
            (Reset::Monthly, "monthly"),
            (Reset::Days { count: 3, from: 5 }, r#"{"days":{"count":3,"from":5}}"#),
        ] {
            let key = Key::of(&budget(reset));
            let words = (key.scope.as_str(), key.unit.as_str(), key.reset.as_str());
            assert_eq!(words, ("api_key", "usd", word));
        }
        assert_eq!(Place::of(&budget(Reset::Never), 0).ends, None);
        assert_eq!(Place::of(&budget(Reset::Daily), 0).ends, Some(86_400_000));
    }
}
