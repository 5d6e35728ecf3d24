//! What is known of the identity provider, and what it is asked.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use tidegate_access::jwt::{self, KeySet, Policy, Token, TokenFault};
use tidegate_core::Secret;
use tokio::sync::Mutex;

use super::{OidcOptions, Trip, refused};
use crate::disclose;
use crate::problem::Problem;

/// How long what it says of itself is believed.
const FRESH_MS: u64 = 3_600_000;
/// Between two times that its keys are fetched because a token names one that is not known.
const PAUSE_MS: u64 = 10_000;
const FORM: &str = "application/x-www-form-urlencoded";

/// Cheap to share; asked by everybody who signs in.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(super) options: OidcOptions,
    known: Mutex<Option<Arc<Known>>>,
}

/// What it says of itself.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    /// The client's secret goes into the body, not into a header.
    in_body: bool,
    keys: KeySet,
    at_ms: u64,
}

/// OpenID Connect Discovery 1.0, section 3.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Tokens {
    id_token: String,
}

impl Issuer {
    pub(crate) fn new(options: OidcOptions) -> Self {
        Self { options, known: Mutex::new(None) }
    }

    /// What it says of itself, asked now and then. One asks, and the others wait for the answer.
    ///
    /// # Errors
    /// 503 when it does not answer, or says something else than it is meant to.
    pub(super) async fn known(&self, now_ms: u64, is_key_missing: bool) -> Result<Arc<Known>, Problem> {
        let lasts = if is_key_missing { PAUSE_MS } else { FRESH_MS };
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| now_ms.saturating_sub(known.at_ms) < lasts) {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.ask(now_ms).await.map_err(away)?);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    async fn ask(&self, now_ms: u64) -> Result<Known, String> {
        let issuer = &self.options.issuer;
        let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document: Document = serde_json::from_slice(&self.get(&place).await?)
            .map_err(|error| format!("{place}: this does not describe an identity provider: {error}"))?;
        if document.issuer != *issuer {
            return Err(format!(
                "{place} is of the issuer {:?}; oidc.issuer has to be the same",
                document.issuer
            ));
        }
        // What is said over an encrypted connection is not to lead to one that is not.
        let is_fit = |place: &str| place.starts_with("https://") || issuer.starts_with("http://");
        for place in [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri] {
            if !is_fit(place) {
                return Err(format!("{place:?} is no https:// address"));
            }
        }
        let keys = KeySet::parse(&self.get(&document.jwks_uri).await?)
            .map_err(|error| format!("{}: no keys to check tokens with: {error:?}", document.jwks_uri))?;
        let ways = &document.token_endpoint_auth_methods_supported;
        let takes = |way: &str| ways.iter().any(|one| one == way);
        Ok(Known {
            authorization_endpoint: document.authorization_endpoint,
            token_endpoint: document.token_endpoint,
            // The header is what it takes where it does not say.
            in_body: takes("client_secret_post") && !takes("client_secret_basic"),
            keys,
            at_ms: now_ms,
        })
    }

    async fn get(&self, place: &str) -> Result<Bytes, String> {
        let request = Request::builder().method(Method::GET).uri(place).header(ACCEPT, "application/json");
        let request = request.body(Bytes::new()).map_err(|_| format!("{place:?} is no address"))?;
        let response = self.options.fetch.fetch(request).await.map_err(|why| format!("{place}: {why}"))?;
        match response.status().is_success() {
            true => Ok(response.into_body()),
            false => Err(format!("{place}: the answer is {}", response.status())),
        }
    }

    /// Exchanges the code for what the identity provider says of the person, and checks that.
    ///
    /// # Errors
    /// 401 for a code or a token that is not good, 503 when nobody answers.
    pub(super) async fn claims(
        &self,
        code: &Secret,
        trip: &Trip,
        back_to: &str,
        now_ms: u64,
    ) -> Result<Map<String, Value>, Problem> {
        let known = self.known(now_ms, false).await?;
        let text = self.exchange(&known, code, trip, back_to).await?;
        let claims = match self.check(&text, &known.keys, now_ms) {
            // It has a new key, perhaps.
            Err(TokenFault::NoSuchKey) => self.check(&text, &self.known(now_ms, true).await?.keys, now_ms),
            checked => checked,
        };
        let claims = claims.map_err(|fault| bad_token(&format!("{fault:?}")))?;
        if claims.get("nonce").and_then(Value::as_str) != Some(trip.nonce()) {
            return Err(bad_token("Nonce"));
        }
        Ok(claims)
    }

    fn check(&self, text: &str, keys: &KeySet, now_ms: u64) -> Result<Map<String, Value>, TokenFault> {
        let client = self.options.client_id.as_str();
        let policy = Policy {
            issuer: Some(self.options.issuer.as_str().into()),
            audience: Some(client.into()),
            ..Policy::default()
        };
        let claims = jwt::verify(Token::parse(text)?, keys, &policy, now_ms)?.claims;
        let others = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
        match claims.get("azp") {
            // For somebody else, who may show it around.
            Some(party) if party != client => Err(TokenFault::Audience),
            None if others => Err(TokenFault::Audience),
            _ => Ok(claims),
        }
    }

    /// What the token endpoint is asked.
    fn question(
        &self,
        known: &Known,
        code: &Secret,
        trip: &Trip,
        back_to: &str,
    ) -> Result<Request<Bytes>, Problem> {
        let OidcOptions { client_id, client_secret, .. } = &self.options;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("redirect_uri", back_to)
            .append_pair("client_id", client_id)
            .append_pair("code_verifier", trip.verifier());
        disclose::append(&mut form, "code", code);
        let mut request = Request::builder().method(Method::POST).uri(&known.token_endpoint);
        request = request.header(CONTENT_TYPE, FORM).header(ACCEPT, "application/json");
        match client_secret {
            Some(secret) if known.in_body => disclose::append(&mut form, "client_secret", secret),
            Some(secret) => request = request.header(AUTHORIZATION, basic(client_id, secret)?),
            None => {}
        }
        request
            .body(Bytes::from(form.finish()))
            .map_err(|_| away(format!("{:?} is no address", known.token_endpoint)))
    }

    async fn exchange(
        &self,
        known: &Known,
        code: &Secret,
        trip: &Trip,
        back_to: &str,
    ) -> Result<String, Problem> {
        let request = self.question(known, code, trip, back_to)?;
        let place = &known.token_endpoint;
        let response =
            self.options.fetch.fetch(request).await.map_err(|why| away(format!("{place}: {why}")))?;
        let status = response.status();
        if status.is_server_error() {
            return Err(away(format!("{place}: the answer is {status}")));
        }
        if !status.is_success() {
            // The code was used or is too old; or the client's secret is wrong, which the word says.
            let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
            let word = body.get("error").and_then(Value::as_str).unwrap_or("no reason given");
            let told = refused("the identity provider does not know this sign-in; begin again".to_owned());
            return Err(told.because(format!("{place}: {status}, {}", tidegate_core::field::shown(word))));
        }
        let tokens: Tokens = serde_json::from_slice(response.body())
            .map_err(|_| away(format!("{place}: there is no ID token in the answer")))?;
        Ok(tokens.id_token)
    }
}

/// RFC 6749, section 2.3.1: both parts are form-encoded first.
fn basic(client_id: &str, secret: &Secret) -> Result<HeaderValue, Problem> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = disclose::read(secret, |secret| format!("{}:{}", encoded(client_id), encoded(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
        .map_err(|_| Problem::internal("a credential that is no header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn bad_token(why: &str) -> Problem {
    refused(format!("what the identity provider says of you cannot be believed ({why}); begin again"))
}

fn away(why: String) -> Problem {
    let message = "the identity provider cannot be asked at this moment; try again later";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, message).because(why)
}
