//! From claims that are believed to a caller with a workspace and limits.

use std::sync::Arc;

use tidegate_access::OrganisationId;
use tidegate_access::jwt::{Mapping, TokenFault, TokenGrant, Verified};
use tidegate_directory::policy::Budgets;
use tidegate_directory::{ApiKey, Bounds, Directory};
use tidegate_ledger::{Budget, BudgetId, Level, Scope, parse_limits};
use tidegate_limits::Rule;
use tidegate_limits::rule::parse_policies;

/// The caller, and until when it is one. `claimed` is the organisation that the token names. The keys are the operator's
/// own: they may speak for every organisation here.
pub async fn of(
    directory: &Directory,
    mapping: &Mapping,
    budgets: &dyn Budgets,
    claimed: Option<String>,
    verified: Verified,
) -> Result<(Arc<ApiKey>, u64), TokenFault> {
    let organisation = OrganisationId::new(claimed.ok_or(TokenFault::Organisation)?);
    let grant = TokenGrant::read(verified, mapping, &organisation)?;
    // Told like any other fault: who guesses names learns nothing.
    let workspace = directory.workspace_named(&organisation, &grant.workspace).ok_or(TokenFault::Claims)?;
    let user = grant.user.as_ref().map(|user| user.text().to_owned()).unwrap_or_default();
    // Limits are the subject's: a new token is no new budget.
    let id: Arc<str> = format!("token/{}/{user}", workspace.name.id.text()).into();
    let name: Arc<str> = if user.is_empty() { "token".into() } else { user.into() };
    let (rules, kept) = (rules(&grant)?, kept(&grant, &id, budgets).await?);
    let bounds = Bounds { id: id.clone(), name: name.clone(), rules: rules.into(), budgets: kept.into() };
    let principal = grant.principal(organisation, workspace.name.clone());
    let key = ApiKey::new(
        (id, name),
        principal,
        Some(workspace.name.id.clone()),
        Box::default(),
        (None, Some(grant.until_ms)),
        bounds,
    );
    Ok((Arc::new(key), grant.until_ms))
}

fn rules(grant: &TokenGrant) -> Result<Vec<Rule>, TokenFault> {
    let Some(claim) = &grant.rate_limits else { return Ok(Vec::new()) };
    parse_policies("rate_limits", claim).map_err(|_| TokenFault::Claims)
}

async fn kept(grant: &TokenGrant, id: &str, budgets: &dyn Budgets) -> Result<Vec<BudgetId>, TokenFault> {
    let Some(claim) = &grant.usage_limits else { return Ok(Vec::new()) };
    let limits = parse_limits("usage_limits", claim, Level::Object, 0).map_err(|_| TokenFault::Claims)?;
    let mut ids = Vec::with_capacity(limits.len());
    for limit in limits {
        // Of two tokens of one subject the one that ends later was made later.
        let kept = budgets.keep(Budget::new(Scope::ApiKey, id, limit), grant.until_ms).await;
        ids.push(kept.ok_or(TokenFault::Claims)?);
    }
    Ok(ids)
}
