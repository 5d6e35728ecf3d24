//! What is wrong with something that people write, where, and what would be right.

use std::fmt;

/// A member that cannot be what it is. `Display` says all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The member, in the writer's words: `rate_limits[1].unit`.
    pub field: String,
    pub problem: String,
    /// What would be accepted there.
    pub expected: String,
}

impl FieldError {
    pub fn new(field: &str, problem: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field: field.to_owned(), problem: problem.into(), expected: expected.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}", self.field, self.problem, self.expected)
    }
}

impl std::error::Error for FieldError {}

/// Foreign text in a message: not longer than a line, and without control characters.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}
