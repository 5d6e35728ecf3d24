//! People's roles, and the scopes that come with them.

use crate::scope::{Scope, ScopeSet};
use crate::switch::Switches;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrganisationRole {
    Owner,
    Admin,
    Member,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkspaceRole {
    Admin,
    Manager,
    Member,
}

/// Somebody, as seen from one workspace (or from none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    pub organisation: OrganisationRole,
    /// Owners and admins of the organisation act as admins in every workspace, whatever stands here.
    pub workspace: Option<WorkspaceRole>,
}

impl OrganisationRole {
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Member].into_iter().find(|role| role.word() == word)
    }

    /// What it allows outside of workspaces.
    pub fn scopes(self) -> ScopeSet {
        match self {
            Self::Owner | Self::Admin => Scope::all().filter(|scope| is_organisations(*scope)).collect(),
            Self::Member => ScopeSet::EMPTY,
        }
    }

    /// Whether somebody of this role may change the role of another from `from` to `to`. Nobody changes his own, and
    /// who would be the last owner to go is the store's to say.
    pub fn may_change(self, from: OrganisationRole, to: OrganisationRole) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => from != Self::Owner && to != Self::Owner,
            Self::Member => false,
        }
    }
}

impl WorkspaceRole {
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Member => "member",
        }
    }

    /// Also with the `ws-` that some replies of the reference put before it.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.strip_prefix("ws-").unwrap_or(word);
        [Self::Admin, Self::Manager, Self::Member].into_iter().find(|role| role.word() == word)
    }

    /// What it can allow: the switches take from it.
    fn widest(self) -> ScopeSet {
        let in_workspace = Scope::all().filter(|scope| !is_organisations(*scope));
        match self {
            Self::Admin | Self::Manager => in_workspace.collect(),
            Self::Member => in_workspace.filter(|scope| is_members(*scope)).collect(),
        }
    }
}

impl Person {
    /// The role that counts in the workspace.
    pub fn workspace_role(self) -> Option<WorkspaceRole> {
        match self.organisation {
            OrganisationRole::Owner | OrganisationRole::Admin => Some(WorkspaceRole::Admin),
            OrganisationRole::Member => self.workspace,
        }
    }

    /// What the person may do in the workspace, under its switches.
    pub fn scopes(self, switches: Switches) -> ScopeSet {
        let widest = self.workspace_role().map_or(ScopeSet::EMPTY, WorkspaceRole::widest);
        widest.without(switches.denied(self))
    }

    /// Whether the API keys of others are out of reach.
    pub fn own_keys_only(self) -> bool {
        self.workspace_role() == Some(WorkspaceRole::Member)
    }
}

/// Whether a right is about the organisation as a whole. Listing its integrations is not: workspaces see what they may
/// use.
fn is_organisations(scope: Scope) -> bool {
    let family = scope.family();
    let listing = family.starts_with("organisation_") && family.ends_with("_integrations");
    match family {
        "audit_logs" | "plugins" | "deployments" | "secret_references" => true,
        "workspaces" => matches!(scope, Scope::WorkspacesCreate | Scope::WorkspacesDelete),
        _ if listing && scope.action() == "list" => false,
        _ => family.starts_with("organisation_"),
    }
}

/// Members read and use. Writing prompts is what a switch can add, and keys are theirs only where they are their own.
fn is_members(scope: Scope) -> bool {
    match scope.family() {
        "workspace_user_api_keys" | "prompts" => true,
        "workspace_service_api_keys" => false,
        "completions" | "mcp" | "agents" | "analytics" | "logs" => true,
        "guardrails" => matches!(scope.action(), "read" | "list" | "invoke"),
        _ => matches!(scope.action(), "read" | "list"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::switch::Switch;

    #[test]
    fn words() {
        for word in ["owner", "admin", "member"] {
            assert_eq!(OrganisationRole::of_word(word).map(OrganisationRole::word), Some(word));
        }
        assert_eq!(WorkspaceRole::of_word("ws-manager"), Some(WorkspaceRole::Manager));
        assert_eq!(WorkspaceRole::of_word("owner"), None);
        assert_eq!(OrganisationRole::of_word("manager"), None);
    }

    #[test]
    fn every_right_is_somebodys_and_workspaces_have_none_of_the_organisations() {
        let person = |organisation| Person { organisation, workspace: None };
        let owner = person(OrganisationRole::Owner).scopes(Switches::default());
        assert_eq!(owner.union(OrganisationRole::Owner.scopes()), Scope::all().collect());
        assert!(owner.intersection(OrganisationRole::Owner.scopes()).is_empty());
        assert_eq!(
            owner,
            ScopeSet::of_kind(KeyKind::WorkspaceService),
            "an admin of a workspace is its service key"
        );
        assert!(person(OrganisationRole::Member).scopes(Switches::default()).is_empty());
        assert!(OrganisationRole::Member.scopes().is_empty());
    }

    #[test]
    fn members_read_and_switches_widen() {
        let member =
            Person { organisation: OrganisationRole::Member, workspace: Some(WorkspaceRole::Member) };
        let by_default = member.scopes(Switches::default());
        for (scope, want) in [
            (Scope::CompletionsWrite, true),
            (Scope::PromptsRender, true),
            (Scope::PromptsRead, true),
            (Scope::PromptsCreate, false),
            (Scope::ConfigsList, true),
            (Scope::ConfigsUpdate, false),
            (Scope::VirtualKeysCopy, false),
            (Scope::WorkspaceUserApiKeysCreate, true),
            (Scope::WorkspaceServiceApiKeysRead, false),
            (Scope::WorkspacesUpdate, false),
            (Scope::AuditLogsList, false),
        ] {
            assert_eq!(by_default.contains(scope), want, "{scope}");
        }
        let wider = member.scopes(Switches::default().set(Switch::MembersWritePrompts, true));
        assert!(wider.contains(Scope::PromptsPublish));
        assert_eq!(wider.without(by_default).len(), 4);
    }

    #[test]
    fn nobody_rises_above_his_own() {
        use OrganisationRole::{Admin, Member, Owner};
        assert!(Owner.may_change(Owner, Member) && Admin.may_change(Member, Admin));
        assert!(!Admin.may_change(Owner, Member) && !Admin.may_change(Member, Owner));
        assert!(!Member.may_change(Member, Admin));
    }
}
