//! Which of a request's headers carries the API key, and which a provider's credential of the caller's own.
//!
//! `x-portkey-api-key` and `x-tidegate-api-key` say what they are. `Authorization` and `x-api-key` may be either: clients
//! of OpenAI and Anthropic have one place for a key, and official clients fill it with noise when the key is elsewhere.
//! So the text decides where it can, and where it cannot, the headers around it.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::key::{Form, form_of};
use crate::refusal::{Reason, Refusal};

pub static PORTKEY_KEY: HeaderName = HeaderName::from_static("x-portkey-api-key");
pub static TIDEGATE_KEY: HeaderName = HeaderName::from_static("x-tidegate-api-key");
static AUTHORIZATION: HeaderName = header::AUTHORIZATION;
static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// What chooses a provider, in the gateway's own spelling (which wins) and the reference's.
static PROVIDER: [HeaderName; 2] =
    [HeaderName::from_static("x-tidegate-provider"), HeaderName::from_static("x-portkey-provider")];
static VIRTUAL_KEY: [HeaderName; 2] =
    [HeaderName::from_static("x-tidegate-virtual-key"), HeaderName::from_static("x-portkey-virtual-key")];
static CONFIG: [HeaderName; 2] =
    [HeaderName::from_static("x-tidegate-config"), HeaderName::from_static("x-portkey-config")];

/// The longest credential that is looked at, in bytes: a token with many claims fits, a hash of megabytes is not made.
pub const LONGEST: usize = 16 * 1024;

/// What official clients put where a key belongs when they have none.
const FILLERS: [&str; 2] = ["OPENAI_API_KEY", "DUMMY-KEY"];

/// What a request carries. Its texts are borrowed from the headers.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried<'a> {
    /// The text that is, or may be, an API key.
    pub key: Option<&'a str>,
    /// How sure that is. Means nothing without a key.
    pub reading: Reading,
    /// A provider's credential that came beside the key. Never one that was already taken for the key.
    pub credential: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// It came in a header of its own or has the form of the gateway's keys: unknown means refused.
    #[default]
    Certain,
    /// In a header that also carries providers' credentials, but no provider was named that would want one. Once there
    /// are API keys it is one; before, it can only be a credential.
    Assumed,
    /// As above, and a provider was named: a key if the store knows it, else that provider's credential.
    Possible,
}

/// # Errors
/// 400 when two headers carry different keys (it names both), and when a credential is not visible ASCII or longer
/// than [`LONGEST`].
pub fn carried(headers: &HeaderMap) -> Result<Carried<'_>, Refusal> {
    let own = agreed(only(headers, &TIDEGATE_KEY)?, only(headers, &PORTKEY_KEY)?)?;
    let bearer = only(headers, &AUTHORIZATION)?.map(|(name, text)| (name, unwrapped(text)));
    let bearer = bearer.filter(|(_, text)| !text.is_empty() && !FILLERS.contains(text));
    let x_api_key = only(headers, &X_API_KEY)?.filter(|(_, text)| !FILLERS.contains(text));
    // What has the form of the gateway's keys is a key wherever it stands.
    let formed = |found: &Found<'_>| form_of(found.1) != Form::Foreign;
    let key = agreed(agreed(own, bearer.filter(formed))?, x_api_key.filter(formed))?;
    let first = bearer.filter(|found| !formed(found));
    let second = x_api_key.filter(|found| !formed(found));
    if let Some((_, key)) = key {
        // Official clients repeat an imported key as bearer: the same text is no credential.
        let credential =
            [first, second].into_iter().flatten().map(|(_, text)| text).find(|text| *text != key);
        return Ok(Carried { key: Some(key), reading: Reading::Certain, credential });
    }
    let (key, other) = match first {
        Some((_, text)) if !is_scheme(text) => (Some(text), second),
        // `Basic …` and the like are no keys of ours; a client that sends both means the other.
        Some(_) => (second.map(|(_, text)| text), first),
        None => (second.map(|(_, text)| text), None),
    };
    let reading = if names_provider(headers) { Reading::Possible } else { Reading::Assumed };
    Ok(Carried { key, reading, credential: other.map(|(_, text)| text).filter(|text| key != Some(text)) })
}

/// A header's name and its text.
type Found<'a> = (&'static HeaderName, &'a str);

/// The one value of a header. Empty is absent, as in the reference; the same value twice is one.
fn only<'a>(headers: &'a HeaderMap, name: &'static HeaderName) -> Result<Option<Found<'a>>, Refusal> {
    let mut found: Option<Found<'a>> = None;
    for value in headers.get_all(name) {
        let text = readable(value).ok_or_else(|| {
            let message = format!("{name} is not visible ASCII of at most {LONGEST} bytes");
            Refusal::new(Reason::UnreadableKey).about(name.as_str()).saying(message)
        })?;
        if !text.is_empty() {
            found = agreed(found, Some((name, text)))?;
        }
    }
    Ok(found)
}

fn readable(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().filter(|text| text.len() <= LONGEST).map(str::trim)
}

/// One of two keys, if both are the same or one is absent.
fn agreed<'a>(first: Option<Found<'a>>, second: Option<Found<'a>>) -> Result<Option<Found<'a>>, Refusal> {
    match (first, second) {
        (Some((one, a)), Some((two, b))) if a != b => {
            let message = if one == two {
                format!("{one} was sent twice with different keys; send one")
            } else {
                format!("{one} and {two} carry different API keys; send one")
            };
            Err(Refusal::new(Reason::TwoKeys).about(two.as_str()).saying(message))
        }
        (first, second) => Ok(first.or(second)),
    }
}

/// The text behind `Bearer `, in any case; a value without a scheme is the key itself, as in the reference.
fn unwrapped(text: &str) -> &str {
    match text.split_at_checked(7) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer ") => key.trim(),
        _ if text.eq_ignore_ascii_case("bearer") => "",
        _ => text,
    }
}

/// `Basic dXNlcg==`, `AWS4-HMAC-SHA256 Credential=…`: no key has a space in it.
fn is_scheme(text: &str) -> bool {
    text.contains(' ')
}

/// Whether the headers choose a provider by its public name, with nothing stored that would supply a credential.
fn names_provider(headers: &HeaderMap) -> bool {
    let value = |names: &[HeaderName; 2]| {
        let values = names.iter().filter_map(|name| headers.get(name)?.to_str().ok());
        values.map(str::trim).find(|text| !text.is_empty())
    };
    value(&PROVIDER).is_some_and(|name| !name.starts_with('@'))
        && value(&VIRTUAL_KEY).is_none()
        && value(&CONFIG).is_none_or(|config| config.starts_with('{'))
}

/// Neither text is shown.
impl std::fmt::Debug for Carried<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carried")
            .field("key", &self.key.is_some())
            .field("reading", &self.reading)
            .field("credential", &self.credential.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests;
