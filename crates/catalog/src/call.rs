//! A call as its address depends on it, where it then goes, and why it may have nowhere to go. Building the address is
//! `url`'s and `pass`'s.

use std::fmt;

use crate::endpoint::{Dialect, Endpoint};
use crate::pairs::Pairs;
use crate::provider::{BodyForm, Method};

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
    /// A passed-through path with `.` or `..` in it, or without its first slash.
    BadPath,
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
            Self::BadPath => {
                f.write_str("the path must begin with a slash and may not have `.` or `..` in it")
            }
            Self::BadModel => f.write_str("model may not have `.` or `..` as a part of its path"),
        }
    }
}

impl std::error::Error for UrlError {}
