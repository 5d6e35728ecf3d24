//! From what the identity provider says of somebody to a user.
//!
//! A user is known by issuer and subject. The first time somebody is known by the mail address, if the identity provider
//! says that it was verified: who can change the address there does not become another user here.

use serde_json::{Map, Value};
use tidegate_store::audit::By;
use tidegate_store::entity::{OrganisationRole, Stored, User};
use tidegate_store::{Expected, Home, Scope, StoreError};

use super::OidcOptions;
use crate::call::Visit;
use crate::listing::all;
use crate::problem::Problem;

/// Bytes of names that are kept.
const LONGEST_NAME: usize = 100;

/// # Errors
/// 403 in words for the person, and the database's.
pub(super) async fn of(
    visit: &Visit,
    options: &OidcOptions,
    by: &By,
    claims: &Map<String, Value>,
) -> Result<Stored<User>, Problem> {
    let store = visit.store();
    let whole = Scope::Organisation(options.organisation);
    let subject =
        text(claims, "sub").ok_or_else(|| not_let_in("the identity provider gives you no name (sub)"))?;
    let identity = format!("{} {subject}", options.issuer);
    let users = all::<User>(store, &whole).await?;
    let role = role(options, claims);
    if let Some(user) = users.iter().find(|user| user.entity.identity.as_ref() == Some(&identity)) {
        return with_role(visit, options, by, user, role, users.iter()).await;
    }
    let email = address(options, claims)?;
    match users.iter().find(|user| user.entity.email == email) {
        Some(user) if user.entity.identity.is_some() => {
            Err(not_let_in("there is another user with your mail address"))
        }
        Some(user) => {
            let change = |stored: &mut User| {
                stored.identity = Some(identity.clone());
                Ok(())
            };
            let user = store.update(by, &whole, user.id, Expected::Version(user.version), change).await?;
            with_role(visit, options, by, &user, role, users.iter()).await
        }
        None if options.allowed_domains.is_empty() => {
            Err(not_let_in("you are no user here; ask for an invitation"))
        }
        None => {
            let name = |claim: &str| text(claims, claim).unwrap_or_default();
            let name =
                |claim: &str| name(claim).chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
            let user = User {
                email,
                first_name: name("given_name"),
                last_name: name("family_name"),
                role: role.unwrap_or(options.default_role),
                identity: Some(identity),
                disabled: false,
            };
            match store.create(by, Home::organisation(options.organisation), user).await {
                Ok(user) => Ok(user),
                // In another window, a moment ago.
                Err(StoreError::Taken { .. }) => Err(Problem::conflict("begin to sign in again")),
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// The address, if it is one by which somebody can be known.
fn address(options: &OidcOptions, claims: &Map<String, Value>) -> Result<String, Problem> {
    let email = text(claims, "email").map(str::to_lowercase);
    let email = email.ok_or_else(|| not_let_in("the identity provider does not tell your mail address"))?;
    let verified = claims.get("email_verified");
    if !verified.is_some_and(|verified| *verified == true || verified == "true") {
        return Err(not_let_in("the identity provider does not say that your mail address is verified"));
    }
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let allowed = &options.allowed_domains;
    if !allowed.is_empty() && !allowed.iter().any(|one| one == "*" || one == domain) {
        return Err(not_let_in("addresses of your domain are not let in"));
    }
    Ok(email)
}

/// The highest that the claim names.
fn role(options: &OidcOptions, claims: &Map<String, Value>) -> Option<OrganisationRole> {
    let claim = claims.get(options.role_claim.as_ref()?)?;
    let words: Vec<&str> = match claim {
        Value::String(text) => text.split([' ', ',']).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    // From the highest down.
    OrganisationRole::ALL.iter().copied().find(|role| words.contains(&role.as_str()))
}

async fn with_role(
    visit: &Visit,
    options: &OidcOptions,
    by: &By,
    user: &Stored<User>,
    role: Option<OrganisationRole>,
    mut users: impl Iterator<Item = &Stored<User>>,
) -> Result<Stored<User>, Problem> {
    let Some(role) = role.filter(|role| *role != user.entity.role) else { return Ok(user.clone()) };
    let owns = |one: &Stored<User>| one.entity.role == OrganisationRole::Owner && !one.entity.disabled;
    // The last one stays, whatever is said elsewhere: nobody could make another.
    if owns(user) && !users.any(|one| one.id != user.id && owns(one)) {
        return Ok(user.clone());
    }
    let change = |stored: &mut User| {
        stored.role = role;
        Ok(())
    };
    let whole = Scope::Organisation(options.organisation);
    Ok(visit.store().update(by, &whole, user.id, Expected::Version(user.version), change).await?)
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= 255)
}

fn not_let_in(why: &'static str) -> Problem {
    Problem::forbidden(format!("you cannot sign in: {why}"))
}
