//! Which records a list is to show.

use std::str::FromStr;

use rust_decimal::Decimal;
use tidegate_core::Usage;

use crate::facts::Facts;
use crate::search::Search;

/// Everything that is set must hold; an empty list of names means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Began at this time or later, milliseconds since 1970.
    pub from_ms: Option<u64>,
    /// Began before this time.
    pub to_ms: Option<u64>,
    pub status: Option<StatusFilter>,
    pub organisation: Vec<String>,
    pub workspace: Vec<String>,
    pub provider: Vec<String>,
    /// The model that answered.
    pub model: Vec<String>,
    pub api_key: Vec<String>,
    /// Whom the API key was made for.
    pub key_owner: Vec<String>,
    pub virtual_key: Vec<String>,
    pub config: Vec<String>,
    pub user: Vec<String>,
    pub cache: Vec<String>,
    pub trace: Vec<String>,
    /// The request's own.
    pub span: Vec<String>,
    pub session: Vec<String>,
    /// Of any session.
    pub in_session: bool,
    /// All of these pairs.
    pub metadata: Vec<(String, String)>,
    /// In the record's currency. A record whose cost is unknown fits no bound. Bounds are read to 12 decimal places.
    pub cost: Between<Decimal>,
    /// Tokens; a record without usage fits no bound.
    pub prompt_tokens: Between<u64>,
    pub completion_tokens: Between<u64>,
    pub total_tokens: Between<u64>,
    /// Words in what is kept of the bodies. [`Filter::fits`], which has no bodies, does not look at it.
    pub search: Search,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusFilter {
    /// Any of these.
    Is(Vec<u16>),
    /// First and last, for classes: `(400, 499)`.
    Range(u16, u16),
}

/// Both ends belong to it; `None` is no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between<T> {
    pub min: Option<T>,
    pub max: Option<T>,
}

impl<T> Default for Between<T> {
    fn default() -> Self {
        Self { min: None, max: None }
    }
}

impl<T: PartialOrd + Copy> Between<T> {
    pub fn is_any(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// What is unknown fits only where anything does.
    pub fn holds(&self, value: Option<T>) -> bool {
        match value {
            None => self.is_any(),
            Some(value) => self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max),
        }
    }
}

impl StatusFilter {
    pub fn holds(&self, status: u16) -> bool {
        match self {
            Self::Is(statuses) => statuses.contains(&status),
            Self::Range(first, last) => (*first..=*last).contains(&status),
        }
    }
}

impl Filter {
    /// What the filter means, but for [`Filter::search`]. Stores may be quicker; they are never of another opinion.
    pub fn fits(&self, facts: &Facts<'_>) -> bool {
        let any = |names: &[String], own: &str| names.is_empty() || names.iter().any(|name| name == own);
        let at = facts.id.unix_ms();
        let usage = facts.usage.as_ref();
        self.from_ms.is_none_or(|from| at >= from)
            && self.to_ms.is_none_or(|to| at < to)
            && self.status.as_ref().is_none_or(|status| status.holds(facts.status))
            && any(&self.organisation, facts.organisation)
            && any(&self.workspace, facts.workspace)
            && any(&self.provider, facts.provider)
            && any(&self.model, facts.model)
            && any(&self.api_key, facts.api_key)
            && any(&self.key_owner, facts.key_owner)
            && any(&self.virtual_key, facts.virtual_key)
            && any(&self.config, facts.config)
            && any(&self.user, facts.user)
            && any(&self.cache, facts.cache)
            && any(&self.trace, facts.trace)
            && any(&self.span, facts.span)
            && any(&self.session, facts.session)
            && !(self.in_session && facts.session.is_empty())
            && self
                .metadata
                .iter()
                .all(|(name, value)| facts.metadata.contains(&(name.as_str(), value.as_str())))
            && (self.cost.is_any() || self.cost_bounds().holds(Decimal::from_str(facts.cost).ok()))
            && self.prompt_tokens.holds(usage.map(Usage::prompt))
            && self.completion_tokens.holds(usage.map(|usage| usage.output))
            && self.total_tokens.holds(usage.map(Usage::total))
    }

    /// The bounds on the cost to 12 decimal places.
    pub fn cost_bounds(&self) -> Between<Decimal> {
        let cut = |bound: Decimal| bound.trunc_with_scale(12);
        Between { min: self.cost.min.map(cut), max: self.cost.max.map(cut) }
    }
}
