//! What is wrong with what was written: where, which field, what is wrong with it, and what would be right.

use std::fmt;

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Line and column count from 1; columns are characters.
    File { name: String, line: usize, column: usize },
    /// A variable of the environment.
    Env(String),
    /// An argument of the command line, as typed (`--port`).
    Cli(String),
}

/// One mistake. Never holds the text of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    pub place: Place,
    /// Path of the field (`providers.openai.api_key`).
    pub field: String,
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

/// Every mistake there is, in the order of the places. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors(pub(crate) Vec<SettingsError>);

impl Errors {
    pub fn iter(&self) -> std::slice::Iter<'_, SettingsError> {
        self.0.iter()
    }
}

impl Place {
    /// The command line wins over the environment, the environment over the file.
    pub(crate) fn strength(&self) -> u8 {
        match self {
            Self::File { .. } => 0,
            Self::Env(_) => 1,
            Self::Cli(_) => 2,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Env(variable) => f.write_str(variable),
            Self::Cli(flag) => f.write_str(flag),
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

impl fmt::Display for Errors {
    /// One mistake a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}
impl std::error::Error for Errors {}
