//! Signed tokens in place of API keys: whom they name, as a caller like any other.
//!
//! A signature is checked once: what was found good is kept by its hash until the token ends, but not for long, so that
//! a workspace that changed its name is noticed. The keys are fetched elsewhere (see [`KeySource`]); those of before
//! stay in force while their issuer is away.

mod caller;
mod source;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tidegate_access::jwt::{self, KeySet, Mapping, Policy, TokenCache, TokenFault};
use tidegate_access::{KeyHasher, jwt::Token};
use tidegate_directory::policy::Budgets;
use tidegate_directory::{ApiKey, Directory};
use tokio::sync::Notify;

pub use source::KeySource;

/// Tokens that are kept, and for how long at most.
const MOST_KEPT: usize = 20_000;
const LONGEST_MS: u64 = 5 * 60 * 1_000;

pub struct Tokens {
    policy: Policy,
    mapping: Mapping,
    budgets: Arc<dyn Budgets>,
    believed: RwLock<Believed>,
    kept: Mutex<TokenCache<Arc<ApiKey>>>,
    /// Told when a token names a key that nobody knows: its issuer may have a new one.
    unknown_key: Notify,
}

/// The keys of the moment. `generation` counts how often they changed; before the first it is 0.
#[derive(Debug, Clone, Default)]
struct Believed {
    keys: Arc<KeySet>,
    text: Arc<[u8]>,
    generation: u64,
}

/// Why a token names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCaller {
    /// Not one of ours: no key of ours is meant to have signed it. It may be a provider's.
    Foreign,
    Bad(TokenFault),
    /// The keys were never fetched.
    NoKeys,
}

impl Tokens {
    /// `issuer` and `audience`: what tokens have to say, where it is set.
    pub fn new(issuer: Option<&str>, audience: Option<&str>, budgets: Arc<dyn Budgets>) -> Self {
        let policy = Policy {
            issuer: issuer.map(Into::into),
            audience: audience.map(Into::into),
            ..Policy::default()
        };
        Self {
            policy,
            mapping: Mapping::default(),
            budgets,
            believed: RwLock::default(),
            kept: Mutex::new(TokenCache::new(MOST_KEPT, LONGEST_MS)),
            unknown_key: Notify::new(),
        }
    }

    /// From here on tokens are checked with these keys; those that were found good are checked again if the keys are
    /// others.
    ///
    /// # Errors
    /// What is wrong with the text. The keys stay what they were.
    pub fn believe(&self, text: &[u8]) -> Result<(), &'static str> {
        let keys = KeySet::parse(text).map_err(|error| match error {
            jwt::JwksError::NotASet => {
                "this is no JSON Web Key Set: an object with a list `keys` is expected"
            }
            jwt::JwksError::TooMany => "there are more than 100 keys in the set",
            jwt::JwksError::NoneUsable => {
                "no key of the set can check tokens (RSA of 2048 bits, P-256 or Ed25519)"
            }
        })?;
        let mut believed = self.believed.write().unwrap_or_else(PoisonError::into_inner);
        if *believed.text != *text {
            *believed =
                Believed { keys: Arc::new(keys), text: text.into(), generation: believed.generation + 1 };
        }
        Ok(())
    }

    pub fn has_keys(&self) -> bool {
        self.believed.read().unwrap_or_else(PoisonError::into_inner).generation > 0
    }

    /// Returns when a token named a key that is not known.
    pub async fn wait_for_unknown_key(&self) {
        self.unknown_key.notified().await;
    }

    /// The caller that a token names. No lock is held while its signature is checked.
    ///
    /// # Errors
    /// [`NoCaller`]
    pub async fn caller(
        &self,
        directory: &Directory,
        text: &str,
        now_ms: u64,
    ) -> Result<Arc<ApiKey>, NoCaller> {
        let hash = KeyHasher::plain().hash(text);
        let Believed { keys, generation, .. } =
            self.believed.read().unwrap_or_else(PoisonError::into_inner).clone();
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = kept().get(&hash, generation, now_ms) {
            return Ok(key.clone());
        }
        if generation == 0 {
            self.unknown_key.notify_one();
            return Err(NoCaller::NoKeys);
        }
        let found = async {
            let token = Token::parse(text)?;
            let claimed = token.unverified(&self.mapping.organisation).map(str::to_owned);
            let verified = jwt::verify(token, &keys, &self.policy, now_ms)?;
            caller::of(directory, &self.mapping, &*self.budgets, claimed, verified).await
        };
        let (key, until_ms) = found.await.map_err(|fault| match fault {
            TokenFault::NoSuchKey => {
                self.unknown_key.notify_one();
                NoCaller::Foreign
            }
            TokenFault::Malformed | TokenFault::Algorithm | TokenFault::Header => NoCaller::Foreign,
            fault => NoCaller::Bad(fault),
        })?;
        kept().put(hash, key.clone(), until_ms, generation, now_ms);
        Ok(key)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("policy", &self.policy).finish_non_exhaustive()
    }
}
