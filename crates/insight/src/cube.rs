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
/// more questions and make more cells: see decision 0014. Of a day that is over all have cells of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cube {
    /// By the hour: organisation, workspace, provider, model, route, status, cache.
    Traffic,
    /// By the hour: organisation, workspace, API key and its owner, virtual key, config.
    Callers,
    /// By the day: organisation, workspace, user.
    Users,
    /// By the day: organisation, workspace, all the metadata of a record together (see [`Combination`](crate::Combination)).
    Metadata,
    /// By the day: organisation, workspace, one more, and a user who was seen with it. Who was there is all that its cells say.
    UsersBy(By),
}

/// By what users are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    Provider,
    Model,
    Route,
    Status,
    Cache,
    ApiKey,
    KeyOwner,
    VirtualKey,
    Config,
    Metadata,
}

impl By {
    pub const ALL: [By; 10] = [
        Self::Provider,
        Self::Model,
        Self::Route,
        Self::Status,
        Self::Cache,
        Self::ApiKey,
        Self::KeyOwner,
        Self::VirtualKey,
        Self::Config,
        Self::Metadata,
    ];

    fn is(self, dimension: &Dimension) -> bool {
        let own = match self {
            Self::Provider => Dimension::Provider,
            Self::Model => Dimension::Model,
            Self::Route => Dimension::Route,
            Self::Status => Dimension::Status,
            Self::Cache => Dimension::Cache,
            Self::ApiKey => Dimension::ApiKey,
            Self::KeyOwner => Dimension::KeyOwner,
            Self::VirtualKey => Dimension::VirtualKey,
            Self::Config => Dimension::Config,
            Self::Metadata => return matches!(dimension, Dimension::Metadata(_)),
        };
        own == *dimension
    }

    fn name<T: Copy + Default>(self, names: &Names<T>) -> T {
        match self {
            Self::Provider => names.provider,
            Self::Model => names.model,
            Self::Route => names.route,
            Self::Status => T::default(),
            Self::Cache => names.cache,
            Self::ApiKey => names.api_key,
            Self::KeyOwner => names.key_owner,
            Self::VirtualKey => names.virtual_key,
            Self::Config => names.config,
            Self::Metadata => names.metadata,
        }
    }
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
    /// All of it, as a [`Combination`](crate::Combination).
    pub metadata: T,
}

impl<'a> Names<&'a str> {
    /// `metadata`: the text of its [`Combination`](crate::Combination).
    pub fn of(facts: &Facts<'a>, metadata: &'a str) -> Self {
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
            metadata,
        }
    }
}

impl Cube {
    /// Those with cells for all records from the beginning.
    pub const ROLLED: [Cube; 3] = [Self::Traffic, Self::Callers, Self::Users];
    /// Those with figures.
    pub const FIGURES: [Cube; 4] = [Self::Traffic, Self::Callers, Self::Users, Self::Metadata];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Cube> {
        Self::FIGURES.into_iter().chain(By::ALL.map(Self::UsersBy))
    }

    /// Stored: never changes.
    pub fn number(self) -> u8 {
        match self {
            Self::Traffic => 1,
            Self::Callers => 2,
            Self::Users => 3,
            Self::Metadata => 4,
            Self::UsersBy(by) => 10 + by as u8,
        }
    }

    /// Hours in one of its cells.
    pub fn hours(self) -> u32 {
        match self {
            Self::Traffic | Self::Callers => 1,
            Self::Users | Self::Metadata | Self::UsersBy(_) => 24,
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
            Self::Metadata => [organisation, workspace, names.metadata, none, none, none],
            Self::UsersBy(by) => [organisation, workspace, by.name(names), names.user, none, none],
        }
    }

    pub(crate) fn has_status(self) -> bool {
        matches!(self, Self::Traffic | Self::UsersBy(By::Status))
    }

    pub(crate) fn has_metadata(self) -> bool {
        matches!(self, Self::Metadata | Self::UsersBy(By::Metadata))
    }

    /// Whether its cells have figures, or only names.
    pub(crate) fn has_figures(self) -> bool {
        !matches!(self, Self::UsersBy(_))
    }

    /// Where the user stands among the names.
    pub(crate) fn user(self) -> Option<usize> {
        match self {
            Self::Users => Some(2),
            Self::UsersBy(_) => Some(3),
            Self::Traffic | Self::Callers | Self::Metadata => None,
        }
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
            (Self::UsersBy(_), Dimension::User) => 3,
            (Self::Traffic | Self::UsersBy(By::Status), Dimension::Status) => return Some(Place::Status),
            (Self::Metadata | Self::UsersBy(By::Metadata), Dimension::Metadata(_)) => {
                return Some(Place::Metadata);
            }
            (Self::UsersBy(by), dimension) if by.is(dimension) => 2,
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
                Place::Status | Place::Metadata => return None,
            }
        }
        let is_of_cells = filter.trace.is_empty()
            && filter.span.is_empty()
            && filter.session.is_empty()
            && !filter.in_session
            && filter.search.is_any()
            && (filter.metadata.is_empty() || self.has_metadata())
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
    /// In the combination at [`COMBINATION`].
    Metadata,
}

/// Where the metadata stands among the names of its cube.
pub(crate) const COMBINATION: usize = 2;
