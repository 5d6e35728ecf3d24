//! How names and counts differ at single providers, as data.

use std::borrow::Cow;

use tidegate_catalog::catalog;

/// A provider and its habits.
#[derive(Debug)]
pub(crate) struct Platform<'p> {
    /// The id: of the catalogue's row, or as the prices have it.
    pub(crate) provider: Cow<'p, str>,
    pub(crate) habits: &'static Habits,
}

#[derive(Debug)]
pub(crate) struct Habits {
    /// Beginnings that are not part of the entry's name; one is dropped. `*` stands for one segment.
    pub(crate) drop: &'static [&'static str],
    /// What entries begin with and clients leave out.
    pub(crate) add: Option<&'static str>,
    /// Endings that choose among hosts, not models; they have no price of their own.
    pub(crate) variants: &'static [&'static str],
    /// Names may be resource names, and profiles of a region.
    pub(crate) profiles: bool,
    /// Undated names are spelled with `-latest`.
    pub(crate) latest_first: bool,
    /// Reasoning tokens stand beside the completion where totals do not tell.
    pub(crate) reasoning_beside: bool,
}

const PLAIN: Habits = Habits {
    drop: &[],
    add: None,
    variants: &[],
    profiles: false,
    latest_first: false,
    reasoning_beside: false,
};

static NONE: Habits = PLAIN;

static KNOWN: [(&str, Habits); 7] = [
    ("bedrock", Habits { profiles: true, ..PLAIN }),
    ("fireworks-ai", Habits { add: Some("accounts/fireworks/models/"), ..PLAIN }),
    ("google", Habits { drop: &["models/"], ..PLAIN }),
    ("mistral-ai", Habits { latest_first: true, ..PLAIN }),
    (
        "openrouter",
        // `:free`, `:thinking` and `:batch` are entries of their own.
        Habits { variants: &[":nitro", ":floor", ":online", ":exacto", ":beta", ":extended"], ..PLAIN },
    ),
    (
        "vertex-ai",
        Habits { drop: &["publishers/*/models/", "anthropic.", "google/", "meta.", "mistralai/"], ..PLAIN },
    ),
    ("x-ai", Habits { reasoning_beside: true, ..PLAIN }),
];

impl<'p> Platform<'p> {
    /// The habits of a provider, by its id or an alias (`_` is as good as `-`).
    pub(crate) fn of(provider: &'p str) -> Self {
        let provider = provider_id(provider);
        let habits = KNOWN.iter().find(|row| row.0 == provider).map_or(&NONE, |row| &row.1);
        Self { provider, habits }
    }

    /// Whether a text names this provider.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        provider_id(text) == self.provider
    }
}

fn provider_id(name: &str) -> Cow<'_, str> {
    let known = |name: &str| catalog().get(name).map(|provider| provider.id);
    if let Some(id) = known(name) {
        return Cow::Borrowed(id);
    }
    let spelled = name.to_ascii_lowercase().replace('_', "-");
    match known(&spelled) {
        Some(id) => Cow::Borrowed(id),
        None => Cow::Owned(spelled),
    }
}
