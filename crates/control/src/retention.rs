//! What a workspace keeps of its requests, where that is not as the gateway's settings say.
//!
//! Records of all workspaces lie together, in files and partitions per day, which are deleted as a whole when the gateway's
//! own time is over. A workspace may have a shorter one: what is older is shown to nobody from that moment on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_records::{Filter, Keep};
use tidegate_store::entity::{BodyRule, RecordRules, Workspace};

use crate::patch::Patch;
use crate::problem::Problem;

const DAY_MS: u64 = 24 * 3_600_000;
const MILLION: f64 = 1e6;

/// The rules in a body. `null` takes a value back.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Wanted {
    /// Days that records are shown, at most as many as all are kept.
    #[serde(default)]
    retention_days: Patch<u32>,
    /// Of which requests headers and bodies are kept.
    #[serde(default)]
    bodies: Patch<Bodies>,
    /// From 0 to 1; with `sampled`, and only with that.
    #[serde(default)]
    body_share: Option<f64>,
}

/// The rules as clients see them; null: as the gateway's settings say.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    retention_days: Option<u32>,
    bodies: Option<Bodies>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_share: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Bodies {
    None,
    /// Of requests that failed.
    Errors,
    All,
    /// Of a share of all, traces whole or not at all.
    Sampled,
}

/// What is to become of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    keep_days: Patch<u32>,
    bodies: Patch<BodyRule>,
}

impl Change {
    /// `most_days`: how long records are kept at all.
    ///
    /// # Errors
    /// 400 naming the member.
    pub(crate) fn read(wanted: Patch<Wanted>, most_days: u32) -> Result<Self, Problem> {
        let wanted = match wanted {
            Patch::Keep => return Ok(Self::default()),
            Patch::Clear => return Ok(Self { keep_days: Patch::Clear, bodies: Patch::Clear }),
            Patch::Set(wanted) => wanted,
        };
        if let Patch::Set(days) = wanted.retention_days
            && !(1..=most_days).contains(&days)
        {
            let expected =
                format!("1 to {most_days}, which is how long this gateway keeps any (records.keep_days)");
            return Err(Problem::field("records.retention_days", "is not accepted", expected));
        }
        let share = |text: &str| Problem::field("records.body_share", text, "a number from 0 to 1");
        let bodies = match (wanted.bodies, wanted.body_share) {
            (Patch::Set(Bodies::Sampled), None) => return Err(share("is missing")),
            (Patch::Set(Bodies::Sampled), Some(part)) => {
                Patch::Set(BodyRule::Sampled(in_million(part).ok_or_else(|| share("is not accepted"))?))
            }
            (_, Some(_)) => {
                let expected = "bodies \"sampled\" beside it";
                return Err(Problem::field("records.body_share", "has no effect", expected));
            }
            (Patch::Set(Bodies::None), None) => Patch::Set(BodyRule::None),
            (Patch::Set(Bodies::Errors), None) => Patch::Set(BodyRule::Errors),
            (Patch::Set(Bodies::All), None) => Patch::Set(BodyRule::All),
            (Patch::Keep, None) => Patch::Keep,
            (Patch::Clear, None) => Patch::Clear,
        };
        Ok(Self { keep_days: wanted.retention_days, bodies })
    }

    pub(crate) fn apply(&self, rules: &mut RecordRules) {
        self.keep_days.clone().apply(&mut rules.keep_days);
        self.bodies.clone().apply(&mut rules.bodies);
    }
}

fn in_million(part: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
    (0.0..=1.0).contains(&part).then(|| (part * MILLION).round() as u32)
}

impl Shown {
    pub(crate) fn of(rules: &RecordRules) -> Self {
        let (bodies, body_share) = match rules.bodies {
            None => (None, None),
            Some(BodyRule::None) => (Some(Bodies::None), None),
            Some(BodyRule::Errors) => (Some(Bodies::Errors), None),
            Some(BodyRule::All) => (Some(Bodies::All), None),
            Some(BodyRule::Sampled(share)) => (Some(Bodies::Sampled), Some(f64::from(share) / MILLION)),
        };
        Self { retention_days: rules.keep_days, bodies, body_share }
    }
}

/// As records have it.
pub(crate) fn keep(rule: BodyRule) -> Keep {
    match rule {
        BodyRule::None => Keep::None,
        BodyRule::Errors => Keep::Errors,
        BodyRule::All => Keep::All,
        BodyRule::Sampled(in_million) => Keep::Sampled(in_million),
    }
}

/// What began before is not shown; zero where everything is that is there.
pub(crate) fn since(workspace: &Workspace, now_ms: u64) -> u64 {
    workspace.records.keep_days.map_or(0, |days| now_ms.saturating_sub(u64::from(days) * DAY_MS))
}

/// Leaves out what is not shown any more.
pub(crate) fn hide(filter: &mut Filter, workspace: &Workspace, now_ms: u64) {
    let since = since(workspace, now_ms);
    if since > 0 {
        filter.from_ms = filter.from_ms.max(Some(since));
    }
}
