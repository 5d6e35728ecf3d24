//! Where a call goes: the URL, the dialect spoken there, and what becomes of the model's name.
//!
//! Three kinds of base: the provider's own, a custom host (which replaces the base that Portkey has, so that the path
//! after it is Portkey's), and a base URL of the operator (which replaces the base of the row). Nothing is decided
//! here about whether an address may be called; that is the egress filter's.

use std::borrow::Cow;

use crate::call::{Base, BodyModel, Call, Destination, Options, UrlError};
use crate::provider::{BodyForm, Provider, Route, Variant};
use crate::template::{Lookup, encode};

impl Provider {
    /// Where the call goes.
    ///
    /// # Errors
    /// The provider has no such endpoint, or its address needs an option or a model that the call does not have.
    pub fn destination(&self, call: &Call<'_>) -> Result<Destination, UrlError> {
        let route = self.route(call.endpoint);
        let route = route.ok_or(UrlError::NotOffered { provider: self.id, endpoint: call.endpoint })?;
        let given = Given::new(self, call.base, call.options);
        let route = route.fitting(call.model, given.url());
        let model = route.model_name(call.model);
        let mut lookup = Lookup::new(self, &model, call.options);
        let version = self.version(&lookup, given == Given::Nothing);
        let mut url = self.base_for(route, given, &mut lookup)?;
        url.push_str(&lookup.url(route.path_for(given, version, call.stream))?);
        let deployment = lookup.option("deployment").filter(|_| version.is_v1() && route.v1_path.is_some());
        let body_model = route.body_model(call.model, &model, deployment);
        lookup.finish()?;
        self.add_query(&mut url, version, call.query);
        let form = if call.endpoint.is_multipart() { BodyForm::Multipart } else { BodyForm::Json };
        Ok(Destination {
            method: route.method,
            url,
            dialect: route.dialect.unwrap_or(self.dialect),
            body: route.body.unwrap_or(form),
            model: body_model,
            set: route.set.clone(),
        })
    }

    /// The API has versions in its query: destinations have the client's query then.
    pub fn has_versions(&self) -> bool {
        self.version_param.is_some()
    }

    /// The base that stands for a custom host where every path is this row's own.
    pub fn base_of_custom_host(&self, url: &str) -> String {
        without_slash(url) + self.custom_host_prefix
    }

    fn base_for(
        &self,
        route: &Route,
        given: Given<'_>,
        lookup: &mut Lookup<'_, '_>,
    ) -> Result<String, UrlError> {
        // An endpoint with a base of its own has nothing of the row's in its path.
        let prefix = if route.base_url.is_none() { self.custom_host_prefix } else { "" };
        match (given, route.base_url) {
            (Given::CustomHost(url), _) if route.custom_host_path.is_some() => Ok(without_slash(url)),
            (Given::CustomHost(url) | Given::Option(url), _) => Ok(without_slash(url) + prefix),
            (Given::BaseUrl(url), _) => Ok(without_slash(url)),
            (Given::Nothing, Some(template)) => lookup.url(template),
            (Given::Nothing, None) => self.own_base(lookup),
        }
    }

    /// The row's base, rendered.
    pub(crate) fn own_base(&self, lookup: &mut Lookup<'_, '_>) -> Result<String, UrlError> {
        let regional = lookup.option("region").and_then(|region| self.base_by_region.get(region));
        lookup.url(regional.unwrap_or(self.base_url))
    }

    /// The API version asked for, where the API has versions in its query.
    pub(crate) fn version<'a>(&self, lookup: &Lookup<'a, '_>, own_base: bool) -> Version<'a> {
        let fallback = if own_base { self.own_base_version } else { None };
        match (self.version_param, lookup.option("api_version").or(fallback)) {
            (None, _) | (_, None) => Version::None,
            (_, Some("v1")) => Version::V1,
            (_, Some("preview")) => Version::V1Preview,
            (_, Some(date)) => Version::Dated(date),
        }
    }

    /// Appends the client's query, and the version unless the query has one.
    pub(crate) fn add_query(&self, url: &mut String, version: Version<'_>, client: Option<&str>) {
        let Some(param) = self.version_param else { return };
        let mut separator = if url.contains('?') { '&' } else { '?' };
        if let Some(query) = client.filter(|query| !query.is_empty()) {
            url.push(separator);
            url.push_str(query);
            separator = '&';
        }
        let has_param = |pair: &str| pair.split('=').next() == Some(param);
        let given = client.is_some_and(|query| query.split('&').any(has_param));
        if let (Some(version), false) = (version.in_query(), given) {
            url.push(separator);
            url.push_str(param);
            url.push('=');
            encode(url, version.as_bytes(), b"");
        }
    }
}

/// The API version of a call, for providers that have several forms of their paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version<'a> {
    None,
    Dated(&'a str),
    /// The form with OpenAI's own paths and no version in the query.
    V1,
    V1Preview,
}

impl<'a> Version<'a> {
    fn in_query(self) -> Option<&'a str> {
        match self {
            Self::None | Self::V1 => None,
            Self::Dated(date) => Some(date),
            Self::V1Preview => Some("preview"),
        }
    }

    pub(crate) fn is_v1(self) -> bool {
        matches!(self, Self::V1 | Self::V1Preview)
    }
}

/// What the caller or an option gave in place of the row's base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given<'a> {
    Nothing,
    CustomHost(&'a str),
    BaseUrl(&'a str),
    /// By the row's `base_option`: a host, like a custom one, with the row's paths.
    Option(&'a str),
}

impl<'a> Given<'a> {
    pub(crate) fn new<'o: 'a>(provider: &Provider, base: Base<'a>, options: &Options<'o>) -> Self {
        let option = provider.base_option.and_then(options).filter(|url| !url.is_empty());
        match (base, option) {
            (Base::CustomHost(url), _) => Self::CustomHost(url),
            (Base::BaseUrl(url), _) => Self::BaseUrl(url),
            (Base::Own, Some(url)) => Self::Option(url),
            (Base::Own, None) => Self::Nothing,
        }
    }

    pub(crate) fn url(self) -> Option<&'a str> {
        match self {
            Self::Nothing => None,
            Self::CustomHost(url) | Self::BaseUrl(url) | Self::Option(url) => Some(url),
        }
    }
}

impl Route {
    /// This route, or the variant of it for the model and the base.
    fn fitting(&self, model: &str, base: Option<&str>) -> &Route {
        let fits = |variant: &&Variant| {
            variant.if_model.iter().any(|prefix| model.starts_with(prefix))
                || variant.if_base.is_some_and(|part| base.is_some_and(|base| base.contains(part)))
        };
        self.variants.iter().find(fits).map_or(self, |variant| &variant.route)
    }

    fn path_for(&self, given: Given<'_>, version: Version<'_>, stream: bool) -> &'static str {
        if let (true, Some(path)) = (version.is_v1(), self.v1_path) {
            return path;
        }
        match (given, self.custom_host_path, self.stream_path) {
            (Given::CustomHost(_), Some(path), _) => path,
            (_, _, Some(path)) if stream => path,
            _ => self.path,
        }
    }

    /// The provider's name of the model, from the one that was asked for.
    fn model_name<'a>(&self, asked: &'a str) -> Cow<'a, str> {
        let stripped = self.strip_model.iter().find_map(|prefix| asked.strip_prefix(prefix)).unwrap_or(asked);
        if self.model_prefix.is_empty() || stripped.is_empty() {
            Cow::Borrowed(stripped)
        } else {
            Cow::Owned(format!("{}{stripped}", self.model_prefix))
        }
    }

    fn body_model(&self, asked: &str, model: &str, deployment: Option<&str>) -> BodyModel {
        // A base with an adapter: the path has the one, the body the other.
        let model = if self.path.contains("{model_base}") {
            model.split_once(':').map_or("", |(_, adapter)| adapter)
        } else {
            deployment.unwrap_or(model)
        };
        match self.omit_model {
            true => BodyModel::Omitted,
            false if model == asked => BodyModel::AsGiven,
            false => BodyModel::Replaced(model.to_owned()),
        }
    }
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dialect, Endpoint, catalog};

    /// Options of a call.
    type Named = &'static [(&'static str, &'static str)];

    fn chat(
        provider: &str,
        model: &str,
        base: Base<'_>,
        options: &[(&str, &str)],
    ) -> Result<Destination, String> {
        let lookup = |name: &str| options.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let endpoint = Endpoint::ChatCompletions;
        let call = Call { endpoint, model, stream: false, base, options: &lookup, query: Some("a=1") };
        catalog().get(provider).unwrap().destination(&call).map_err(|error| error.to_string())
    }

    #[test]
    fn own_bases() {
        let azure: Named = &[("resource_name", "r"), ("deployment_id", "d")];
        let vertex: Named = &[("vertex_region", "eu"), ("vertex_project_id", "p")];
        let cases: [(&str, &str, Named, &str); 14] = [
            ("openai", "m", &[], "https://api.openai.com/v1/chat/completions"),
            ("together-ai", "m", &[], "https://api.together.xyz/v1/chat/completions"),
            ("gemini", "m", &[], "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
            (
                "azure-openai",
                "m",
                azure,
                "https://r.openai.azure.com/openai/deployments/d/chat/completions?a=1&api-version=2024-10-21",
            ),
            (
                "azure-openai",
                "gpt",
                &[("azure_resource_name", "r"), ("api_version", "preview")],
                "https://r.openai.azure.com/openai/v1/chat/completions?a=1&api-version=preview",
            ),
            (
                "azure-openai",
                "gpt",
                &[("resource", "r")],
                "https://r.openai.azure.com/openai/deployments/gpt/chat/completions?a=1&api-version=2024-10-21",
            ),
            (
                "azure-ai",
                "m",
                &[("resource_name", "r")],
                "https://r.services.ai.azure.com/models/chat/completions?a=1&api-version=2024-05-01-preview",
            ),
            (
                "azure-ai",
                "claude-x",
                &[("azure_foundry_url", "https://f/anthropic/")],
                "https://f/anthropic/v1/messages?a=1",
            ),
            (
                "vertex-ai",
                "gemini-2",
                vertex,
                "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/gemini-2:generateContent",
            ),
            ("bedrock", "m", &[], "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"),
            (
                "bedrock",
                "m",
                &[("aws_region", "eu-west-1")],
                "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse",
            ),
            ("vllm", "m", &[("host", "http://gpu:8000/")], "http://gpu:8000/v1/chat/completions"),
            ("huggingface", "m", &[], "https://router.huggingface.co/v1/chat/completions"),
            (
                "huggingface",
                "m",
                &[("huggingface_base_url", "https://e.hf.cloud")],
                "https://e.hf.cloud/v1/chat/completions",
            ),
        ];
        for (provider, model, options, expected) in cases {
            assert_eq!(chat(provider, model, Base::Own, options).unwrap().url, expected, "{provider}");
        }
    }

    #[test]
    fn a_base_url_stands_for_the_rows() {
        let url = |provider, base| chat(provider, "m", Base::BaseUrl(base), &[]).unwrap().url;
        assert_eq!(url("together-ai", "https://proxy/v1"), "https://proxy/v1/chat/completions");
        assert_eq!(url("google", "https://proxy/v1beta/"), "https://proxy/v1beta/models/m:generateContent");
        assert_eq!(url("huggingface", "https://proxy/v1"), "https://proxy/v1/chat/completions");
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases: [(&str, &str, Named, &str); 9] = [
            (
                "vertex-ai",
                "m",
                &[("vertex_region", "r"), ("vertex_project_id", "..")],
                "vertex_project_id of vertex-ai holds characters that its URL cannot have there",
            ),
            ("azure-openai", "", &[], "Model is required"),
            ("azure-openai", "m", &[], "azure-openai needs resource_name"),
            ("vertex-ai", "m", &[], "vertex-ai needs vertex_region, vertex_project_id"),
            ("vertex-ai", "", &[("region", "r"), ("project", "p")], "Model is required"),
            ("vllm", "m", &[], "vllm needs custom_host"),
            ("elevenlabs", "m", &[], "chatComplete is not supported by elevenlabs"),
            ("google", "../files", &[], "model may not have `.` or `..` as a part of its path"),
            (
                "azure-openai",
                "m",
                &[("resource_name", "evil.test/x#")],
                "resource_name of azure-openai holds characters that its URL cannot have there",
            ),
        ];
        for (provider, model, options, expected) in cases {
            assert_eq!(
                chat(provider, model, Base::Own, options).unwrap_err(),
                expected,
                "{provider} {model}"
            );
        }
    }

    #[test]
    fn models_stay_inside_their_part_of_the_path() {
        let path = |provider, model| {
            let url = chat(provider, model, Base::CustomHost("https://u"), &[]).unwrap().url;
            url.trim_start_matches("https://u").to_owned()
        };
        assert_eq!(path("google", "a?b=1#c d"), "/v1beta/models/a%3Fb=1%23c%20d:generateContent");
        assert_eq!(path("huggingface", "org/m"), "/models/org/m/v1/chat/completions");
        assert_eq!(path("bedrock", "arn:aws:bedrock/x"), "/model/arn%3Aaws%3Abedrock%2Fx/converse");
        assert_eq!(path("bedrock", "arn%3Aaws%2Fx"), "/model/arn%3Aaws%2Fx/converse", "encoded before");
        assert_eq!(path("bedrock", "ü%zz%"), "/model/%C3%BC%25zz%25/converse");
    }

    #[test]
    fn the_clients_query_goes_where_the_api_has_one() {
        let dated: Named = &[("api_version", "2024-02-01"), ("deployment_id", "d")];
        let lookup = |name: &str| dated.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let url = |provider: &str, query| {
            let base = Base::CustomHost("https://u");
            let endpoint = Endpoint::Embeddings;
            let call = Call { endpoint, model: "m", stream: false, base, options: &lookup, query };
            catalog().get(provider).unwrap().destination(&call).unwrap().url
        };
        let azure = "https://u/deployments/d/embeddings";
        assert_eq!(url("azure-openai", Some("x=1")), format!("{azure}?x=1&api-version=2024-02-01"));
        assert_eq!(url("azure-openai", Some("api-version=2")), format!("{azure}?api-version=2"));
        assert_eq!(url("openai", Some("x=1")), "https://u/embeddings");
    }

    #[test]
    fn clouds_that_host_claude_get_its_version_in_the_body() {
        let options: Named = &[("vertex_region", "r"), ("vertex_project_id", "p")];
        let to = chat("vertex-ai", "anthropic.claude-3", Base::Own, options).unwrap();
        assert_eq!((to.dialect, to.model), (Dialect::Anthropic, BodyModel::Omitted));
        assert_eq!(to.set.get("anthropic_version"), Some("vertex-2023-10-16"));
    }

    /// Every endpoint of every row makes a URL once its options are there.
    #[test]
    fn every_row_makes_urls() {
        let lookup = |name: &str| match name {
            "host" | "endpoint" | "deployment_url" => Some("https://h"),
            "azure_foundry_url" | "huggingface_base_url" => None,
            _ => Some("x"),
        };
        for provider in catalog() {
            for endpoint in provider.endpoints() {
                for (stream, base) in
                    [(false, Base::Own), (true, Base::Own), (true, Base::CustomHost("https://u"))]
                {
                    let call = Call { endpoint, model: "m", stream, base, options: &lookup, query: None };
                    let url =
                        provider.destination(&call).unwrap_or_else(|e| panic!("{}: {e}", provider.id)).url;
                    let (scheme, rest) = url.split_once("://").unwrap();
                    assert!(["https", "http", "wss"].contains(&scheme), "{url}");
                    assert!(!rest.contains("//") && !url.contains(['{', '}', ' ']), "{url}");
                }
            }
        }
    }
}
