//! Every scope there is, and which kinds of API key may hold it.
//!
//! There is no wildcard and no implication: `list` does not give `read`. Two families are names of one thing: a
//! provider of a workspace was once called a virtual key, and either name's scope opens it ([`Scope::twin`]).

mod set;

use std::fmt;

pub use set::ScopeSet;

use crate::key::KeyKind;

/// May be held by an organisation's service key.
const A: u8 = 1;
/// By a workspace's service key.
const S: u8 = 2;
/// By a workspace user's key.
const U: u8 = 4;

macro_rules! scopes {
    ($($family:literal [$holders:expr] { $($name:ident $action:literal),* })*) => {
        /// What a call needs, in the words of the admin API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Scope { $($($name),*),* }

        /// In the order of the variants.
        const ROWS: &[Row] = &[$($(
            Row { scope: Scope::$name, family: $family, action: $action,
                  text: concat!($family, ".", $action), holders: $holders }
        ),*),*];
    };
}

struct Row {
    scope: Scope,
    family: &'static str,
    action: &'static str,
    text: &'static str,
    holders: u8,
}

#[rustfmt::skip]
scopes! {
    "organisation_users" [A] { OrganisationUsersCreate "create", OrganisationUsersRead "read", OrganisationUsersUpdate "update", OrganisationUsersDelete "delete", OrganisationUsersList "list" }
    "organisation_service_api_keys" [A] { OrganisationServiceApiKeysCreate "create", OrganisationServiceApiKeysRead "read", OrganisationServiceApiKeysUpdate "update", OrganisationServiceApiKeysDelete "delete", OrganisationServiceApiKeysList "list", OrganisationServiceApiKeysRotate "rotate" }
    "organisation_settings" [A] { OrganisationSettingsRead "read", OrganisationSettingsUpdate "update" }
    "organisation_guardrails" [A] { OrganisationGuardrailsCreate "create", OrganisationGuardrailsRead "read", OrganisationGuardrailsUpdate "update", OrganisationGuardrailsDelete "delete", OrganisationGuardrailsList "list" }
    "organisation_exclusions" [A] { OrganisationExclusionsUpdate "update", OrganisationExclusionsList "list" }
    "audit_logs" [A] { AuditLogsList "list" }
    "plugins" [A] { PluginsCreate "create", PluginsUpdate "update", PluginsList "list" }
    "deployments" [A] { DeploymentsCreate "create", DeploymentsRead "read", DeploymentsUpdate "update", DeploymentsDelete "delete", DeploymentsList "list" }
    "secret_references" [A] { SecretReferencesCreate "create", SecretReferencesRead "read", SecretReferencesUpdate "update", SecretReferencesDelete "delete", SecretReferencesList "list" }
    "workspaces" [A] { WorkspacesCreate "create", WorkspacesDelete "delete" }
    "workspaces" [A | S | U] { WorkspacesRead "read", WorkspacesUpdate "update", WorkspacesList "list" }
    "workspace_service_api_keys" [A | S] { WorkspaceServiceApiKeysCreate "create", WorkspaceServiceApiKeysRead "read", WorkspaceServiceApiKeysUpdate "update", WorkspaceServiceApiKeysDelete "delete", WorkspaceServiceApiKeysList "list", WorkspaceServiceApiKeysRotate "rotate" }
    "workspace_user_api_keys" [A | S] { WorkspaceUserApiKeysCreate "create", WorkspaceUserApiKeysRead "read", WorkspaceUserApiKeysUpdate "update", WorkspaceUserApiKeysDelete "delete", WorkspaceUserApiKeysList "list", WorkspaceUserApiKeysRotate "rotate" }
    "workspace_users" [A | S | U] { WorkspaceUsersCreate "create", WorkspaceUsersRead "read", WorkspaceUsersUpdate "update", WorkspaceUsersDelete "delete", WorkspaceUsersList "list" }
    "prompts" [A | S | U] { PromptsCreate "create", PromptsRead "read", PromptsUpdate "update", PromptsDelete "delete", PromptsList "list", PromptsPublish "publish" }
    "prompts" [S | U] { PromptsRender "render" }
    "configs" [A | S | U] { ConfigsCreate "create", ConfigsRead "read", ConfigsUpdate "update", ConfigsDelete "delete", ConfigsList "list" }
    "guardrails" [A | S | U] { GuardrailsCreate "create", GuardrailsRead "read", GuardrailsUpdate "update", GuardrailsDelete "delete", GuardrailsList "list" }
    "guardrails" [S | U] { GuardrailsInvoke "invoke" }
    "providers" [A | S | U] { ProvidersCreate "create", ProvidersRead "read", ProvidersUpdate "update", ProvidersDelete "delete", ProvidersList "list" }
    "policies" [A | S | U] { PoliciesCreate "create", PoliciesRead "read", PoliciesUpdate "update", PoliciesDelete "delete", PoliciesList "list" }
    "virtual_keys" [A | S | U] { VirtualKeysCreate "create", VirtualKeysRead "read", VirtualKeysUpdate "update", VirtualKeysDelete "delete", VirtualKeysList "list", VirtualKeysDuplicate "duplicate", VirtualKeysCopy "copy" }
    "organisation_integrations" [A] { OrganisationIntegrationsCreate "create", OrganisationIntegrationsRead "read", OrganisationIntegrationsUpdate "update", OrganisationIntegrationsDelete "delete" }
    "organisation_integrations" [A | S | U] { OrganisationIntegrationsList "list" }
    "organisation_mcp_integrations" [A] { OrganisationMcpIntegrationsCreate "create", OrganisationMcpIntegrationsRead "read", OrganisationMcpIntegrationsUpdate "update", OrganisationMcpIntegrationsDelete "delete" }
    "organisation_mcp_integrations" [A | S | U] { OrganisationMcpIntegrationsList "list" }
    "organisation_agent_integrations" [A] { OrganisationAgentIntegrationsCreate "create", OrganisationAgentIntegrationsRead "read", OrganisationAgentIntegrationsUpdate "update", OrganisationAgentIntegrationsDelete "delete" }
    "organisation_agent_integrations" [A | S | U] { OrganisationAgentIntegrationsList "list" }
    "workspace_integrations" [A | S | U] { WorkspaceIntegrationsCreate "create", WorkspaceIntegrationsRead "read", WorkspaceIntegrationsUpdate "update", WorkspaceIntegrationsDelete "delete", WorkspaceIntegrationsList "list" }
    "workspace_mcp_integrations" [A | S | U] { WorkspaceMcpIntegrationsCreate "create", WorkspaceMcpIntegrationsRead "read", WorkspaceMcpIntegrationsUpdate "update", WorkspaceMcpIntegrationsDelete "delete", WorkspaceMcpIntegrationsList "list" }
    "workspace_agent_integrations" [A | S | U] { WorkspaceAgentIntegrationsCreate "create", WorkspaceAgentIntegrationsRead "read", WorkspaceAgentIntegrationsUpdate "update", WorkspaceAgentIntegrationsDelete "delete", WorkspaceAgentIntegrationsList "list" }
    "mcp_servers" [A | S | U] { McpServersCreate "create", McpServersRead "read", McpServersUpdate "update", McpServersDelete "delete", McpServersList "list" }
    "agent_servers" [A | S | U] { AgentServersCreate "create", AgentServersRead "read", AgentServersUpdate "update", AgentServersDelete "delete", AgentServersList "list" }
    "mcp" [S | U] { McpInvoke "invoke" }
    "agents" [S | U] { AgentsInvoke "invoke" }
    "completions" [S | U] { CompletionsWrite "write" }
    "analytics" [A | S | U] { AnalyticsView "view" }
    "logs" [A | S | U] { LogsView "view", LogsList "list", LogsExport "export" }
    "logs" [S | U] { LogsWrite "write", LogsRead "read" }
}

/// A scope that nobody knows, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScope(pub String);

impl Scope {
    pub const COUNT: usize = ROWS.len();

    pub fn all() -> impl Iterator<Item = Scope> {
        ROWS.iter().map(|row| row.scope)
    }

    pub fn text(self) -> &'static str {
        self.row().text
    }

    /// `configs` of `configs.read`.
    pub fn family(self) -> &'static str {
        self.row().family
    }

    /// `read` of `configs.read`.
    pub fn action(self) -> &'static str {
        self.row().action
    }

    /// # Errors
    /// A text that names no scope. Also accepted are spellings seen in the wild: a colon for the dot, `provider.` for
    /// `providers.`, and the two actions that virtual keys have and providers do not.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        let exact = |text: &str| ROWS.iter().find(|row| row.text == text).map(|row| row.scope);
        let unknown = || UnknownScope(text.to_owned());
        if let Some(scope) = exact(text) {
            return Ok(scope);
        }
        let dotted = text.replacen(':', ".", 1);
        let (family, action) = dotted.split_once('.').ok_or_else(unknown)?;
        let family = match (family, action) {
            ("provider" | "providers", "duplicate" | "copy") => "virtual_keys",
            ("provider", _) => "providers",
            _ => family,
        };
        exact(&format!("{family}.{action}")).ok_or_else(unknown)
    }

    /// The same right under the other name of the same thing.
    pub fn twin(self) -> Option<Scope> {
        let family = match self.family() {
            "providers" => "virtual_keys",
            "virtual_keys" => "providers",
            _ => return None,
        };
        ROWS.iter().find(|row| row.family == family && row.action == self.action()).map(|row| row.scope)
    }

    /// Whether a key of this kind may hold it at all.
    pub fn fits(self, kind: KeyKind) -> bool {
        let column = match kind {
            KeyKind::Admin | KeyKind::OrganisationService => A,
            KeyKind::WorkspaceService => S,
            KeyKind::WorkspaceUser => U,
        };
        self.row().holders & column != 0
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_variants_point() {
        assert_eq!(Scope::COUNT, 140);
        for (at, scope) in Scope::all().enumerate() {
            assert_eq!(scope as usize, at);
            assert_eq!(Scope::parse(scope.text()), Ok(scope));
            assert_eq!(scope.text(), format!("{}.{}", scope.family(), scope.action()));
            assert_eq!(scope.twin().and_then(Scope::twin).unwrap_or(scope), scope);
        }
    }

    #[test]
    fn spellings() {
        for (text, want) in [
            ("policies:create", Some(Scope::PoliciesCreate)),
            ("provider.update", Some(Scope::ProvidersUpdate)),
            ("providers.duplicate", Some(Scope::VirtualKeysDuplicate)),
            ("logs.list", Some(Scope::LogsList)),
            ("Logs.list", None),
            ("logs", None),
            ("logs.*", None),
            ("*", None),
            ("logs.list ", None),
            ("", None),
        ] {
            assert_eq!(Scope::parse(text).ok(), want, "{text}");
        }
    }

    /// The kinds' columns, counted by hand from the published table.
    #[test]
    fn kinds() {
        let count = |kind| Scope::all().filter(|scope| scope.fits(kind)).count();
        assert_eq!(count(KeyKind::OrganisationService), 133);
        assert_eq!(count(KeyKind::WorkspaceService), 92);
        assert_eq!(count(KeyKind::WorkspaceUser), 80);
        assert!(!Scope::CompletionsWrite.fits(KeyKind::Admin), "an admin key never calls a model");
        assert!(!Scope::WorkspaceUserApiKeysList.fits(KeyKind::WorkspaceUser));
        assert!(!Scope::AuditLogsList.fits(KeyKind::WorkspaceService));
    }
}
