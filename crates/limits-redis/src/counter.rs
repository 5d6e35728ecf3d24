//! A rule and where it is counted: names of keys, and how the scripts are told of a rule.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidegate_limits::{Algorithm, Demand, Layer, Rule, Scope, Unit};

/// What a request was charged at one key.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    pub(crate) key: String,
    pub(crate) rule: Rule,
    /// Index in the demand's layers.
    pub(crate) layer: usize,
}

/// Bytes of a kind and four figures.
pub(crate) const SPEC: usize = 33;

/// How the scripts call the ways to count.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    Held = 0,
    FixedOnTheClock = 1,
    FixedFromFirstUse = 2,
    FixedFromLastUse = 3,
    Moving = 4,
    Bucket = 5,
}

/// All counters of a demand, in its order.
pub(crate) fn counters(prefix: &str, demand: &Demand<'_>) -> Vec<Counter> {
    let layers = demand.layers;
    let mut counters = Vec::with_capacity(layers.iter().map(|layer| layer.rules.len()).sum());
    for (i, layer) in layers.iter().enumerate().filter(|(_, layer)| !layer.rules.is_empty()) {
        let owner = owner(layer);
        let same = |other: &&Layer<'_>| other.scope == layer.scope && other.id == layer.id;
        let ordinal = layers.iter().take(i).filter(same).count();
        for (j, rule) in layer.rules.iter().enumerate() {
            // Rules that differ in their amount only have counters of their own, by their order.
            let twins = layer.rules.iter().take(j).filter(|other| shape(other) == shape(rule)).count();
            let (unit, way, length, offset) = shape(rule);
            let key = format!("{{{prefix}}}:{owner}:{ordinal}:{unit}{way}{length}+{offset}:{twins}");
            counters.push(Counter { key, rule: *rule, layer: i });
        }
    }
    counters
}

/// A hash: ids hold text of clients (users, addresses), which is of any length and nobody's business in Redis.
fn owner(layer: &Layer<'_>) -> String {
    let mut text = String::with_capacity(layer.id.len() + 3);
    text.push_str(scope_word(layer.scope));
    text.push(':');
    text.push_str(layer.id);
    let hash = digest(&SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default())
}

/// Replicas of different versions share keys, so these words do not change.
fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::ApiKey => "k",
        Scope::Workspace => "w",
        Scope::Integration => "i",
        Scope::VirtualKey => "v",
        Scope::Policy => "p",
        Scope::User => "u",
        Scope::Model => "m",
        Scope::Route => "r",
        Scope::Ip => "a",
    }
}

/// Rules of the same shape can go on with each other's usage: unit, way to count, window and its offset.
fn shape(rule: &Rule) -> (char, char, u64, u64) {
    let unit = match rule.unit() {
        Unit::Requests => 'r',
        Unit::Tokens => 't',
        Unit::Concurrency => 'c',
    };
    let way = match kind(rule) {
        Kind::Held => 'h',
        Kind::FixedOnTheClock => 'c',
        Kind::FixedFromFirstUse => 'f',
        Kind::FixedFromLastUse => 'l',
        Kind::Moving => 'm',
        Kind::Bucket => 'b',
    };
    let (length, offset) = window(rule);
    (unit, way, length, offset)
}

/// Its length, and how far the windows of the calendar are from 1970. Zeros for concurrency.
fn window(rule: &Rule) -> (u64, u64) {
    let Some(window) = rule.window() else { return (0, 0) };
    let length = window.span.ms();
    (length, window.span.calendar_offset_ms() % length)
}

fn kind(rule: &Rule) -> Kind {
    match rule.window().map(|window| window.algorithm) {
        None => Kind::Held,
        Some(Algorithm::FixedOnTheClock) => Kind::FixedOnTheClock,
        Some(Algorithm::FixedFromFirstUse) => Kind::FixedFromFirstUse,
        Some(Algorithm::FixedFromLastUse) => Kind::FixedFromLastUse,
        Some(Algorithm::Moving) => Kind::Moving,
        Some(Algorithm::TokenBucket) => Kind::Bucket,
    }
}

impl Counter {
    /// What a request with `tokens` takes from it.
    pub(crate) fn need(&self, tokens: u64) -> u64 {
        match self.rule.unit() {
            Unit::Tokens => tokens,
            Unit::Requests | Unit::Concurrency => 1,
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.rule.unit() == Unit::Concurrency
    }

    /// For `admit.lua`.
    pub(crate) fn asked(&self, tokens: u64) -> [u8; SPEC] {
        let (length, offset) = window(&self.rule);
        self.spec([self.need(tokens), self.rule.amount(), length, offset])
    }

    /// For `settle.lua`.
    pub(crate) fn corrected(&self, from: u64, to: u64) -> [u8; SPEC] {
        self.spec([self.rule.amount(), window(&self.rule).0, from, to])
    }

    fn spec(&self, figures: [u64; 4]) -> [u8; SPEC] {
        let mut spec = [0; SPEC];
        if let Some((first, rest)) = spec.split_first_mut() {
            *first = kind(&self.rule) as u8;
            rest.copy_from_slice(&doubles::<4, 32>(figures.map(double)));
        }
        spec
    }
}

/// Figures that are whole and below 2^53.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
pub(crate) fn double(figure: u64) -> f64 {
    figure as f64
}

/// As Lua reads them with `<d`: eight bytes each.
pub(crate) fn doubles<const N: usize, const B: usize>(figures: [f64; N]) -> [u8; B] {
    let mut bytes = [0; B];
    for (place, figure) in bytes.chunks_exact_mut(8).zip(figures) {
        place.copy_from_slice(&figure.to_le_bytes());
    }
    bytes
}
