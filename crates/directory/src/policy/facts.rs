//! What policies look at.

use std::borrow::Cow;

/// What of a request is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// By id.
    ApiKey,
    /// By id.
    Workspace,
    /// The provider that is called, by slug.
    VirtualKey,
    /// By id in the catalogue; conditions may name its slug as well.
    Provider,
    /// By slug.
    Config,
    Prompt,
    /// As it was asked for: `@slug/model`.
    Model,
    /// `chatComplete`, `embed` and so on.
    EndpointType,
    Metadata(Box<str>),
}

/// What is known of a request. `None`: it has no such thing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    pub api_key: Option<&'a str>,
    pub workspace: Option<&'a str>,
    pub config: Option<&'a str>,
    pub endpoint_type: Option<&'a str>,
    /// Names and values.
    pub metadata: &'a [(String, String)],
    /// `None` until a target is chosen.
    pub called: Option<Called<'a>>,
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// The slug of a workspace's provider.
    pub virtual_key: Option<&'a str>,
    /// Id in the catalogue.
    pub provider: &'a str,
    /// The model that was asked for, without a slug; what it is exchanged for on the way does not count.
    pub model: Option<&'a str>,
}

impl Key {
    pub(super) fn is_of_target(&self) -> bool {
        matches!(self, Self::VirtualKey | Self::Provider | Self::Model)
    }

    /// As the admin API has it.
    pub(super) fn write(&self, out: &mut String) {
        out.push_str(match self {
            Self::ApiKey => "api_key",
            Self::Workspace => "workspace_id",
            Self::VirtualKey => "virtual_key",
            Self::Provider => "provider",
            Self::Config => "config",
            Self::Prompt => "prompt",
            Self::Model => "model",
            Self::EndpointType => "endpoint_type",
            Self::Metadata(_) => "metadata.",
        });
        if let Self::Metadata(name) = self {
            out.push_str(name);
        }
    }
}

impl Called<'_> {
    /// By what the model's `@slug/` may name it.
    pub(super) fn slug(&self) -> &str {
        self.virtual_key.unwrap_or(self.provider)
    }
}

impl<'a> Facts<'a> {
    /// What the request has of the key.
    pub(super) fn value(&self, key: &Key) -> Option<Cow<'a, str>> {
        let value = match key {
            Key::ApiKey => self.api_key?,
            Key::Workspace => self.workspace?,
            Key::Config => self.config?,
            // Nothing is called by a prompt yet.
            Key::Prompt => return None,
            Key::EndpointType => self.endpoint_type?,
            Key::Metadata(name) => {
                let (_, value) = self.metadata.iter().find(|(known, _)| known == &**name)?;
                value
            }
            Key::VirtualKey => self.called?.virtual_key?,
            Key::Provider => self.called?.provider,
            Key::Model => {
                let called = self.called?;
                return Some(format!("@{}/{}", called.slug(), called.model?).into());
            }
        };
        Some(value.into())
    }
}
