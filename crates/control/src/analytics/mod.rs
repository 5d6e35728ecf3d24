//! Analytics: `/v1/analytics/…`, figures of many records. The metrics and how they are made are in the crate `insight`.

pub(crate) mod explore;
pub(crate) mod feedback;
pub(crate) mod graphs;
pub(crate) mod groups;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_insight::{
    Answer as Figures, Bucket, Cell, Dimension, Group, Metric, Query as Question, Wants, answer,
};
use tidegate_records::Filter;
use tidegate_store::Home;
use tidegate_store::entity::{Stored, Workspace};

use crate::call::Call;
use crate::find::Place;
use crate::logs::filter::Asked;
use crate::logs::marked::Marks;
use crate::logs::view::View;
use crate::problem::Problem;
use crate::retention;

/// How long a time is when the query does not say.
const USUAL_MS: u64 = 86_400_000;

/// What all queries have: which records.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Asking {
    #[serde(flatten)]
    asked: Asked,
    #[serde(flatten)]
    place: Place,
    /// As `workspace_id`. Only callers of several workspaces need one.
    workspace_slug: Option<String>,
}

/// Records that a caller may see and asks for, of some time.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    from_ms: u64,
    to_ms: u64,
    until_now: bool,
    filter: Filter,
    /// Which marks its requests have; the filter has their traces.
    marks: Option<Marks>,
}

impl Asking {
    fn named(&self) -> Option<&str> {
        self.place.workspace_id.as_deref().or(self.workspace_slug.as_deref())
    }

    /// # Errors
    /// 400 naming the parameter, 403 and 404 as for any object of a workspace, 403 for a role that may see no figures.
    async fn chosen(&self, call: &Call) -> Result<Chosen, Problem> {
        let workspace = call.workspace(self.named()).await?;
        self.of_workspace(call, &workspace).await
    }

    async fn of_workspace(&self, call: &Call, workspace: &Stored<Workspace>) -> Result<Chosen, Problem> {
        call.authorize(Home::workspace(call.organisation, workspace.id))?;
        let view = View::of(call, workspace).await?;
        let mut chosen = self.of_anybody(call)?;
        view.allows(&chosen.filter)?;
        chosen.filter.workspace = vec![workspace.id.to_string()];
        chosen.filter.key_owner = view.only_of.into_iter().collect();
        retention::hide(&mut chosen.filter, &workspace.entity, call.now());
        chosen.from_ms = chosen.from_ms.max(retention::since(&workspace.entity, call.now()));
        // Nothing of what was asked for is shown any more.
        chosen.to_ms = chosen.to_ms.max(chosen.from_ms + 1);
        chosen.marked(call).await
    }

    /// All workspaces: for callers who were authorised for the whole organisation.
    async fn of_organisation(&self, call: &Call) -> Result<Chosen, Problem> {
        let chosen = self.of_anybody(call)?;
        if !chosen.filter.search.is_any() {
            // Whether bodies are open is said by each workspace.
            let expected = "a workspace beside it";
            return Err(Problem::field("search", "is about all workspaces", expected));
        }
        chosen.marked(call).await
    }

    fn of_anybody(&self, call: &Call) -> Result<Chosen, Problem> {
        let mut filter = self.asked.filter()?;
        filter.organisation = vec![call.organisation.to_string()];
        let now = call.now();
        let to_ms = filter.to_ms.unwrap_or(now + 1);
        let from_ms = filter.from_ms.unwrap_or_else(|| to_ms.saturating_sub(USUAL_MS));
        if from_ms >= to_ms {
            let expected = "a time before time_of_generation_max";
            return Err(Problem::field("time_of_generation_min", "is not before the end", expected));
        }
        Ok(Chosen { from_ms, to_ms, until_now: to_ms >= now, filter, marks: self.asked.marks()? })
    }
}

impl Chosen {
    /// Only what has the marks that were asked for. They are looked for in the time before, too, which figures may be
    /// compared with.
    async fn marked(mut self, call: &Call) -> Result<Self, Problem> {
        if let Some(marks) = self.marks {
            let from_ms = self.from_ms.saturating_sub(self.to_ms - self.from_ms);
            marks.narrow(call, Some(from_ms), &mut self.filter).await?;
        }
        Ok(self)
    }

    fn seconds(&self) -> f64 {
        (self.to_ms - self.from_ms) as f64 / 1e3
    }

    /// How the reference cuts time: a minute within an hour, then five, an hour, a day, a week.
    fn usual_bucket(&self) -> Bucket {
        const HOUR: u64 = 3_600_000;
        // The last second is one more than was asked for.
        let length = (self.to_ms - self.from_ms).saturating_sub(1_000);
        let cuts = [
            (HOUR, Bucket::Minute),
            (6 * HOUR, Bucket::FiveMinutes),
            (24 * HOUR, Bucket::Hour),
            (30 * 24 * HOUR, Bucket::Day),
        ];
        cuts.iter().find(|(most, _)| length <= *most).map_or(Bucket::Week, |(_, bucket)| *bucket)
    }

    fn question(&self, bucket: Bucket, wants: Wants) -> Question {
        Question {
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            until_now: self.until_now,
            bucket,
            group: None,
            filter: self.filter.clone(),
            top: 0,
            rank: &Metric::all()[0],
            wants,
        }
    }

    fn grouped(&self, bucket: Bucket, group: Dimension, top: usize, wants: Wants) -> Question {
        Question { group: Some(group), top, ..self.question(bucket, wants) }
    }
}

/// # Errors
/// 503: the records cannot be read now.
async fn ask(call: &Call, question: Question) -> Result<Figures, Problem> {
    let Some(records) = &call.api.options.records else {
        // No records are kept.
        let whole = question.group.is_none();
        let nothing = Group { key: None, total: Cell::default(), points: Vec::new() };
        return Ok(Figures { exact: true, groups: whole.then_some(nothing).into_iter().collect() });
    };
    records.ask(move |shelf| answer(shelf, &question)).await
}

/// All buckets of the time, also those in which nothing is.
fn filled<'a>(
    question: &Question,
    points: &'a [(u64, Cell)],
) -> impl Iterator<Item = (u64, Option<&'a Cell>)> {
    let mut points = points.iter().peekable();
    question.bucket.all(question.from_ms, question.to_ms).map(move |start| {
        let cell = points.next_if(|(own, _)| *own == start).map(|(_, cell)| cell);
        (start, cell)
    })
}
