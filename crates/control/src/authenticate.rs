//! Who sends a request: somebody with an API key, or with the cookie of a sign-in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::header::COOKIE;
use http::{HeaderMap, HeaderName, Method};
use tidegate_access::{KeyHasher, Principal, Reason, Refusal, carried};
use tidegate_core::Secret;
use tidegate_store::audit::Actor;
use tidegate_store::entity::{ApiKey, Session, Stored, User};
use tidegate_store::id::{ApiKeyId, OrganisationId};
use tidegate_store::{Scope, Store};

use crate::principal::{found, good, load_key, load_person};
use crate::problem::Problem;

/// The cookie of a sign-in.
pub(crate) const COOKIE_NAME: &str = "tidegate_session";
/// Proves that a change is asked for by a page of the gateway's own: only such a page can read its value.
pub(crate) static CSRF: HeaderName = HeaderName::from_static("x-tidegate-csrf");

/// Somebody whose credential was found good.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) principal: Principal,
    pub(crate) organisation: OrganisationId,
    pub(crate) actor: Actor,
    pub(crate) session: Option<Stored<Session>>,
}

/// When keys were last noted as used: once a minute is enough.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<HashMap<ApiKeyId, u64>>);

impl Uses {
    const EVERY_MS: u64 = 60_000;
    /// Entries kept; beyond it all are forgotten, which costs a write each.
    const MOST: usize = 10_000;

    /// Whether the use is to be written down now.
    fn is_due(&self, key: ApiKeyId, now: u64) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&key).is_some_and(|at| now.saturating_sub(*at) < Self::EVERY_MS) {
            return false;
        }
        if noted.len() >= Self::MOST {
            noted.clear();
        }
        noted.insert(key, now);
        true
    }
}

/// The sender of a request, by key if there is one, else by cookie. A cookie alone changes nothing without [`CSRF`].
///
/// # Errors
/// 401 in the same words for all that is wrong with a credential, 400 for headers that contradict each other, 403 for
/// a missing CSRF header, and the database's.
pub(crate) async fn sender(
    store: &Store,
    uses: &Uses,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Sender, Problem> {
    if let Some(text) = carried(headers)?.key {
        return by_key(store, uses, text).await;
    }
    let cookie = cookie(headers).ok_or_else(|| Refusal::new(Reason::NoKey))?;
    sender_by_cookie(store, headers, &cookie, !method.is_safe()).await
}

/// As [`sender`], by cookie only.
///
/// # Errors
/// As [`sender`].
pub(crate) async fn sender_by_cookie(
    store: &Store,
    headers: &HeaderMap,
    cookie: &Secret,
    is_change: bool,
) -> Result<Sender, Problem> {
    let sender = by_cookie(store, cookie).await?;
    if is_change {
        let sent = headers.get(&CSRF).map(|value| value.as_bytes());
        if sent != Some(csrf_of(cookie).as_bytes()) {
            let message =
                format!("{CSRF} is missing or wrong; expected the value that GET /v1/session gives");
            return Err(Problem::forbidden(message).about(CSRF.as_str()));
        }
    }
    Ok(sender)
}

/// The value of [`CSRF`] for a cookie: nobody can make it who cannot read the cookie.
pub(crate) fn csrf_of(cookie: &Secret) -> String {
    crate::disclose::keyed(cookie, |secret| KeyHasher::peppered(secret).hash("csrf").to_hex())
}

/// The text of the sign-in's cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<Secret> {
    cookie_named(headers, COOKIE_NAME)
}

pub(crate) fn cookie_named(headers: &HeaderMap, wanted: &str) -> Option<Secret> {
    let pairs = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, text) = pairs.find(|(name, text)| *name == wanted && !text.is_empty())?;
    Some(Secret::from(text))
}

async fn by_key(store: &Store, uses: &Uses, text: &str) -> Result<Sender, Problem> {
    let known = store.find_key(&Secret::from(text)).await?;
    let (key, standing) = known.ok_or_else(|| Refusal::new(Reason::UnknownKey))?;
    good(standing)?;
    let principal = load_key(store, &key).await??;
    let now = store.now();
    if uses.is_due(key.id, now) {
        store.touch::<ApiKey>(&[(key.id, now)]).await?;
    }
    Ok(Sender {
        principal,
        organisation: key.home.organisation,
        actor: Actor::ApiKey { id: key.id },
        session: None,
    })
}

async fn by_cookie(store: &Store, cookie: &Secret) -> Result<Sender, Problem> {
    let ended = || Refusal::new(Reason::ExpiredKey).saying("Unauthorized: sign in again");
    let session = store.find_session(cookie).await?.ok_or_else(ended)?;
    let organisation = session.home.organisation;
    let user = found(store.get::<User>(&Scope::Organisation(organisation), session.entity.user).await)?;
    let principal = load_person(store, &user.ok_or_else(ended)?).await?.map_err(|_| ended())?;
    let actor = Actor::User { id: session.entity.user };
    Ok(Sender { principal, organisation, actor, session: Some(session) })
}
