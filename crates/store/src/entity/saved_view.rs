//! A page of the console as somebody set it up, under a name.

use serde::{Deserialize, Serialize};

use super::{Entity, Level, check, private::Known};
use crate::error::StoreError;
use crate::id::SavedViewId;
use crate::kind::{Kind, words};

words! {
    /// The pages that can be saved.
    ViewPage { Logs = "logs", Analytics = "analytics" }
}

/// What opens a page as it was: filters, time and columns are in its query string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    pub name: String,
    pub page: ViewPage,
    /// Below the page: `errors` for `/analytics/errors`. Empty for the page itself.
    #[serde(default)]
    pub tab: String,
    /// Without `?`.
    pub query: String,
    /// Everybody of the workspace sees it; else its owner only.
    pub shared: bool,
    /// The id of the person, or of the API key, that made it.
    pub owner: String,
}

/// More than any page writes.
const LONGEST_QUERY: usize = 4_096;
const LONGEST_TAB: usize = 64;

impl Known for SavedView {}
impl Entity for SavedView {
    type Id = SavedViewId;
    const KIND: Kind = Kind::SavedView;
    const LEVEL: Level = Level::Workspace;

    fn label(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), StoreError> {
        check::name("name", &self.name)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.tab.len() > LONGEST_TAB || !self.tab.chars().all(is_plain) {
            return Err(StoreError::invalid("tab", "must be at most 64 letters, digits, `-` and `_`"));
        }
        if self.query.len() > LONGEST_QUERY || self.query.starts_with('?') {
            let problem = format!("must be at most {LONGEST_QUERY} bytes, without the question mark");
            return Err(StoreError::invalid("query", problem));
        }
        if self.query.chars().any(|c| c.is_whitespace() || c.is_control() || c == '#') {
            return Err(StoreError::invalid("query", "must be a query string, with its characters escaped"));
        }
        Ok(())
    }
}
