//! Channels as they are entered and as they are shown.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_alerts::{Channel, Hidden, Way};
use tidegate_core::{Secret, id};

use crate::patch::Patch;
use crate::problem::Problem;

const MOST: usize = 10;
/// Bytes of a secret that signs.
const LEAST_SECRET: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChannelType {
    /// JSON by POST, signed as Standard Webhooks says.
    Webhook,
    /// `{text, blocks}` by POST, as Slack and those like it take it.
    Slack,
    /// Through the mail server of the settings.
    Email,
}

/// As it is entered.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ChannelText {
    /// Of one that is there already.
    #[serde(default)]
    id: Option<String>,
    r#type: ChannelType,
    /// For `webhook` and `slack`. Never shown again.
    #[serde(default)]
    url: Option<String>,
    /// For `webhook`: signs what is sent, `whsec_` and Base64, or any text of at least 16 bytes. Never shown again.
    #[serde(default)]
    secret: Patch<String>,
    /// For `email`: 1 to 32 addresses.
    #[serde(default)]
    to: Option<Vec<String>>,
}

impl std::fmt::Debug for ChannelText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChannelText").field("type", &self.r#type).finish_non_exhaustive()
    }
}

/// As it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChannelRow {
    id: String,
    r#type: ChannelType,
    /// Its scheme and host.
    url: Option<String>,
    /// There is a secret that signs.
    signed: Option<bool>,
    to: Option<Vec<String>>,
}

/// # Errors
/// 400 naming the member. No address and no secret is in it.
pub(super) fn entered(texts: Vec<ChannelText>, known: &[Channel]) -> Result<Vec<Channel>, Problem> {
    if texts.len() > MOST {
        return Err(Problem::field("channels", "has too many", format!("at most {MOST}")));
    }
    let mut channels = Vec::with_capacity(texts.len());
    let mut ids = BTreeSet::new();
    for (at, text) in texts.into_iter().enumerate() {
        let field = format!("channels[{at}]");
        let before = text.id.as_ref().and_then(|id| known.iter().find(|channel| channel.id == *id));
        if text.id.is_some() && before.is_none() {
            return Err(Problem::field(&format!("{field}.id"), "is of no channel of this rule", "nothing"));
        }
        let id = text.id.clone().unwrap_or_else(|| id::random("ch_", 12));
        if !ids.insert(id.clone()) {
            return Err(Problem::field(&format!("{field}.id"), "stands twice", "each channel once"));
        }
        let channel = Channel { id, way: way(&field, text, before)? };
        channel.check(&field)?;
        channels.push(channel);
    }
    Ok(channels)
}

fn way(field: &str, text: ChannelText, before: Option<&Channel>) -> Result<Way, Problem> {
    let wrong = |member: &str, problem: &str, expected: &str| {
        Problem::field(&format!("{field}.{member}"), problem, expected)
    };
    let entered = |url: Option<String>| url.map(|url| Hidden(Secret::from(url.trim())));
    let no_url = || wrong("url", "is missing", "an address such as https://hooks.example.com/tidegate");
    let stranger = |member: &str, is_there: bool| match is_there {
        true => Err(wrong(member, "is of another type of channel", "nothing")),
        false => Ok(()),
    };
    match text.r#type {
        ChannelType::Webhook => {
            stranger("to", text.to.is_some())?;
            let (old_url, old_secret) = match before.map(|channel| &channel.way) {
                Some(Way::Webhook { url_secret, signing_secret }) => {
                    (Some(url_secret), signing_secret.clone())
                }
                _ => (None, None),
            };
            // A secret goes with its address: another one is not to be signed with it unasked.
            let is_new = text.url.is_some();
            let signing_secret = match text.secret {
                Patch::Keep if is_new => None,
                Patch::Keep => old_secret,
                Patch::Clear => None,
                Patch::Set(secret) if secret.len() < LEAST_SECRET => {
                    return Err(wrong("secret", "is too short", "`whsec_` and Base64, or 16 bytes or more"));
                }
                Patch::Set(secret) => Some(Hidden(Secret::from(secret))),
            };
            let url_secret = entered(text.url).or_else(|| old_url.cloned()).ok_or_else(no_url)?;
            Ok(Way::Webhook { url_secret, signing_secret })
        }
        ChannelType::Slack => {
            stranger("to", text.to.is_some())?;
            stranger("secret", matches!(text.secret, Patch::Set(_)))?;
            let old = match before.map(|channel| &channel.way) {
                Some(Way::Slack { url_secret }) => Some(url_secret.clone()),
                _ => None,
            };
            Ok(Way::Slack { url_secret: entered(text.url).or(old).ok_or_else(no_url)? })
        }
        ChannelType::Email => {
            stranger("url", text.url.is_some())?;
            stranger("secret", matches!(text.secret, Patch::Set(_)))?;
            let old = match before.map(|channel| &channel.way) {
                Some(Way::Email { to }) => Some(to.clone()),
                _ => None,
            };
            let to = text.to.or(old).unwrap_or_default();
            Ok(Way::Email { to: to.iter().map(|address| address.trim().to_owned()).collect() })
        }
    }
}

impl ChannelRow {
    pub(super) fn of(channel: &Channel) -> Self {
        let (r#type, signed, to) = match &channel.way {
            Way::Webhook { signing_secret, .. } => {
                (ChannelType::Webhook, Some(signing_secret.is_some()), None)
            }
            Way::Slack { .. } => (ChannelType::Slack, None, None),
            Way::Email { to } => (ChannelType::Email, None, Some(to.clone())),
        };
        Self { id: channel.id.clone(), r#type, url: channel.shown_url(), signed, to }
    }
}
