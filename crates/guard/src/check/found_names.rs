//! The rule that `contains` and `requiredMetadataKeys` share: any, all or none of a list of names is found.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Any,
    All,
    None,
}

impl Operator {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "any" => Some(Self::Any),
            "all" => Some(Self::All),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
            Self::None => "none",
        }
    }

    /// Whether so many found and missing names are what is asked for.
    pub(super) fn holds(self, found: usize, missing: usize) -> bool {
        match self {
            Self::Any => found > 0,
            Self::All => missing == 0,
            Self::None => found == 0,
        }
    }

    /// The verdict in words, for `words` or `metadata keys`.
    pub(super) fn explain(self, verdict: bool, singular: &str) -> String {
        let outcome = if verdict { "passed" } else { "failed" };
        let detail = match (self, verdict) {
            (Self::Any, true) => format!("At least one {singular} was found."),
            (Self::Any, false) | (Self::None, true) => format!("No {singular}s were found."),
            (Self::All, true) => format!("All {singular}s were found."),
            (Self::All, false) => format!("Some {singular}s were missing."),
            (Self::None, false) => format!("Some {singular}s were found."),
        };
        format!("Check {outcome} for '{}' {singular}s. {detail}", self.as_str())
    }
}
