//! Budgets and rate limits as clients write them: checked by the crates that enforce them, kept in the words that were
//! written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_ledger::{Level, parse_limits};
use tidegate_limits::rule::parse_policies;
use tidegate_store::entity::Limits;

use crate::patch::Patch;
use crate::problem::Problem;

/// `usage_limits` in a body: an object or an array of them. Nothing is believed of it until [`Change`] has read it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct UsageLimits(Value);

/// `rate_limits` in a body, likewise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct RateLimits(Value);

/// One budget, in a reply.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct UsageLimit(Value);

/// One rate limit, in a reply.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct RateLimit(Value);

/// What a body says about limits, read and found good.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    usage: Patch<Vec<Value>>,
    rates: Patch<Vec<Value>>,
}

impl Change {
    /// `created_ms` is when the object was made: periods of days count from there.
    ///
    /// # Errors
    /// 400 naming the member: `usage_limits[1].credit_limit`.
    pub(crate) fn read(
        usage: Patch<UsageLimits>,
        rates: Patch<RateLimits>,
        created_ms: u64,
    ) -> Result<Self, Problem> {
        Self::read_in("", usage, rates, created_ms)
    }

    /// As [`Change::read`], for members of `place` (`workspaces[0].`).
    ///
    /// # Errors
    /// As [`Change::read`].
    pub(crate) fn read_in(
        place: &str,
        usage: Patch<UsageLimits>,
        rates: Patch<RateLimits>,
        created_ms: u64,
    ) -> Result<Self, Problem> {
        if let Patch::Set(UsageLimits(value)) = &usage {
            parse_limits(&format!("{place}usage_limits"), value, Level::Object, created_ms)?;
        }
        if let Patch::Set(RateLimits(value)) = &rates {
            parse_policies(&format!("{place}rate_limits"), value)?;
        }
        Ok(Self { usage: usage.map(|usage| listed(usage.0)), rates: rates.map(|rates| listed(rates.0)) })
    }

    /// For objects whose budget clients read as one object.
    ///
    /// # Errors
    /// 400 for several: all but the first would hold and not be seen.
    pub(crate) fn with_one_budget(self) -> Result<Self, Problem> {
        match &self.usage {
            Patch::Set(list) if list.len() > 1 => {
                let problem = format!("{} limits are too many", list.len());
                Err(Problem::field("usage_limits", problem, "one object here"))
            }
            _ => Ok(self),
        }
    }

    pub(crate) fn apply(&self, limits: &mut Limits) {
        for (change, list) in [(&self.usage, &mut limits.usage), (&self.rates, &mut limits.rates)] {
            match change {
                Patch::Keep => {}
                Patch::Clear => list.clear(),
                Patch::Set(new) => new.clone_into(list),
            }
        }
    }
}

pub(crate) fn usage(limits: &Limits) -> Vec<UsageLimit> {
    limits.usage.iter().cloned().map(UsageLimit).collect()
}

/// Where clients expect one object: API keys, providers.
pub(crate) fn one_usage(limits: &Limits) -> Option<UsageLimit> {
    limits.usage.first().cloned().map(UsageLimit)
}

pub(crate) fn rates(limits: &Limits) -> Vec<RateLimit> {
    limits.rates.iter().cloned().map(RateLimit).collect()
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

macro_rules! schemas {
    ($($name:ident $form:expr;)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let form: fn(&mut SchemaGenerator) -> Schema = $form;
                form(generator)
            }
        }
    )*};
}

schemas! {
    UsageLimit |_| json_schema!({
        "type": "object",
        "required": ["type", "credit_limit"],
        "additionalProperties": false,
        "properties": {
            "type": { "enum": ["cost", "tokens"] },
            "credit_limit": { "type": "number", "minimum": 1 },
            "alert_threshold": { "type": ["number", "null"], "minimum": 1 },
            "alert_thresholds": { "type": ["array", "null"], "items": { "type": ["number", "string"] } },
            "periodic_reset": { "enum": ["daily", "weekly", "monthly", null] },
            "periodic_reset_days": { "type": ["integer", "null"], "minimum": 1, "maximum": 365 },
            "next_usage_reset_at": { "type": ["string", "null"], "format": "date-time" },
        },
    });
    RateLimit |_| json_schema!({
        "type": "object",
        "required": ["type", "value"],
        "additionalProperties": false,
        "properties": {
            "type": { "enum": ["requests", "tokens", "concurrency"] },
            "unit": { "type": ["string", "null"] },
            "value": { "type": "integer", "minimum": 0 },
            "algorithm": { "type": ["string", "null"] },
        },
    });
    UsageLimits |generator| {
        let one = generator.subschema_for::<UsageLimit>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "maxItems": 32 }] })
    };
    RateLimits |generator| {
        let one = generator.subschema_for::<RateLimit>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "maxItems": 32 }] })
    };
}
