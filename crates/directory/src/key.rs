//! An API key as the data plane needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_access::{KeyHash, Principal, Reason, WorkspaceId};

use crate::bounds::Bounds;

/// A key, and everything that was decided about it when it was stored.
#[derive(Debug)]
pub struct ApiKey {
    /// As text, for records.
    pub id: Arc<str>,
    pub name: Arc<str>,
    pub principal: Principal,
    /// `None` for keys of an organisation, which administer.
    pub workspace: Option<WorkspaceId>,
    /// Newest first.
    pub secrets: Box<[KeySecret]>,
    /// Milliseconds since 1970, as all times here.
    pub revoked_at: Option<u64>,
    pub expires_at: Option<u64>,
    pub bounds: Bounds,
    used_at: AtomicU64,
}

/// One text by which a key is known.
#[derive(Debug, Clone, Copy)]
pub struct KeySecret {
    pub hash: KeyHash,
    /// The first millisecond at which it is no longer good: it was replaced.
    pub until: Option<u64>,
}

impl ApiKey {
    pub fn new(
        (id, name): (Arc<str>, Arc<str>),
        principal: Principal,
        workspace: Option<WorkspaceId>,
        secrets: Box<[KeySecret]>,
        (revoked_at, expires_at): (Option<u64>, Option<u64>),
        bounds: Bounds,
    ) -> Self {
        Self {
            id,
            name,
            principal,
            workspace,
            secrets,
            revoked_at,
            expires_at,
            bounds,
            used_at: AtomicU64::new(0),
        }
    }

    /// Whether the text with this hash may be used at `now_ms`.
    ///
    /// # Errors
    /// Revoked before expired before replaced; callers are told the same of all.
    pub fn judge(&self, hash: &KeyHash, now_ms: u64) -> Result<(), Reason> {
        if self.revoked_at.is_some_and(|at| at <= now_ms) {
            return Err(Reason::RevokedKey);
        }
        if self.expires_at.is_some_and(|at| at <= now_ms) {
            return Err(Reason::ExpiredKey);
        }
        let secret = self.secrets.iter().find(|secret| secret.hash == *hash);
        match secret {
            Some(secret) if secret.until.is_none_or(|until| now_ms < until) => Ok(()),
            _ => Err(Reason::RotatedKey),
        }
    }

    /// Notes a use. Told to the store now and then, in batches.
    pub fn used(&self, now_ms: u64) {
        // A second is exact enough, and most requests then write nothing that other threads read.
        if now_ms.saturating_sub(self.used_at.load(Ordering::Relaxed)) >= 1_000 {
            self.used_at.store(now_ms, Ordering::Relaxed);
        }
    }

    /// When it was last used since the process began; 0 for never.
    pub fn used_at(&self) -> u64 {
        self.used_at.load(Ordering::Relaxed)
    }

    /// Whether it may call models, whatever its validity: what ends the time of requests without a key.
    pub fn calls_models(&self) -> bool {
        self.workspace.is_some()
    }
}

#[cfg(test)]
mod tests {
    use tidegate_access::{KeyHasher, OrganisationId, ScopeSet};

    use super::*;

    #[test]
    fn good_until_it_is_not() {
        let hash = |text| KeyHasher::plain().hash(text);
        let key = |revoked_at, expires_at| {
            let organisation = OrganisationId::new("o");
            let id = tidegate_access::KeyId::new("k");
            let workspace = tidegate_access::Workspace { id: WorkspaceId::new("w"), slug: "ws".into() };
            let secrets = [
                KeySecret { hash: hash("new"), until: None },
                KeySecret { hash: hash("old"), until: Some(50) },
            ];
            ApiKey::new(
                ("k".into(), "key".into()),
                Principal::service_key(organisation, id, workspace, ScopeSet::EMPTY),
                Some(WorkspaceId::new("w")),
                secrets.into(),
                (revoked_at, expires_at),
                Bounds::default(),
            )
        };
        for (revoked, expires, text, now, want) in [
            (None, None, "new", 0, Ok(())),
            (None, None, "old", 49, Ok(())),
            (None, None, "old", 50, Err(Reason::RotatedKey)),
            (None, None, "other", 0, Err(Reason::RotatedKey)),
            (None, Some(10), "new", 9, Ok(())),
            (None, Some(10), "new", 10, Err(Reason::ExpiredKey)),
            (Some(5), Some(10), "new", 20, Err(Reason::RevokedKey)),
        ] {
            assert_eq!(key(revoked, expires).judge(&hash(text), now), want, "{text} at {now}");
        }
        let key = key(None, None);
        key.used(5_000);
        key.used(5_999);
        assert_eq!(key.used_at(), 5_000);
        key.used(6_000);
        assert_eq!(key.used_at(), 6_000);
    }
}
