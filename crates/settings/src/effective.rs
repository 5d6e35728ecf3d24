//! What is in force and where it came from, for the banner and for `tidegate check`.

use std::fmt;

use crate::field::{self, FIELDS};
use crate::settings::{Provider, Settings, Source};

/// One field in force. `value` is as it would be written; secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    pub field: String,
    pub value: String,
    pub source: Source,
}

/// What stands for a credential.
const MASK: &str = "***";

impl Settings {
    /// Every field in force, defaults included, then the members of each provider.
    pub fn effective(&self) -> Vec<Effective> {
        let fields = FIELDS.iter().map(|field| self.line(field.path.to_owned(), (field.show)(self)));
        fields.chain(self.providers.iter().flat_map(|provider| self.of_provider(provider))).collect()
    }

    fn of_provider(&self, provider: &Provider) -> Vec<Effective> {
        let path = |member: &str| format!("providers.{}.{member}", provider.slug);
        let mut lines = vec![self.line(path("provider"), provider.provider.clone())];
        if provider.api_key.is_some() {
            // However it was given: as text, by variable or by file.
            let given = ["api_key", "api_key_env", "api_key_file"].into_iter().find_map(|member| {
                let source = self.origins.get(&path(member))?.clone();
                Some(Effective { field: path(member), value: MASK.to_owned(), source })
            });
            lines.extend(given);
        }
        if let Some(url) = &provider.base_url {
            lines.push(self.line(path("base_url"), url.clone()));
        }
        if !provider.models.is_empty() {
            lines.push(self.line(path("models"), field::show_list(provider.models.iter().cloned())));
        }
        for name in provider.options.keys() {
            lines.push(self.line(path(&format!("options.{name}")), MASK.to_owned()));
        }
        lines
    }

    fn line(&self, field: String, value: String) -> Effective {
        let source = self.origins.get(&field).cloned().unwrap_or(Source::Default);
        Effective { field, value, source }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Written(place) => place.fmt(f),
        }
    }
}
