//! What a config means: a tree of groups and targets in which every setting is resolved, so that a request
//! only reads.
//!
//! A plan is built once per config text and shared. It holds nothing of a request: headers that override a
//! setting are applied where the target is used, not here.

mod build;
mod key;
mod policy;
mod target;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::config::Config;
use crate::strategy::Strategy;

pub(crate) use key::StableHash;
pub use key::{AccountId, TargetKey};
pub use policy::{
    CacheKind, CacheMode, CircuitPolicy, HedgeAfter, HedgePolicy, HookList, Hooks, RetryPolicy, StatusCodes,
    Timeouts,
};
pub use target::Target;

/// A JSON object, in the order it was written.
pub type JsonMap = Map<String, Value>;

/// A config, ready to be walked.
#[derive(Debug)]
pub struct Plan {
    pub root: Node,
    pub needs: Needs,
}

/// What applies where a config says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Defaults {
    /// Retries as a share of the calls to one upstream; `None` = unlimited.
    pub retry_budget: Option<f64>,
}

/// A place in the tree. Cloning one is a reference count.
#[derive(Debug, Clone)]
pub enum Node {
    Target(Arc<Target>),
    Group(Arc<Group>),
}

/// A node with a strategy: chooses among its children and calls nothing itself.
#[derive(Debug)]
pub struct Group {
    /// `config`, `config.targets[1]`.
    pub path: Box<str>,
    /// What a conditional group above calls it.
    pub name: Option<Box<str>>,
    /// Its share in a load-balancing group above. Never negative.
    pub weight: f64,
    pub(crate) strategy: Strategy,
    /// In the order written. A child keeps the path it was written at, also when a sibling marked `is_open`
    /// was left out.
    pub children: Vec<Node>,
    /// Where each child stays in sticky balancing; parallel to `children`.
    pub(crate) sticky_ids: Vec<u64>,
}

/// The facts of a request that a plan's strategies look at; what is `false` may be left empty in
/// [`crate::Facts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Members of the request's body.
    pub params: bool,
    /// The caller's metadata object.
    pub metadata: bool,
    /// Request headers.
    pub headers: bool,
    /// A hash over this many leading characters of the prompt.
    pub prompt_prefix_chars: Option<u32>,
    /// Prices of the targets.
    pub price: bool,
}

impl Plan {
    /// Resolves a checked config: inheritance, compiled queries, and the operator's defaults where it says nothing.
    /// `custom_host` is the request's, in place of every target's own.
    pub fn new(config: &Config, defaults: Defaults, custom_host: Option<&str>) -> Self {
        build::plan(config, defaults, custom_host)
    }

    /// The plan of a request that names its target by headers alone.
    pub fn single(target: Target) -> Self {
        Self { root: Node::Target(Arc::new(target)), needs: Needs::default() }
    }

    /// Every target, in the order written.
    pub fn targets(&self) -> Vec<&Arc<Target>> {
        let mut targets = Vec::new();
        self.root.collect_targets(&mut targets);
        targets
    }
}

impl Node {
    pub fn path(&self) -> &str {
        match self {
            Self::Target(target) => &target.path,
            Self::Group(group) => &group.path,
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Target(target) => target.name.as_deref(),
            Self::Group(group) => group.name.as_deref(),
        }
    }

    pub fn weight(&self) -> f64 {
        match self {
            Self::Target(target) => target.weight,
            Self::Group(group) => group.weight,
        }
    }

    /// Depth is bounded by the config's own bound.
    fn collect_targets<'a>(&'a self, into: &mut Vec<&'a Arc<Target>>) {
        match self {
            Self::Target(target) => into.push(target),
            Self::Group(group) => group.children.iter().for_each(|child| child.collect_targets(into)),
        }
    }
}

#[cfg(test)]
mod tests;
