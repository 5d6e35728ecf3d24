//! Signing in with a link that works once, and out: `/v1/session`, `/sign-in`.

use http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE, USER_AGENT};
use http::{HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_access::{Reason, Refusal, Scope as Right};
use tidegate_core::Secret;
use tidegate_store::audit::{Actor, By};
use tidegate_store::entity::{LinkPurpose, Stored, User};
use tidegate_store::id::{EntityId, OrganisationId};
use tidegate_store::{Scope, Store};
use uuid::Uuid;

use crate::authenticate::{COOKIE_NAME, Sender, cookie, csrf_of, sender_by_cookie};
use crate::call::Visit;
use crate::disclose;
use crate::invitation::{self, NewKey};
use crate::principal::{found, load_person};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, Reply};
use crate::timestamp::Timestamp;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SignIn {
    /// Of a link that works once: of the first start, or of an invitation.
    token: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Session {
    object: Object,
    user: Person,
    organisation_id: Uuid,
    /// To be sent as `x-tidegate-csrf` with everything that changes something.
    csrf_token: String,
    expires_at: Timestamp,
    /// What the person may do somewhere.
    scopes: Vec<&'static str>,
    /// Keys that an accepted invitation brought. They are not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_keys: Option<Vec<NewKey>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Session,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Person {
    id: Uuid,
    email: String,
    first_name: String,
    last_name: String,
    role: &'static str,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Followed {
    #[serde(default)]
    token: String,
}

/// To the console's page for signing in. The token stands behind `#`, which no server and no log gets to see, and is
/// used when somebody presses the button there: programs that follow links in mail use up nothing.
pub(crate) async fn follow(visit: Visit, query: Followed, _: Nothing) -> Answer<Nothing> {
    // Tokens have no characters that mean something in an address; others are dropped rather than escaped.
    let token: String = query.token.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let place = format!("{}#token={token}", visit.api.options.sign_in_page);
    let place = HeaderValue::from_str(&place)
        .map_err(|_| Problem::internal("the page for signing in is no address"))?;
    Ok(private(Reply::json(Nothing {})).with_status(StatusCode::SEE_OTHER).with_header(LOCATION, place))
}

pub(crate) async fn sign_in(visit: Visit, _: Nothing, body: SignIn) -> Answer<Session> {
    visit.api.tries.count(visit.peer, &*visit.api.clock)?;
    let store = visit.store();
    let mut by = By::system();
    by.origin = visit.origin.clone();
    let link = store
        .take_link(&by, &Secret::from(body.token))
        .await?
        .ok_or_else(|| refused("the link is unknown, was used, or is too old: ask for another one"))?;
    let organisation = link.home.organisation;
    let (user, api_keys) = match link.entity.purpose {
        LinkPurpose::SignIn { user } => {
            let user = found(store.get::<User>(&Scope::Organisation(organisation), user).await)?;
            (user.ok_or_else(|| refused("the user is not there any more"))?, Vec::new())
        }
        LinkPurpose::Invite { email, role, workspaces, key_scopes, .. } => {
            invitation::accept(store, &by, organisation, email, role, workspaces, key_scopes).await?
        }
    };
    let Begun { cookie, until, scopes } = start(&visit, by, organisation, &user).await?;
    let session = Session::of(&user, csrf_of(&cookie), until, scopes, api_keys);
    set_cookie(&visit, private(Reply::json(session)), &cookie, visit.api.options.session_ms / 1_000)
}

/// A session that was begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// To be set with [`set_cookie`].
    pub(crate) cookie: Secret,
    pub(crate) until: u64,
    /// What the person may do somewhere.
    pub(crate) scopes: Vec<&'static str>,
}

/// Signs somebody in whose identity was proved, whatever the way.
///
/// # Errors
/// 401 for a user who is disabled.
pub(crate) async fn start(
    visit: &Visit,
    mut by: By,
    organisation: OrganisationId,
    user: &Stored<User>,
) -> Result<Begun, Problem> {
    let store = visit.store();
    let scopes = scopes_of(store, user).await?;
    by.actor = Actor::User { id: user.id };
    let until = visit.now() + visit.api.options.session_ms;
    let agent = visit.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let seen_as: String = format!("{agent} {}", visit.peer).chars().take(300).collect();
    let (_, cookie) = store.create_session(&by, organisation, user.id, until, seen_as).await?;
    Ok(Begun { cookie, until, scopes })
}

pub(crate) async fn retrieve(visit: Visit, _: Nothing, _: Nothing) -> Answer<Session> {
    let (cookie, Sender { organisation, session, principal, .. }) = signed_in(&visit, false).await?;
    let session = session.ok_or_else(|| refused("sign in again"))?;
    let user = visit.store().get::<User>(&Scope::Organisation(organisation), session.entity.user).await?;
    let scopes = principal.anywhere().iter().map(Right::text).collect();
    Ok(private(Reply::json(Session::of(
        &user,
        csrf_of(&cookie),
        session.entity.expires_at,
        scopes,
        Vec::new(),
    ))))
}

pub(crate) async fn sign_out(visit: Visit, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let (_, sender) = signed_in(&visit, true).await?;
    if let Some(session) = sender.session {
        let mut by = By::new(sender.actor);
        by.origin = visit.origin.clone();
        visit.store().end_session(&by, &Scope::Organisation(sender.organisation), session.id).await?;
    }
    set_cookie(&visit, Reply::json(Nothing {}), &Secret::from(""), 0)
}

async fn signed_in(visit: &Visit, is_change: bool) -> Result<(Secret, Sender), Problem> {
    let cookie = cookie(&visit.headers).ok_or_else(|| refused("there is no sign-in"))?;
    let sender = sender_by_cookie(visit.store(), &visit.headers, &cookie, is_change).await?;
    Ok((cookie, sender))
}

async fn scopes_of(store: &Store, user: &Stored<User>) -> Result<Vec<&'static str>, Problem> {
    let person = load_person(store, user).await?.map_err(|_| refused("the user is disabled"))?;
    Ok(person.anywhere().iter().map(Right::text).collect())
}

fn refused(message: &'static str) -> Problem {
    Refusal::new(Reason::ExpiredKey).saying(format!("Unauthorized: {message}")).into()
}

pub(crate) fn set_cookie<T>(visit: &Visit, reply: Reply<T>, text: &Secret, max_age_s: u64) -> Answer<T> {
    set_cookie_named(visit, reply, COOKIE_NAME, text, max_age_s)
}

pub(crate) fn set_cookie_named<T>(
    visit: &Visit,
    reply: Reply<T>,
    name: &str,
    text: &Secret,
    max_age_s: u64,
) -> Answer<T> {
    let is_secure = visit.api.options.public_url.starts_with("https://");
    let cookie = disclose::cookie(name, text, max_age_s, is_secure);
    let mut value =
        HeaderValue::from_str(&cookie).map_err(|_| Problem::internal("a cookie that is no header"))?;
    value.set_sensitive(true);
    Ok(reply.with_header(SET_COOKIE, value))
}

/// Not to be kept by anybody on the way, nor told to the next page.
pub(crate) fn private<T>(reply: Reply<T>) -> Reply<T> {
    let header =
        |reply: Reply<T>, name: HeaderName, value| reply.with_header(name, HeaderValue::from_static(value));
    header(header(reply, CACHE_CONTROL, "no-store"), REFERRER_POLICY, "no-referrer")
}

impl Session {
    fn of(
        user: &Stored<User>,
        csrf_token: String,
        until: u64,
        scopes: Vec<&'static str>,
        api_keys: Vec<NewKey>,
    ) -> Self {
        Self {
            object: Object::Session,
            user: Person {
                id: user.id.uuid(),
                email: user.entity.email.clone(),
                first_name: user.entity.first_name.clone(),
                last_name: user.entity.last_name.clone(),
                role: user.entity.role.as_str(),
            },
            organisation_id: user.home.organisation.uuid(),
            csrf_token,
            expires_at: Timestamp(until),
            scopes,
            api_keys: Some(api_keys).filter(|keys| !keys.is_empty()),
        }
    }
}
