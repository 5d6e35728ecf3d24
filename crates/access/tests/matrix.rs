//! Every route × every role × own workspace, another one, and another organisation.
//!
//! What is expected comes from `fixtures/matrix.tsv`, which knows nothing of scopes; what is observed comes from the
//! table of routes, the scopes of roles and the decision. A change of either shows here.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a fixture that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use tidegate_access::route::table;
use tidegate_access::{
    Access, Denied, KeyId, KeyKind, OrganisationId, OrganisationRole, Permission, Person, Place, Principal,
    Resource, Router, Scope, ScopeSet, Switches, UserId, Workspace, WorkspaceId, WorkspaceRole, admit,
    authorize,
};

const MATRIX: &str = include_str!("../fixtures/matrix.tsv");
const ROUTES: &str = include_str!("../fixtures/routes.tsv");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Granted,
    Forbidden,
    NotThere,
}

/// Where an object may lie, as seen by everybody in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Own,
    OtherWorkspace,
    OtherOrganisation,
}

#[test]
fn every_route_for_every_role_everywhere() {
    let router = Router::new(table()).unwrap();
    let rights = rights();
    let mut used = BTreeSet::new();
    let mut asked = 0;
    for line in rows(ROUTES) {
        let [method, path, group, scopes] = <[&str; 4]>::try_from(line).unwrap();
        let method: Method = method.parse().unwrap();
        let route = router.find(&method, path).unwrap().route;
        let Access::Needs(permission) = route.access() else {
            assert_eq!(group, "public", "{method} {path}");
            continue;
        };
        assert_eq!(published(permission), scopes, "{method} {path}");
        used.insert(group);
        let row = rights.get(group).unwrap_or_else(|| panic!("{group} is not in the matrix"));
        for (role, may) in row {
            let principal = principal(role);
            for place in [Where::Own, Where::OtherWorkspace, Where::OtherOrganisation] {
                let want = expected(*may, group, role, place);
                let got = observed(&principal, permission, group, place);
                assert_eq!(got, want, "{method} {path} as {role} at {place:?}: {permission:?}");
                // The door before the object agrees: it lets in who may do it somewhere, and nobody else.
                assert_eq!(admit(&principal, permission).is_ok(), *may, "{method} {path} as {role}");
                asked += 1;
            }
        }
    }
    assert_eq!(used, rights.keys().copied().collect(), "groups without a route");
    assert!(asked > 7_000, "{asked}");
}

/// A permission as the fixture writes it.
fn published(permission: Permission) -> String {
    let mut names: Vec<_> = permission.scopes().into_iter().map(Scope::text).collect();
    names.sort_unstable();
    names.join(if matches!(permission, Permission::All(_)) { " & " } else { " | " })
}

fn expected(may: bool, group: &str, role: &str, place: Where) -> Outcome {
    let is_everywhere = matches!(role, "owner" | "admin" | "admin_key");
    match place {
        _ if !may => Outcome::Forbidden,
        Where::Own => Outcome::Granted,
        // What belongs to the organisation has no other workspace to be in.
        Where::OtherWorkspace if is_everywhere || group == "organisation" => Outcome::Granted,
        Where::OtherWorkspace | Where::OtherOrganisation => Outcome::NotThere,
    }
}

fn observed(principal: &Principal, permission: Permission, group: &str, place: Where) -> Outcome {
    let organisation = OrganisationId::new(if place == Where::OtherOrganisation { "other" } else { "own" });
    let workspace = WorkspaceId::new(if place == Where::OtherWorkspace { "other" } else { "own" });
    let resource = Resource {
        organisation: &organisation,
        workspace: Some(&workspace).filter(|_| group != "organisation"),
        key: None,
    };
    match authorize(principal, permission, &resource) {
        Ok(granted) => {
            assert_eq!(granted.workspace(), resource.workspace);
            Outcome::Granted
        }
        Err(Denied::Missing(scopes)) => {
            assert!(!scopes.is_empty(), "a denial names what is missing");
            Outcome::Forbidden
        }
        Err(Denied::NotFound) => Outcome::NotThere,
    }
}

fn principal(role: &str) -> Principal {
    let organisation = OrganisationId::new("own");
    let workspace = Workspace { id: WorkspaceId::new("own"), slug: "ws-own".into() };
    let (id, user, switches) = (KeyId::new("k"), UserId::new("u"), Switches::default());
    let person = |role, places: Vec<Place>| {
        Principal::person(organisation.clone(), user.clone(), role, switches, places)
    };
    let member =
        |role| person(OrganisationRole::Member, vec![Place { workspace: workspace.clone(), role, switches }]);
    match role {
        "owner" => person(OrganisationRole::Owner, vec![]),
        "admin" => person(OrganisationRole::Admin, vec![]),
        "ws_admin" => member(WorkspaceRole::Admin),
        "ws_manager" => member(WorkspaceRole::Manager),
        "ws_member" => member(WorkspaceRole::Member),
        "org_member" => person(OrganisationRole::Member, vec![]),
        "admin_key" => {
            let kind = KeyKind::OrganisationService;
            Principal::organisation_key(organisation, id, kind, ScopeSet::of_kind(kind))
        }
        "service_key" => {
            let scopes = ScopeSet::of_kind(KeyKind::WorkspaceService);
            Principal::service_key(organisation, id, workspace, scopes)
        }
        "user_key" => {
            let scopes = ScopeSet::of_kind(KeyKind::WorkspaceUser);
            let owner =
                Person { organisation: OrganisationRole::Member, workspace: Some(WorkspaceRole::Member) };
            Principal::user_key(organisation, id, workspace, scopes, user, switches.denied(owner))
        }
        "log_key" => {
            let scopes = ScopeSet::EMPTY.with(Scope::LogsView);
            Principal::service_key(organisation, id, workspace, scopes)
        }
        _ => panic!("{role} is no role"),
    }
}

/// Group → role → whether.
fn rights() -> BTreeMap<&'static str, BTreeMap<&'static str, bool>> {
    let mut rows = rows(MATRIX);
    let roles = rows.next().unwrap();
    rows.map(|row| {
        assert_eq!(row.len(), roles.len(), "{row:?}");
        assert!(row[1..].iter().all(|field| matches!(*field, "y" | "-")), "{row:?}");
        let cells = roles[1..].iter().zip(&row[1..]).map(|(role, field)| (*role, *field == "y"));
        (row[0], cells.collect())
    })
    .collect()
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

/// Acceptance of the reference: with each scope taken from a full key in turn, what it opens is closed, and nothing else.
#[test]
fn each_scope_taken_away_closes_its_routes_and_no_other() {
    let full = ScopeSet::of_kind(KeyKind::WorkspaceService);
    let routes: Vec<_> = table()
        .filter_map(|route| match route.access() {
            Access::Needs(permission) => Some((route.template(), permission)),
            Access::Public(_) => None,
        })
        .collect();
    let opens = |scopes: ScopeSet| -> BTreeSet<usize> {
        (0..routes.len()).filter(|at| routes[*at].1.check(scopes).is_ok()).collect()
    };
    let all = opens(full);
    for scope in full.iter() {
        let twin = scope.twin().map_or(ScopeSet::EMPTY, |twin| ScopeSet::EMPTY.with(twin));
        let closed: BTreeSet<_> = all.difference(&opens(full.without(twin.with(scope)))).copied().collect();
        for at in all.iter() {
            let (template, permission) = routes[*at];
            let hangs_on_it = match permission {
                Permission::Needs(one) => one == scope || Some(one) == scope.twin(),
                Permission::All(scopes) => scopes.contains(&scope),
                // What else the key holds of the list, or of another level, opens it still.
                _ => permission.scopes().iter().all(|one| *one == scope || !full.contains(*one)),
            };
            assert_eq!(closed.contains(at), hangs_on_it, "{template} without {scope}");
        }
    }
}
