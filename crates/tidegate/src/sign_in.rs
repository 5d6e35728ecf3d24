//! Signing in through an identity provider: from the settings to who asks it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use tidegate_control::{Fetch, OidcOptions};
use tidegate_settings::{Oidc, OidcRole};
use tidegate_store::entity::OrganisationRole;
use tidegate_store::id::OrganisationId;
use tidegate_upstream::{Egress, OutBody};

/// For connecting, answering and the whole body together.
const PATIENCE: Duration = Duration::from_secs(10);
/// Far above any of its documents.
const LARGEST: usize = 1024 * 1024;

/// What the settings say; `None` where people sign in with links only.
///
/// # Errors
/// A setting that is needed with others, or that has no effect without them.
pub fn options(
    oidc: &Oidc,
    organisation: OrganisationId,
    egress: &Egress,
) -> Result<Option<OidcOptions>, String> {
    check(oidc)?;
    let (Some(issuer), Some(client_id)) = (oidc.issuer.clone(), oidc.client_id.clone()) else {
        return Ok(None);
    };
    Ok(Some(OidcOptions {
        issuer,
        client_id,
        client_secret: oidc.client_secret.clone(),
        allowed_domains: oidc.allowed_domains.iter().map(|domain| domain.to_lowercase()).collect(),
        default_role: match oidc.default_role {
            OidcRole::Member => OrganisationRole::Member,
            OidcRole::Admin => OrganisationRole::Admin,
        },
        role_claim: oidc.role_claim.clone(),
        organisation,
        fetch: Arc::new(ByEgress(egress.clone())),
    }))
}

/// # Errors
/// As [`options`].
pub fn check(oidc: &Oidc) -> Result<(), String> {
    let Some(issuer) = &oidc.issuer else {
        if *oidc == Oidc::default() {
            return Ok(());
        }
        return Err("the settings of [oidc] have no effect without oidc.issuer".to_owned());
    };
    let host = issuer.split_once("://").map_or("", |(_, rest)| rest);
    let is_near = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.starts_with(name));
    if host.is_empty() || !(issuer.starts_with("https://") || (issuer.starts_with("http://") && is_near)) {
        return Err("oidc.issuer is no https:// address; write it as the identity provider does".to_owned());
    }
    if oidc.client_id.is_none() {
        return Err("oidc.client_id is needed with oidc.issuer: as whom does the gateway ask?".to_owned());
    }
    if oidc.default_role != OidcRole::Member && oidc.allowed_domains.is_empty() {
        return Err(
            "oidc.default_role has no effect without oidc.allowed_domains: nobody is made a user".to_owned()
        );
    }
    match oidc.allowed_domains.iter().find(|domain| domain.contains('@') || domain.trim().is_empty()) {
        Some(_) => Err("oidc.allowed_domains: write domains without @, or \"*\" for all".to_owned()),
        None => Ok(()),
    }
}

/// Through the gateway's one way out, with its check of addresses.
#[derive(Debug)]
struct ByEgress(Egress);

impl Fetch for ByEgress {
    fn fetch(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, String>> + Send + '_>> {
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, send(&self.0, request)).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            }
        })
    }
}

async fn send(egress: &Egress, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let response = egress.send(request.map(OutBody::full), None).await.map_err(|error| error.detail)?;
    let (parts, body) = response.into_parts();
    match Limited::new(body, LARGEST).collect().await {
        Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
        Err(_) => Err(format!("the answer broke off, or is larger than {LARGEST} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_effect_are_told() {
        let issuer = || Some("https://idp.example.org".to_owned());
        let id = || Some("gateway".to_owned());
        let domains = vec!["example.org".to_owned()];
        for (oidc, wrong) in [
            (Oidc::default(), None),
            (Oidc { issuer: issuer(), client_id: id(), ..Oidc::default() }, None),
            (Oidc { issuer: Some("http://127.0.0.1:1".into()), client_id: id(), ..Oidc::default() }, None),
            (Oidc { client_id: id(), ..Oidc::default() }, Some("oidc.issuer")),
            (Oidc { issuer: issuer(), ..Oidc::default() }, Some("oidc.client_id")),
            (
                Oidc { issuer: Some("http://idp".into()), client_id: id(), ..Oidc::default() },
                Some("oidc.issuer"),
            ),
            (
                Oidc { issuer: issuer(), client_id: id(), default_role: OidcRole::Admin, ..Oidc::default() },
                Some("oidc.default_role"),
            ),
            (
                Oidc {
                    issuer: issuer(),
                    client_id: id(),
                    default_role: OidcRole::Admin,
                    allowed_domains: domains,
                    ..Oidc::default()
                },
                None,
            ),
            (
                Oidc {
                    issuer: issuer(),
                    client_id: id(),
                    allowed_domains: vec!["@x.org".into()],
                    ..Oidc::default()
                },
                Some("oidc.allowed_domains"),
            ),
        ] {
            let told = check(&oidc).err();
            assert_eq!(told.is_some(), wrong.is_some(), "{told:?}");
            assert!(wrong.is_none_or(|field| told.as_ref().unwrap().contains(field)), "{told:?}");
        }
    }
}
