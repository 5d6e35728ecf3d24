//! What believed claims say about the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{TokenFault, Verified};
use crate::id::{OrganisationId, UserId, Workspace};
use crate::principal::{Defaults, Principal};
use crate::scope::{Scope, ScopeSet};

/// Which claims are read, the first one present of each list. The default is what tokens for the reference hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub organisation: Vec<Box<str>>,
    pub workspace: Vec<Box<str>>,
    pub scopes: Vec<Box<str>>,
    pub user: Vec<Box<str>>,
    /// Claims that hold names of groups or roles.
    pub roles: Vec<Box<str>>,
    /// What each such name allows.
    pub role_scopes: BTreeMap<Box<str>, ScopeSet>,
}

impl Default for Mapping {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect();
        Self {
            organisation: names(&["portkey_oid", "organisation_id"]),
            workspace: names(&["portkey_workspace", "workspace_slug"]),
            scopes: names(&["scope", "scopes"]),
            user: names(&["email_id", "sub", "uid"]),
            roles: Vec::new(),
            role_scopes: BTreeMap::new(),
        }
    }
}

/// What a token grants, with names that the store still has to resolve.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenGrant {
    /// An id or a slug within the organisation.
    pub workspace: String,
    pub scopes: ScopeSet,
    /// Scopes that nobody knows. They grant nothing.
    pub unknown: Vec<String>,
    pub user: Option<UserId>,
    pub defaults: Defaults,
    /// Limits of the token's own, as written: the crate of limits checks them.
    pub usage_limits: Option<Value>,
    pub rate_limits: Option<Value>,
    pub until_ms: u64,
}

impl TokenGrant {
    /// `organisation` is the one whose keys the token was checked with.
    ///
    /// # Errors
    /// A token in the name of another organisation, and one without a workspace: a token never reaches all of them.
    pub fn read(
        verified: Verified,
        mapping: &Mapping,
        organisation: &OrganisationId,
    ) -> Result<Self, TokenFault> {
        let Verified { mut claims, until_ms } = verified;
        let first = |names: &[Box<str>]| names.iter().find_map(|name| claims.get(&**name));
        let named = first(&mapping.organisation).and_then(Value::as_str);
        if !mapping.organisation.is_empty() && named != Some(organisation.text()) {
            return Err(TokenFault::Organisation);
        }
        let workspace = first(&mapping.workspace).and_then(Value::as_str).filter(|text| !text.is_empty());
        let workspace = workspace.ok_or(TokenFault::Claims)?.to_owned();
        let (mut scopes, mut unknown) = (ScopeSet::EMPTY, Vec::new());
        for word in first(&mapping.scopes).map(words).unwrap_or_default() {
            match Scope::parse(word) {
                Ok(scope) => scopes = scopes.with(scope),
                Err(_) => unknown.push(word.to_owned()),
            }
        }
        for role in first(&mapping.roles).map(words).unwrap_or_default() {
            scopes = scopes.union(mapping.role_scopes.get(role).copied().unwrap_or_default());
        }
        let user = first(&mapping.user).and_then(Value::as_str).map(UserId::new);
        let defaults = defaults(claims.get("defaults"))?;
        let (usage_limits, rate_limits) = (claims.remove("usage_limits"), claims.remove("rate_limits"));
        Ok(Self { workspace, scopes, unknown, user, defaults, usage_limits, rate_limits, until_ms })
    }

    /// `workspace` is what the store found for [`TokenGrant::workspace`] within the organisation.
    pub fn principal(&self, organisation: OrganisationId, workspace: Workspace) -> Principal {
        let mut principal =
            Principal::token(organisation, workspace, self.scopes).with_defaults(self.defaults.clone());
        principal.user.clone_from(&self.user);
        principal
    }
}

/// A list, or one text with spaces or commas, as OAuth writes scopes.
fn words(claim: &Value) -> Vec<&str> {
    match claim {
        Value::String(text) => text.split([' ', ',']).filter(|word| !word.is_empty()).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn defaults(claim: Option<&Value>) -> Result<Defaults, TokenFault> {
    let object = match claim {
        None | Some(Value::Null) => return Ok(Defaults::default()),
        Some(claim) => claim.as_object().ok_or(TokenFault::Claims)?,
    };
    let metadata: Option<Map<String, Value>> = match object.get("metadata") {
        None | Some(Value::Null) => None,
        Some(metadata) => Some(metadata.as_object().ok_or(TokenFault::Claims)?.clone()),
    };
    Ok(Defaults {
        config: object.get("config_id").and_then(Value::as_str).map(Arc::from),
        config_is_fixed: object.get("allow_config_override").and_then(Value::as_bool) == Some(false),
        metadata: metadata.map(Arc::new),
    })
}
