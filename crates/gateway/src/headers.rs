//! The gateway's own request headers, read in one pass; and which headers never cross the gateway.
//!
//! Every `x-portkey-*` header may also be written `x-tidegate-*`; the latter wins.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use tidegate_http1::MoreFields;
use tidegate_limits::Standing;

use crate::trace_context::{Foreign, TraceContext};

/// Counts passages of a request through gateways of this kind; too many are a loop.
pub const HOPS: HeaderName = HeaderName::from_static("x-tidegate-hops");
pub const LAST_INDEX: HeaderName = HeaderName::from_static("x-portkey-last-used-option-index");
pub const PROVIDER: HeaderName = HeaderName::from_static("x-portkey-provider");
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-portkey-trace-id");
pub const RETRY_COUNT: HeaderName = HeaderName::from_static("x-portkey-retry-attempt-count");
pub const CACHE_STATUS: HeaderName = HeaderName::from_static("x-portkey-cache-status");
pub const EXCEPTION: HeaderName = HeaderName::from_static("x-portkey-gateway-exception");
pub const WARNINGS: HeaderName = HeaderName::from_static("x-tidegate-warnings");
pub const CIRCUIT: HeaderName = HeaderName::from_static("x-tidegate-circuit");
pub const ESTIMATED: HeaderName = HeaderName::from_static("x-tidegate-estimated");
/// Rate limits are counted by this replica alone, because the shared counters are away.
pub const LIMITS: HeaderName = HeaderName::from_static("x-tidegate-limits");
/// How long the request waited for a rate limit, in ms.
pub const QUEUED: &str = "x-tidegate-queued-ms";
/// Official clients obey it before any rule of their own.
pub const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The gateway headers of one request, as they came.
#[derive(Debug, Default)]
pub struct GatewayHeaders {
    pub provider: Option<HeaderValue>,
    pub config: Option<HeaderValue>,
    pub custom_host: Option<HeaderValue>,
    pub request_timeout: Option<HeaderValue>,
    pub strict: Option<HeaderValue>,
    pub forward: Option<HeaderValue>,
    /// The client's, or that of its `traceparent`.
    pub trace_id: Option<HeaderValue>,
    /// `None` for most: nothing else was said of traces.
    pub context: Option<Arc<TraceContext>>,
    pub metadata: Option<HeaderValue>,
    pub fallbacks: Option<HeaderValue>,
    pub retry_count: Option<HeaderValue>,
    pub virtual_key: Option<HeaderValue>,
    pub input_guardrails: Option<HeaderValue>,
    pub output_guardrails: Option<HeaderValue>,
    pub hops: Option<HeaderValue>,
    /// Provider options by header (`azure-resource-name`), suffix after the prefix.
    pub options: Vec<(&'static str, HeaderValue)>,
}

impl GatewayHeaders {
    /// On the heap, because they are large and pass through many hands.
    pub fn read(headers: &HeaderMap) -> Box<Self> {
        let mut found = Box::<Self>::default();
        for (name, value) in headers {
            let name = name.as_str();
            if let Some(suffix) = name.strip_prefix("x-tidegate-") {
                found.take(suffix, value, true);
            } else if let Some(suffix) = name.strip_prefix("x-portkey-") {
                found.take(suffix, value, false);
            } else if let Some(foreign) = Foreign::of(name) {
                found.context().take(foreign, value);
            }
        }
        if let Some(context) = &mut found.context {
            Arc::make_mut(context).settle(&mut found.trace_id);
        }
        found
    }

    fn context(&mut self) -> &mut TraceContext {
        Arc::make_mut(self.context.get_or_insert_default())
    }

    fn take(&mut self, suffix: &str, value: &HeaderValue, wins: bool) {
        if value.is_empty() {
            return; // empty is absent, as in the reference
        }
        let slot = match suffix {
            "provider" => &mut self.provider,
            "config" => &mut self.config,
            "custom-host" => &mut self.custom_host,
            "request-timeout" => &mut self.request_timeout,
            "strict-open-ai-compliance" => &mut self.strict,
            "forward-headers" => &mut self.forward,
            "trace-id" => &mut self.trace_id,
            "metadata" => &mut self.metadata,
            "fallbacks" => &mut self.fallbacks,
            "retry-count" => &mut self.retry_count,
            "virtual-key" => &mut self.virtual_key,
            "default-input-guardrails" => &mut self.input_guardrails,
            "default-output-guardrails" => &mut self.output_guardrails,
            "hops" => &mut self.hops,
            "span-id" => &mut self.context().span,
            "parent-span-id" => &mut self.context().parent,
            "span-name" => &mut self.context().name,
            "session-id" => &mut self.context().session,
            _ => {
                if let Ok(at) = OPTION_HEADERS.binary_search_by_key(&suffix, |row| row.0) {
                    self.take_option(OPTION_HEADERS[at].1, value, wins);
                }
                return;
            }
        };
        if wins || slot.is_none() {
            *slot = Some(value.clone());
        }
    }

    fn take_option(&mut self, key: &'static str, value: &HeaderValue, wins: bool) {
        match self.options.iter_mut().find(|(known, _)| *known == key) {
            Some(known) if wins => known.1 = value.clone(),
            Some(_) => {}
            None => self.options.push((key, value.clone())),
        }
    }

    /// The value as text; headers that are not visible ASCII or UTF-8 count as absent.
    pub fn text(value: Option<&HeaderValue>) -> Option<&str> {
        value.and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }
}

/// Headers after `x-portkey-` that give a provider option, and the option's key in a config. Sorted by header.
const OPTION_HEADERS: &[(&str, &str)] = &[
    ("amz-server-side-encryption", "aws_server_side_encryption"),
    ("anthropic-beta", "anthropic_beta"),
    ("anthropic-version", "anthropic_version"),
    ("aws-access-key-id", "aws_access_key_id"),
    ("aws-auth-type", "aws_auth_type"),
    ("aws-external-id", "aws_external_id"),
    ("aws-region", "aws_region"),
    ("aws-role-arn", "aws_role_arn"),
    ("aws-secret-access-key", "aws_secret_access_key"),
    ("aws-session-token", "aws_session_token"),
    ("azure-ad-token", "azure_ad_token"),
    ("azure-api-version", "api_version"),
    ("azure-auth-mode", "azure_auth_mode"),
    ("azure-deployment-id", "deployment_id"),
    ("azure-endpoint-name", "azure_endpoint_name"),
    ("azure-extra-params", "azure_extra_parameters"),
    ("azure-foundry-url", "azure_foundry_url"),
    ("azure-model-name", "azure_model_name"),
    ("azure-resource-name", "resource_name"),
    ("fireworks-account-id", "fireworks_account_id"),
    ("huggingface-base-url", "huggingface_base_url"),
    ("openai-beta", "openai_beta"),
    ("openai-organization", "openai_organization"),
    ("openai-project", "openai_project"),
    ("snowflake-account", "snowflake_account"),
    ("vertex-project-id", "vertex_project_id"),
    ("vertex-region", "vertex_region"),
    ("workers-ai-account-id", "workers_ai_account_id"),
];

/// True for headers of one hop (RFC 9110 7.6.1) and for those that HTTP itself makes anew.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::CONNECTION
            | header::PROXY_AUTHENTICATE
            | header::PROXY_AUTHORIZATION
            | header::TE
            | header::TRAILER
            | header::TRANSFER_ENCODING
            | header::UPGRADE
    ) || name == "keep-alive"
        || name == "proxy-connection"
}

/// True for headers that a caller may have forwarded: not those of a connection or of the body's form, nor the gateway's
/// own, which hold its keys and its loop guard.
pub fn is_forwardable(name: &HeaderName) -> bool {
    const FORM: [HeaderName; 5] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::EXPECT,
        header::ACCEPT_ENCODING,
    ];
    !is_hop_by_hop(name) && !is_gateway_header(name) && !FORM.contains(name)
}

/// Removes the headers named in `Connection` and all others of one hop.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ] {
        headers.remove(name);
    }
}

/// True for request headers that are the gateway's own and never go upstream.
pub fn is_gateway_header(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("x-portkey-") || name.starts_with("x-tidegate-")
}

/// Tells a client how its limits stand. A provider's own word of the same name goes.
pub fn put_standing(headers: &mut HeaderMap, more: &mut MoreFields, standing: &Standing) {
    static NAMES: [HeaderName; 6] = {
        let [a, b, c, d, e, f] = tidegate_limits::HEADERS;
        [
            HeaderName::from_static(a),
            HeaderName::from_static(b),
            HeaderName::from_static(c),
            HeaderName::from_static(d),
            HeaderName::from_static(e),
            HeaderName::from_static(f),
        ]
    };
    let says_some = headers.keys().any(|name| name.as_str().starts_with("x-ratelimit-"));
    for (at, figure) in standing.figures() {
        if says_some {
            headers.remove(&NAMES[at]);
        }
        more.put_numbers(&NAMES[at], figure.parts());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_headers_are_sorted() {
        assert!(OPTION_HEADERS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn own_prefix_wins_and_empty_is_absent() {
        let mut headers = HeaderMap::new();
        headers.insert("x-tidegate-provider", HeaderValue::from_static("groq"));
        headers.insert("x-portkey-provider", HeaderValue::from_static("openai"));
        headers.insert("x-portkey-config", HeaderValue::from_static(""));
        headers.insert("x-portkey-azure-resource-name", HeaderValue::from_static("r"));
        let found = GatewayHeaders::read(&headers);
        assert_eq!(found.provider.unwrap(), "groq");
        assert!(found.config.is_none());
        assert_eq!(found.options, [("resource_name", HeaderValue::from_static("r"))]);
    }

    #[test]
    fn hop_by_hop_headers_go() {
        let mut headers = HeaderMap::new();
        headers.insert("connection", HeaderValue::from_static("close, x-mine"));
        headers.insert("x-mine", HeaderValue::from_static("1"));
        headers.insert("keep-alive", HeaderValue::from_static("1"));
        headers.insert("date", HeaderValue::from_static("now"));
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["date"]);
    }
}
