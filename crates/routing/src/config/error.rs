//! Why a config is refused: the body that clients of Portkey's gateway know, and for people also where and
//! what to do.

use std::fmt;

use super::locate;

/// A refused config. Answer with status 400 and `{"status":"failure","message":…,"errors":[…]}`, `errors`
/// only when not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub message: &'static str,
    /// Every wrong member, in the order of the schema.
    pub issues: Vec<Issue>,
}

/// One wrong member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// From the root; empty for rules about the whole object.
    pub path: Vec<PathPart>,
    pub message: String,
    /// What would be right, where known.
    pub hint: Option<String>,
    /// Position in the text, from 1; 0 when unknown. A missing member has the position of the object it is
    /// missing from.
    pub line: usize,
    pub column: usize,
}

/// A member that is accepted and has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub path: Vec<PathPart>,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    Key(String),
    Index(usize),
}

impl ConfigError {
    /// The `errors` member of the answer: `path: strategy,mode, message: Required`.
    pub fn errors(&self) -> Vec<String> {
        if self.message != INVALID {
            return Vec::new();
        }
        self.issues.iter().map(Issue::line).collect()
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
        let issue = Issue { path: Vec::new(), message, hint: None, line, column };
        Self { message: NOT_JSON, issues: vec![issue] }
    }

    pub(super) fn not_an_object() -> Self {
        Self { message: NOT_JSON, issues: Vec::new() }
    }

    pub(super) fn no_provider() -> Self {
        Self { message: NO_PROVIDER, issues: Vec::new() }
    }

    pub(super) fn old_form() -> Self {
        Self { message: OLD_FORM, issues: Vec::new() }
    }

    /// Looks up where each issue is in `text`.
    pub(super) fn invalid(mut issues: Vec<Issue>, text: &str) -> Self {
        for issue in &mut issues {
            (issue.line, issue.column) = locate::position(text, &issue.path);
        }
        Self { message: INVALID, issues }
    }
}

const INVALID: &str = "Invalid config passed";
const NOT_JSON: &str = "Invalid config passed. You need to pass a valid json";
const NO_PROVIDER: &str = "Either x-portkey-provider needs to be passed. Or the x-portkey-config header should have a valid config \
     with provider details in it.";
const OLD_FORM: &str =
    "This version of config is not supported in this route. Please migrate to the latest version";

impl Issue {
    /// `path: targets,0,weight, message: Expected number, received string`.
    fn line(&self) -> String {
        format!("path: {}, message: {}", joined(&self.path, ","), self.message)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)?;
        self.issues.iter().try_for_each(|issue| write!(f, "\n  {issue}"))
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for Issue {
    /// `3:14 targets[0].weight: Expected number, received string (hint)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{} ", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", dotted(&self.path))?;
        }
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, " ({hint})"))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", dotted(&self.path), self.message)
    }
}

fn joined(path: &[PathPart], separator: &str) -> String {
    let parts: Vec<String> = path.iter().map(ToString::to_string).collect();
    parts.join(separator)
}

/// `targets[0].retry.attempts`.
fn dotted(path: &[PathPart]) -> String {
    let mut text = String::new();
    for part in path {
        match part {
            PathPart::Index(index) => text.push_str(&format!("[{index}]")),
            PathPart::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
        }
    }
    text
}

impl fmt::Display for PathPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => index.fmt(f),
        }
    }
}
