//! Lists and their pages.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::field::shown;
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
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(crate) struct Paging {
    /// From 0.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    pub(crate) current_page: Count,
    /// 100 unless said otherwise; 1000 at most.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    pub(crate) page_size: Count,
}

/// A number in a query, read when it is used: behind `#[serde(flatten)]` there are texts only, and no names in errors.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Count(String);

impl Count {
    pub(crate) fn read(
        &self,
        field: &str,
        usual: u32,
        bounds: RangeInclusive<u32>,
    ) -> Result<usize, Problem> {
        if self.0.is_empty() {
            return Ok(usize::try_from(usual).unwrap_or(usize::MAX));
        }
        let number = self.0.parse::<u32>().ok().filter(|number| bounds.contains(number));
        let number = number.ok_or_else(|| {
            let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
            Problem::field(field, format!("{} is not accepted", shown(&self.0)), expected)
        })?;
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
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
        let size = self.page_size.read("page_size", usual, 1..=largest)?;
        let page = self.current_page.read("current_page", 0, 0..=u32::MAX)?;
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
