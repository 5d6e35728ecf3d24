//! What a browser takes along to the identity provider, and what it keeps to be known by when it comes back.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use http::HeaderMap;
use tidegate_core::Secret;

use crate::authenticate::cookie_named;
use crate::call::Visit;
use crate::disclose;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::session;

const COOKIE: &str = "tidegate_oidc";
/// How long somebody may take to sign in there.
const LASTS_S: u64 = 600;

/// Three values that nobody can guess. `state` ties the answer to the browser, `nonce` the token to the question, and who
/// has the `verifier` may use the code.
#[derive(Debug)]
pub(super) struct Trip {
    state: String,
    nonce: String,
    verifier: String,
}

impl Trip {
    /// # Errors
    /// 500 when the system has no random numbers.
    pub(super) fn new() -> Result<Self, Problem> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()? })
    }

    /// The one that the browser began.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let kept = cookie_named(headers, COOKIE)?;
        disclose::read(&kept, |text| {
            let mut parts = text.split('.').map(str::to_owned);
            let (state, nonce, verifier) = (parts.next()?, parts.next()?, parts.next()?);
            let is_whole =
                parts.next().is_none() && [&state, &nonce, &verifier].iter().all(|one| one.len() == 43);
            is_whole.then_some(Self { state, nonce, verifier })
        })
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// The page where the person signs in.
    pub(super) fn to(&self, endpoint: &str, client_id: &str, back_to: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()));
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", back_to)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        format!("{endpoint}{separator}{query}")
    }
}

/// With the cookie by which the browser is known when it comes back.
pub(super) fn keep<T>(visit: &Visit, reply: Reply<T>, trip: &Trip) -> Answer<T> {
    let text = Secret::from(format!("{}.{}.{}", trip.state, trip.nonce, trip.verifier));
    session::set_cookie_named(visit, reply, COOKIE, &text, LASTS_S)
}

pub(super) fn forget<T>(visit: &Visit, reply: Reply<T>) -> Answer<T> {
    session::set_cookie_named(visit, reply, COOKIE, &Secret::from(""), 0)
}

fn random() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Problem::internal("the system has no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE as HEADER;

    use super::*;

    #[test]
    fn a_trip_is_found_again_whole_or_not_at_all() {
        let trip = Trip::new().unwrap();
        let text = format!("{}.{}.{}", trip.state, trip.nonce, trip.verifier);
        let of = |text: &str| {
            let value = HeaderValue::from_str(&format!("a=b; {COOKIE}={text}")).unwrap();
            Trip::of(&HeaderMap::from_iter([(HEADER, value)]))
        };
        let found = of(&text).unwrap();
        assert_eq!(
            (found.state(), found.nonce(), found.verifier()),
            (trip.state(), trip.nonce(), trip.verifier())
        );
        assert_ne!(trip.state, trip.nonce);
        for text in ["", "..", &text[1..], &format!("{text}.x"), &text.replace('.', "")] {
            assert!(of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_challenge_is_the_verifiers_hash() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let trip = Trip { state: "s".into(), nonce: "n".into(), verifier };
        let place = trip.to("https://idp/a?tenant=1", "my app", "https://gw/back");
        assert!(place.starts_with("https://idp/a?tenant=1&response_type=code&client_id=my+app&"), "{place}");
        assert!(place.contains("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"), "{place}");
    }
}
