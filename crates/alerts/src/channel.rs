//! Who is told.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidegate_core::{FieldError, Secret};

/// One who is told. Stored encrypted as a whole; shown by [`Channel::name`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Names it in its rule; made when it is entered.
    pub id: String,
    #[serde(flatten)]
    pub way: Way,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Way {
    /// JSON by POST, signed as Standard Webhooks says where there is a secret.
    Webhook { url_secret: Hidden, signing_secret: Option<Hidden> },
    /// `{text, blocks}` by POST, as Slack and those like it take it. The address is the credential.
    Slack { url_secret: Hidden },
    /// Through the operator's mail server.
    Email { to: Vec<String> },
}

/// A secret that is written into the sealed part of a rule, and nowhere else.
#[derive(Clone, PartialEq)]
pub struct Hidden(pub Secret);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(***)")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::from(text)))
    }
}

const MOST_RECIPIENTS: usize = 32;
const LONGEST_URL: usize = 2_000;

impl Channel {
    /// `webhook hooks.example.com`, `slack hooks.slack.com`, `mail a@example.com`: nothing that is a credential.
    pub fn name(&self) -> String {
        match &self.way {
            Way::Webhook { url_secret, .. } => format!("webhook {}", host(url_secret)),
            Way::Slack { url_secret } => format!("slack {}", host(url_secret)),
            Way::Email { to } => format!("mail {}", to.join(", ")),
        }
    }

    /// `https://hooks.example.com/…`, for those who may not see the rest.
    pub fn shown_url(&self) -> Option<String> {
        match &self.way {
            Way::Webhook { url_secret, .. } | Way::Slack { url_secret } => {
                let text = url_secret.0.expose();
                let scheme = text.split("://").next().unwrap_or_default();
                Some(format!("{scheme}://{}/…", host(url_secret)))
            }
            Way::Email { .. } => None,
        }
    }

    /// `field` is where it is written. Whether an address may be called is asked when it is called.
    ///
    /// # Errors
    /// An address that is none. It is not shown: it may be a credential.
    pub fn check(&self, field: &str) -> Result<(), FieldError> {
        let wrong = |member: &str, problem: &str, expected: &str| {
            Err(FieldError::new(&format!("{field}.{member}"), problem, expected))
        };
        match &self.way {
            Way::Webhook { url_secret, .. } | Way::Slack { url_secret } => {
                let expected = "an address such as https://hooks.example.com/tidegate";
                let text = url_secret.0.expose();
                let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                let Some(rest) = rest else { return wrong("url", "is no address of the web", expected) };
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                if authority.is_empty() || authority.contains('@') {
                    return wrong("url", "has no host, or a user in it", expected);
                }
                if text.len() > LONGEST_URL || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    return wrong("url", "is too long, or has spaces in it", expected);
                }
                Ok(())
            }
            Way::Email { to } if to.is_empty() || to.len() > MOST_RECIPIENTS => {
                wrong("to", "has none, or too many", "1 to 32 mail addresses")
            }
            Way::Email { to } => match to.iter().all(|address| is_address(address)) {
                true => Ok(()),
                false => wrong("to", "has something that is no mail address", "name@example.com"),
            },
        }
    }
}

fn host(url: &Hidden) -> String {
    let rest = url.0.expose().split("://").nth(1).unwrap_or_default();
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

fn is_address(text: &str) -> bool {
    let is_plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ','));
    is_plain && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}
