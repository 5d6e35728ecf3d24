//! From a checked config to a plan: what a node does not say itself comes from the nodes around it.
//!
//! Nearest wins, with three exceptions: parameters are merged key by key, time limits member by member, and
//! `id` marks the whole tree below it. Provider, credentials, weight, name and strategy are never inherited.

use std::sync::Arc;

use super::{
    CacheMode, CircuitPolicy, Defaults, Group, HedgePolicy, HookList, Hooks, JsonMap, Needs, Node, Plan,
    RetryPolicy, StableHash, Target, TargetKey, Timeouts,
};
use crate::config::{Breaker, Config, Entry, StickyBy, StrategyEntry};
use crate::query::Query;
use crate::strategy::{Condition, Mode, Sticky, Strategy};

pub(super) fn plan(config: &Config, defaults: Defaults, custom_host: Option<&str>) -> Plan {
    let mut needs = Needs::default();
    let forced_host = not_empty(custom_host);
    let inherited = Inherited { defaults, forced_host, ..Inherited::of_root(&config.root) };
    let root = node(&config.root, &inherited, "config".to_owned(), &mut needs);
    Plan { root, needs }
}

/// What a node passes on to its children, its own settings included.
#[derive(Clone, Default)]
struct Inherited {
    override_params: Option<Arc<JsonMap>>,
    default_params: Option<Arc<JsonMap>>,
    retry: Option<RetryPolicy>,
    timeouts: Timeouts,
    custom_host: Option<Box<str>>,
    forward_headers: Option<Arc<[Box<str>]>>,
    strict: Option<bool>,
    cache: Option<CacheMode>,
    hooks: Option<Arc<Hooks>>,
    hedge: Option<HedgePolicy>,
    breaker: Option<Breaker>,
    has_id: bool,
    /// Of the request: it stands before every host of the config.
    forced_host: Option<Box<str>>,
    defaults: Defaults,
}

impl Inherited {
    fn of_root(root: &Entry) -> Self {
        let defaults = |list: &HookList| {
            let only_defaults = HookList { defaults: list.defaults.clone(), ..HookList::default() };
            (!only_defaults.defaults.is_empty()).then(|| Arc::new(only_defaults))
        };
        let hooks = Hooks { before: defaults(&root.before), after: defaults(&root.after) };
        let hooks = (!hooks.is_empty()).then(|| Arc::new(hooks));
        Self { hooks, ..Self::default() }.and(root)
    }

    /// These settings with those of `entry` over them.
    fn and(&self, entry: &Entry) -> Self {
        Self {
            override_params: merged(self.override_params.as_ref(), entry.override_params.as_ref()),
            default_params: merged(self.default_params.as_ref(), entry.default_params.as_ref()),
            retry: entry.retry.clone().or_else(|| self.retry.clone()),
            timeouts: Timeouts {
                request_ms: entry.timeouts.request_ms.or(self.timeouts.request_ms),
                connect_ms: entry.timeouts.connect_ms.or(self.timeouts.connect_ms),
                first_byte_ms: entry.timeouts.first_byte_ms.or(self.timeouts.first_byte_ms),
                between_chunks_ms: entry.timeouts.between_chunks_ms.or(self.timeouts.between_chunks_ms),
            },
            custom_host: not_empty(entry.custom_host.as_deref()).or_else(|| self.custom_host.clone()),
            forward_headers: entry
                .forward_headers
                .as_deref()
                .map(Arc::from)
                .or_else(|| self.forward_headers.clone()),
            strict: entry.strict.or(self.strict),
            cache: entry.cache.or(self.cache),
            hooks: hooks(self.hooks.as_ref(), entry),
            hedge: entry.hedge.or(self.hedge),
            breaker: entry.breaker.or(self.breaker),
            has_id: self.has_id || entry.has_id,
            forced_host: self.forced_host.clone(),
            defaults: self.defaults,
        }
    }
}

/// `settings` hold those of `entry` already. Depth is bounded by the config's check.
fn node(entry: &Entry, settings: &Inherited, path: String, needs: &mut Needs) -> Node {
    let Some(strategy) = &entry.strategy else {
        return Node::Target(Arc::new(target(entry, settings, path)));
    };
    let written = entry.targets.as_deref().unwrap_or_default();
    let left_out = |child: &Entry| (settings.has_id || child.has_id) && child.is_open;
    let all_left_out = written.iter().all(left_out);
    let kept = written.iter().enumerate().filter(|(_, child)| all_left_out || !left_out(child));
    let children: Vec<Node> = kept
        .map(|(i, child)| node(child, &settings.and(child), format!("{path}.targets[{i}]"), needs))
        .collect();
    let strategy = compile(strategy, needs);
    Node::Group(Arc::new(Group {
        path: path.into(),
        name: entry.name.clone(),
        weight: entry.weight.unwrap_or(1.0),
        sticky_ids: if strategy.sticky.is_some() { sticky_ids(&children) } else { Vec::new() },
        strategy,
        children,
    }))
}

fn target(entry: &Entry, settings: &Inherited, path: String) -> Target {
    let mut settings = settings.clone();
    settings.custom_host = settings.forced_host.take().or(settings.custom_host);
    let provider = entry.provider.clone().unwrap_or_default();
    let mut retry = settings.retry.unwrap_or_default();
    retry.budget = retry.budget.or(settings.defaults.retry_budget);
    let account = entry.account.or_else(|| entry.virtual_key.as_deref().map(super::AccountId::of));
    Target {
        path: path.into(),
        key: TargetKey::of(&provider, settings.custom_host.as_deref(), account, &entry.options),
        provider,
        api_key: entry.api_key.clone(),
        virtual_key: entry.virtual_key.clone(),
        options: entry.options.clone(),
        custom_host: settings.custom_host,
        override_params: settings.override_params,
        default_params: settings.default_params,
        retry,
        timeouts: settings.timeouts,
        forward_headers: settings.forward_headers,
        strict: settings.strict,
        cache: settings.cache,
        hooks: settings.hooks,
        hedge: settings.hedge,
        circuit: match settings.breaker {
            None => Some(CircuitPolicy::default()),
            Some(Breaker::On(policy)) => Some(policy),
            Some(Breaker::Off) => None,
        },
        name: entry.name.clone(),
        weight: entry.weight.unwrap_or(1.0),
    }
}

fn compile(entry: &StrategyEntry, needs: &mut Needs) -> Strategy {
    let conditions = entry.conditions.as_ref().map(|list| {
        let compiled = list.iter().map(|condition| Condition {
            query: Query::compile(&condition.query, needs),
            then: condition.then.clone(),
        });
        compiled.collect()
    });
    needs.price |= entry.mode == Mode::LowestCost;
    let sticky = entry.sticky.as_ref().map(|sticky| {
        for by in &sticky.by {
            match by {
                StickyBy::Header(_) => needs.headers = true,
                StickyBy::Metadata(_) => needs.metadata = true,
                StickyBy::Params(_) => needs.params = true,
                StickyBy::PromptPrefix => needs.prompt_prefix_chars = Some(sticky.prefix_chars),
            }
        }
        Sticky { by: sticky.by.clone(), ttl_s: sticky.ttl_s }
    });
    Strategy {
        mode: entry.mode,
        on_status_codes: entry.on_status_codes.clone(),
        conditions,
        default: entry.default.clone(),
        sticky,
    }
}

fn merged(outer: Option<&Arc<JsonMap>>, inner: Option<&JsonMap>) -> Option<Arc<JsonMap>> {
    let (Some(outer), Some(inner)) = (outer, inner) else {
        return inner.cloned().map(Arc::new).or_else(|| outer.cloned());
    };
    let mut all = JsonMap::clone(outer);
    all.extend(inner.iter().map(|(key, value)| (key.clone(), value.clone())));
    Some(Arc::new(all))
}

/// Each side comes whole from the nearest node that has hooks there. The root's defaults stay.
fn hooks(outer: Option<&Arc<Hooks>>, entry: &Entry) -> Option<Arc<Hooks>> {
    if !entry.before.has_own() && !entry.after.has_own() {
        return outer.cloned();
    }
    let side = |own: &HookList, outer: Option<&Arc<HookList>>| {
        if !own.has_own() {
            return outer.cloned();
        }
        let defaults = outer.map(|list| list.defaults.clone()).unwrap_or_default();
        Some(Arc::new(HookList { defaults, ..own.clone() }))
    };
    Some(Arc::new(Hooks {
        before: side(&entry.before, outer.and_then(|hooks| hooks.before.as_ref())),
        after: side(&entry.after, outer.and_then(|hooks| hooks.after.as_ref())),
    }))
}

fn not_empty(text: Option<&str>) -> Option<Box<str>> {
    text.filter(|text| !text.is_empty()).map(Box::from)
}

/// Where a child stays does not depend on its place in the list, so that others may come and go; equal
/// children are told apart by their number among equals.
fn sticky_ids(children: &[Node]) -> Vec<u64> {
    let identities: Vec<u64> = children.iter().map(identity).collect();
    let numbered = identities.iter().enumerate().map(|(i, own)| {
        let equals_before = identities[..i].iter().filter(|other| *other == own).count();
        let mut hash = StableHash::new();
        hash.number(*own);
        hash.number(equals_before as u64);
        hash.finish()
    });
    numbered.collect()
}

fn identity(node: &Node) -> u64 {
    let mut hash = StableHash::new();
    match node {
        Node::Target(target) => {
            hash.number(target.key.0);
            hash.text(target.name.as_deref().unwrap_or(""));
            for (key, value) in target.override_params.iter().flat_map(|params| params.iter()) {
                hash.text(key);
                hash.value(value);
            }
        }
        Node::Group(group) => {
            hash.text(group.name.as_deref().unwrap_or(""));
            group.children.iter().for_each(|child| hash.number(identity(child)));
        }
    }
    hash.finish()
}
