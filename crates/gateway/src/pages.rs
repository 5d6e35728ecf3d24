//! The gateway's own pages: greeting, health, readiness, metrics, and the list of models it can serve.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use tidegate_records::Stats;
use tidegate_routing::CircuitState;

use crate::accept::Inbound;
use crate::body::ClientBody;
use crate::exposition::Form;
use crate::headers::GatewayHeaders;
use crate::plan::DEMO;
use crate::realm::Realm;
use crate::reply::page;
use crate::route::Route;
use crate::state::Gateway;

const TEXT: &str = "text/plain; charset=UTF-8";

/// The page behind `route`, if it is one that anybody may see.
pub fn serve(gateway: &Arc<Gateway>, route: Route, inbound: &Inbound) -> Option<Response<ClientBody>> {
    let console = gateway.control.console.as_ref();
    Some(match route {
        Route::Console => {
            let shown = console?.serve(inbound.method(), inbound.uri().path(), inbound.headers());
            shown.map(ClientBody::full)
        }
        Route::Greeting => match console.and_then(|console| console.instead_of_greeting(inbound.headers())) {
            Some(place) => elsewhere(place),
            None => page(StatusCode::OK, TEXT, "AI Gateway says hey!".into()),
        },
        Route::Health => page(StatusCode::OK, TEXT, "ok\n".into()),
        Route::Ready if gateway.is_draining() => {
            page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n".into())
        }
        Route::Ready => page(StatusCode::OK, TEXT, "ready\n".into()),
        Route::Metrics => {
            let form = Form::wanted(inbound.headers());
            page(StatusCode::OK, form.content_type(), form.written(gateway.metrics.render(&gauges(gateway))))
        }
        Route::Models
        | Route::Unified(_)
        | Route::Managed
        | Route::Realtime
        | Route::Own
        | Route::Pass
        | Route::Unknown => return None,
    })
}

/// What `/` says depends on who asks.
fn elsewhere(place: HeaderValue) -> Response<ClientBody> {
    let mut response = Response::new(ClientBody::full(Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, place);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Whether a list of models is the gateway's own: one for a named provider is that provider's.
pub fn is_own_list(own: &GatewayHeaders) -> bool {
    own.provider.is_none() && own.config.is_none() && own.virtual_key.is_none()
}

/// In OpenAI's shape. Ids are what a request may name without anything else: `@slug/model`.
pub fn models(realm: &Realm, now_s: u64) -> Value {
    let entry =
        |id: String, owner: &str| json!({"id": id, "object": "model", "created": now_s, "owned_by": owner});
    let mut data = vec![entry(format!("@{DEMO}/echo"), DEMO)];
    let mut slugs: Vec<_> = realm.providers.iter().collect();
    slugs.sort_unstable_by_key(|(slug, _)| *slug);
    for (slug, known) in slugs {
        if known.models.is_empty() {
            for model in tidegate_catalog::models_of(known.row.id) {
                data.push(entry(format!("@{slug}/{model}"), known.row.id));
            }
        } else {
            data.extend(known.models.iter().map(|model| entry(format!("@{slug}/{model}"), known.row.id)));
        }
    }
    json!({"object": "list", "data": data})
}

/// Where the records of requests are.
fn records(gauge: &mut impl FnMut(&str, &str, &str, u64), stats: &Stats) {
    gauge("records_accepted", "counter", "Records of requests that were taken", stats.accepted);
    gauge("records_written", "counter", "Records that became rows", stats.written);
    gauge("records_queued", "gauge", "Records that wait in memory", stats.queued);
    gauge("records_journaled", "gauge", "Records that wait on disk", stats.journaled);
    gauge(
        "records_dropped",
        "counter",
        "Records that were dropped, for whatever reason",
        stats.dropped.total(),
    );
}

/// Why records were lost, none of them in silence: `clashed` is two of one id.
fn drops(stats: &Stats) -> String {
    let name = "tidegate_records_lost";
    let mut text = format!("# HELP {name} Records that were dropped, by reason.\n# TYPE {name} counter\n");
    for (reason, count) in stats.dropped.by_reason() {
        let _ = writeln!(text, "{name}_total{{reason=\"{reason}\"}} {count}");
    }
    text
}

/// Figures read where they are kept.
fn gauges(gateway: &Gateway) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, kind: &str, help: &str, value: u64| {
        let _ = writeln!(
            text,
            "# HELP tidegate_{name} {help}.\n# TYPE tidegate_{name} {kind}\ntidegate_{}{} {value}",
            name,
            if kind == "counter" { "_total" } else { "" }
        );
    };
    let stats = gateway.snapshot.load().egress.stats();
    gauge(
        "upstream_connections_opened",
        "counter",
        "Connections opened to providers",
        stats.connections_opened,
    );
    gauge(
        "upstream_connections_open",
        "gauge",
        "Connections to providers that are open",
        stats.connections_open,
    );
    gauge(
        "upstream_send_errors",
        "counter",
        "Requests to providers that got no answer",
        stats.failures.iter().map(|(_, count)| count).sum(),
    );
    gauge(
        "log_lines_dropped",
        "counter",
        "Log lines dropped because the queue was full",
        gateway.log.dropped(),
    );
    for (name, help, value) in gateway.control.limits.figures() {
        gauge(name, "gauge", help, value);
    }
    gauge(
        "limits_away",
        "gauge",
        "1 while the shared counters of rate limits are away",
        u64::from(gateway.control.limits.is_away()),
    );
    if let Some(admin) = &gateway.control.admin {
        let tails = admin.tails();
        gauge("log_tails", "gauge", "Live tails of logs that are open", tails.open);
        gauge("log_tail_skipped", "counter", "Records that a live tail had no room for", tails.skipped);
    }
    let kept = gateway.control.records.as_ref().map(|recorder| recorder.pipe.stats());
    if let Some(stats) = &kept {
        records(&mut gauge, stats);
    }
    if let Some(stats) = &kept {
        text.push_str(&drops(stats));
    }
    let rows = gateway.health.snapshot(gateway.clock.now());
    let open = rows.iter().filter(|row| row.state == CircuitState::Open).count();
    let half = rows.iter().filter(|row| row.state == CircuitState::HalfOpen).count();
    let _ = write!(
        text,
        "# HELP tidegate_circuits Targets whose circuit is not closed.\n# TYPE tidegate_circuits gauge\ntidegate_circuits{{state=\"open\"}} {open}\ntidegate_circuits{{state=\"half_open\"}} {half}\n"
    );
    text
}
