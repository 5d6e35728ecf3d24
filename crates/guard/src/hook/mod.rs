//! Hooks as they are meant: shorthand expanded, members checked, checks looked up by name.

use serde_json::{Map, Value};

use crate::check::{Function, Parameters};
use crate::{Shape, Side};

mod parse;

pub use parse::{HookError, HookLists, parse_hooks};

/// One entry of a hook list: checks on one body, and what follows when they fail. Cloning copies the parameters.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Echoed in results; entries of the full form may have none.
    pub(crate) id: Option<Value>,
    pub(crate) kind: HookKind,
    pub(crate) checks: Vec<Check>,
    /// A failing verdict refuses the request or the answer.
    pub(crate) deny: bool,
    /// Asked to run beside the request: such a hook has no say and does not run.
    pub(crate) is_async: bool,
    /// Each check sees what the one before it changed.
    pub(crate) sequential: bool,
    pub(crate) on_fail: Option<Feedback>,
    pub(crate) on_success: Option<Feedback>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HookKind {
    Guardrail,
    Mutator,
    /// Another word, or none: the hook passes and its checks do not run.
    Unknown(Option<Value>),
}

#[derive(Debug, Clone)]
pub(crate) struct Check {
    /// As written, or with `default.` in front where a shorthand leaves the plugin out.
    pub(crate) id: String,
    pub(crate) function: Function,
    pub(crate) parameters: Parameters,
    /// Mutators run their checks all the same.
    pub(crate) enabled: bool,
}

/// What a result reports beside its verdict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feedback {
    pub(crate) value: Option<Value>,
    pub(crate) weight: Option<Value>,
    pub(crate) metadata: Map<String, Value>,
}

impl Hook {
    /// Ids of the checks that cannot judge in this build: they are unknown, need a service or plugin elsewhere, or have a
    /// rule with look-around or the like. They answer with an error, and an error passes unless the check says
    /// `failOnError`: worth a warning where a config is read.
    pub fn unavailable_checks(&self) -> impl Iterator<Item = &str> {
        let unavailable = self.checks.iter().filter(|check| {
            !matches!(check.function, Function::Local(_)) || check.parameters.has_unsupported_rule()
        });
        unavailable.map(|check| check.id.as_str())
    }

    /// Whether the hook has a say about this body at all.
    pub(crate) fn runs_on(&self, side: Side, shape: Shape) -> bool {
        let has_say = shape != Shape::Embed || (side == Side::Request && self.kind != HookKind::Mutator);
        has_say && !self.is_async
    }

    pub(crate) fn active_checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| match self.kind {
            HookKind::Guardrail => check.enabled,
            HookKind::Mutator => true,
            HookKind::Unknown(_) => false,
        })
    }

    /// Whether a check sees what the one before it changed.
    pub(crate) fn in_sequence(&self) -> bool {
        self.sequential || self.kind == HookKind::Mutator
    }
}

impl HookKind {
    /// The `type` that results repeat.
    pub(crate) fn as_value(&self) -> Option<Value> {
        match self {
            Self::Guardrail => Some("guardrail".into()),
            Self::Mutator => Some("mutator".into()),
            Self::Unknown(written) => written.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
