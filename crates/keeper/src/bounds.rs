//! From limits as they are stored to rules and budgets that are enforced.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tidegate_directory::Bounds;
use tidegate_ledger::{Budget, BudgetId, Ledger, Level, Scope, parse_limits};
use tidegate_limits::rule::parse_policies;
use tidegate_limits::{Algorithm, Period, Rule, Span, Window};
use tidegate_store::entity::Limits;

use crate::pool::News;

/// Whose limits they are.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub scope: Scope,
    pub id: Arc<str>,
    pub name: Arc<str>,
    /// When the object was made: periods of days count from there.
    pub created_ms: u64,
    pub version: u64,
}

/// Where budgets go: this process's books, and the pool that several of them draw on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub ledger: Option<Ledger>,
    /// What the pool has not been told yet; `None` without one.
    pub news: Option<Arc<Mutex<VecDeque<News>>>>,
}

impl Books {
    pub fn tell(&self, news: News) {
        if let Some(queue) = &self.news {
            queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(news);
        }
    }
}

/// Reads the limits, and brings the ledger's budgets of this owner to what they say. A limit that this program cannot
/// read refuses everything: a newer one wrote it, and somebody relies on it.
pub(crate) fn read(books: &Books, owner: Owner, limits: &Limits) -> Bounds {
    let rates = Value::Array(limits.rates.clone());
    let rules = parse_policies("rate_limits", &rates).unwrap_or_else(|_| vec![nothing()]);
    let usage = Value::Array(limits.usage.clone());
    let parsed = parse_limits("usage_limits", &usage, Level::Object, owner.created_ms);
    let mut rules = rules;
    let budgets = match parsed {
        Ok(wanted) => {
            let budgets = wanted.into_iter().map(|limit| Budget::new(owner.scope, &*owner.id, limit));
            match kept(books, &owner, budgets.collect(), limits.usage_reset_at) {
                Some(ids) => ids,
                None => {
                    rules.push(nothing());
                    Vec::new()
                }
            }
        }
        Err(_) => {
            rules.push(nothing());
            Vec::new()
        }
    };
    Bounds { id: owner.id, name: owner.name, rules: rules.into(), budgets: budgets.into() }
}

/// Takes the budgets of an object away that is gone.
pub(crate) fn forget(books: &Books, scope: Scope, id: &str) {
    let Some(ledger) = &books.ledger else { return };
    for budget in ledger.find(scope, id) {
        // Gone already is as good.
        let _ = ledger.remove(budget);
    }
}

/// `None` when budgets are wanted and nobody keeps them.
fn kept(books: &Books, owner: &Owner, wanted: Vec<Budget>, reset_at: Option<u64>) -> Option<Vec<BudgetId>> {
    let Some(ledger) = &books.ledger else { return wanted.is_empty().then(Vec::new) };
    let before = ledger.find(owner.scope, &owner.id);
    let mut ids = Vec::with_capacity(wanted.len());
    for budget in wanted {
        books.tell(News::Put(budget.clone(), owner.version));
        let id = ledger.put(budget.clone()).ok()?;
        let began = ledger.standing(id).map_or(0, |standing| standing.start);
        // Set back by hand since the running period began.
        if let Some(at) = reset_at.filter(|at| before.contains(&id) && *at > began) {
            books.tell(News::Reset(budget, at));
            ledger.reset(id).ok()?;
        }
        ids.push(id);
    }
    for gone in before.into_iter().filter(|id| !ids.contains(id)) {
        let _ = ledger.remove(gone);
    }
    Some(ids)
}

/// A rule that nothing passes.
pub(crate) fn nothing() -> Rule {
    Rule::requests(0, Window { span: Span::one(Period::Minute), algorithm: Algorithm::FixedOnTheClock })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_read_refuses_everything() {
        let owner =
            Owner { scope: Scope::ApiKey, id: "k".into(), name: "key".into(), created_ms: 0, version: 1 };
        for (limits, refuses) in [
            (Limits::default(), false),
            (
                Limits {
                    rates: vec![json!({"type":"requests","unit":"rpm","value":5})],
                    ..Limits::default()
                },
                false,
            ),
            (
                Limits { rates: vec![json!({"type":"dreams","unit":"rpm","value":5})], ..Limits::default() },
                true,
            ),
            (Limits { usage: vec![json!({"type":"dreams"})], ..Limits::default() }, true),
            // Nobody keeps books.
            (Limits { usage: vec![json!({"type":"cost","credit_limit":5})], ..Limits::default() }, true),
        ] {
            let bounds = read(&Books::default(), owner.clone(), &limits);
            assert_eq!(bounds.rules.iter().any(|rule| rule.amount() == 0), refuses, "{limits:?}");
        }
    }
}
