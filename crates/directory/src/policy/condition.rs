//! One condition of a policy.

use super::facts::{Called, Facts, Key};

/// Holds for a request that has the key, with a value that one of `values` describes and none of `excludes`.
#[derive(Debug)]
pub struct Condition {
    pub key: Key,
    pub values: Box<[Pattern]>,
    pub excludes: Box<[Pattern]>,
}

/// Describes values.
#[derive(Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*`: whatever there is.
    Any,
    Exactly(Box<str>),
    /// `@slug/model`, and `@slug/*` without a model. Only of models.
    ModelOf {
        slug: Box<str>,
        model: Option<Box<str>>,
    },
}

impl Condition {
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        let Some(value) = facts.value(&self.key) else { return false };
        let fits = |pattern: &Pattern| pattern.describes(&self.key, &value, facts.called.as_ref());
        self.values.iter().any(fits) && !self.excludes.iter().any(fits)
    }
}

impl Pattern {
    pub fn parse(key: &Key, text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let named = text.strip_prefix('@');
        match (key, named.and_then(|rest| rest.split_once('/')), named) {
            (Key::Model, Some((slug, model)), _) => {
                Self::ModelOf { slug: slug.into(), model: (model != "*").then(|| model.into()) }
            }
            (Key::VirtualKey | Key::Provider, None, Some(slug)) => Self::Exactly(slug.into()),
            _ => Self::Exactly(text.into()),
        }
    }

    fn describes(&self, key: &Key, value: &str, called: Option<&Called<'_>>) -> bool {
        let is_called = |slug: &str| {
            called.is_some_and(|called| called.virtual_key == Some(slug) || called.provider == slug)
        };
        let asked = called.and_then(|called| called.model);
        match (self, key) {
            (Self::Any, _) => true,
            (Self::Exactly(name), Key::Provider) => is_called(name),
            (Self::Exactly(name), Key::Model) => asked == Some(name),
            (Self::Exactly(text), _) => **text == *value,
            (Self::ModelOf { slug, model }, _) => {
                is_called(slug) && model.as_deref().is_none_or(|model| asked == Some(model))
            }
        }
    }
}
