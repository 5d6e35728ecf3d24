//! By what records are told apart: dimensions, and the cubes of them that stores keep.

use std::borrow::Cow;

use tidegate_records::{Facts, Filter};

/// What records are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimension {
    Workspace,
    Provider,
    /// The model that answered.
    Model,
    /// The kind of endpoint.
    Route,
    Status,
    Cache,
    ApiKey,
    /// Whom the API key was made for.
    KeyOwner,
    VirtualKey,
    Config,
    User,
    /// The value of a member of the metadata.
    Metadata(String),
}

impl Dimension {
    /// What a record has there; empty when nothing.
    pub fn of<'a>(&self, facts: &Facts<'a>) -> Cow<'a, str> {
        Cow::Borrowed(match self {
            Self::Workspace => facts.workspace,
            Self::Provider => facts.provider,
            Self::Model => facts.model,
            Self::Route => facts.route,
            Self::Status => return Cow::Owned(facts.status.to_string()),
            Self::Cache => facts.cache,
            Self::ApiKey => facts.api_key,
            Self::KeyOwner => facts.key_owner,
            Self::VirtualKey => facts.virtual_key,
            Self::Config => facts.config,
            Self::User => facts.user,
            Self::Metadata(name) => {
                facts.metadata.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
            }
        })
    }
}

/// One of the roll-ups: records of an hour (or a day) that are alike in its dimensions are one cell. More dimensions answer
/// more questions and make more cells: see decision 0014.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cube {
    /// By the hour: organisation, workspace, provider, model, route, status, cache.
    Traffic,
    /// By the hour: organisation, workspace, API key and its owner, virtual key, config.
    Callers,
    /// By the day: organisation, workspace, user.
    Users,
}

/// Names of a cell, those of its cube's dimensions in their order; the status is no name.
pub(crate) const NAMES: usize = 6;

/// What a record has in the dimensions of cubes, as text or as a store's numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<T> {
    pub organisation: T,
    pub workspace: T,
    pub provider: T,
    pub model: T,
    pub route: T,
    pub cache: T,
    pub api_key: T,
    pub key_owner: T,
    pub virtual_key: T,
    pub config: T,
    pub user: T,
}

impl<'a> Names<&'a str> {
    pub fn of(facts: &Facts<'a>) -> Self {
        Self {
            organisation: facts.organisation,
            workspace: facts.workspace,
            provider: facts.provider,
            model: facts.model,
            route: facts.route,
            cache: facts.cache,
            api_key: facts.api_key,
            key_owner: facts.key_owner,
            virtual_key: facts.virtual_key,
            config: facts.config,
            user: facts.user,
        }
    }
}

impl Cube {
    pub const ALL: [Cube; 3] = [Self::Traffic, Self::Callers, Self::Users];

    /// Stored: never changes.
    pub fn number(self) -> u8 {
        match self {
            Self::Traffic => 1,
            Self::Callers => 2,
            Self::Users => 3,
        }
    }

    /// Hours in one of its cells.
    pub fn hours(self) -> u32 {
        match self {
            Self::Traffic | Self::Callers => 1,
            Self::Users => 24,
        }
    }

    pub(crate) fn names<T: Copy + Default>(self, names: &Names<T>) -> [T; NAMES] {
        let Names { organisation, workspace, .. } = *names;
        let none = T::default();
        match self {
            Self::Traffic => [organisation, workspace, names.provider, names.model, names.route, names.cache],
            Self::Callers => {
                [organisation, workspace, names.api_key, names.key_owner, names.virtual_key, names.config]
            }
            Self::Users => [organisation, workspace, names.user, none, none, none],
        }
    }

    pub(crate) fn has_status(self) -> bool {
        self == Self::Traffic
    }

    /// Where the dimension stands among the names; `None`: the cube does not have it.
    pub(crate) fn place(self, dimension: &Dimension) -> Option<Place> {
        let name = Some(match (self, dimension) {
            (_, Dimension::Workspace) => 1,
            (Self::Traffic, Dimension::Provider)
            | (Self::Callers, Dimension::ApiKey)
            | (Self::Users, Dimension::User) => 2,
            (Self::Traffic, Dimension::Model) | (Self::Callers, Dimension::KeyOwner) => 3,
            (Self::Traffic, Dimension::Route) | (Self::Callers, Dimension::VirtualKey) => 4,
            (Self::Traffic, Dimension::Cache) | (Self::Callers, Dimension::Config) => 5,
            (Self::Traffic, Dimension::Status) => return Some(Place::Status),
            _ => return None,
        });
        name.map(Place::Name)
    }

    /// The filter's lists of names by their place. `None`: it asks for what the cube does not have.
    pub(crate) fn lists(self, filter: &Filter) -> Option<[&[String]; NAMES]> {
        let mut lists: [&[String]; NAMES] = [&[]; NAMES];
        lists[0] = &filter.organisation;
        for (dimension, list) in [
            (Dimension::Workspace, &filter.workspace),
            (Dimension::Provider, &filter.provider),
            (Dimension::Model, &filter.model),
            (Dimension::Cache, &filter.cache),
            (Dimension::ApiKey, &filter.api_key),
            (Dimension::KeyOwner, &filter.key_owner),
            (Dimension::VirtualKey, &filter.virtual_key),
            (Dimension::Config, &filter.config),
            (Dimension::User, &filter.user),
        ] {
            if list.is_empty() {
                continue;
            }
            match self.place(&dimension)? {
                Place::Name(at) => lists[at] = list,
                Place::Status => return None,
            }
        }
        let is_of_cells = filter.trace.is_empty()
            && filter.span.is_empty()
            && filter.session.is_empty()
            && !filter.in_session
            && filter.metadata.is_empty()
            && filter.search.is_any()
            && filter.cost.is_any()
            && filter.prompt_tokens.is_any()
            && filter.completion_tokens.is_any()
            && filter.total_tokens.is_any()
            && (filter.status.is_none() || self.has_status());
        is_of_cells.then_some(lists)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Name(usize),
    Status,
}
