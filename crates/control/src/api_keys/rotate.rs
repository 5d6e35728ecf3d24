//! A new text for a key, and a time in which the one before still works.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::entity::ApiKey;
use tidegate_store::id::EntityId;
use uuid::Uuid;

use super::{named, power};
use crate::call::Call;
use crate::disclose::Disclosed;
use crate::key_text;
use crate::principal::kind_of;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Rotate {
    /// At least half an hour, which it also is when nothing is said here or in the key's rotation policy.
    #[serde(default)]
    key_transition_period_ms: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Rotated {
    id: Uuid,
    /// The whole new key. It is not shown again.
    key: Disclosed,
    key_transition_expires_at: Timestamp,
}

pub(crate) async fn rotate(call: Call, _: Nothing, body: Rotate) -> Answer<Rotated> {
    let key = named(&call).await?;
    power::to_learn(&call, &key).await?;
    let policy = key.entity.rotation.map(|policy| policy.overlap_ms);
    let overlap = body.key_transition_period_ms.or(policy).unwrap_or(ApiKey::MIN_OVERLAP_MS);
    if overlap < ApiKey::MIN_OVERLAP_MS {
        let expected = format!("at least {}", ApiKey::MIN_OVERLAP_MS);
        return Err(Problem::field("key_transition_period_ms", format!("{overlap} is too short"), expected));
    }
    let text = key_text::make(kind_of(&key.entity, key.home))?;
    let (stored, until) = call.store().rotate_key_as(&call.by, &call.whole(), key.id, &text, overlap).await?;
    ok(Rotated { id: stored.id.uuid(), key: Disclosed(text), key_transition_expires_at: Timestamp(until) })
}
