use super::*;
use crate::id::{KeyId, Workspace};
use crate::permission::KeyAction;
use crate::principal::Place;
use crate::role::{OrganisationRole, WorkspaceRole};
use crate::switch::Switches;

fn workspace(id: &str) -> Workspace {
    Workspace { id: WorkspaceId::new(id), slug: id.into() }
}

fn service(scopes: &[Scope]) -> Principal {
    let scopes = scopes.iter().copied().collect();
    Principal::service_key(OrganisationId::new("o"), KeyId::new("k"), workspace("a"), scopes)
}

fn member(user: &str, role: WorkspaceRole) -> Principal {
    let place = Place { workspace: workspace("a"), role, switches: Switches::default() };
    let organisation = OrganisationId::new("o");
    Principal::person(organisation, UserId::new(user), OrganisationRole::Member, Switches::default(), [place])
}

fn ask(principal: &Principal, permission: Permission, at: (&str, Option<&str>)) -> Result<Granted, Denied> {
    let (organisation, workspace) = (OrganisationId::new(at.0), at.1.map(WorkspaceId::new));
    let resource = Resource { organisation: &organisation, workspace: workspace.as_ref(), key: None };
    authorize(principal, permission, &resource)
}

#[test]
fn a_denial_names_the_scope_and_another_tenants_object_is_not_there() {
    let key = service(&[Scope::ConfigsRead, Scope::LogsWrite]);
    let reads = Permission::Needs(Scope::ConfigsRead);
    let granted = ask(&key, reads, ("o", Some("a"))).unwrap();
    assert_eq!(granted.workspace().map(WorkspaceId::text), Some("a"));
    assert_eq!(granted.organisation().text(), "o");
    for elsewhere in [("o", Some("b")), ("p", Some("a")), ("p", Some("b")), ("o", None), ("p", None)] {
        assert_eq!(ask(&key, reads, elsewhere), Err(Denied::NotFound), "{elsewhere:?}");
    }
    // Without the scope the answer is the same everywhere: it says nothing of what exists.
    let writes = Permission::Needs(Scope::ConfigsUpdate);
    for anywhere in [("o", Some("a")), ("o", Some("b")), ("p", Some("a")), ("o", None)] {
        assert_eq!(ask(&key, writes, anywhere), Err(Denied::Missing(vec![Scope::ConfigsUpdate])));
    }
    let refusal = Refusal::from(ask(&key, writes, ("o", Some("a"))).unwrap_err());
    assert_eq!((refusal.status(), refusal.param.as_deref()), (403, Some("configs.update")));
    assert_eq!(Refusal::from(Denied::NotFound).status(), 404);
}

#[test]
fn several_scopes() {
    let both = Permission::All(&[Scope::CompletionsWrite, Scope::LogsWrite]);
    let either = Permission::Any(&[Scope::CompletionsWrite, Scope::VirtualKeysList]);
    let own = ("o", Some("a"));
    let writer = service(&[Scope::LogsWrite]);
    assert_eq!(ask(&writer, both, own), Err(Denied::Missing(vec![Scope::CompletionsWrite])));
    let refusal = Refusal::from(ask(&writer, either, own).unwrap_err());
    assert_eq!(refusal.param.as_deref(), Some("completions.write or virtual_keys.list"));
    assert!(ask(&service(&[Scope::LogsWrite, Scope::CompletionsWrite]), both, own).is_ok());
    // A provider's right is a virtual key's.
    assert!(ask(&service(&[Scope::ProvidersList]), either, own).is_ok());
}

/// Two scopes, each in another workspace, are not both.
#[test]
fn rights_of_two_workspaces_do_not_add_up() {
    let member = |id: &str, scope| Membership {
        workspace: workspace(id),
        scopes: ScopeSet::EMPTY.with(scope),
        own_keys_only: false,
    };
    let mut principal = service(&[]);
    principal.reach =
        Reach::Workspaces([member("a", Scope::CompletionsWrite), member("b", Scope::LogsWrite)].into());
    let both = Permission::All(&[Scope::CompletionsWrite, Scope::LogsWrite]);
    assert!(admit(&principal, both).is_err());
    let needs = Permission::Needs(Scope::LogsWrite);
    assert_eq!(ask(&principal, needs, ("o", Some("a"))), Err(Denied::Missing(vec![Scope::LogsWrite])));
    assert!(ask(&principal, needs, ("o", Some("b"))).is_ok());
}

#[test]
fn the_level_of_an_object_decides_which_scope() {
    let guardrails = Permission::ByLevel {
        organisation: Scope::OrganisationGuardrailsRead,
        workspace: Scope::GuardrailsRead,
    };
    let key = service(&[Scope::GuardrailsRead]);
    assert!(ask(&key, guardrails, ("o", Some("a"))).is_ok());
    let missing = Denied::Missing(vec![Scope::OrganisationGuardrailsRead]);
    assert_eq!(ask(&key, guardrails, ("o", None)), Err(missing));
    let list = Permission::ByLevel {
        organisation: Scope::OrganisationIntegrationsList,
        workspace: Scope::WorkspaceIntegrationsList,
    };
    assert!(ask(&service(&[Scope::OrganisationIntegrationsList]), list, ("o", None)).is_ok());
}

#[test]
fn members_reach_their_own_keys_only() {
    let organisation = OrganisationId::new("o");
    let (anna, bert, a) = (UserId::new("anna"), UserId::new("bert"), WorkspaceId::new("a"));
    let on = |key| Resource { organisation: &organisation, workspace: Some(&a), key: Some(key) };
    let own = on((KeyKind::WorkspaceUser, Some(&anna)));
    let others = on((KeyKind::WorkspaceUser, Some(&bert)));
    let program = on((KeyKind::WorkspaceService, None));
    let delete = Permission::ByKey(KeyAction::Delete);
    let member = |role| member("anna", role);
    assert!(authorize(&member(WorkspaceRole::Member), delete, &own).is_ok());
    for resource in [&others, &program] {
        assert_eq!(authorize(&member(WorkspaceRole::Member), delete, resource), Err(Denied::NotFound));
    }
    for resource in [&own, &others, &program] {
        assert!(authorize(&member(WorkspaceRole::Admin), delete, resource).is_ok());
    }
    // Nobody's key is not the key of a caller who is nobody.
    let mut nameless = member(WorkspaceRole::Member);
    nameless.user = None;
    assert_eq!(authorize(&nameless, delete, &on((KeyKind::WorkspaceUser, None))), Err(Denied::NotFound));
    let admins = on((KeyKind::OrganisationService, None));
    let missing = Denied::Missing(vec![Scope::OrganisationServiceApiKeysDelete]);
    assert_eq!(authorize(&member(WorkspaceRole::Admin), delete, &admins), Err(missing));
}

#[test]
fn nobody_gives_what_he_has_not() {
    let set = |scopes: &[Scope]| scopes.iter().copied().collect::<ScopeSet>();
    let kind = KeyKind::WorkspaceService;
    let creator = service(&[Scope::ConfigsRead, Scope::WorkspaceServiceApiKeysCreate]);
    assert_eq!(may_grant(&creator, kind, set(&[Scope::ConfigsRead])), Ok(()));
    let refusal = may_grant(&creator, kind, set(&[Scope::ConfigsRead, Scope::LogsList])).unwrap_err();
    assert_eq!((refusal.status(), refusal.param.as_deref()), (403, Some("logs.list")));
    let organisation = OrganisationId::new("o");
    let admin = Principal::organisation_key(organisation, KeyId::new("k"), KeyKind::Admin, ScopeSet::EMPTY);
    assert_eq!(may_grant(&admin, kind, set(&[Scope::CompletionsWrite])), Ok(()));
    let organisations = Principal::organisation_key(
        OrganisationId::new("o"),
        KeyId::new("k"),
        KeyKind::OrganisationService,
        set(&[Scope::WorkspaceServiceApiKeysCreate]),
    );
    assert_eq!(may_grant(&organisations, kind, set(&[Scope::CompletionsWrite])), Ok(()));
    assert!(may_grant(&organisations, kind, set(&[Scope::ConfigsRead])).is_err());
    let refusal = may_grant(&admin, kind, set(&[Scope::AuditLogsList])).unwrap_err();
    assert_eq!(refusal.status(), 400);
    assert!(refusal.message.contains("audit_logs.list") && refusal.message.contains("workspace-service"));
    let unknown = Refusal::from(ScopeSet::parse(["configs.fly"]).unwrap_err());
    assert_eq!((unknown.status(), unknown.code()), (400, "AB01"));
    assert!(unknown.message.contains("configs.fly"));
}
