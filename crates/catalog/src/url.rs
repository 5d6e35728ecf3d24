//! Where a call goes: the URL, the dialect spoken there, and what becomes of the model's name.
//!
//! Three kinds of base: the provider's own, a custom host (which replaces the base that Portkey has, so that the path
//! after it is Portkey's), and a base URL of the operator (which replaces the base of the row). Nothing is decided
//! here about whether an address may be called; that is the egress filter's.

use std::borrow::Cow;
use std::fmt;

use crate::endpoint::{Dialect, Endpoint};
use crate::pairs::Pairs;
use crate::provider::{BodyForm, Method, Provider, Route, Variant};
use crate::template::{Lookup, encode};

/// Looks an option up by its name in a config (`resource_name`, `vertex_region`) or by the variable's (`region`).
pub type Options<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// One call, as far as its address depends on it.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub endpoint: Endpoint,
    /// The model the request names; may be empty where no path needs it.
    pub model: &'a str,
    pub stream: bool,
    pub base: Base<'a>,
    pub options: &'a Options<'a>,
    /// The client's query string, without the question mark. Kept only where the provider's API has query parameters
    /// of its own (Azure).
    pub query: Option<&'a str>,
}

/// What the path is appended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base<'a> {
    /// The row's.
    Own,
    /// `x-portkey-custom-host` or `custom_host`: stands for the base that Portkey has for the provider.
    CustomHost(&'a str),
    /// `base_url` of the operator's settings: stands for the row's base.
    BaseUrl(&'a str),
}

/// Where to send the request, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub method: Method,
    pub url: String,
    pub dialect: Dialect,
    pub body: BodyForm,
    pub model: BodyModel,
    /// Top-level text members that the body must have (`anthropic_version` on clouds that host Claude).
    pub set: Pairs,
}

/// The body's `model` member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyModel {
    AsGiven,
    Replaced(String),
    /// The path names the model, and the provider refuses the member.
    Omitted,
}

/// Why a call has no address. `Display` is for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlError {
    NotOffered {
        provider: &'static str,
        endpoint: Endpoint,
    },
    /// Options by their names in a config.
    MissingOptions {
        provider: &'static str,
        names: Vec<&'static str>,
    },
    /// An option with characters that its place cannot hold.
    BadOption {
        provider: &'static str,
        name: &'static str,
    },
    ModelRequired {
        provider: &'static str,
    },
    /// `.` or `..` as a part of the model's name.
    BadModel,
    /// `.` or `..` in a passed-through path.
    BadPath,
}

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

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("endpoint", &self.endpoint)
            .field("model", &self.model)
            .field("stream", &self.stream)
            .field("base", &self.base)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered { provider, endpoint } => {
                write!(f, "{} is not supported by {provider}", endpoint.portkey_fn_name())
            }
            Self::MissingOptions { provider, names } => write!(f, "{provider} needs {}", names.join(", ")),
            Self::BadOption { provider, name } => {
                write!(f, "{name} of {provider} holds characters that its URL cannot have there")
            }
            Self::ModelRequired { .. } => f.write_str("Model is required"),
            Self::BadPath => f.write_str("the path may not have `.` or `..` in it"),
            Self::BadModel => f.write_str("model may not have `.` or `..` as a part of its path"),
        }
    }
}

impl std::error::Error for UrlError {}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}
