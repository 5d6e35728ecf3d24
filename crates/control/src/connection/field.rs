//! What else than a key a provider needs to know: its members in the admin API, and the option of the gateway's configs
//! that each of them is.

use tidegate_catalog::Provider;

/// A member, under its name in `configurations` of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// What virtual keys call it, in the first spelling.
    flat: &'static str,
    /// The name in configs.
    pub(super) option: &'static str,
    /// A part of the credential: encrypted with it and never shown.
    pub(super) is_secret: bool,
}

const fn same(name: &'static str) -> Field {
    Field { name, flat: name, option: name, is_secret: false }
}

const fn renamed(name: &'static str, flat: &'static str, option: &'static str) -> Field {
    Field { name, flat, option, is_secret: false }
}

const fn secret(name: &'static str) -> Field {
    Field { name, flat: name, option: name, is_secret: true }
}

const FIELDS: [Field; 37] = [
    same("openai_organization"),
    same("openai_project"),
    same("anthropic_version"),
    same("anthropic_beta"),
    renamed("azure_resource_name", "resource_name", "resource_name"),
    renamed("azure_deployment_name", "deployment_name", "deployment_id"),
    renamed("azure_api_version", "api_version", "api_version"),
    same("azure_auth_mode"),
    secret("azure_ad_token"),
    same("azure_entra_tenant_id"),
    same("azure_entra_client_id"),
    secret("azure_entra_client_secret"),
    same("azure_managed_client_id"),
    same("azure_foundry_url"),
    same("azure_endpoint_name"),
    same("aws_auth_type"),
    same("aws_region"),
    secret("aws_access_key_id"),
    secret("aws_secret_access_key"),
    secret("aws_session_token"),
    same("aws_role_arn"),
    same("aws_external_id"),
    same("amzn_sagemaker_custom_attributes"),
    same("amzn_sagemaker_target_model"),
    same("amzn_sagemaker_target_variant"),
    same("amzn_sagemaker_target_container_hostname"),
    same("amzn_sagemaker_inference_id"),
    same("amzn_sagemaker_enable_explanations"),
    same("amzn_sagemaker_inference_component"),
    same("vertex_auth_type"),
    same("vertex_region"),
    same("vertex_project_id"),
    secret("vertex_service_account_json"),
    same("workers_ai_account_id"),
    same("huggingface_base_url"),
    same("snowflake_account"),
    same("fireworks_account_id"),
];

/// Words in the names of options that hold a secret.
const SECRET: [&str; 4] = ["secret", "token", "password", "private_key"];

impl Field {
    /// By any of its names; or an option that the provider's own conventions name.
    pub(super) fn find(row: &Provider, name: &str) -> Option<Self> {
        let named = |field: &&Field| [field.name, field.flat, field.option].contains(&name);
        if let Some(field) = FIELDS.iter().find(named) {
            return Some(*field);
        }
        let own = row.env_options.iter().find(|(_, option)| *option == name).map(|(_, option)| option)?;
        Some(Self { is_secret: SECRET.iter().any(|word| own.contains(word)), ..same(own) })
    }

    /// The one of an option in a stored connection.
    pub(super) fn of_option(option: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.option == option)
    }

    /// As virtual keys write it: `resourceName`.
    pub(super) fn camel(&self) -> String {
        camel(self.flat)
    }
}

/// `api_version` → `apiVersion`.
pub(super) fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut out, part| {
        let mut chars = part.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(chars.as_str());
        out
    })
}

#[cfg(test)]
mod tests {
    use tidegate_catalog::catalog;

    use super::*;

    #[test]
    fn one_option_under_all_its_names() {
        let azure = catalog().get("azure-openai").unwrap();
        for name in ["azure_api_version", "api_version"] {
            assert_eq!(Field::find(azure, name).unwrap().option, "api_version");
        }
        for name in ["azure_deployment_name", "deployment_name", "deployment_id"] {
            assert_eq!(Field::find(azure, name).unwrap().option, "deployment_id");
        }
        assert_eq!(Field::find(azure, "resource_name").unwrap().camel(), "resourceName");
        assert_eq!(Field::find(azure, "nothing"), None);
        let predibase = catalog().get("predibase").unwrap();
        assert!(!Field::find(predibase, "tenant").unwrap().is_secret);
        let anthropic = catalog().get("anthropic").unwrap();
        assert!(Field::find(anthropic, "anthropic_auth_token").unwrap().is_secret);
        for field in FIELDS {
            let of_option = FIELDS.iter().filter(|other| other.option == field.option);
            assert_eq!(of_option.count(), 1, "{}", field.option);
        }
    }
}
