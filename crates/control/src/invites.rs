//! Invitations: `/v1/admin/users/invites`. One is a link that works once; whoever follows it becomes a user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_access::{KeyKind, may_grant};
use tidegate_store::entity::{
    Link, LinkOutcome, LinkPurpose, OrganisationRole, Stored, User, Workspace, WorkspaceRole,
};
use tidegate_store::id::{EntityId, LinkId, UserId, WorkspaceId};
use tidegate_store::{Home, StoreError};
use uuid::Uuid;

use crate::api_keys::scopes_of_words;
use crate::call::Call;
use crate::disclose::{self, Disclosed};
use crate::listing::{List, Paging, all, page};
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use crate::roles;
use crate::timestamp::Timestamp;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    email: String,
    /// `admin` or `member`.
    role: String,
    #[serde(default)]
    workspaces: Vec<Place>,
    /// For a key of the new user's in each of these workspaces.
    #[serde(default)]
    workspace_api_key_details: Option<KeyDetails>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Place {
    /// Id or slug.
    id: String,
    /// `admin`, `manager` or `member`.
    role: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct KeyDetails {
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: Uuid,
    /// To be given to the person. It is not shown again.
    invite_link: Disclosed,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resent {
    /// The links before it do not work any more.
    invite_link: Disclosed,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    role: Option<String>,
    email: Option<String>,
    status: Option<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pending,
    Expired,
    Accepted,
    Cancelled,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    object: Object,
    id: Uuid,
    email: String,
    role: &'static str,
    created_at: Timestamp,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    status: Status,
    invited_by: Option<Uuid>,
    workspaces: Vec<PlaceRow>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PlaceRow {
    workspace_id: Uuid,
    role: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Invite,
}

/// What an invitation says.
struct Invite<'a> {
    email: &'a str,
    role: OrganisationRole,
    workspaces: &'a [(WorkspaceId, WorkspaceRole)],
    invited_by: Option<UserId>,
}

pub(crate) async fn create(call: Call, _: Nothing, body: Create) -> Answer<Created> {
    call.authorize(Home::organisation(call.organisation))?;
    let email = body.email.trim().to_lowercase();
    if !email.contains('@')
        || email.len() > 255
        || email.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        return Err(Problem::field("email", "is no address", "an e-mail address"));
    }
    let role = roles::organisation_word("role", &body.role)?;
    if !roles::in_organisation(&call).await?.may_change(tidegate_access::OrganisationRole::Member, role) {
        return Err(Problem::forbidden(format!("this caller may not invite somebody as {}", role.word())));
    }
    if found(call.store().by_slug::<User>(&call.whole(), &email).await)?.is_some() {
        return Err(
            Problem::conflict(format!("{email} is a user of the organisation already")).about("email")
        );
    }
    let is_same = |link: &Stored<Link>| invite(link).is_some_and(|invite| invite.email == email);
    let now = call.now();
    let pending = all::<Link>(call.store(), &call.whole()).await?;
    if pending.iter().any(|link| is_same(link) && Status::of(link, now) == Status::Pending) {
        return Err(
            Problem::conflict(format!("{email} is invited already; resend that invitation")).about("email")
        );
    }
    let workspaces = places(&call, body.workspaces).await?;
    let key_scopes = body.workspace_api_key_details.map(|details| details.scopes).unwrap_or_default();
    may_grant(&call.principal, KeyKind::WorkspaceUser, scopes_of_words(&key_scopes)?)?;
    let purpose = LinkPurpose::Invite {
        email,
        role: roles::stored_organisation_role(role),
        workspaces,
        key_scopes,
        invited_by: call.user(),
    };
    let until = now + call.api.options.link_ms;
    let (link, text) = call.store().create_link(&call.by, call.organisation, purpose, until).await?;
    ok(Created { id: link.id.uuid(), invite_link: disclose::link(&call.api.options.public_url, &text) })
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    call.authorize(Home::organisation(call.organisation))?;
    let now = call.now();
    let rows = all::<Link>(call.store(), &call.whole()).await?;
    let rows = rows.iter().filter_map(|link| Row::of(link, now));
    let fits = |row: &Row| {
        filter.status.is_none_or(|status| row.status == status)
            && filter.role.as_ref().is_none_or(|role| row.role == role)
            && filter.email.as_ref().is_none_or(|email| row.email.eq_ignore_ascii_case(email))
    };
    let (total, rows) = page(filter.paging.clone(), rows.filter(fits).collect())?;
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    let link = named(&call).await?;
    ok(Row::of(&link, call.now()).ok_or_else(missing)?)
}

/// Cancels it: the link stops working.
pub(crate) async fn delete(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let link = named(&call).await?;
    still_open(&link)?;
    call.store().cancel_link(&call.by, &call.whole(), link.id).await?;
    done()
}

pub(crate) async fn resend(call: Call, _: Nothing, _: Nothing) -> Answer<Resent> {
    let link = named(&call).await?;
    still_open(&link)?;
    let until = call.now() + call.api.options.link_ms;
    let text = call.store().renew_link(&call.by, &call.whole(), link.id, until).await?;
    ok(Resent { invite_link: disclose::link(&call.api.options.public_url, &text) })
}

async fn places(call: &Call, places: Vec<Place>) -> Result<Vec<(WorkspaceId, WorkspaceRole)>, Problem> {
    let mut found = Vec::new();
    for (at, place) in places.into_iter().enumerate() {
        let role = roles::workspace_word(&format!("workspaces[{at}].role"), &place.role)?;
        let workspace = call.look_up::<Workspace>(&call.whole(), &place.id).await.map_err(|problem| {
            if problem.status() != http::StatusCode::NOT_FOUND {
                return problem;
            }
            Problem::field(&format!("workspaces[{at}].id"), "is not there", "the id or slug of a workspace")
        })?;
        if !found.iter().any(|(id, _)| *id == workspace.id) {
            found.push((workspace.id, roles::stored_workspace_role(role)));
        }
    }
    Ok(found)
}

async fn named(call: &Call) -> Result<Stored<Link>, Problem> {
    call.authorize(Home::organisation(call.organisation))?;
    let id: LinkId = call.name(0).parse().map_err(|_| missing())?;
    match call.store().get::<Link>(&call.whole(), id).await {
        // Links to sign in are nobody's to see.
        Ok(link) if invite(&link).is_some() => Ok(link),
        Ok(_) | Err(StoreError::NotFound { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

fn still_open(link: &Stored<Link>) -> Result<(), Problem> {
    match link.entity.end {
        Some(end) => Err(Problem::conflict(format!("the invitation was {} already", end.how))),
        None => Ok(()),
    }
}

fn missing() -> Problem {
    Problem::not_found("this invitation")
}

fn invite(link: &Stored<Link>) -> Option<Invite<'_>> {
    match &link.entity.purpose {
        LinkPurpose::Invite { email, role, workspaces, invited_by, .. } => {
            Some(Invite { email, role: *role, workspaces, invited_by: *invited_by })
        }
        LinkPurpose::SignIn { .. } => None,
    }
}

impl Status {
    fn of(link: &Stored<Link>, now: u64) -> Self {
        match link.entity.end.map(|end| end.how) {
            Some(LinkOutcome::Accepted) => Self::Accepted,
            Some(LinkOutcome::Cancelled) => Self::Cancelled,
            None if link.entity.expires_at <= now => Self::Expired,
            None => Self::Pending,
        }
    }
}

impl Row {
    fn of(link: &Stored<Link>, now: u64) -> Option<Self> {
        let Invite { email, role, workspaces, invited_by } = invite(link)?;
        let end = link.entity.end.filter(|end| end.how == LinkOutcome::Accepted);
        let place = |(id, role): &(WorkspaceId, WorkspaceRole)| PlaceRow {
            workspace_id: id.uuid(),
            role: role.as_str(),
        };
        Some(Self {
            object: Object::Invite,
            id: link.id.uuid(),
            email: email.to_owned(),
            role: role.as_str(),
            created_at: Timestamp(link.created_at),
            expires_at: Timestamp(link.entity.expires_at),
            accepted_at: end.map(|end| Timestamp(end.at)),
            status: Status::of(link, now),
            invited_by: invited_by.map(EntityId::uuid),
            workspaces: workspaces.iter().map(place).collect(),
        })
    }
}
