//! Which workspaces may use an integration of the organisation, and how much: `/v1/integrations/{slug}/workspaces`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::entity::{
    Backing, Grant, Grants, Integration, Limits, Provider, Stored, Workspace, WorkspaceState,
};
use tidegate_store::id::{EntityId, WorkspaceId};
use tidegate_store::{Expected, Home, Scope};
use uuid::Uuid;

use super::find::named;
use super::row::{Global, set};
use crate::call::Call;
use crate::find::{Place, id_of};
use crate::flag::Flag;
use crate::limits::{self, RateLimit, RateLimits, UsageLimit, UsageLimits};
use crate::listing::all;
use crate::patch::Patch;
use crate::principal::found;
use crate::problem::Problem;
use crate::providers::{Wanted, slug_for};
use crate::reply::{Answer, Nothing, done, ok};
use crate::standing::{self, Status, Used};
use crate::usage::Subject;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Lent {
    #[serde(default)]
    workspaces: Vec<One>,
    /// What holds for workspaces that nothing else is said of.
    #[serde(default)]
    global_workspace_access: Patch<Everyone>,
    /// Drops what was said of single workspaces.
    #[serde(default, alias = "override_existing_workspaces_access")]
    override_existing_workspace_access: Option<Flag>,
    /// In each workspace that may use it from now on; yes unless said otherwise.
    #[serde(default)]
    create_default_provider: Option<Flag>,
    #[serde(default)]
    default_provider_slug: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct One {
    /// Or slug.
    id: String,
    enabled: Flag,
    #[serde(default)]
    usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    rate_limits: Patch<RateLimits>,
    #[serde(default)]
    reset_usage: Option<Flag>,
    #[serde(default)]
    create_default_provider: Option<Flag>,
    #[serde(default)]
    default_provider_slug: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
struct Everyone {
    enabled: Flag,
    #[serde(default)]
    usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    rate_limits: Patch<RateLimits>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    object: Object,
    total: usize,
    global_workspace_access: Global,
    workspaces: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: Uuid,
    enabled: bool,
    usage_limits: Option<Vec<UsageLimit>>,
    rate_limits: Option<Vec<RateLimit>>,
    status: Status,
    reset_usage: Flag,
    /// One for each budget.
    current_usage: Vec<Used>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    List,
}

/// A row of the body, found good.
#[derive(Debug)]
struct Change {
    workspace: WorkspaceId,
    enabled: bool,
    limits: limits::Change,
    reset: bool,
    slug: Option<String>,
    with_provider: bool,
}

pub(crate) async fn list(call: Call, place: Place, _: Nothing) -> Answer<Listed> {
    let integration = named(&call, place.workspace_id.as_deref()).await?;
    let row = |grant: &Grant| {
        let subject = Subject::Integration(integration.id, grant.workspace);
        let (status, current_usage) = standing::of(&call, &subject, None);
        let (usage_limits, rate_limits) = set(&grant.limits);
        Row {
            id: grant.workspace.uuid(),
            enabled: grant.enabled,
            usage_limits,
            rate_limits,
            status,
            reset_usage: Flag(grant.limits.usage_reset_at.is_some()),
            current_usage,
        }
    };
    let grants = &integration.entity.grants;
    ok(Listed {
        object: Object::List,
        total: grants.rows.len(),
        global_workspace_access: Global::of(grants.everyone.as_ref()),
        workspaces: grants.rows.iter().map(row).collect(),
    })
}

/// Workspaces that are not named stay as they are.
pub(crate) async fn lend(call: Call, place: Place, body: Lent) -> Answer<Nothing> {
    let integration = named(&call, place.workspace_id.as_deref()).await?;
    if integration.home.workspace.is_some() {
        let problem = "the integration belongs to one workspace";
        return Err(Problem::field("workspaces", problem, "an integration of the organisation"));
    }
    let changes = changes(&call, &body, integration.created_at).await?;
    let everyone = match &body.global_workspace_access {
        Patch::Set(everyone) if everyone.enabled.0 => {
            let (usage, rates) = (everyone.usage_limits.clone(), everyone.rate_limits.clone());
            let read =
                limits::Change::read_in("global_workspace_access.", usage, rates, integration.created_at)?;
            Patch::Set(read)
        }
        Patch::Keep => Patch::Keep,
        Patch::Set(_) | Patch::Clear => Patch::Clear,
    };
    for change in changes.iter().filter(|change| change.reset) {
        standing::reset(&call, &Subject::Integration(integration.id, change.workspace))?;
    }
    let (now, drop_rows) = (call.now(), body.override_existing_workspace_access.is_some_and(|flag| flag.0));
    let change = |stored: &mut Integration| {
        let grants = &mut stored.grants;
        if drop_rows {
            grants.rows.clear();
        }
        match &everyone {
            Patch::Keep => {}
            Patch::Clear => grants.everyone = None,
            Patch::Set(limits) => limits.apply(grants.everyone.get_or_insert_default()),
        }
        changes.iter().for_each(|change| change.apply(grants, now));
        Ok(())
    };
    let after =
        call.store().update(&call.by, &call.whole(), integration.id, Expected::Latest, change).await?;
    providers(&call, &after, &changes, &body).await?;
    done()
}

async fn changes(call: &Call, body: &Lent, created_ms: u64) -> Result<Vec<Change>, Problem> {
    let mut changes = Vec::with_capacity(body.workspaces.len());
    for (at, one) in body.workspaces.iter().enumerate() {
        let place = format!("workspaces[{at}].");
        let there = match id_of(&one.id) {
            Some(id) => {
                found(call.store().get::<Workspace>(&call.whole(), WorkspaceId::from_uuid(id)).await)?
            }
            None => found(call.store().by_slug::<Workspace>(&call.whole(), &one.id).await)?,
        };
        let workspace = there.ok_or_else(|| {
            let expected = "the id or slug of a workspace of the organisation";
            Problem::field(&format!("{place}id"), "is not there", expected)
        })?;
        let limits =
            limits::Change::read_in(&place, one.usage_limits.clone(), one.rate_limits.clone(), created_ms)?;
        let with_provider = one.create_default_provider.or(body.create_default_provider);
        changes.push(Change {
            workspace: workspace.id,
            enabled: one.enabled.0,
            limits,
            reset: one.reset_usage.is_some_and(|flag| flag.0),
            slug: one.default_provider_slug.clone().or_else(|| body.default_provider_slug.clone()),
            with_provider: with_provider.is_none_or(|flag| flag.0),
        });
    }
    Ok(changes)
}

/// Whoever may use it can name it at once.
async fn providers(
    call: &Call,
    integration: &Stored<Integration>,
    changes: &[Change],
    body: &Lent,
) -> Result<(), Problem> {
    for change in changes.iter().filter(|change| change.enabled && change.with_provider) {
        default_provider(call, integration, change.workspace, change.slug.as_deref()).await?;
    }
    let for_all = matches!(&body.global_workspace_access, Patch::Set(everyone) if everyone.enabled.0)
        && body.create_default_provider.is_none_or(|flag| flag.0);
    if !for_all {
        return Ok(());
    }
    let rows = &integration.entity.grants.rows;
    for workspace in all::<Workspace>(call.store(), &call.whole()).await? {
        let is_served = workspace.entity.state == WorkspaceState::Active
            && !rows.iter().any(|row| row.workspace == workspace.id);
        if is_served {
            default_provider(call, integration, workspace.id, body.default_provider_slug.as_deref()).await?;
        }
    }
    Ok(())
}

/// A provider over the integration, in a workspace that has none yet.
///
/// # Errors
/// The store's.
pub(super) async fn default_provider(
    call: &Call,
    integration: &Stored<Integration>,
    workspace: WorkspaceId,
    slug: Option<&str>,
) -> Result<(), Problem> {
    let backing = Backing::Integration(integration.id);
    let scope = Scope::Workspace(call.organisation, workspace);
    let others = all::<Provider>(call.store(), &scope).await?;
    if others.iter().any(|provider| provider.entity.backing == backing) {
        return Ok(());
    }
    let provider = Provider {
        name: integration.entity.name.clone(),
        slug: String::new(),
        note: None,
        backing,
        limits: Limits::default(),
        expires_at: None,
        disabled: false,
    };
    let hoped = slug.filter(|slug| !slug.is_empty()).unwrap_or(&integration.entity.slug).to_owned();
    let home = Home::workspace(call.organisation, workspace);
    slug_for(call, home, provider, Wanted::Hoped(hoped)).await.map(drop)
}

impl Change {
    fn apply(&self, grants: &mut Grants, now: u64) {
        let at = grants.rows.iter().position(|row| row.workspace == self.workspace).unwrap_or_else(|| {
            let limits = Limits::default();
            grants.rows.push(Grant { workspace: self.workspace, enabled: false, limits });
            grants.rows.len() - 1
        });
        if let Some(row) = grants.rows.get_mut(at) {
            row.enabled = self.enabled;
            self.limits.apply(&mut row.limits);
            if self.reset {
                row.limits.usage_reset_at = Some(now);
            }
        }
    }
}
