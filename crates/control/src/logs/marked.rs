//! Requests by the marks that people gave them. Marks stand in the books and not with the records, so that a filter by them
//! becomes one by traces.

use std::collections::BTreeSet;

use tidegate_core::field::shown;
use tidegate_records::traces::{Feedback, Place};
use tidegate_records::{Between, Filter, StatusFilter};
use tidegate_store::Scope;
use tidegate_store::entity::Workspace;
use tidegate_store::id::OrganisationId;

use crate::api::ApiOptions;
use crate::call::Call;
use crate::listing::all;
use crate::problem::Problem;

/// Traces that one question asks for.
const MOST_TRACES: usize = 5_000;

/// Bounds of a mark's value times its weight, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks(Between<i64>);

impl Marks {
    /// `None`: there are no bounds.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub(crate) fn read(min: Option<&str>, max: Option<&str>) -> Result<Option<Self>, Problem> {
        let bounds = Between {
            min: min.map(|text| bound("weighted_feedback_min", text)).transpose()?,
            max: max.map(|text| bound("weighted_feedback_max", text)).transpose()?,
        };
        Ok((!bounds.is_any()).then_some(Self(bounds)))
    }

    pub(crate) fn hold(self, mark: &Feedback) -> bool {
        self.0.holds(Some(mark.weighted_millionths()))
    }

    /// Leaves the requests of the traces that have such a mark, given since then or later. Requests of a filter without
    /// workspaces are those of all workspaces.
    ///
    /// # Errors
    /// 400: there are too many. 503: the books are away.
    pub(crate) async fn narrow(
        self,
        call: &Call,
        from_ms: Option<u64>,
        filter: &mut Filter,
    ) -> Result<(), Problem> {
        let mut workspaces = filter.workspace.clone();
        if workspaces.is_empty() {
            let every = all::<Workspace>(call.store(), &Scope::Organisation(call.organisation)).await?;
            workspaces = every.into_iter().map(|one| one.id.to_string()).collect();
        }
        self.within(&call.api.options, call.organisation, workspaces, from_ms, filter).await
    }

    /// The same, of these workspaces.
    ///
    /// # Errors
    /// Likewise.
    pub(crate) async fn within(
        self,
        options: &ApiOptions,
        organisation: OrganisationId,
        workspaces: Vec<String>,
        from_ms: Option<u64>,
        filter: &mut Filter,
    ) -> Result<(), Problem> {
        let mut traces = BTreeSet::new();
        if let Some(books) = &options.books {
            let organisation = organisation.to_string();
            let places = workspaces
                .into_iter()
                .map(|workspace| Place { organisation: organisation.clone(), workspace })
                .collect::<Vec<_>>();
            traces = books
                .ask(move |book| {
                    let mut traces = BTreeSet::new();
                    for place in &places {
                        let marks = book.feedback_between(place, from_ms.unwrap_or(0), u64::MAX)?;
                        traces
                            .extend(marks.into_iter().filter(|mark| self.hold(mark)).map(|mark| mark.trace));
                    }
                    Ok(traces)
                })
                .await?;
        }
        if !filter.trace.is_empty() {
            traces.retain(|trace| filter.trace.contains(trace));
        }
        if traces.len() > MOST_TRACES {
            let problem = format!("and weighted_feedback_max fit more than {MOST_TRACES} traces");
            return Err(Problem::field(
                "weighted_feedback_min",
                problem,
                "closer bounds, or a later beginning",
            ));
        }
        if traces.is_empty() {
            nothing(filter);
        }
        filter.trace = traces.into_iter().collect();
        Ok(())
    }
}

/// No record fits any more.
pub(crate) fn nothing(filter: &mut Filter) {
    filter.status = Some(StatusFilter::Is(Vec::new()));
}

fn bound(field: &str, text: &str) -> Result<i64, Problem> {
    let number = text.parse::<f64>().ok().filter(|number| (-10.0..=10.0).contains(number));
    let wrong =
        || Problem::field(field, format!("{} is not accepted", shown(text)), "a number from -10 to 10");
    // In bounds, so it fits.
    number.map(|number| (number * 1e6).round() as i64).ok_or_else(wrong)
}
