//! The data plane: every call that may reach a provider.

use super::{Meter, Route, Verbs};
use crate::permission::Permission::{Any, Needs};
use crate::scope::Scope as S;

const GET: Verbs = Verbs::GET;
const POST: Verbs = Verbs::POST;
const DELETE: Verbs = Verbs::DELETE;
const ANY: Verbs = Verbs::ANY;

const fn call(verbs: Verbs, template: &'static str, meter: Meter) -> Route {
    Route::data(verbs, template, Needs(S::CompletionsWrite), meter)
}

#[rustfmt::skip]
pub const DATA: &[Route] = &[
    // What the gateway understands. Counting tokens is a call like any other: unmetered, it would be a way around.
    call(POST, "/v1/chat/completions", Meter::Usage),
    call(POST, "/v1/completions", Meter::Usage),
    call(POST, "/v1/embeddings", Meter::Usage),
    call(POST, "/v1/messages", Meter::Usage),
    call(POST, "/v1/messages/count_tokens", Meter::Usage),
    call(POST, "/v1/responses", Meter::Usage),
    call(POST, "/v1/images/generations", Meter::Usage),
    call(POST, "/v1/images/edits", Meter::Usage),
    call(POST, "/v1/images/variations", Meter::Usage),
    call(POST, "/v1/audio/speech", Meter::Usage),
    call(POST, "/v1/audio/transcriptions", Meter::Usage),
    call(POST, "/v1/audio/translations", Meter::Usage),
    call(POST, "/v1/rerank", Meter::Usage),
    call(POST, "/v1/moderations", Meter::Usage),
    call(POST, "/v1/prompts/{id}/completions", Meter::Usage),
    // The path that a deprecated call of an official client comes to.
    call(POST, "/v1/v1/prompts/{id}/generate", Meter::Usage),
    call(POST, "/v1/gateway/tokenize", Meter::Request),
    call(GET, "/v1/realtime", Meter::Session),

    // What providers keep.
    call(GET, "/v1/responses/{id}", Meter::Request),
    call(DELETE, "/v1/responses/{id}", Meter::Request),
    call(GET, "/v1/responses/{id}/input_items", Meter::Request),
    call(POST, "/v1/responses/{id}/cancel", Meter::Request),
    call(GET, "/v1/files", Meter::Request),
    call(POST, "/v1/files", Meter::Request),
    call(GET, "/v1/files/{id}", Meter::Request),
    call(DELETE, "/v1/files/{id}", Meter::Request),
    call(GET, "/v1/files/{id}/content", Meter::Request),
    call(GET, "/v1/batches", Meter::Request),
    call(POST, "/v1/batches", Meter::Deferred),
    call(GET, "/v1/batches/{id}", Meter::Deferred),
    call(GET, "/v1/batches/{id}/output", Meter::Deferred),
    call(POST, "/v1/batches/{id}/cancel", Meter::Request),
    call(ANY, "/v1/fine_tuning/jobs", Meter::Deferred),
    call(ANY, "/v1/fine_tuning/jobs/{id}", Meter::Deferred),
    call(ANY, "/v1/fine_tuning/jobs/{id}/{action}", Meter::Deferred),
    call(ANY, "/v1/fine-tuning/{*rest}", Meter::Deferred),

    // Answered here from the workspace's providers, or passed on.
    Route::data(GET, "/v1/models", Any(&[S::CompletionsWrite, S::VirtualKeysList]), Meter::Request),
    Route::data(GET, "/v1/models/{id}", Any(&[S::CompletionsWrite, S::VirtualKeysList]), Meter::Request),
    call(DELETE, "/v1/models/{id}", Meter::Request),

    // Other things than models.
    Route::data(POST, "/v1/guardrails/{id}/invoke", Needs(S::GuardrailsInvoke), Meter::Request),
    Route::data(ANY, "/mcp/{server}", Needs(S::McpInvoke), Meter::Request),
    Route::data(ANY, "/mcp/{server}/mcp", Needs(S::McpInvoke), Meter::Request),

    // The rest goes to the provider as it is. The old prefix has a row of its own, so that nobody thinks it has none.
    call(ANY, "/v1/proxy/{*rest}", Meter::Tapped),
    call(ANY, "/v1/{*rest}", Meter::Tapped),
];
