//! Signing in through the identity provider of the people (OpenID Connect): the authorization code flow with PKCE.
//!
//! [`begin`] sends the browser there with three random values, of which a cookie keeps the originals; [`end`] takes the
//! code that comes back, exchanges it from here, checks the token that names the person ([`issuer`]), finds or makes the
//! user ([`person`]), and begins a session like that of a link. No state is kept between the two, so any replica does.

mod issuer;
mod person;
mod trip;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Request, Response, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Secret;
use tidegate_store::audit::By;
use tidegate_store::entity::OrganisationRole;
use tidegate_store::id::OrganisationId;

use crate::call::Visit;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, Reply};
use crate::session;

pub(crate) use issuer::Issuer;
use trip::Trip;

/// Where people are after they signed in.
const CONSOLE: &str = "/console/";
/// The path that the identity provider sends them back to.
const CALLBACK: &str = "/sign-in/oidc/callback";

/// Asks the identity provider. Whoever does so decides which addresses may be reached, and how long that may take.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// # Errors
    /// Why there is no whole answer, in words for the operator. A status that tells of a failure is none.
    fn fetch(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, String>> + Send + '_>>;
}

/// An identity provider, and whom it may let in.
#[derive(Debug, Clone)]
pub struct OidcOptions {
    /// As its tokens name it: `https://login.example.org`.
    pub issuer: String,
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Domains of mail addresses, in lower case. Somebody of another one is not let in, and `*` is all of them. While it
    /// is empty only those are let in who are users already.
    pub allowed_domains: Vec<String>,
    /// Of people who sign in for the first time.
    pub default_role: OrganisationRole,
    /// The claim that names the person's role (a text or a list: `owner`, `admin`, `member`), for the first time and
    /// whenever it is another one.
    pub role_claim: Option<String>,
    /// Whose users they are.
    pub organisation: OrganisationId,
    pub fetch: Arc<dyn Fetch>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Returned {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    state: Option<String>,
    /// Who answers, where the identity provider says it.
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

pub(crate) async fn begin(visit: Visit, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let issuer = issuer_of(&visit)?;
    visit.api.tries.count(visit.peer, &*visit.api.clock)?;
    let known = issuer.known(visit.now(), false).await?;
    let trip = Trip::new()?;
    let place = trip.to(&known.authorization_endpoint, &issuer.options.client_id, &back_to(&visit));
    let reply = see(&place)?;
    trip::keep(&visit, session::private(reply), &trip)
}

pub(crate) async fn end(visit: Visit, query: Returned, _: Nothing) -> Answer<Nothing> {
    let issuer = issuer_of(&visit)?;
    visit.api.tries.count(visit.peer, &*visit.api.clock)?;
    // Whatever comes of it: the values are for one answer.
    let trip = Trip::of(&visit.headers).ok_or_else(|| {
        let public_url = visit.api.options.public_url.trim_end_matches('/');
        refused(format!("nothing is known of this sign-in; begin it at {public_url}/sign-in/oidc"))
    })?;
    // Before anything else of the query is believed.
    if query.state.as_deref() != Some(trip.state()) {
        return Err(refused("this is the answer to another sign-in; begin again".to_owned()));
    }
    if query.iss.as_ref().is_some_and(|iss| *iss != issuer.options.issuer) {
        return Err(refused("this is the answer of another identity provider".to_owned()));
    }
    if let Some(error) = query.error {
        let word = tidegate_core::field::shown(&error);
        return Err(refused(format!("the identity provider did not let you in: {word}")));
    }
    let code = query.code.filter(|code| !code.is_empty());
    let code =
        code.ok_or_else(|| Problem::field("code", "is missing", "the code of the identity provider"))?;
    let claims = issuer.claims(&Secret::from(code), &trip, &back_to(&visit), visit.now()).await?;
    let mut by = By::system();
    by.origin = visit.origin.clone();
    let user = person::of(&visit, &issuer.options, &by, &claims).await?;
    let begun = session::start(&visit, by, issuer.options.organisation, &user).await?;
    let reply = trip::forget(&visit, session::private(see(CONSOLE)?))?;
    session::set_cookie(&visit, reply, &begun.cookie, visit.api.options.session_ms / 1_000)
}

fn issuer_of(visit: &Visit) -> Result<Arc<Issuer>, Problem> {
    visit.api.oidc.clone().ok_or_else(|| Problem::not_found("an identity provider to sign in through"))
}

/// Where the identity provider sends people back to: it was told so when the gateway was made known to it.
fn back_to(visit: &Visit) -> String {
    format!("{}{CALLBACK}", visit.api.options.public_url.trim_end_matches('/'))
}

fn see(place: &str) -> Result<Reply<Nothing>, Problem> {
    let place = HeaderValue::from_str(place)
        .map_err(|_| Problem::internal("the identity provider's page is no address"))?;
    Ok(Reply::json(Nothing {}).with_status(StatusCode::SEE_OTHER).with_header(LOCATION, place))
}

/// 401, in words for the person.
fn refused(message: String) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, format!("Unauthorized: {message}"))
}
