//! Sign-ins: sessions, and links that work once.

use tidegate_core::Secret;

use super::{Expected, Store};
use crate::audit::By;
use crate::entity::{Link, LinkEnd, LinkOutcome, LinkPurpose, Session, Stored};
use crate::error::StoreError;
use crate::id::{LinkId, OrganisationId, SessionId, UserId};
use crate::kind::{Action, Kind};
use crate::scope::{Home, Scope};
use crate::token::{self, Digest};

const SESSION_PREFIX: &str = "tgs_";
const LINK_PREFIX: &str = "tgl_";

impl Store {
    /// Signs a user in until `expires_at` (milliseconds since 1970). The cookie's text is given here only.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn create_session(
        &self,
        by: &By,
        organisation: OrganisationId,
        user: UserId,
        expires_at: u64,
        seen_as: String,
    ) -> Result<(Stored<Session>, Secret), StoreError> {
        let text = token::make(SESSION_PREFIX)?;
        let session = Session { user, expires_at, seen_as, digest: Digest::of(&text) };
        let stored = self.create(by, Home::organisation(organisation), session).await?;
        Ok((stored, text))
    }

    /// The session of a cookie; `None` for one that is unknown, ended or expired.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_session(&self, text: &Secret) -> Result<Option<Stored<Session>>, StoreError> {
        let Some(row) = self.0.backend.row_by_digest(Kind::Session, Digest::of(text)).await? else {
            return Ok(None);
        };
        let session: Stored<Session> = self.decode(&row).await?;
        Ok(Some(session).filter(|session| self.now() < session.entity.expires_at))
    }

    /// Signs out.
    ///
    /// # Errors
    /// As [`Store::delete`].
    pub async fn end_session(&self, by: &By, scope: &Scope, id: SessionId) -> Result<(), StoreError> {
        self.try_delete::<Session>(Action::SignOut, by, scope, id, Expected::Latest).await
    }

    /// Makes a link that works once.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn create_link(
        &self,
        by: &By,
        organisation: OrganisationId,
        purpose: LinkPurpose,
        expires_at: u64,
    ) -> Result<(Stored<Link>, Secret), StoreError> {
        let text = token::make(LINK_PREFIX)?;
        let link = Link { purpose, expires_at, end: None, digest: Digest::of(&text) };
        let stored = self.create(by, Home::organisation(organisation), link).await?;
        Ok((stored, text))
    }

    /// Gives a link a new text, which works until `expires_at`; the one before does not any more.
    ///
    /// # Errors
    /// As [`Store::update`], and [`StoreError::Invalid`] for one that was accepted or cancelled.
    pub async fn renew_link(
        &self,
        by: &By,
        scope: &Scope,
        id: LinkId,
        expires_at: u64,
    ) -> Result<Secret, StoreError> {
        let text = token::make(LINK_PREFIX)?;
        let digest = Digest::of(&text);
        let change = |link: &mut Link| {
            still_open(link)?;
            link.digest = digest;
            link.expires_at = expires_at;
            Ok(())
        };
        self.update_as(Action::Rotate, by, scope, id, Expected::Latest, change).await?;
        Ok(text)
    }

    /// Takes an invitation back: its link stops working.
    ///
    /// # Errors
    /// As [`Store::renew_link`].
    pub async fn cancel_link(&self, by: &By, scope: &Scope, id: LinkId) -> Result<(), StoreError> {
        let end = LinkEnd { how: LinkOutcome::Cancelled, at: self.now() };
        let change = |link: &mut Link| {
            still_open(link)?;
            link.end = Some(end);
            Ok(())
        };
        self.update_as(Action::Delete, by, scope, id, Expected::Latest, change).await.map(|_| ())
    }

    /// Uses a link up. Of several who try at once, one gets it. `None` for one that is unknown, used or expired.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_link(&self, by: &By, text: &Secret) -> Result<Option<Stored<Link>>, StoreError> {
        let Some(row) = self.0.backend.row_by_digest(Kind::Link, Digest::of(text)).await? else {
            return Ok(None);
        };
        let link: Stored<Link> = self.decode(&row).await?;
        if link.entity.expires_at <= self.now() {
            return Ok(None);
        }
        let scope = Scope::Organisation(link.home.organisation);
        let expected = Expected::Version(link.version);
        let taken = match link.entity.purpose {
            LinkPurpose::SignIn { .. } => {
                self.try_delete::<Link>(Action::SignIn, by, &scope, link.id, expected).await
            }
            LinkPurpose::Invite { .. } => {
                let end = LinkEnd { how: LinkOutcome::Accepted, at: self.now() };
                let change = |link: &mut Link| {
                    link.end = Some(end);
                    Ok(())
                };
                self.update_as(Action::SignIn, by, &scope, link.id, expected, change).await.map(|_| ())
            }
        };
        match taken {
            Ok(()) => Ok(Some(link)),
            Err(StoreError::NotFound { .. } | StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn still_open(link: &Link) -> Result<(), StoreError> {
    match link.end {
        Some(end) => Err(StoreError::invalid("status", format!("the invitation was {} already", end.how))),
        None => Ok(()),
    }
}
