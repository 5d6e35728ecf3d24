//! What is wrong with a usage limit, where, and what would be right.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetError {
    /// The member, in the writer's words: `usage_limits[1].credit_limit`.
    pub field: String,
    pub problem: String,
    /// What would be accepted there.
    pub expected: String,
}

impl BudgetError {
    pub(crate) fn new(field: &str, problem: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field: field.to_owned(), problem: problem.into(), expected: expected.into() }
    }
}

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}", self.field, self.problem, self.expected)
    }
}

impl std::error::Error for BudgetError {}

/// Foreign text in a message: not longer than a line, and without control characters.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}
