//! What the values of a usage policy's group have used: `/v1/policies/usage-limits/{id}/entities`.

use aws_lc_rs::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use tidegate_store::entity::PolicyKind;
use tidegate_store::id::{EntityId, PolicyId};
use uuid::Uuid;

use super::named;
use crate::call::Call;
use crate::find;
use crate::listing::{List, Paging};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use crate::standing::{self, Status};
use crate::usage::{Counted, Subject};

/// Rows of a page at most.
const LARGEST: u32 = 100;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    status: Option<Wanted>,
    /// A part of the value, in any case.
    search: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Active,
    Exhausted,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    /// `metadata._user:alice`.
    value_key: String,
    #[schemars(with = "f64")]
    current_usage: Number,
    status: Status,
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let policy = named(&call, PolicyKind::UsageLimit).await?;
    let mut counted = call.api.options.usage.counted(policy.id);
    let part = filter.search.map(|part| part.to_lowercase()).unwrap_or_default();
    counted.retain(|one| {
        let status =
            filter.status.is_none_or(|wanted| (wanted == Wanted::Exhausted) == one.standing.is_exhausted);
        status && one.value_key.to_lowercase().contains(&part)
    });
    counted.sort_by(|one, other| one.value_key.cmp(&other.value_key));
    let (skip, size) = filter.paging.bounds(LARGEST, LARGEST)?;
    let rows = counted.iter().skip(skip).take(size).map(|one| Row::of(policy.id, one)).collect();
    ok(List::new(counted.len(), rows))
}

pub(crate) async fn reset(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let policy = named(&call, PolicyKind::UsageLimit).await?;
    let counted = call.api.options.usage.counted(policy.id);
    let entity = find::id_of(call.name(1));
    let one = counted.into_iter().find(|one| Some(id_of(policy.id, &one.value_key)) == entity);
    let one = one.ok_or_else(|| Problem::not_found("this entity"))?;
    standing::reset(&call, &Subject::Policy(policy.id, one.value_key))?;
    // It is no change of the policy, but who did it is to be known.
    let action = tidegate_store::Action::Manage;
    call.store().note::<tidegate_store::entity::Policy>(&call.by, action, &call.whole(), policy.id).await?;
    done()
}

impl Row {
    fn of(policy: PolicyId, counted: &Counted) -> Self {
        Self {
            id: id_of(policy, &counted.value_key),
            value_key: counted.value_key.clone(),
            current_usage: standing::number(counted.standing.used),
            status: standing::status(&counted.standing),
        }
    }
}

/// Made from the value, so that nobody has to keep it.
fn id_of(policy: PolicyId, value_key: &str) -> Uuid {
    let hash = digest(&SHA256, &[policy.uuid().as_bytes(), value_key.as_bytes()].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
