//! The fields with one value each: their paths, their variables, how each is read and shown. One line a field; the
//! table is the documentation of what can be set.
//!
//! Every field has a variable: `TIDEGATE_` and its path in capitals, with `_` for the dot (`server.port` is
//! `TIDEGATE_SERVER_PORT`). A few have a shorter one as well.

use std::time::Duration;

use tidegate_access::door::Origin;
use tidegate_limits::Rule;

use crate::error::SettingsError;
use crate::settings::{
    Bodies, LogFormat, OidcRole, PrivateTarget, Settings, Share, SmtpSecurity, Source, WebhookForm, WhenAway,
};
use crate::sinks::ObjectFormat;
use crate::suggest::nearest;
use crate::value::{self, Raw, Wrong, show_duration, show_size};
use crate::written::Entry;

/// One field.
pub(crate) struct Field {
    pub(crate) path: &'static str,
    /// A shorter variable beside the one that follows from the path.
    short: Option<&'static str>,
    set: fn(&mut Settings, &Raw) -> Result<(), Wrong>,
    /// The value as it would be written.
    pub(crate) show: fn(&Settings) -> String,
}

/// Variables without our prefix that platforms set, and their fields. Weaker than ours.
pub(crate) const PLAIN_VARIABLES: [(&str, &str); 1] = [("PORT", "server.port")];

const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);
const MILLISECOND: Duration = Duration::from_millis(1);
const KB: u64 = 1 << 10;
const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// Sets a member of the settings from a raw value, and says so if it does not fit.
macro_rules! set {
    ($section:ident . $member:ident, $parse:expr) => {
        |settings, raw| {
            let parse = $parse;
            settings.$section.$member = parse(raw)?;
            Ok(())
        }
    };
    ($section:ident . $part:ident . $member:ident, $parse:expr) => {
        |settings, raw| {
            let parse = $parse;
            settings.$section.$part.$member = parse(raw)?;
            Ok(())
        }
    };
}

pub(crate) const FIELDS: &[Field] = &[
    Field {
        path: "server.host",
        short: Some("TIDEGATE_HOST"),
        set: set!(server.host, value::address),
        show: |s| s.server.host.to_string(),
    },
    Field {
        path: "server.port",
        short: Some("TIDEGATE_PORT"),
        set: set!(server.port, value::port),
        show: |s| s.server.port.to_string(),
    },
    Field {
        path: "server.data_dir",
        short: Some("TIDEGATE_DATA_DIR"),
        set: set!(server.data_dir, value::path),
        show: |s| s.server.data_dir.display().to_string(),
    },
    Field {
        path: "server.grace_period",
        short: None,
        set: set!(server.grace_period, |raw| value::duration(raw, Duration::ZERO, HOUR)),
        show: |s| show_duration(s.server.grace_period),
    },
    Field {
        path: "server.public_url",
        short: None,
        set: set!(server.public_url, |raw| value::base_url(raw).map(Some)),
        show: |s| s.server.public_url.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "server.workers",
        short: None,
        set: set!(server.workers, value::workers),
        show: |s| s.server.workers.map_or("auto".to_owned(), |workers| workers.to_string()),
    },
    Field {
        path: "log.format",
        short: None,
        set: set!(log.format, value::log_format),
        show: |s| match s.log.format {
            LogFormat::Text => "text".to_owned(),
            LogFormat::Json => "json".to_owned(),
        },
    },
    Field {
        path: "log.requests",
        short: None,
        set: set!(log.requests, value::boolean),
        show: |s| s.log.requests.to_string(),
    },
    Field {
        path: "limits.max_body",
        short: None,
        set: set!(limits.max_body, |raw| value::size(raw, KB, 4 * GB)),
        show: |s| show_size(s.limits.max_body),
    },
    Field {
        path: "limits.max_intake",
        short: None,
        set: set!(limits.max_intake, |raw| value::size(raw, 64 * KB, GB)),
        show: |s| show_size(s.limits.max_intake),
    },
    Field {
        path: "limits.max_header_bytes",
        short: None,
        set: set!(limits.max_header_bytes, |raw| value::size(raw, KB, MB)),
        show: |s| show_size(s.limits.max_header_bytes),
    },
    Field {
        path: "limits.max_url_bytes",
        short: None,
        set: set!(limits.max_url_bytes, |raw| value::size(raw, KB, 64 * KB)),
        show: |s| show_size(s.limits.max_url_bytes),
    },
    Field {
        path: "limits.max_json_depth",
        short: None,
        set: set!(limits.max_json_depth, |raw| value::count(raw, 8, 1024)),
        show: |s| s.limits.max_json_depth.to_string(),
    },
    Field {
        path: "limits.max_connections",
        short: None,
        set: set!(limits.max_connections, |raw| value::count(raw, 1, 1_000_000)),
        show: |s| s.limits.max_connections.to_string(),
    },
    Field {
        path: "timeouts.connect",
        short: None,
        set: set!(timeouts.connect, |raw| value::timeout(raw, MILLISECOND, FIVE_MINUTES)),
        show: |s| show_timeout(s.timeouts.connect),
    },
    Field {
        path: "timeouts.first_byte",
        short: None,
        set: set!(timeouts.first_byte, |raw| value::timeout(raw, MILLISECOND, DAY)),
        show: |s| show_timeout(s.timeouts.first_byte),
    },
    Field {
        path: "timeouts.between_chunks",
        short: None,
        set: set!(timeouts.between_chunks, |raw| value::timeout(raw, MILLISECOND, DAY)),
        show: |s| show_timeout(s.timeouts.between_chunks),
    },
    Field {
        path: "timeouts.request",
        short: None,
        set: set!(timeouts.request, |raw| value::timeout(raw, MILLISECOND, DAY)),
        show: |s| show_timeout(s.timeouts.request),
    },
    Field {
        path: "timeouts.idle",
        short: None,
        set: set!(timeouts.idle, |raw| value::timeout(raw, MILLISECOND, DAY)),
        show: |s| show_timeout(s.timeouts.idle),
    },
    Field {
        path: "egress.allow_private",
        short: None,
        set: set!(egress.allow_private, value::private_targets),
        show: |s| show_list(s.egress.allow_private.iter().map(show_target)),
    },
    Field {
        path: "egress.extra_ca_file",
        short: None,
        set: set!(egress.extra_ca_file, |raw| value::path(raw).map(Some)),
        show: |s| s.egress.extra_ca_file.as_ref().map_or(UNSET.to_owned(), |path| path.display().to_string()),
    },
    Field {
        path: "egress.proxy",
        short: None,
        set: set!(egress.proxy, value::boolean),
        show: |s| s.egress.proxy.to_string(),
    },
    Field {
        path: "routing.retry_budget",
        short: None,
        set: set!(routing.retry_budget, value::share),
        show: |s| s.routing.retry_budget.to_string(),
    },
    Field {
        path: "routing.hops_max",
        short: None,
        set: set!(routing.hops_max, |raw| value::count(raw, 1, 100)),
        show: |s| s.routing.hops_max.to_string(),
    },
    Field {
        path: "models.default_provider",
        short: None,
        set: set!(models.default_provider, |raw| value::text(raw).map(Some)),
        show: |s| s.models.default_provider.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "access.keyless",
        short: None,
        set: set!(access.keyless, value::origin),
        show: |s| match s.access.keyless {
            Origin::Nowhere => "nowhere".to_owned(),
            Origin::Loopback => "loopback".to_owned(),
            Origin::Anywhere => "anywhere".to_owned(),
        },
    },
    Field {
        path: "access.keyless_after_first_key",
        short: None,
        set: set!(access.keyless_after_first_key, value::boolean),
        show: |s| s.access.keyless_after_first_key.to_string(),
    },
    Field {
        path: "access.allow",
        short: None,
        set: set!(access.allow, value::networks),
        show: |s| show_list(s.access.allow.iter().map(|network| network.to_string())),
    },
    Field {
        path: "access.deny",
        short: None,
        set: set!(access.deny, value::networks),
        show: |s| show_list(s.access.deny.iter().map(|network| network.to_string())),
    },
    Field {
        path: "access.proxies",
        short: None,
        set: set!(access.proxies, value::networks),
        show: |s| show_list(s.access.proxies.iter().map(|network| network.to_string())),
    },
    Field {
        path: "access.jwks_url",
        short: None,
        set: set!(access.jwks_url, |raw| value::jwks_url(raw).map(Some)),
        show: |s| s.access.jwks_url.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "access.jwks_file",
        short: None,
        set: set!(access.jwks_file, |raw| value::path(raw).map(Some)),
        show: |s| s.access.jwks_file.as_ref().map_or(UNSET.to_owned(), |path| path.display().to_string()),
    },
    Field {
        path: "access.jwt_issuer",
        short: None,
        set: set!(access.jwt_issuer, |raw| value::text(raw).map(Some)),
        show: |s| s.access.jwt_issuer.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "access.jwt_audience",
        short: None,
        set: set!(access.jwt_audience, |raw| value::text(raw).map(Some)),
        show: |s| s.access.jwt_audience.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "rate_limits.per_address",
        short: None,
        set: set!(rate_limits.per_address, value::rules),
        show: |s| show_rules(&s.rate_limits.per_address),
    },
    Field {
        path: "rate_limits.per_user",
        short: None,
        set: set!(rate_limits.per_user, value::rules),
        show: |s| show_rules(&s.rate_limits.per_user),
    },
    Field {
        path: "rate_limits.per_model",
        short: None,
        set: set!(rate_limits.per_model, value::rules),
        show: |s| show_rules(&s.rate_limits.per_model),
    },
    Field {
        path: "rate_limits.per_route",
        short: None,
        set: set!(rate_limits.per_route, value::rules),
        show: |s| show_rules(&s.rate_limits.per_route),
    },
    Field {
        path: "rate_limits.queue",
        short: None,
        set: set!(rate_limits.queue, |raw| value::count(raw, 0, 100_000)),
        show: |s| s.rate_limits.queue.to_string(),
    },
    Field {
        path: "rate_limits.queue_per_key",
        short: None,
        set: set!(rate_limits.queue_per_key, |raw| value::count(raw, 1, 100_000)),
        show: |s| s.rate_limits.queue_per_key.to_string(),
    },
    Field {
        path: "rate_limits.queue_wait",
        short: None,
        set: set!(rate_limits.queue_wait, |raw| value::duration(raw, MILLISECOND, HOUR)),
        show: |s| show_duration(s.rate_limits.queue_wait),
    },
    Field {
        path: "streams.pace",
        short: None,
        set: set!(streams.pace, value::pace),
        show: |s| s.streams.pace.map_or(UNSET.to_owned(), |pace| pace.to_string()),
    },
    Field {
        path: "budgets.unpriced",
        short: None,
        set: set!(budgets.unpriced, value::unpriced),
        show: |s| s.budgets.unpriced.name().to_owned(),
    },
    Field {
        path: "database.url",
        short: None,
        set: set!(database.url, value::database),
        show: |s| s.database.url.as_ref().map_or(UNSET.to_owned(), |_| "set".to_owned()),
    },
    Field {
        path: "database.serve_stale",
        short: None,
        set: set!(database.serve_stale, |raw| value::timeout(raw, Duration::from_secs(1), 30 * DAY)),
        show: |s| show_timeout(s.database.serve_stale),
    },
    Field {
        path: "redis.url",
        short: None,
        set: set!(redis.url, value::redis),
        show: |s| s.redis.url.as_ref().map_or(UNSET.to_owned(), |_| "set".to_owned()),
    },
    Field {
        path: "redis.prefix",
        short: None,
        set: set!(redis.prefix, value::text),
        show: |s| s.redis.prefix.clone(),
    },
    Field {
        path: "redis.timeout",
        short: None,
        set: set!(redis.timeout, |raw| value::duration(raw, MILLISECOND, Duration::from_secs(5))),
        show: |s| show_duration(s.redis.timeout),
    },
    Field {
        path: "redis.when_away",
        short: None,
        set: set!(redis.when_away, value::when_away),
        show: |s| match s.redis.when_away {
            WhenAway::Local => "local".to_owned(),
            WhenAway::Refuse => "refuse".to_owned(),
        },
    },
    Field {
        path: "alerts.every",
        short: None,
        set: set!(alerts.every, |raw| value::duration(raw, Duration::from_secs(1), HOUR)),
        show: |s| show_duration(s.alerts.every),
    },
    Field {
        path: "alerts.webhook",
        short: None,
        set: set!(alerts.webhook, value::webhook),
        show: |s| shown(s.alerts.webhook.is_some()),
    },
    Field {
        path: "alerts.webhook_secret",
        short: None,
        set: set!(alerts.webhook_secret, value::secret),
        show: |s| shown(s.alerts.webhook_secret.is_some()),
    },
    Field {
        path: "alerts.webhook_form",
        short: None,
        set: set!(alerts.webhook_form, value::webhook_form),
        show: |s| match s.alerts.webhook_form {
            WebhookForm::Json => "json".to_owned(),
            WebhookForm::Slack => "slack".to_owned(),
        },
    },
    Field {
        path: "alerts.smtp_host",
        short: None,
        set: set!(alerts.smtp_host, |raw| value::text(raw).map(Some)),
        show: |s| s.alerts.smtp_host.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "alerts.smtp_port",
        short: None,
        set: set!(alerts.smtp_port, value::port),
        show: |s| s.alerts.smtp_port.to_string(),
    },
    Field {
        path: "alerts.smtp_security",
        short: None,
        set: set!(alerts.smtp_security, value::smtp_security),
        show: |s| match s.alerts.smtp_security {
            SmtpSecurity::StartTls => "starttls".to_owned(),
            SmtpSecurity::Tls => "tls".to_owned(),
            SmtpSecurity::None => "none".to_owned(),
        },
    },
    Field {
        path: "alerts.smtp_user",
        short: None,
        set: set!(alerts.smtp_user, |raw| value::text(raw).map(Some)),
        show: |s| s.alerts.smtp_user.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "alerts.smtp_password",
        short: None,
        set: set!(alerts.smtp_password, value::secret),
        show: |s| shown(s.alerts.smtp_password.is_some()),
    },
    Field {
        path: "alerts.mail_from",
        short: None,
        set: set!(alerts.mail_from, |raw| value::text(raw).map(Some)),
        show: |s| s.alerts.mail_from.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "alerts.mail_to",
        short: None,
        set: set!(alerts.mail_to, value::texts),
        show: |s| show_list(s.alerts.mail_to.iter().cloned()),
    },
    Field {
        path: "oidc.issuer",
        short: None,
        set: set!(oidc.issuer, |raw| value::text(raw).map(Some)),
        show: |s| s.oidc.issuer.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "oidc.client_id",
        short: None,
        set: set!(oidc.client_id, |raw| value::text(raw).map(Some)),
        show: |s| s.oidc.client_id.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "oidc.client_secret",
        short: None,
        set: set!(oidc.client_secret, value::secret),
        show: |s| shown(s.oidc.client_secret.is_some()),
    },
    Field {
        path: "oidc.allowed_domains",
        short: None,
        set: set!(oidc.allowed_domains, value::texts),
        show: |s| show_list(s.oidc.allowed_domains.iter().cloned()),
    },
    Field {
        path: "oidc.default_role",
        short: None,
        set: set!(oidc.default_role, value::oidc_role),
        show: |s| match s.oidc.default_role {
            OidcRole::Member => "member".to_owned(),
            OidcRole::Admin => "admin".to_owned(),
        },
    },
    Field {
        path: "oidc.role_claim",
        short: None,
        set: set!(oidc.role_claim, |raw| value::text(raw).map(Some)),
        show: |s| s.oidc.role_claim.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "otlp.endpoint",
        short: None,
        set: set!(otlp.endpoint, |raw| value::base_url(raw).map(Some)),
        show: |s| s.otlp.endpoint.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "otlp.headers",
        short: None,
        set: set!(otlp.headers, value::secret),
        show: |s| shown(s.otlp.headers.is_some()),
    },
    Field {
        path: "otlp.service_name",
        short: None,
        set: set!(otlp.service_name, value::text),
        show: |s| s.otlp.service_name.clone(),
    },
    Field {
        path: "records.enabled",
        short: None,
        set: set!(records.enabled, value::boolean),
        show: |s| s.records.enabled.to_string(),
    },
    Field {
        path: "records.keep_days",
        short: None,
        set: set!(records.keep_days, |raw| value::count(raw, 1, 3_650)),
        show: |s| s.records.keep_days.to_string(),
    },
    Field {
        path: "records.bodies",
        short: None,
        set: set!(records.bodies, value::bodies),
        show: |s| match s.records.bodies {
            Bodies::None => "none".to_owned(),
            Bodies::Errors => "errors".to_owned(),
            Bodies::All => "all".to_owned(),
            Bodies::Sampled => "sampled".to_owned(),
        },
    },
    Field {
        path: "records.body_share",
        short: None,
        set: set!(records.body_share, |raw| value::share(raw).map(Share::of)),
        show: |s| s.records.body_share.map_or(UNSET.to_owned(), |share| share.to_string()),
    },
    Field {
        path: "records.redact_headers",
        short: None,
        set: set!(records.redact_headers, value::texts),
        show: |s| show_list(s.records.redact_headers.iter().cloned()),
    },
    Field {
        path: "records.redact_paths",
        short: None,
        set: set!(records.redact_paths, value::texts),
        show: |s| show_list(s.records.redact_paths.iter().cloned()),
    },
    Field {
        path: "records.export_logs",
        short: None,
        set: set!(records.export_logs, |raw| value::count(raw, 1, 4_000_000_000)),
        show: |s| s.records.export_logs.to_string(),
    },
    Field {
        path: "sinks.spool",
        short: None,
        set: set!(sinks.spool, |raw| value::size(raw, MB, 1024 * GB)),
        show: |s| show_size(s.sinks.spool),
    },
    Field {
        path: "sinks.clickhouse.url",
        short: None,
        set: set!(sinks.clickhouse.url, |raw| value::base_url(raw).map(Some)),
        show: |s| s.sinks.clickhouse.url.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "sinks.clickhouse.user",
        short: None,
        set: set!(sinks.clickhouse.user, value::text),
        show: |s| s.sinks.clickhouse.user.clone(),
    },
    Field {
        path: "sinks.clickhouse.password",
        short: None,
        set: set!(sinks.clickhouse.password, value::secret),
        show: |s| shown(s.sinks.clickhouse.password.is_some()),
    },
    Field {
        path: "sinks.clickhouse.database",
        short: None,
        set: set!(sinks.clickhouse.database, value::identifier),
        show: |s| s.sinks.clickhouse.database.clone(),
    },
    Field {
        path: "sinks.clickhouse.table",
        short: None,
        set: set!(sinks.clickhouse.table, value::identifier),
        show: |s| s.sinks.clickhouse.table.clone(),
    },
    Field {
        path: "sinks.clickhouse.rows",
        short: None,
        set: set!(sinks.clickhouse.rows, |raw| value::count(raw, 1, 1_000_000)),
        show: |s| s.sinks.clickhouse.rows.to_string(),
    },
    Field {
        path: "sinks.clickhouse.interval",
        short: None,
        set: set!(sinks.clickhouse.interval, |raw| value::duration(raw, Duration::from_millis(100), HOUR)),
        show: |s| show_duration(s.sinks.clickhouse.interval),
    },
    Field {
        path: "sinks.s3.bucket",
        short: None,
        set: set!(sinks.s3.bucket, |raw| value::text(raw).map(Some)),
        show: |s| s.sinks.s3.bucket.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "sinks.s3.endpoint",
        short: None,
        set: set!(sinks.s3.endpoint, |raw| value::base_url(raw).map(Some)),
        show: |s| s.sinks.s3.endpoint.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "sinks.s3.region",
        short: None,
        set: set!(sinks.s3.region, value::text),
        show: |s| s.sinks.s3.region.clone(),
    },
    Field {
        path: "sinks.s3.prefix",
        short: None,
        set: set!(sinks.s3.prefix, value::text),
        show: |s| s.sinks.s3.prefix.clone(),
    },
    Field {
        path: "sinks.s3.access_key_id",
        short: None,
        set: set!(sinks.s3.access_key_id, |raw| value::text(raw).map(Some)),
        show: |s| s.sinks.s3.access_key_id.clone().unwrap_or(UNSET.to_owned()),
    },
    Field {
        path: "sinks.s3.secret_access_key",
        short: None,
        set: set!(sinks.s3.secret_access_key, value::secret),
        show: |s| shown(s.sinks.s3.secret_access_key.is_some()),
    },
    Field {
        path: "sinks.s3.session_token",
        short: None,
        set: set!(sinks.s3.session_token, value::secret),
        show: |s| shown(s.sinks.s3.session_token.is_some()),
    },
    Field {
        path: "sinks.s3.format",
        short: None,
        set: set!(sinks.s3.format, value::object_format),
        show: |s| match s.sinks.s3.format {
            ObjectFormat::Jsonl => "jsonl".to_owned(),
            ObjectFormat::Parquet => "parquet".to_owned(),
        },
    },
    Field {
        path: "sinks.s3.rows",
        short: None,
        set: set!(sinks.s3.rows, |raw| value::count(raw, 1, 1_000_000)),
        show: |s| s.sinks.s3.rows.to_string(),
    },
    Field {
        path: "sinks.s3.interval",
        short: None,
        set: set!(sinks.s3.interval, |raw| value::duration(raw, Duration::from_millis(100), HOUR)),
        show: |s| show_duration(s.sinks.s3.interval),
    },
    Field {
        path: "console.enabled",
        short: None,
        set: set!(console.enabled, value::boolean),
        show: |s| s.console.enabled.to_string(),
    },
];

/// What a field without a value shows.
const UNSET: &str = "unset";

/// Sets a field from an entry; a mistake leaves what was there.
pub(crate) fn apply(entry: &Entry, settings: &mut Settings, mistakes: &mut Vec<SettingsError>) {
    let path = entry.field();
    if let Some(field) = FIELDS.iter().find(|field| field.path == path) {
        match (field.set)(settings, &entry.raw) {
            Ok(()) => {
                settings.origins.insert(path, Source::Written(entry.place.clone()));
            }
            Err(Wrong { problem, remedy }) => {
                mistakes.push(SettingsError { place: entry.place.clone(), field: path, problem, remedy });
            }
        }
        return;
    }
    let is_section = path == "providers" || FIELDS.iter().any(|field| is_within(section(field), &path));
    if is_section && entry.raw == Raw::Table {
        return; // A section with nothing in it.
    }
    let (problem, remedy) = match (is_section, nearest(&path, FIELDS.iter().map(|field| field.path))) {
        (true, _) => {
            ("this is the name of a section".to_owned(), format!("write [{path}] and its fields below it"))
        }
        (false, Some(name)) => ("no setting has this name".to_owned(), format!("did you mean {name}?")),
        (false, None) => ("no setting has this name".to_owned(), remove_or_pick(&path)),
    };
    mistakes.push(SettingsError { place: entry.name_place.clone(), field: path, problem, remedy });
}

/// The variable that follows from the path.
fn variable(field: &Field) -> String {
    format!("TIDEGATE_{}", field.path.replace('.', "_").to_ascii_uppercase())
}

/// The field that one of our variables sets.
pub(crate) fn of_variable(name: &str) -> Option<&'static str> {
    let field = FIELDS.iter().find(|field| field.short == Some(name) || variable(field) == name);
    field.map(|field| field.path)
}

/// Every variable of ours that sets a field.
pub(crate) fn variables() -> impl Iterator<Item = String> {
    FIELDS.iter().flat_map(|field| [Some(variable(field)), field.short.map(str::to_owned)]).flatten()
}

/// What stands before a field's own name: `server`, `sinks.s3`.
fn section(field: &Field) -> &'static str {
    field.path.rsplit_once('.').map_or(field.path, |(section, _)| section)
}

/// Whether a section is this one or a part of it.
fn is_within(section: &str, of: &str) -> bool {
    section.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn remove_or_pick(path: &str) -> String {
    let of_section = path.rsplit_once('.').map_or(path, |(section, _)| section);
    let names: Vec<_> = FIELDS
        .iter()
        .filter(|field| section(field) == of_section)
        .filter_map(|field| field.path.rsplit('.').next())
        .collect();
    if names.is_empty() {
        "remove it: the sections are server, log, limits, timeouts, egress, routing, models, access, rate_limits, streams, budgets, database, redis, alerts, oidc, otlp, records, sinks, console and providers"
            .to_owned()
    } else {
        format!("remove it: [{of_section}] has {}", names.join(", "))
    }
}

/// Secrets are never shown.
fn shown(is_set: bool) -> String {
    if is_set { "set".to_owned() } else { UNSET.to_owned() }
}

fn show_rules(rules: &[Rule]) -> String {
    if rules.is_empty() { UNSET.to_owned() } else { show_list(rules.iter().map(Rule::to_string)) }
}

fn show_timeout(timeout: Option<Duration>) -> String {
    timeout.map_or("off".to_owned(), show_duration)
}

fn show_target(target: &PrivateTarget) -> String {
    match target {
        PrivateTarget::Network(network) => network.to_string(),
        PrivateTarget::Host(host) => host.clone(),
    }
}

pub(crate) fn show_list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn paths_and_variables_are_unique() {
        let paths: HashSet<_> = FIELDS.iter().map(|field| field.path).collect();
        assert_eq!(paths.len(), FIELDS.len());
        let names: Vec<_> = variables().collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn what_a_field_shows_can_be_written() {
        let defaults = Settings::default();
        for field in FIELDS {
            let shown = (field.show)(&defaults);
            if shown == UNSET {
                continue;
            }
            let written = shown.trim_start_matches('[').trim_end_matches(']').to_owned();
            let mut settings = Settings::default();
            (field.set)(&mut settings, &Raw::Untyped(written))
                .unwrap_or_else(|e| panic!("{}: {e:?}", field.path));
            assert_eq!((field.show)(&settings), shown, "{}", field.path);
        }
    }
}
