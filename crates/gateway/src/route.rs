//! Which of the gateway's doors a request came through, decided once from method and path (never from `Host`).

use http::Method;
use tidegate_access::{Access, Metering, Permission, Public, Reason, Refusal as Denial, Scope};
use tidegate_catalog::Endpoint;

use crate::authenticate::refuse;
use crate::control::router;
use crate::refuse::Refusal;

/// A door. Everything under `/v1/` that has no unified form passes through to the chosen provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /`: the reference's greeting.
    Greeting,
    /// `GET` of `/console` and what is below: the pages for people.
    Console,
    /// `GET /healthz`: the process runs.
    Health,
    /// `GET /readyz`: it takes requests (503 while draining).
    Ready,
    /// `GET /metrics`: Prometheus' text form.
    Metrics,
    /// `GET /v1/models` without a provider: what this gateway can serve.
    Models,
    /// A POST that the gateway understands: the body is read, the answer may be translated.
    Unified(Endpoint),
    /// What a provider keeps for its users (files, batches, jobs, responses): passes through, but as the target's call,
    /// with the target's key and errors told as those of unified calls.
    Managed,
    /// OpenAI's realtime API: a WebSocket.
    Realtime,
    /// The gateway's own API: what administers, and what reads records.
    Own,
    /// Everything else under `/v1/`.
    Pass,
    Unknown,
}

impl Route {
    /// `path` is the request target's path, as sent.
    pub fn of(method: &Method, path: &str) -> Self {
        if let Some(rest) = path.strip_prefix("/v1/") {
            if method == Method::POST
                && let Some(endpoint) = unified(rest)
            {
                return Self::Unified(endpoint);
            }
            if rest == "models" && (method == Method::GET || method == Method::HEAD) {
                return Self::Models;
            }
            if is_own(method, path) {
                return Self::Own;
            }
            return match rest {
                "realtime" | "proxy/realtime" | "proxy/v1/realtime" if method == Method::GET => {
                    Self::Realtime
                }
                _ if is_managed(rest) => Self::Managed,
                _ => Self::Pass,
            };
        }
        if is_own(method, path) {
            return Self::Own;
        }
        if method != Method::GET && method != Method::HEAD {
            return Self::Unknown;
        }
        match path {
            "/" => Self::Greeting,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/console" => Self::Console,
            _ if path.starts_with("/console/") => Self::Console,
            _ => Self::Unknown,
        }
    }

    /// Whether what comes back has a price: an answer of a model, not a list of files.
    pub fn is_of_model(self) -> bool {
        matches!(self, Self::Realtime)
            || matches!(self, Self::Unified(endpoint) if endpoint != Endpoint::CountTokens)
    }

    /// What a caller of a provider must be allowed to do here.
    ///
    /// # Errors
    /// 404 for a path that nothing answers, 400 for one that others would read differently.
    pub fn permission(self, method: &Method, path: &str) -> Result<Permission, Refusal> {
        if let Self::Unified(_) = self {
            return Ok(Permission::Needs(Scope::CompletionsWrite));
        }
        let found = router().find(method, path).map_err(|denial| refuse(&denial))?;
        match found.route.access() {
            Access::Needs(permission) => Ok(permission),
            // Nothing public goes to a provider.
            Access::Public(_) => Err(refuse(&Denial::new(Reason::NotFound))),
        }
    }

    /// The word for logs and metrics: one of a small closed set, never user text.
    pub fn label(self) -> &'static str {
        match self {
            Self::Greeting => "root",
            Self::Console => "console",
            Self::Health => "healthz",
            Self::Ready => "readyz",
            Self::Metrics => "metrics",
            Self::Own => "admin",
            Self::Models => "models",
            Self::Unified(endpoint) => endpoint_label(endpoint),
            Self::Realtime => "realtime",
            Self::Managed | Self::Pass => "proxy",
            Self::Unknown => "unknown",
        }
    }
}

/// The POST routes with a name of their own in the reference. Bodies that are not JSON (audio, image edits) pass
/// through unread all the same; the name decides how the provider is asked and what an unsupported one is told.
fn unified(rest: &str) -> Option<Endpoint> {
    Some(match rest {
        "chat/completions" => Endpoint::ChatCompletions,
        "messages" => Endpoint::Messages,
        "embeddings" => Endpoint::Embeddings,
        "completions" => Endpoint::Completions,
        "messages/count_tokens" => Endpoint::CountTokens,
        "responses" => Endpoint::Responses,
        "images/generations" => Endpoint::ImagesGenerations,
        "images/edits" => Endpoint::ImagesEdits,
        "audio/speech" => Endpoint::AudioSpeech,
        "audio/transcriptions" => Endpoint::AudioTranscriptions,
        "audio/translations" => Endpoint::AudioTranslations,
        _ => return None,
    })
}

/// Control and catalogue routes. What has the first segment of one and is none belongs to it all the same: it is
/// nobody's to pass on.
fn is_own(method: &Method, path: &str) -> bool {
    match router().find(method, path) {
        Ok(found) => match found.route.access() {
            Access::Public(reason) => {
                matches!(reason, Public::Catalogue | Public::SignIn | Public::SignedLink)
            }
            Access::Needs(_) => found.route.metering() == Metering::Control,
        },
        Err(denial) if denial.reason == Reason::NotFound => path.starts_with("/v1/"),
        Err(_) => router().is_reserved(path),
    }
}

fn is_managed(rest: &str) -> bool {
    let mut segments = rest.split('/');
    match segments.next() {
        Some("files" | "batches" | "responses") => true,
        Some("fine_tuning") => segments.next() == Some("jobs"),
        _ => false,
    }
}

fn endpoint_label(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::ChatCompletions => "chat_completions",
        Endpoint::Completions => "completions",
        Endpoint::Embeddings => "embeddings",
        Endpoint::Messages => "messages",
        Endpoint::CountTokens => "count_tokens",
        Endpoint::Responses => "responses",
        Endpoint::ImagesGenerations => "images_generations",
        Endpoint::ImagesEdits => "images_edits",
        Endpoint::AudioSpeech => "audio_speech",
        Endpoint::AudioTranscriptions => "audio_transcriptions",
        Endpoint::AudioTranslations => "audio_translations",
        _ => "proxy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors() {
        let cases = [
            ("GET", "/", Route::Greeting),
            ("POST", "/", Route::Unknown),
            ("GET", "/healthz", Route::Health),
            ("GET", "/nope", Route::Unknown),
            ("GET", "/console", Route::Console),
            ("HEAD", "/console/logs", Route::Console),
            ("POST", "/console/logs", Route::Unknown),
            ("GET", "/consoles", Route::Unknown),
            ("GET", "/v1/configs/%0F", Route::Own),
            ("POST", "/v2/api-keys/%0F/rotate", Route::Own),
            ("GET", "/pricing/%0F", Route::Own),
            ("GET", "/healthz/%0F", Route::Unknown),
            ("GET", "/v1/chat/../configs", Route::Pass),
            ("POST", "/v1/chat/completions", Route::Unified(Endpoint::ChatCompletions)),
            ("GET", "/v1/chat/completions", Route::Pass),
            ("POST", "/v1/messages/count_tokens", Route::Unified(Endpoint::CountTokens)),
            ("POST", "/v1/proxy/chat/completions", Route::Pass),
            ("PUT", "/v1/threads/t", Route::Pass),
            ("GET", "/v1/files", Route::Managed),
            ("DELETE", "/v1/responses/r", Route::Managed),
            ("POST", "/v1/fine_tuning/jobs", Route::Managed),
            ("GET", "/v1/fine_tuning/checkpoints/c", Route::Pass),
            ("GET", "/v1/filesystem", Route::Pass),
            ("GET", "/v1/models", Route::Models),
            ("GET", "/v1/models/gpt-4o", Route::Pass),
            ("GET", "/v1/realtime", Route::Realtime),
            ("GET", "/v1/proxy/realtime", Route::Realtime),
            ("POST", "/v1/realtime/client_secrets", Route::Pass),
            ("GET", "/v1", Route::Unknown),
        ];
        for (method, path, want) in cases {
            assert_eq!(Route::of(&method.parse().unwrap(), path), want, "{method} {path}");
        }
    }
}
