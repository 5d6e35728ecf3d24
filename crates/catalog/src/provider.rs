//! One provider: a row of `data/providers.json`. The meaning of each member is in `data/README.md`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::adjust::Adjust;
use crate::auth::Auth;
use crate::call::{Options, UrlError};
use crate::endpoint::{Dialect, Endpoint};
use crate::pairs::Pairs;
use crate::template::{Lookup, is_in_host_of};

#[derive(Debug, Deserialize)]
pub struct Provider {
    /// What requests call it: Portkey's id where it has one.
    pub id: &'static str,
    /// Other names that mean the same provider.
    #[serde(borrow)]
    pub aliases: Vec<&'static str>,
    /// For people.
    pub name: &'static str,
    /// Prefix of every path, with template variables, without a trailing slash. `{host}` alone: the user must give it.
    pub base_url: &'static str,
    #[serde(default)]
    pub(crate) base_by_region: Pairs,
    pub(crate) base_option: Option<&'static str>,
    #[serde(default)]
    pub(crate) custom_host_prefix: &'static str,
    #[serde(default, borrow)]
    pub(crate) pass_hosts: Vec<&'static str>,
    #[serde(default)]
    pub(crate) pass_bases: Pairs,
    #[serde(default, borrow)]
    pub(crate) options: BTreeMap<&'static str, Vec<&'static str>>,
    #[serde(default)]
    pub(crate) defaults: Pairs,
    pub(crate) version_param: Option<&'static str>,
    pub(crate) own_base_version: Option<&'static str>,
    #[serde(default)]
    pub(crate) escape_model: bool,
    /// The dialect of its endpoints, unless one says otherwise.
    pub dialect: Dialect,
    pub auth: Auth,
    /// Environment variables that conventionally hold the key, in the order to try.
    #[serde(borrow)]
    pub env: Vec<&'static str>,
    /// Environment variables that conventionally hold the base URL, each with the path to append when it is missing.
    #[serde(default)]
    pub env_base_url: Pairs,
    /// Environment variables that conventionally hold an option: (variable, option).
    #[serde(default)]
    pub env_options: Pairs,
    pub(crate) endpoints: BTreeMap<Endpoint, Route>,
    /// Public documentation.
    pub docs: &'static str,
    #[serde(default)]
    pub status: Status,
    /// How its chat differs from the dialect; from `data/adjust.json`.
    #[serde(skip)]
    pub adjust: Adjust,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    InService,
    /// Ended, or closed its public API; kept because clients still name it.
    Retired,
    /// Known from others only, or it is unclear whether it still runs.
    Unverified,
}

/// How one endpoint is reached.
#[derive(Debug, Deserialize)]
pub struct Route {
    pub method: Method,
    pub(crate) path: &'static str,
    pub(crate) stream_path: Option<&'static str>,
    pub(crate) v1_path: Option<&'static str>,
    pub(crate) custom_host_path: Option<&'static str>,
    pub(crate) base_url: Option<&'static str>,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) body: Option<BodyForm>,
    #[serde(default, borrow)]
    pub(crate) strip_model: Vec<&'static str>,
    #[serde(default)]
    pub(crate) model_prefix: &'static str,
    #[serde(default)]
    pub(crate) omit_model: bool,
    #[serde(default)]
    pub(crate) set: Pairs,
    #[serde(default)]
    pub(crate) variants: Vec<Variant>,
}

/// Another route of the same endpoint for some models or bases; the first that fits is taken.
#[derive(Debug, Deserialize)]
pub(crate) struct Variant {
    #[serde(default, borrow)]
    pub(crate) if_model: Vec<&'static str>,
    pub(crate) if_base: Option<&'static str>,
    #[serde(flatten)]
    pub(crate) route: Route,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// What the endpoint's request body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyForm {
    Json,
    /// `multipart/form-data`.
    Multipart,
    /// The bytes of a recording, options in the query.
    Bytes,
}

impl Provider {
    /// The route of an endpoint, if the provider offers it.
    pub fn route(&self, endpoint: Endpoint) -> Option<&Route> {
        self.endpoints.get(&endpoint)
    }

    /// The endpoints on offer, in a fixed order.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> {
        self.endpoints.keys().copied()
    }

    /// The dialect of an endpoint, before any model-dependent variant.
    pub fn dialect_of(&self, endpoint: Endpoint) -> Option<Dialect> {
        self.route(endpoint).map(|route| route.dialect.unwrap_or(self.dialect))
    }

    /// Whether an option says whose server is called (`azure_foundry_url`, `resource_name`), as a custom host does. A
    /// key that was stored for the provider must not follow such an option of a request. Regions are no such option:
    /// every one is the provider's own.
    pub fn is_address_option(&self, name: &str) -> bool {
        let names = |variable: &&str| self.options.get(*variable).is_some_and(|names| names.contains(&name));
        let variable = self.options.keys().copied().find(names).unwrap_or(name);
        let mut bases = self.endpoints.values().filter_map(|route| route.base_url).chain([self.base_url]);
        self.base_option == Some(name)
            || (variable != "region" && bases.any(|base| is_in_host_of(base, variable)))
    }

    /// Headers beside the credential that go with every request.
    ///
    /// # Errors
    /// A header needs an option that `options` does not have, or has with characters that no header can hold.
    pub fn headers(&self, options: &Options<'_>) -> Result<Vec<(&'static str, String)>, UrlError> {
        let mut lookup = Lookup::new(self, "", options);
        let headers = self.auth.extra_headers.iter();
        let headers =
            headers.map(|(name, value)| Ok((name, lookup.header(value)?))).collect::<Result<_, _>>()?;
        lookup.finish()?;
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog;

    #[test]
    fn options_that_are_addresses() {
        let cases = [
            ("azure-ai", "azure_foundry_url", true),
            ("huggingface", "huggingface_base_url", true),
            ("huggingface", "endpoint", true),
            ("vllm", "host", true),
            ("databricks", "workspace", true),
            ("azure-openai", "resource_name", true),
            ("azure-openai", "resource", true),
            ("azure-openai", "deployment_id", false),
            ("vertex-ai", "vertex_region", false),
            ("vertex-ai", "vertex_project_id", false),
            ("modal", "app", true),
            ("workers-ai", "workers_ai_account_id", false),
            ("openai", "host", false),
        ];
        for (provider, option, expected) in cases {
            assert_eq!(
                catalog().get(provider).unwrap().is_address_option(option),
                expected,
                "{provider} {option}"
            );
        }
    }
}
