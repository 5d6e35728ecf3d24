//! The keys that tokens are checked with: fetched before anybody is served, and again and again afterwards.

use std::sync::Arc;
use std::time::Duration;

use tidegate_gateway::Gateway;
use tidegate_gateway::tokens::{KeySource, Tokens};
use tidegate_keeper::Keeper;
use tidegate_settings::Access;
use tidegate_upstream::Egress;

use crate::banner;

/// How often the keys are fetched although nobody misses one.
const REFRESH: Duration = Duration::from_secs(5 * 60);
/// After a failure, and the shortest time between two fetches: whoever makes up key ids makes no more requests than this.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Where keys come from; `None` when tokens are not taken.
///
/// # Errors
/// Settings that have no effect, or that contradict each other.
pub fn source(access: &Access) -> Result<Option<KeySource>, String> {
    match (&access.jwks_url, &access.jwks_file) {
        (Some(_), Some(_)) => Err("access.jwks_url and access.jwks_file are both set; leave one out".to_owned()),
        (Some(url), None) => match url.parse() {
            Ok(uri) => Ok(Some(KeySource::Url(uri))),
            Err(error) => Err(format!("access.jwks_url: {error}; write https://host/path")),
        },
        (None, Some(path)) => Ok(Some(KeySource::File(path.clone()))),
        (None, None) if access.jwt_issuer.is_some() || access.jwt_audience.is_some() => {
            Err("access.jwt_issuer and access.jwt_audience have no effect without access.jwks_url or access.jwks_file"
                .to_owned())
        }
        (None, None) => Ok(None),
    }
}

/// Takes tokens, if the settings name keys. An issuer that is away is waited for later.
///
/// # Errors
/// Settings that cannot be used, and a file that cannot be read.
pub async fn start(access: &Access, keeper: &Keeper, egress: &Egress) -> Result<Option<Arc<Tokens>>, String> {
    let Some(source) = source(access)? else { return Ok(None) };
    let tokens = Tokens::new(access.jwt_issuer.as_deref(), access.jwt_audience.as_deref(), keeper.budgets());
    match (refresh(&tokens, &source, egress).await, source) {
        (Err(why), KeySource::File(_)) => return Err(format!("access.jwks_file: {why}")),
        (Err(why), KeySource::Url(_)) => {
            banner::note(&format!("access.jwks_url: {why}; no token is taken until the keys are there"));
        }
        (Ok(()), _) => {}
    }
    Ok(Some(Arc::new(tokens)))
}

/// Follows the issuer. Ends when it is dropped, or at once without tokens.
pub async fn follow(source: Option<KeySource>, gateway: &Gateway) {
    let (Some(tokens), Some(source)) = (&gateway.control.tokens, source) else { return };
    let mut pause = PAUSE;
    let mut wait = if tokens.has_keys() { REFRESH } else { PAUSE };
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = tokens.wait_for_unknown_key() => {}
        }
        let egress = gateway.snapshot.load().egress.clone();
        match refresh(tokens, &source, &egress).await {
            Ok(()) => {
                (pause, wait) = (PAUSE, REFRESH);
                tokio::time::sleep(PAUSE).await;
            }
            Err(why) => {
                if wait == REFRESH {
                    banner::note(&format!("keys for tokens could not be fetched, the old ones stay: {why}"));
                }
                tokio::time::sleep(pause).await;
                wait = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

async fn refresh(tokens: &Tokens, source: &KeySource, egress: &Egress) -> Result<(), String> {
    let text = source.read(egress).await?;
    tokens.believe(&text).map_err(str::to_owned)
}
