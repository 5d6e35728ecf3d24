//! The organisation's switches over what managers and members of workspaces may do.
//!
//! A switch that is off takes rights away, from a role and from that person's own keys alike: scopes do not help. Each
//! has a value for the organisation; a workspace may have another.

use crate::role::{OrganisationRole, Person, WorkspaceRole};
use crate::scope::{Scope, ScopeSet};

macro_rules! switches {
    ($($name:ident $word:literal $default:literal $role:ident [$($scope:ident)*];)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Switch { $($name),* }

        const ROWS: &[Row] = &[$(Row {
            switch: Switch::$name, word: $word, default: $default, about: About::$role,
            governs: &[$(Scope::$scope),*],
        }),*];
    };
}

struct Row {
    switch: Switch,
    word: &'static str,
    default: bool,
    about: About,
    governs: &'static [Scope],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Managers,
    Members,
    Admins,
}

// The views of logs and the one of all data govern rows and columns, not scopes: see `Switches::logs`.
#[rustfmt::skip]
switches! {
    OrgAdminsViewLogs "orgAdminsViewLogs" true Admins [];
    OrgAdminsViewLogsMetadata "orgAdminsViewLogsMetadata" true Admins [];
    ManagersViewLogs "managersViewLogs" true Managers [];
    ManagersViewLogsMetadata "managersViewLogsMetadata" true Managers [];
    MembersViewLogs "membersViewLogs" true Members [];
    MembersViewLogsMetadata "membersViewLogsMetadata" true Members [];
    ManagersViewAllData "managersViewAllData" true Managers [];
    MembersViewAllData "membersViewAllData" true Members [];
    ManagersViewAnalytics "managersViewAnalytics" true Managers [AnalyticsView];
    MembersViewAnalytics "membersViewAnalytics" true Members [AnalyticsView];
    ManagersViewPrompts "managersViewPrompts" true Managers [PromptsRead PromptsList];
    ManagersWritePrompts "managersWritePrompts" true Managers
        [PromptsCreate PromptsUpdate PromptsDelete PromptsPublish];
    MembersViewPrompts "membersViewPrompts" true Members [PromptsRead PromptsList];
    MembersWritePrompts "membersWritePrompts" false Members
        [PromptsCreate PromptsUpdate PromptsDelete PromptsPublish];
    ManagersViewGuardrails "managersViewGuardrails" true Managers [GuardrailsRead GuardrailsList];
    ManagersWriteGuardrails "managersWriteGuardrails" true Managers
        [GuardrailsCreate GuardrailsUpdate GuardrailsDelete];
    MembersViewGuardrails "membersViewGuardrails" true Members [GuardrailsRead GuardrailsList];
    ManagersWriteWsIntegrations "managersWriteWsIntegrations" true Managers
        [WorkspaceIntegrationsCreate WorkspaceIntegrationsUpdate WorkspaceIntegrationsDelete];
    ManagersWriteWsMcpIntegrations "managersWriteWsMcpIntegrations" true Managers
        [WorkspaceMcpIntegrationsCreate WorkspaceMcpIntegrationsUpdate WorkspaceMcpIntegrationsDelete];
    ManagersWriteMcpServers "managersWriteMcpServers" true Managers
        [McpServersCreate McpServersUpdate McpServersDelete];
    ManagersViewApiKeys "managersViewApiKeys" true Managers
        [WorkspaceServiceApiKeysRead WorkspaceServiceApiKeysList WorkspaceUserApiKeysRead WorkspaceUserApiKeysList];
    ManagersManageApiKeys "managersManageApiKeys" true Managers
        [WorkspaceServiceApiKeysCreate WorkspaceServiceApiKeysUpdate WorkspaceServiceApiKeysDelete
         WorkspaceServiceApiKeysRotate WorkspaceUserApiKeysCreate WorkspaceUserApiKeysUpdate
         WorkspaceUserApiKeysDelete WorkspaceUserApiKeysRotate];
    MembersViewApiKeys "membersViewApiKeys" true Members [WorkspaceUserApiKeysRead WorkspaceUserApiKeysList];
    MembersManageApiKeys "membersManageApiKeys" true Members
        [WorkspaceUserApiKeysCreate WorkspaceUserApiKeysUpdate WorkspaceUserApiKeysDelete
         WorkspaceUserApiKeysRotate];
    ManagersViewProviders "managersViewProviders" true Managers
        [ProvidersRead ProvidersList VirtualKeysRead VirtualKeysList];
    MembersViewProviders "membersViewProviders" true Members
        [ProvidersRead ProvidersList VirtualKeysRead VirtualKeysList];
    ManagersManageProviders "managersManageProviders" true Managers
        [ProvidersCreate ProvidersUpdate ProvidersDelete VirtualKeysCreate VirtualKeysUpdate VirtualKeysDelete
         VirtualKeysDuplicate VirtualKeysCopy];
}

/// What of the logs is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogView {
    pub columns: Columns,
    /// Of everybody in the workspace, not only the person's own.
    pub all_rows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    All,
    /// Metrics and metadata, no bodies.
    Metadata,
    None,
}

/// The values of all switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches(u32);

const _: () = assert!(ROWS.len() <= 32);

impl Default for Switches {
    fn default() -> Self {
        ROWS.iter().fold(Self(0), |switches, row| switches.set(row.switch, row.default))
    }
}

impl Switch {
    pub fn all() -> impl Iterator<Item = Switch> {
        ROWS.iter().map(|row| row.switch)
    }

    /// The member's name in the organisation's settings.
    pub fn word(self) -> &'static str {
        ROWS[self as usize].word
    }

    pub fn of_word(word: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.word == word).map(|row| row.switch)
    }
}

impl Switches {
    #[must_use]
    pub fn set(self, switch: Switch, on: bool) -> Self {
        let bit = 1 << switch as u8;
        Self(if on { self.0 | bit } else { self.0 & !bit })
    }

    pub fn is_on(self, switch: Switch) -> bool {
        self.0 >> switch as u8 & 1 == 1
    }

    /// The organisation's values with a workspace's own over them.
    #[must_use]
    pub fn overridden(self, own: impl IntoIterator<Item = (Switch, bool)>) -> Self {
        own.into_iter().fold(self, |switches, (switch, on)| switches.set(switch, on))
    }

    /// What the switches take away from a person.
    pub fn denied(self, person: Person) -> ScopeSet {
        let Some(about) = about(person) else { return ScopeSet::EMPTY };
        let off = ROWS.iter().filter(|row| row.about == about && !self.is_on(row.switch));
        let denied: ScopeSet = off.flat_map(|row| row.governs.iter().copied()).collect();
        match self.logs(person).columns {
            Columns::None => denied
                .with(Scope::LogsView)
                .with(Scope::LogsList)
                .with(Scope::LogsRead)
                .with(Scope::LogsExport),
            Columns::All | Columns::Metadata => denied,
        }
    }

    /// What a person sees of the logs, if the scopes allow seeing any.
    pub fn logs(self, person: Person) -> LogView {
        let (logs, metadata, all) = match about(person) {
            None => return LogView { columns: Columns::All, all_rows: true },
            Some(About::Admins) => (Switch::OrgAdminsViewLogs, Switch::OrgAdminsViewLogsMetadata, None),
            Some(About::Managers) => (
                Switch::ManagersViewLogs,
                Switch::ManagersViewLogsMetadata,
                Some(Switch::ManagersViewAllData),
            ),
            Some(About::Members) => {
                (Switch::MembersViewLogs, Switch::MembersViewLogsMetadata, Some(Switch::MembersViewAllData))
            }
        };
        let columns = match (self.is_on(logs), self.is_on(metadata)) {
            (true, _) => Columns::All,
            (false, true) => Columns::Metadata,
            (false, false) => Columns::None,
        };
        LogView { columns, all_rows: all.is_none_or(|switch| self.is_on(switch)) }
    }
}

/// Whom the switches speak of. Owners and workspaces' admins are in none.
fn about(person: Person) -> Option<About> {
    match (person.organisation, person.workspace) {
        (OrganisationRole::Owner, _) => None,
        (OrganisationRole::Admin, _) => Some(About::Admins),
        (OrganisationRole::Member, Some(WorkspaceRole::Manager)) => Some(About::Managers),
        (OrganisationRole::Member, Some(WorkspaceRole::Member)) => Some(About::Members),
        (OrganisationRole::Member, Some(WorkspaceRole::Admin) | None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: Person =
        Person { organisation: OrganisationRole::Member, workspace: Some(WorkspaceRole::Member) };
    const MANAGER: Person =
        Person { organisation: OrganisationRole::Member, workspace: Some(WorkspaceRole::Manager) };
    const ADMIN: Person = Person { organisation: OrganisationRole::Admin, workspace: None };

    #[test]
    fn all_are_on_but_one() {
        let off: Vec<_> = Switch::all().filter(|switch| !Switches::default().is_on(*switch)).collect();
        assert_eq!(off, [Switch::MembersWritePrompts]);
        for (at, switch) in Switch::all().enumerate() {
            assert_eq!(switch as usize, at);
            assert_eq!(Switch::of_word(switch.word()), Some(switch));
        }
        assert_eq!(Switch::of_word("managersviewlogs"), None);
    }

    #[test]
    fn a_switch_takes_from_its_own_role_only() {
        for switch in Switch::all().filter(|switch| !ROWS[*switch as usize].governs.is_empty()) {
            let row = &ROWS[switch as usize];
            for (person, about) in
                [(MEMBER, About::Members), (MANAGER, About::Managers), (ADMIN, About::Admins)]
            {
                let on = Switches::default().set(switch, true).denied(person);
                let off = Switches::default().set(switch, false).denied(person);
                let governed: ScopeSet = row.governs.iter().copied().collect();
                let want = if row.about == about { governed } else { ScopeSet::EMPTY };
                assert_eq!(off.without(on), want, "{}", row.word);
            }
        }
    }

    #[test]
    fn logs_are_seen_by_column_and_by_row() {
        let switches = Switches::default();
        assert_eq!(switches.logs(MEMBER), LogView { columns: Columns::All, all_rows: true });
        let switches = switches.overridden([
            (Switch::MembersViewLogs, false),
            (Switch::MembersViewAllData, false),
            (Switch::OrgAdminsViewLogs, false),
            (Switch::OrgAdminsViewLogsMetadata, false),
        ]);
        assert_eq!(switches.logs(MEMBER), LogView { columns: Columns::Metadata, all_rows: false });
        assert!(!switches.denied(MEMBER).contains(Scope::LogsList));
        assert_eq!(switches.logs(MANAGER), LogView { columns: Columns::All, all_rows: true });
        assert_eq!(switches.logs(ADMIN), LogView { columns: Columns::None, all_rows: true });
        assert!(switches.denied(ADMIN).contains(Scope::LogsExport));
        assert!(!switches.denied(ADMIN).contains(Scope::LogsWrite));
    }

    #[test]
    fn owners_and_workspaces_admins_are_above_switches() {
        let off = Switch::all().fold(Switches::default(), |switches, switch| switches.set(switch, false));
        for person in [
            Person { organisation: OrganisationRole::Owner, workspace: None },
            Person { organisation: OrganisationRole::Owner, workspace: Some(WorkspaceRole::Member) },
            Person { organisation: OrganisationRole::Member, workspace: Some(WorkspaceRole::Admin) },
        ] {
            assert_eq!(off.denied(person), ScopeSet::EMPTY);
            assert_eq!(off.logs(person), LogView { columns: Columns::All, all_rows: true });
        }
        // An admin of the organisation stays one, whatever he is in a workspace.
        let admin = Person { workspace: Some(WorkspaceRole::Member), ..ADMIN };
        assert_eq!(off.denied(admin), off.denied(ADMIN));
        assert_eq!(off.denied(admin).len(), 4);
    }
}
