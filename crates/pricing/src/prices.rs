//! Which price table holds for a request: the operator's prices, the catalogue, and the rules of names together.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::book::{self, Notes};
use crate::estimate::{Estimate, Estimates};
use crate::names::{self, By, Hit, Platform};
use crate::overrides::{ANY, Overrides};
use crate::quick::Quick;
use crate::table::PriceTable;

/// Every price there is. Cheap to make; a look-up reads one line of the catalogue.
#[derive(Default)]
pub struct Prices {
    overrides: Overrides,
    seen: Mutex<Seen>,
}

/// By provider, slug and model, with a line feed between.
type Seen = HashMap<Box<[u8]>, Arc<Found>, foldhash::fast::RandomState>;

/// The names that a request and its answer have for the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelName<'a> {
    /// The provider's id or an alias of it.
    pub provider: &'a str,
    /// The slug of the virtual key, whose prices come before the provider's.
    pub slug: Option<&'a str>,
    /// As the request named it; for Azure, the deployment.
    pub asked: &'a str,
    /// As the answer names it.
    pub answered: Option<&'a str>,
    /// What the operator says the deployment is.
    pub base_model: Option<&'a str>,
}

/// What is known of a model's prices, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The entry's name; `None` when there is no entry.
    pub id: Option<Box<str>>,
    pub by: By,
    pub notes: Notes,
    pub estimates: Estimates,
    /// The entry that the request named, where the answer named another model (not only another date).
    pub asked_for: Option<Box<str>>,
    /// `None`: unpriced. Never free.
    pub table: Option<Arc<PriceTable>>,
    /// The surcharge of a regional profile is to be added to the prices of tokens.
    pub(crate) premium: bool,
    pub(crate) quick: Quick,
}

/// Found names that are kept, misses too. When full, all are forgotten: the next look-ups cost microseconds.
const MOST_SEEN: usize = 512;
/// Longer names are looked up each time: no caller fills the memory with them.
const LONGEST_SEEN: usize = 200;

impl Prices {
    pub fn new(overrides: Overrides) -> Self {
        Self { overrides, ..Self::default() }
    }

    /// The prices of a request's model. The answer's name counts where it is known as it stands, then what the operator
    /// says it is, then what was asked for.
    pub fn find(&self, name: &ModelName<'_>) -> Arc<Found> {
        let known = |model: &str| Some(self.one(name, model)).filter(|found| found.by != By::None);
        let answer = name.answered.map(|answered| self.one(name, answered));
        if let Some(answer) = answer.as_ref().filter(|answer| answer.by.is_sure()) {
            return with_difference(answer, &self.one(name, name.asked));
        }
        let said = name.base_model.and_then(known).or_else(|| known(name.asked));
        said.or(answer).unwrap_or_else(|| self.one(name, name.asked))
    }

    fn one(&self, name: &ModelName<'_>, model: &str) -> Arc<Found> {
        let slug = name.slug.unwrap_or_default();
        if name.provider.len() + slug.len() + model.len() > LONGEST_SEEN {
            return Arc::new(self.look_up(name, model));
        }
        // On the stack: this is asked several times for each request.
        let mut room = [0; LONGEST_SEEN + 2];
        let key = joined(&mut room, [name.provider, slug, model]);
        if let Some(found) = self.lock().get(key) {
            return Arc::clone(found);
        }
        let found = Arc::new(self.look_up(name, model));
        let mut seen = self.lock();
        if seen.len() >= MOST_SEEN {
            seen.clear();
        }
        seen.insert(key.into(), Arc::clone(&found));
        found
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        // What is in there is whole at any time.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_up(&self, name: &ModelName<'_>, model: &str) -> Found {
        let platform = Platform::of(name.provider);
        let provider: &str = &platform.provider;
        let scopes = [name.slug, Some(provider)];
        let found = names::search(&platform, model, |model| self.look(scopes, provider, model));
        if let Some(found) = found {
            let notes = found.hit.notes;
            let suspect = notes.suspect.then_some(Estimate::SuspectPrice);
            return Found {
                id: Some(found.hit.id),
                by: found.by,
                notes,
                estimates: found.estimate.into_iter().chain(suspect).collect(),
                asked_for: None,
                table: found.hit.table.or_else(|| self.overrides.get(scopes, ANY)),
                premium: found.premium && found.by != By::Override,
                quick: Quick::default(),
            }
            .with_fallback_mark(found.hit.unpriced);
        }
        let table = self.overrides.get(scopes, ANY);
        let by = if table.is_some() { By::Override } else { By::None };
        let nothing = Found {
            id: None,
            by,
            notes: Notes::default(),
            estimates: Estimates::default(),
            asked_for: None,
            table,
            premium: false,
            quick: Quick::default(),
        };
        nothing.with_fallback_mark(true)
    }

    /// The prices under this very name, or the one it is an alias of.
    fn look(&self, scopes: [Option<&str>; 2], provider: &str, model: &str) -> Option<Known> {
        let own = |id: &str, table| Known {
            id: id.into(),
            direct: By::Override,
            notes: Notes::default(),
            table: Some(table),
            unpriced: false,
        };
        if let Some(table) = self.overrides.get(scopes, model).filter(|_| model != ANY) {
            return Some(own(model, table));
        }
        let entry = book::find(provider, model)?;
        if let Some(table) = self.overrides.get(scopes, entry.id) {
            return Some(own(entry.id, table));
        }
        let direct = if entry.is_alias { By::Alias } else { By::Exact };
        let unpriced = entry.table.is_none();
        Some(Known {
            id: entry.id.into(),
            direct,
            notes: entry.notes,
            table: entry.table.map(Arc::new),
            unpriced,
        })
    }
}

struct Known {
    id: Box<str>,
    direct: By,
    notes: Notes,
    table: Option<Arc<PriceTable>>,
    unpriced: bool,
}

impl Hit for Known {
    fn direct(&self) -> By {
        self.direct
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl From<PriceTable> for Found {
    /// A table by itself, as the operator's own.
    fn from(table: PriceTable) -> Self {
        Self {
            id: None,
            by: By::Override,
            notes: Notes::default(),
            estimates: Estimates::default(),
            asked_for: None,
            table: Some(Arc::new(table)),
            premium: false,
            quick: Quick::default(),
        }
    }
}

impl Found {
    fn with_fallback_mark(mut self, unpriced: bool) -> Self {
        if unpriced && self.table.is_some() {
            self.estimates.add(Estimate::FallbackPrice);
            self.premium = false;
        }
        self
    }
}

/// The parts with a line feed between, in a room that is large enough for them.
fn joined<'r>(room: &'r mut [u8], parts: [&str; 3]) -> &'r [u8] {
    let mut end = 0;
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            room[end] = b'\n';
            end += 1;
        }
        room[end..end + part.len()].copy_from_slice(part.as_bytes());
        end += part.len();
    }
    &room[..end]
}

/// Records what was asked for where it is another model, not another date of the same.
fn with_difference(answer: &Arc<Found>, asked: &Arc<Found>) -> Arc<Found> {
    if Arc::ptr_eq(answer, asked) || answer.id == asked.id {
        return Arc::clone(answer);
    }
    let family = |found: &Found| {
        let id = found.id.as_deref()?.to_ascii_lowercase();
        Some(names::without_tail(&id).map(str::to_owned).unwrap_or(id))
    };
    match (family(answer), family(asked)) {
        (Some(one), Some(other)) if one != other => {
            let asked_for = asked.id.clone();
            Arc::new(Found { asked_for, ..Found::clone(answer) })
        }
        _ => Arc::clone(answer),
    }
}

impl fmt::Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prices").field("overrides", &self.overrides.len()).finish_non_exhaustive()
    }
}
