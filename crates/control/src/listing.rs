//! Lists and their pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::entity::{Entity, Stored};
use tidegate_store::{Page, Scope, Store, StoreError};

use crate::problem::Problem;

/// `{"object":"list","total":N,"data":[…]}`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct List<T> {
    object: ListWord,
    /// Of the whole list, not of this page.
    total: usize,
    data: Vec<T>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListWord {
    List,
}

/// A page as clients ask for it.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub(crate) struct Paging {
    /// From 0.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    pub(crate) current_page: Option<Count>,
    /// 100 unless said otherwise; 1000 at most.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    pub(crate) page_size: Option<Count>,
}

/// A number in a query, also behind `#[serde(flatten)]`, where serde has texts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.parse().map(Self);
        number.map_err(|_| {
            serde::de::Error::custom(format!("{text:?} is not accepted, expected a whole number"))
        })
    }
}

impl Paging {
    pub(crate) const USUAL: u32 = 100;
    pub(crate) const LARGEST: u32 = 1_000;

    /// How many rows to leave out, and how many to give.
    ///
    /// # Errors
    /// 400 for a size out of bounds.
    pub(crate) fn bounds(self, usual: u32, largest: u32) -> Result<(usize, usize), Problem> {
        let size = self.page_size.map_or(usual, |size| size.0);
        if !(1..=largest).contains(&size) {
            let expected = format!("a whole number from 1 to {largest}");
            return Err(Problem::field("page_size", format!("{size} is not accepted"), expected));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let page = usize::try_from(self.current_page.map_or(0, |page| page.0)).unwrap_or(usize::MAX);
        Ok((page.saturating_mul(size), size))
    }
}

impl<T> List<T> {
    pub(crate) fn new(total: usize, data: Vec<T>) -> Self {
        Self { object: ListWord::List, total, data }
    }
}

/// The page of rows that were read whole.
///
/// # Errors
/// 400 for a size out of bounds.
pub(crate) fn page<T>(paging: Paging, rows: Vec<T>) -> Result<(usize, Vec<T>), Problem> {
    let (skip, size) = paging.bounds(Paging::USUAL, Paging::LARGEST)?;
    let total = rows.len();
    Ok((total, rows.into_iter().skip(skip).take(size).collect()))
}

/// All objects of a scope, newest first: for lists that are filtered by what the store does not index.
///
/// # Errors
/// The database's.
pub(crate) async fn all<E: Entity>(store: &Store, scope: &Scope) -> Result<Vec<Stored<E>>, StoreError> {
    let mut rows: Vec<Stored<E>> = Vec::new();
    loop {
        let page = Page { offset: rows.len() as u64, limit: Page::MAX };
        let part = store.list::<E>(scope, page).await?;
        let is_last = part.rows.len() < Page::MAX as usize;
        rows.extend(part.rows);
        if is_last {
            return Ok(rows);
        }
    }
}
