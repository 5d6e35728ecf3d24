//! Policies: limits for whatever matches their conditions, with a counter for each value of what they group by.

mod condition;
mod counted;
mod facts;

use std::sync::Arc;

use tidegate_limits::Rule;

pub use condition::{Condition, Pattern};
pub use counted::{Budgets, Counted, Full, Kept, Measure};
pub use facts::{Called, Facts, Key};

/// One policy in force, read once when it was stored.
#[derive(Debug)]
pub struct Policy {
    pub id: Arc<str>,
    /// What messages call it.
    pub name: Arc<str>,
    /// All of them have to hold.
    conditions: Box<[Condition]>,
    group_by: Box<[Key]>,
    looks_at_target: bool,
    pub holds: Holds,
}

/// What a policy limits.
#[derive(Debug)]
pub enum Holds {
    /// So much in a window.
    Rate(Rule),
    /// A budget for each value.
    Usage(Counted),
}

impl Policy {
    pub fn new(
        (id, name): (Arc<str>, Arc<str>),
        conditions: Box<[Condition]>,
        group_by: Box<[Key]>,
        holds: Holds,
    ) -> Self {
        let keys = conditions.iter().map(|condition| &condition.key).chain(&group_by);
        let looks_at_target = keys.into_iter().any(Key::is_of_target);
        Self { id, name, conditions, group_by, looks_at_target, holds }
    }

    /// Which provider is called makes a difference to it: it is looked at when that is known.
    pub fn looks_at_target(&self) -> bool {
        self.looks_at_target
    }

    /// The value that this request counts for, such as `metadata._user:alice`; `None` when a condition does not hold.
    ///
    /// A request that lacks what the policy groups by counts for the empty value: leaving it out is no way around.
    pub fn value_key(&self, facts: &Facts<'_>) -> Option<String> {
        self.conditions.iter().all(|condition| condition.holds(facts)).then(|| {
            let mut text = String::new();
            for (at, key) in self.group_by.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                key.write(&mut text);
                text.push(':');
                let value = facts.value(key).unwrap_or_default();
                if self.group_by.len() == 1 {
                    text.push_str(&value);
                } else {
                    // So that no value looks like two.
                    value.chars().for_each(|c| {
                        if matches!(c, ',' | '\\') {
                            text.push('\\');
                        }
                        text.push(c);
                    });
                }
            }
            text
        })
    }

    /// By which counters and budgets of a value are kept.
    pub fn counter(&self, value_key: &str) -> String {
        format!("{}/{value_key}", self.id)
    }
}

#[cfg(test)]
mod tests;
