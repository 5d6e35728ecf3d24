//! Step 2. Who calls, what may they do, and what credential they brought.
//!
//! A caller is known by an API key of the gateway's own. Without one, whoever brings a provider's credential is served
//! as by the reference, as long as the door is open for that: from this machine until the first API key exists, unless
//! the settings say otherwise.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, header};
use tidegate_access::door::{self, Entry, LookedUp};
use tidegate_access::jwt::looks_like_token;
use tidegate_access::key::{Form, form_of};
use tidegate_access::{
    Defaults, KeyHash, Permission, Reading, Reason, Refusal as Denial, Scope, admit, carried,
};
use tidegate_core::{ErrorKind, Secret};
use tidegate_directory::{ApiKey, Directory, Freshness, Workspace};
use tidegate_limits::client_address;

use crate::control::Doors;
use crate::refuse::Refusal;
use crate::state::{Gateway, Snapshot};
use crate::tokens::{NoCaller, Tokens};

/// The caller, as far as the path needs to know.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// A provider key from `Authorization: Bearer` or `x-api-key`.
    pub credential: Option<Secret>,
    pub key: Option<Arc<ApiKey>>,
    /// The key's.
    pub workspace: Option<Arc<Workspace>>,
    pub address: Option<IpAddr>,
}

/// What has to be known to say who calls.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    pub directory: &'a Directory,
    /// What is taken in place of API keys.
    pub tokens: Option<&'a Tokens>,
    pub doors: &'a Doors,
    pub peer: IpAddr,
    pub now_ms: u64,
}

impl<'a> Desk<'a> {
    pub fn new(gateway: &'a Gateway, snapshot: &'a Snapshot, peer: IpAddr) -> Self {
        let now_ms = gateway.clock.unix_ms();
        let control = &gateway.control;
        let tokens = control.tokens.as_deref();
        Self { directory: &control.directory, tokens, doors: &snapshot.doors, peer, now_ms }
    }
}

impl Caller {
    /// What applies to requests that say nothing else.
    pub fn defaults(&self) -> &Defaults {
        static NONE: Defaults = Defaults { config: None, config_is_fixed: false, metadata: None };
        self.key.as_ref().map_or(&NONE, |key| &key.principal.defaults)
    }
}

/// # Errors
/// 401 without a good key, 403 naming the scope that is missing, or for an address that may not come.
pub async fn identify(desk: &Desk<'_>, headers: &HeaderMap, wants: Permission) -> Result<Caller, Refusal> {
    let address = address(desk.doors, desk.peer, headers)?;
    let carried = carried(headers).map_err(|denial| refuse(&denial))?;
    let found = match carried.key {
        Some(text) => known(desk, text).await?,
        None => None,
    };
    let Some(key) = found else {
        let form = carried.key.map(form_of);
        if form == Some(Form::Broken) {
            return Err(refuse(&Denial::new(Reason::BrokenKey)));
        }
        // Portkey's clients always have a word in the header of its own. While there are no keys it is none.
        let is_word = form == Some(Form::Foreign)
            && carried.reading == Reading::Certain
            && !desk.directory.has_callers();
        let key = carried.key.filter(|_| !is_word);
        let looked_up = key.map_or(LookedUp::Absent, |_| LookedUp::Unknown(carried.reading));
        enter_without(desk, headers, looked_up)?;
        let credential = key.or(carried.credential).map(Secret::from);
        return Ok(Caller { credential, address: Some(address), ..Caller::default() });
    };
    judge_age(desk)?;
    admit(&key.principal, wants).map_err(|denied| refuse(&denied.into()))?;
    let workspace = match &key.workspace {
        None => None,
        Some(id) => {
            Some(desk.directory.workspace(id).filter(|workspace| !workspace.archived).ok_or_else(|| {
                let message =
                    "the API key's workspace is archived: it serves nobody until it is active again";
                Refusal::with_status("workspace", ErrorKind::Permission, 403, message)
            })?)
        }
    };
    key.used(desk.now_ms);
    let credential = carried.credential.map(Secret::from);
    Ok(Caller { credential, key: Some(key), workspace, address: Some(address) })
}

/// What has to hold as long as a session goes on: its caller's key is good, and so is the workspace.
#[derive(Debug)]
pub struct Standing {
    /// Of the key; `None` for a token, which is good until it ends.
    hash: Option<KeyHash>,
    key: Arc<ApiKey>,
}

impl Standing {
    /// Of a caller that was let in with these headers; `None` for one without a key.
    pub fn of(directory: &Directory, caller: &Caller, headers: &HeaderMap) -> Option<Self> {
        let key = caller.key.clone()?;
        let carried = carried(headers).ok()?;
        let hash = carried.key.and_then(|text| directory.find(text)).map(|found| found.hash);
        Some(Self { hash, key })
    }

    /// # Errors
    /// As the caller would be told now.
    pub fn judge(&self, directory: &Directory, now_ms: u64) -> Result<(), Refusal> {
        let denied = |reason| refuse(&Denial::new(reason));
        if self.key.expires_at.is_some_and(|at| at <= now_ms) {
            return Err(denied(Reason::ExpiredKey));
        }
        if let Some(hash) = &self.hash {
            let key = directory.known(hash).ok_or_else(|| denied(Reason::RevokedKey))?;
            key.judge(hash, now_ms).map_err(denied)?;
            admit(&key.principal, Permission::Needs(Scope::CompletionsWrite))
                .map_err(|denial| refuse(&denial.into()))?;
        }
        match &self.key.workspace {
            Some(id) if directory.workspace(id).is_none_or(|workspace| workspace.archived) => {
                Err(denied(Reason::RevokedKey))
            }
            _ => Ok(()),
        }
    }
}

/// Whose key or token this is; `None` for a text that is neither.
async fn known(desk: &Desk<'_>, text: &str) -> Result<Option<Arc<ApiKey>>, Refusal> {
    if let Some(found) = desk.directory.find(text) {
        found.key.judge(&found.hash, desk.now_ms).map_err(|reason| refuse(&Denial::new(reason)))?;
        return Ok(Some(found.key));
    }
    let Some(tokens) = desk.tokens.filter(|_| looks_like_token(text)) else { return Ok(None) };
    match tokens.caller(desk.directory, text, desk.now_ms).await {
        Ok(key) => Ok(Some(key)),
        Err(NoCaller::Foreign) => Ok(None),
        Err(NoCaller::Bad(fault)) => Err(refuse(&fault.into())),
        Err(NoCaller::NoKeys) => {
            let message = "the keys that tokens are checked with are not there yet; try again shortly";
            Err(Refusal::with_status("no_jwks", ErrorKind::Overloaded, 503, message))
        }
    }
}

/// Whose request it is, as far as proxies are believed.
///
/// # Errors
/// 403 for an address that may not come.
pub fn address(doors: &Doors, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Refusal> {
    let address = if doors.proxies.is_empty() {
        peer.to_canonical()
    } else {
        let forwarded = headers.get_all("x-forwarded-for").iter();
        let texts: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
        client_address(peer, texts.into_iter(), &doors.proxies)
    };
    doors.addresses.check(address).map_err(|_| {
        let message = format!("requests from {address} are not accepted here");
        Refusal::with_status("address", ErrorKind::Permission, 403, message)
    })?;
    Ok(address)
}

fn enter_without(desk: &Desk<'_>, headers: &HeaderMap, looked_up: LookedUp) -> Result<(), Refusal> {
    let forwarded = headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for");
    let caller = door::Caller {
        looked_up,
        // Nothing that a workspace stored can be named without its key: see `Realms::of`.
        local: door::is_local(desk.peer, forwarded),
        keys_exist: desk.tokens.is_some() || desk.directory.has_callers(),
    };
    match door::enter(desk.doors.keyless, &caller) {
        Ok(Entry::Keyless | Entry::WithKey) => Ok(()),
        Err(denial) => Err(refuse(&denial)),
    }
}

/// Keys are believed for so long without the database that holds them.
fn judge_age(desk: &Desk<'_>) -> Result<(), Refusal> {
    let Some(most) = desk.doors.stale_after_ms else { return Ok(()) };
    match desk.directory.freshness(desk.now_ms) {
        Freshness::Aged(age) if age <= most => Ok(()),
        _ => {
            let message = "the database is away for longer than `database.serve_stale` allows; API keys cannot be checked";
            Err(Refusal::with_status("stale", ErrorKind::Overloaded, 503, message))
        }
    }
}

/// In the words of the admin API, which all clients read.
pub fn refuse(denial: &Denial) -> Refusal {
    let reason = match denial.reason {
        Reason::NoKey => "no_key",
        Reason::MissingScope => "missing_scope",
        Reason::TwoKeys | Reason::UnreadableKey => "bad_key",
        Reason::NotFound | Reason::BadPath => "not_found",
        _ => "key",
    };
    let mut error = denial.to_error();
    if denial.reason == Reason::MissingScope
        && let Some(scope) = &denial.param
    {
        error.message = format!("{}: the API key lacks the scope {scope}", error.message);
    }
    Refusal::new(reason, error)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tidegate_access::KeyHasher;
    use tidegate_access::door::{Keyless, Origin};

    use super::*;

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = given.iter();
        pairs
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    const WANTS: Permission = Permission::Needs(Scope::CompletionsWrite);

    #[tokio::test]
    async fn credentials() {
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Headers, Option<&str>)] = &[
            (&[("authorization", "Bearer k")], Some("k")),
            (&[("authorization", "bearer  k ")], Some("k")),
            (&[("authorization", "k")], Some("k")),
            (&[("authorization", "Bearer ")], None),
            (&[("x-api-key", "a"), ("authorization", "Bearer b")], Some("b")),
            (&[("x-api-key", "a")], Some("a")),
            (&[], None),
        ];
        let directory = Directory::new(KeyHasher::plain());
        let doors = Doors::default();
        let desk = Desk {
            directory: &directory,
            tokens: None,
            doors: &doors,
            peer: [127, 0, 0, 1].into(),
            now_ms: 0,
        };
        for (given, want) in cases {
            let caller = identify(&desk, &headers(given), WANTS).await.unwrap();
            assert_eq!(caller.credential.as_ref().map(Secret::expose), *want, "{given:?}");
        }
    }

    #[tokio::test]
    async fn who_may_come_without_a_key() {
        let directory = Directory::new(KeyHasher::plain());
        let anywhere = Keyless { from: Origin::Anywhere, after_first_key: false };
        for (keyless, peer, given, want) in [
            (Keyless::default(), [127, 0, 0, 1], vec![], None),
            (Keyless::default(), [10, 0, 0, 1], vec![], Some(401)),
            (Keyless::default(), [127, 0, 0, 1], vec![("x-forwarded-for", "10.0.0.1")], Some(401)),
            (anywhere, [10, 0, 0, 1], vec![], None),
            (anywhere, [10, 0, 0, 1], vec![("x-portkey-api-key", "a word")], None),
            (anywhere, [10, 0, 0, 1], vec![("x-portkey-api-key", "tg-svc-made-up")], Some(401)),
        ] {
            let doors = Doors { keyless, ..Doors::default() };
            let desk =
                Desk { directory: &directory, tokens: None, doors: &doors, peer: peer.into(), now_ms: 0 };
            let status =
                identify(&desk, &headers(&given), WANTS).await.err().map(|refusal| refusal.error.status);
            assert_eq!(status, want, "{peer:?} {given:?}");
        }
    }

    #[tokio::test]
    async fn addresses() {
        let directory = Directory::new(KeyHasher::plain());
        let doors = Doors {
            keyless: Keyless { from: Origin::Anywhere, after_first_key: false },
            addresses: IpRules {
                deny: Networks::parse_list("deny", "9.9.9.0/24").unwrap(),
                ..IpRules::default()
            },
            proxies: Networks::parse_list("proxies", "10.0.0.1").unwrap(),
            ..Doors::default()
        };
        for (peer, forwarded, want) in [
            ([9, 9, 9, 9], "1.1.1.1", None),
            ([10, 0, 0, 1], "9.9.9.9", None),
            ([10, 0, 0, 1], "1.1.1.1", Some("1.1.1.1")),
            ([10, 0, 0, 2], "9.9.9.9", Some("10.0.0.2")),
        ] {
            let desk =
                Desk { directory: &directory, tokens: None, doors: &doors, peer: peer.into(), now_ms: 0 };
            let caller = identify(&desk, &headers(&[("x-forwarded-for", forwarded)]), WANTS).await;
            let address = caller.ok().and_then(|caller| caller.address).map(|address| address.to_string());
            assert_eq!(address.as_deref(), want, "{peer:?} {forwarded}");
        }
    }

    use tidegate_limits::{IpRules, Networks};
}
