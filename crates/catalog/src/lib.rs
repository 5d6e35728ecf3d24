//! What exists: providers, their endpoints, how they are reached and signed for, and what their models can hold.
//!
//! Everything here is data (`data/*.json`, embedded) and pure look-ups over it: no I/O, no clock, no knowledge of how
//! bytes look. The provider rows are parsed once, on first use; the model facts of a provider when one of its models
//! is first asked for. Adding a provider that speaks a known dialect is adding a row.

mod adjust;
mod auth;
mod call;
mod endpoint;
mod infer;
mod load;
mod models;
mod pairs;
mod pass;
mod portkey;
mod provider;
mod template;
mod url;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use adjust::{Adjust, Clamp};
pub use auth::{Auth, AuthScheme};
pub use call::{Base, BodyModel, Call, Destination, Options, UrlError};
pub use endpoint::{Dialect, Endpoint};
pub use infer::{Inference, infer};
pub use models::{ModelFacts, model, models_of};
pub use pairs::Pairs;
pub use portkey::PORTKEY_IDS;
pub use provider::{BodyForm, Method, Provider, Route, Status};

/// Every provider, by id and by alias.
#[derive(Debug)]
pub struct Catalog {
    providers: Vec<Provider>,
    by_name: HashMap<&'static str, usize, foldhash::fast::RandomState>,
}

/// The embedded catalogue.
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(load::embedded);
    &CATALOG
}

impl Catalog {
    /// The provider with this id or alias (`together-ai`, `together_ai`, `together`). Names are case-sensitive, as in
    /// the reference.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.by_name.get(name).and_then(|at| self.providers.get(*at))
    }

    /// All rows, sorted by id.
    pub fn iter(&self) -> std::slice::Iter<'_, Provider> {
        self.providers.iter()
    }

    /// All ids, sorted; aliases left out.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.providers.iter().map(|provider| provider.id)
    }

    /// The ids that Portkey's gateway takes, in the order in which its schema error lists them. `portkey` itself is
    /// among them and has no row, as it has no adapter there.
    pub fn portkey_ids(&self) -> &'static [&'static str] {
        &PORTKEY_IDS
    }
}

impl<'a> IntoIterator for &'a Catalog {
    type Item = &'a Provider;
    type IntoIter = std::slice::Iter<'a, Provider>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
