//! Step 4. May this request enter now? Loops may not, nor whoever is over a limit. All layers are looked at and then
//! charged in one step; what a refused request would have used is charged nowhere.

use std::sync::Arc;

use http::HeaderValue;
use serde_json::Value;
use tidegate_core::ErrorKind;
use tidegate_limits as limits;
use tidegate_limits::{Cause, Demand, Denial, Layer, Rule, Scope, Unit};

use crate::accept::{Call, CallBody};
use crate::authenticate::Caller;
use crate::headers::{GatewayHeaders, QUEUED};
use crate::limiter::Permit as Charge;
use crate::policy::{Matched, Review};
use crate::queue::{Asker, Queue};
use crate::record::Record;
use crate::refuse::Refusal;
use crate::state::{Gateway, Snapshot};

/// Leave to go on.
#[derive(Debug)]
pub struct Permit {
    /// The value of the hop header for the next gateway on the way.
    pub hops: HeaderValue,
    /// What was charged; `None` where nothing limits this caller.
    pub charged: Option<Charge>,
}

/// # Errors
/// 508 when the request has passed through `max_hops` gateways: a gateway that was configured to call itself. 429 over a
/// limit, with when to come back.
pub async fn enter(
    gateway: &Arc<Gateway>,
    snapshot: &Snapshot,
    caller: &Caller,
    call: &Call,
    review: Option<&Review>,
    record: &mut Record,
) -> Result<Permit, Refusal> {
    let hops = hops(&call.own, snapshot.max_hops)?;
    let each = &snapshot.doors.each;
    let user = if each.user.is_empty() { None } else { user(&call.own) };
    let address = if each.address.is_empty() { None } else { caller.address.map(|ip| ip.to_string()) };
    let model = call.peek.model.as_deref();
    let key = caller.key.as_deref().map(|key| (&*key.bounds.id, &*key.bounds.rules));
    let workspace = caller.workspace.as_deref().map(|of| (&*of.bounds.id, &*of.bounds.rules));
    let mut layers = Vec::new();
    for (scope, of) in [
        (Scope::ApiKey, key),
        (Scope::Workspace, workspace),
        (Scope::User, user.as_deref().map(|user| (user, &*each.user))),
        (Scope::Model, model.map(|model| (model, &*each.model))),
        (Scope::Route, Some((call.route.label(), &*each.route))),
        (Scope::Ip, address.as_deref().map(|address| (address, &*each.address))),
    ] {
        if let Some((id, rules)) = of.filter(|(_, rules)| !rules.is_empty()) {
            layers.push(Layer { scope, id, rules });
        }
    }
    let own = layers.len();
    let policies = review.map(Review::at_admission).unwrap_or_default();
    layers.extend(policies.iter().map(Matched::layer));
    if layers.is_empty() {
        return Ok(Permit { hops, charged: None });
    }
    let demand = Demand { layers: &layers, tokens: tokens(call, &layers) };
    let entry = Queue::enter(gateway, snapshot.queue, || asker(caller, call), &demand).await;
    if let Some(waited) = entry.waited {
        record.waited(waited, asker(caller, call));
    }
    match entry.admitted {
        Ok(charged) => Ok(Permit { hops, charged: Some(charged) }),
        Err(Denial::Away(_)) => Err(away()),
        Err(Denial::Refused(refusal)) => {
            let name = match &refusal.cause {
                Cause::Rule { scope: Scope::ApiKey, .. } => {
                    caller.key.as_ref().map_or("", |key| &*key.bounds.name)
                }
                Cause::Rule { scope: Scope::Workspace, .. } => {
                    caller.workspace.as_ref().map_or("", |workspace| &*workspace.bounds.name)
                }
                Cause::Rule { scope: Scope::Policy, layer, .. } => {
                    layer.checked_sub(own).and_then(|at| policies.get(at)).map_or("", |one| &*one.policy.name)
                }
                Cause::Rule { layer, .. } => layers.get(*layer).map_or("", |layer| layer.id),
                Cause::NoRoom => "",
            };
            let mut told = over(&refusal, name);
            if let Some(waited) = entry.waited {
                told.headers.push((QUEUED, waited.as_millis().to_string()));
            }
            Err(told)
        }
    }
}

/// As whom a request waits: its API key, or else its workspace or its address.
fn asker(caller: &Caller, call: &Call) -> Asker {
    let lane = match (&caller.key, &caller.workspace, caller.address) {
        (Some(key), ..) => key.id.clone(),
        (None, Some(workspace), _) => workspace.bounds.id.clone(),
        (None, None, Some(address)) => address.to_string().into(),
        (None, None, None) => "".into(),
    };
    Asker { lane, tokens: prompt_tokens(call) }
}

/// Nobody can count at this moment, and the operator wants nobody served uncounted.
pub fn away() -> Refusal {
    let message = "rate limits cannot be counted at this moment; try again shortly";
    let mut told = Refusal::with_status("limits_away", ErrorKind::Overloaded, 503, message);
    told.headers = vec![("retry-after", "1".to_owned())];
    told
}

/// What a caller over a limit is told.
pub fn over(refusal: &limits::Refusal, name: &str) -> Refusal {
    let mut told =
        Refusal::with_status("rate_limit", ErrorKind::RateLimit, 429, refusal.message(&shown(name)));
    told.error.code = Some("429".into());
    told.error.vendor_type = Some("rate_limit_exceeded".into());
    told.error.retry_after_ms = Some(refusal.retry_after_ms);
    told.headers = refusal.headers();
    told
}

/// What is set aside of token limits until the usage is known: the prompt by its length. Never more than a limit, so
/// that a call which is larger than one can be made once in its window.
pub fn tokens(call: &Call, layers: &[Layer<'_>]) -> u64 {
    let rules = layers.iter().flat_map(|layer| layer.rules);
    let least = rules.filter(|rule| rule.unit() == Unit::Tokens).map(Rule::amount).min();
    let Some(least) = least else { return 0 };
    prompt_tokens(call).min(least)
}

/// The prompt by its length.
fn prompt_tokens(call: &Call) -> u64 {
    /// Of English text and of JSON around it; a guess that the true usage corrects.
    const BYTES_PER_TOKEN: u64 = 4;
    let CallBody::Json(frames) = &call.body else { return 0 };
    let bytes: usize = frames.iter().map(bytes::Bytes::len).sum();
    bytes as u64 / BYTES_PER_TOKEN
}

/// `_user` of the metadata header.
pub fn user(own: &GatewayHeaders) -> Option<String> {
    let metadata: Value = serde_json::from_str(GatewayHeaders::text(own.metadata.as_ref())?).ok()?;
    metadata.get("_user").and_then(Value::as_str).filter(|user| !user.is_empty()).map(str::to_owned)
}

/// A name in a message: short and printable.
pub fn shown(name: &str) -> String {
    name.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn hops(own: &GatewayHeaders, max_hops: u32) -> Result<HeaderValue, Refusal> {
    let passed = match &own.hops {
        None => 0,
        // Unreadable counts as far: only a gateway writes this header.
        Some(value) => value.to_str().ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u32::MAX),
    };
    if passed >= max_hops {
        let message = format!(
            "this request has passed through the gateway {max_hops} times or more: a provider's base URL or custom host points back at it"
        );
        return Err(Refusal::with_status("loop", ErrorKind::Internal, 508, message));
    }
    // Nearly all come straight from their client.
    Ok(if passed == 0 { HeaderValue::from_static("1") } else { HeaderValue::from(passed + 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_counted_and_bounded() {
        let with = |value: &'static str| GatewayHeaders {
            hops: Some(HeaderValue::from_static(value)),
            ..GatewayHeaders::default()
        };
        assert_eq!(hops(&GatewayHeaders::default(), 4).unwrap(), "1");
        assert_eq!(hops(&with("3"), 4).unwrap(), "4");
        assert_eq!(hops(&with("4"), 4).unwrap_err().error.status, 508);
        assert_eq!(hops(&with("-1"), 4).unwrap_err().error.status, 508);
    }

    #[test]
    fn the_user_of_the_metadata() {
        let with = |value: &'static str| GatewayHeaders {
            metadata: Some(HeaderValue::from_static(value)),
            ..GatewayHeaders::default()
        };
        for (metadata, want) in [
            (r#"{"_user":"ann"}"#, Some("ann")),
            (r#"{"_user":""}"#, None),
            ("{", None),
            (r#"{"_user":7}"#, None),
        ] {
            assert_eq!(user(&with(metadata)).as_deref(), want, "{metadata}");
        }
    }
}
