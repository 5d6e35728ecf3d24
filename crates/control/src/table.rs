//! Which function serves which route: one line each. What a route asks of its caller stands in the table of `access`.

use http::Method;

use crate::analytics::{explore, feedback as marks, graphs, groups};
use crate::endpoint::{Endpoint, delete, get, open_delete, open_get, open_post, post, put, whole};
use crate::{
    alerts, api_keys, audit_logs, configs, exports, feedback, held, integrations, invites, logs, members,
    oidc, openapi, organisation, policies, prices, providers, saved_views, session, tell, traces, users,
    virtual_keys, workspaces,
};

const POST: Method = Method::POST;

pub(crate) fn table() -> Vec<Endpoint> {
    let mut table = who_may();
    table.extend(what_is_called());
    table
}

/// Keys, places and people.
#[rustfmt::skip]
fn who_may() -> Vec<Endpoint> {
    vec![
        open_get("/openapi.json", "This description", openapi::serve),

        // API keys.
        post("/v1/api-keys/organisation/service", "Make a key of the organisation", api_keys::create_organisation_service),
        post("/v1/api-keys/workspace/service", "Make a program's key in a workspace", api_keys::create_workspace_service),
        post("/v1/api-keys/workspace/user", "Make a person's key in a workspace", api_keys::create_workspace_user),
        get("/v1/api-keys", "List API keys", api_keys::list),
        get("/v1/api-keys/{id}", "An API key", api_keys::retrieve),
        put("/v1/api-keys/{id}", "Change an API key", api_keys::update),
        delete("/v1/api-keys/{id}", "Revoke an API key", api_keys::delete),
        post("/v1/api-keys/{id}/rotate", "Give an API key a new text", api_keys::rotate),
        post("/v2/api-keys/{id}/rotate", "Give an API key a new text", api_keys::rotate),

        // Workspaces, and the people in them.
        post("/v1/admin/workspaces", "Make a workspace", workspaces::create),
        get("/v1/admin/workspaces", "List workspaces", workspaces::list),
        get("/v1/admin/workspaces/{slug}", "A workspace", workspaces::retrieve),
        put("/v1/admin/workspaces/{slug}", "Change a workspace", workspaces::update),
        delete("/v1/admin/workspaces/{slug}", "Delete a workspace", workspaces::delete),
        post("/v1/admin/workspaces/{slug}/users", "Take users into a workspace", members::add),
        get("/v1/admin/workspaces/{slug}/users", "List the people in a workspace", members::list),
        get("/v1/admin/workspaces/{slug}/users/{user}", "Somebody in a workspace", members::retrieve),
        put("/v1/admin/workspaces/{slug}/users/{user}", "Change somebody's role in a workspace", members::update),
        delete("/v1/admin/workspaces/{slug}/users/{user}", "Remove somebody from a workspace", members::remove),

        // People.
        get("/v1/admin/users", "List users", users::list),
        get("/v1/admin/users/{id}", "A user", users::retrieve),
        put("/v1/admin/users/{id}", "Change a user", users::update),
        delete("/v1/admin/users/{id}", "Remove a user", users::delete),
        post("/v1/admin/users/invites", "Invite somebody", invites::create),
        get("/v1/admin/users/invites", "List invitations", invites::list),
        get("/v1/admin/users/invites/{id}", "An invitation", invites::retrieve),
        delete("/v1/admin/users/invites/{id}", "Cancel an invitation", invites::delete),
        post("/v1/admin/users/invites/{id}/resend", "Make a new link for an invitation", invites::resend),

        // Signing in.
        open_get("/sign-in", "Follow a link to sign in", session::follow).status(303),
        open_get("/sign-in/oidc", "Sign in through the identity provider", oidc::begin).status(303),
        open_get("/sign-in/oidc/callback", "Come back from the identity provider", oidc::end).status(303),
        open_post("/v1/session", "Sign in", session::sign_in),
        open_get("/v1/session", "Who is signed in", session::retrieve),
        open_delete("/v1/session", "Sign out", session::sign_out),

        // The organisation and its audit log.
        get("/v1/admin/organisation", "The organisation and its switches", organisation::retrieve),
        put("/v1/admin/organisation", "Change the organisation or its switches", organisation::update),
        get("/v1/audit-logs", "Who changed what", audit_logs::list),
        get("/v1/audit-logs/export", "The audit log as JSON lines", audit_logs::export).media(audit_logs::LINES),
    ]
}

/// Configs, providers, limits, prices and logs.
#[rustfmt::skip]
fn what_is_called() -> Vec<Endpoint> {
    vec![
        // Configs.
        post("/v1/configs", "Save a config", configs::create),
        get("/v1/configs", "List configs", configs::list),
        post("/v1/configs/dry-run", "What a config would do with a request", configs::dry_run),
        get("/v1/configs/{slug}", "A config", configs::retrieve),
        put("/v1/configs/{slug}", "Change a config, which makes a version", configs::update),
        delete("/v1/configs/{slug}", "Remove a config", configs::delete),
        get("/v1/configs/{slug}/versions", "List the versions of a config", configs::versions),
        get("/v1/configs/{slug}/versions/{version}", "A version of a config", configs::version),
        get("/v1/configs/{slug}/diff", "What two versions differ in", configs::compare),
        post("/v1/configs/{slug}/rollback", "Go back to a version", configs::rollback),

        // A provider of a workspace, under its old name and its new one.
        post("/v1/virtual-keys", "Make a virtual key", virtual_keys::create),
        get("/v1/virtual-keys", "List virtual keys", virtual_keys::list),
        get("/v1/virtual-keys/{slug}", "A virtual key", virtual_keys::retrieve),
        put("/v1/virtual-keys/{slug}", "Change a virtual key", virtual_keys::update),
        delete("/v1/virtual-keys/{slug}", "Remove a virtual key", virtual_keys::delete),
        post("/v1/providers", "Make a provider", providers::create),
        get("/v1/providers", "List providers", providers::list),
        get("/v1/providers/health", "Whether providers are well", providers::health::health),
        get("/v1/providers/{slug}", "A provider", providers::retrieve),
        put("/v1/providers/{slug}", "Change a provider", providers::update),
        delete("/v1/providers/{slug}", "Remove a provider", providers::delete),

        // Integrations, and who may use them.
        post("/v1/integrations", "Make an integration", integrations::create),
        get("/v1/integrations", "List integrations", integrations::list),
        get("/v1/integrations/{slug}", "An integration", integrations::retrieve),
        put("/v1/integrations/{slug}", "Change an integration", integrations::update),
        delete("/v1/integrations/{slug}", "Remove an integration", integrations::delete),
        get("/v1/integrations/{slug}/models", "List the models of an integration", integrations::models),
        put("/v1/integrations/{slug}/models", "Say which models an integration serves", integrations::allow),
        delete("/v1/integrations/{slug}/models", "Remove custom models", integrations::forget),
        get("/v1/integrations/{slug}/workspaces", "List who may use an integration", integrations::workspaces),
        put("/v1/integrations/{slug}/workspaces", "Say who may use an integration", integrations::lend),

        // What crashes left open.
        get("/v1/admin/held-reservations", "List what crashes left open on budgets", held::list),
        post("/v1/admin/held-reservations/{id}/resolve", "Say what a held reservation cost", held::resolve),

        // Prices, which are the same for everybody.
        open_get("/model-configs/pricing/{provider}/{model}", "The price of a model", prices::of_model),
        open_get("/pricing/{file}", "The prices of a provider's models", prices::of_provider),

        // Feedback.
        whole::<feedback::Given, feedback::Saved, _, _, _>(POST, "/v1/feedback", "Give a mark to a trace, or several", feedback::create),
        put("/v1/feedback/{id}", "Change a mark", feedback::update),

        // Traces.
        get("/v1/traces", "List traces", traces::list),
        get("/v1/traces/{id}", "A trace with its spans", traces::retrieve),
        get("/v1/sessions", "List sessions", traces::sessions::list),
        get("/v1/sessions/{id}", "A session with its traces", traces::sessions::retrieve),

        // Logs.
        whole::<tell::Item, tell::Taken, _, _, _>(POST, "/v1/logs", "Tell of calls and steps that did not come this way", tell::create),
        whole::<tell::Export, tell::Exported, _, _, _>(POST, "/v1/otel/v1/traces", "Tell of spans, by OpenTelemetry", tell::otlp_traces),
        whole::<tell::Export, tell::Exported, _, _, _>(POST, "/v1/otel/v1/logs", "Tell of log records, by OpenTelemetry", tell::otlp_logs),
        whole::<tell::Export, tell::Exported, _, _, _>(POST, "/v1/logs/otel", "Tell of spans, by OpenTelemetry", tell::otlp_traces),
        whole::<tell::Export, tell::Exported, _, _, _>(POST, "/v1/logs/otel/v1/traces", "Tell of spans, by OpenTelemetry", tell::otlp_traces),
        whole::<tell::Export, tell::Exported, _, _, _>(POST, "/v1/logs/otel/v1/logs", "Tell of log records, by OpenTelemetry", tell::otlp_logs),
        get("/v1/logs", "List logs", logs::list),
        get("/v1/logs/tail", "Logs as they come", logs::tail::serve).media(logs::tail::EVENTS),
        get("/v1/logs/{id}", "A log", logs::retrieve),

        // Exports of logs.
        post("/v1/logs/exports", "Make an export job", exports::create),
        get("/v1/logs/exports", "List export jobs", exports::list),
        get("/v1/logs/exports/{id}", "An export job", exports::retrieve),
        put("/v1/logs/exports/{id}", "Change an export job", exports::update),
        post("/v1/logs/exports/{id}/start", "Start an export job", exports::start),
        post("/v1/logs/exports/{id}/cancel", "Cancel an export job", exports::cancel),
        get("/v1/logs/exports/{id}/download", "A link to what was exported", exports::download),
        open_get("/v1/logs/exports/{id}/file", "What was exported", exports::file).media("application/x-ndjson"),
        get("/v1/logs/exports/field-restrictions", "What can be exported", exports::restrictions),

        // Analytics. Two official clients disagree on the paths: both are served.
        get("/v1/analytics/graphs/requests", "Requests over time", graphs::requests),
        get("/v1/analytics/graphs/cost", "Cost over time", graphs::cost),
        get("/v1/analytics/graphs/latency", "Latency over time", graphs::latency),
        get("/v1/analytics/graphs/tokens", "Tokens over time", graphs::tokens),
        get("/v1/analytics/graphs/users", "Users over time", graphs::users),
        get("/v1/analytics/graphs/users/requests", "Requests per user over time", graphs::requests_per_user),
        get("/v1/analytics/graphs/users-requests", "Requests per user over time", graphs::requests_per_user),
        get("/v1/analytics/graphs/errors", "Errors over time", graphs::errors),
        get("/v1/analytics/graphs/errors/rate", "Error rate over time", graphs::error_rate),
        get("/v1/analytics/graphs/errors-rate", "Error rate over time", graphs::error_rate),
        get("/v1/analytics/graphs/errors/stacks", "Errors by status over time", graphs::error_stacks),
        get("/v1/analytics/graphs/errors-stack", "Errors by status over time", graphs::error_stacks),
        get("/v1/analytics/graphs/errors/status-codes", "Errors by status", graphs::error_codes),
        get("/v1/analytics/graphs/errors-status-code", "Errors by status", graphs::error_codes),
        get("/v1/analytics/graphs/requests/rescued", "Rescued requests over time", graphs::rescued),
        get("/v1/analytics/graphs/requests-rescued", "Rescued requests over time", graphs::rescued),
        get("/v1/analytics/graphs/cache/hit-rate", "Cache hits over time", graphs::cache_hits),
        get("/v1/analytics/graphs/cache-hit-rate", "Cache hits over time", graphs::cache_hits),
        get("/v1/analytics/graphs/cache/latency", "Latency of cache hits over time", graphs::cache_latency),
        get("/v1/analytics/graphs/cache-latency", "Latency of cache hits over time", graphs::cache_latency),
        get("/v1/analytics/graphs/feedbacks", "Feedback over time", marks::count),
        get("/v1/analytics/graphs/feedbacks/scores", "Feedback by score", marks::scores),
        get("/v1/analytics/graphs/feedbacks/score", "Feedback by score", marks::scores),
        get("/v1/analytics/graphs/feedbacks/weighted", "Weighted feedback over time", marks::weighted),
        get("/v1/analytics/graphs/feedbacks/ai-models", "Feedback by model", marks::by_model),
        get("/v1/analytics/groups/metadata/{key}", "Requests by a value of metadata", groups::by_metadata),
        get("/v1/analytics/groups/{dimension}", "Requests by what tells them apart", groups::by_dimension),
        get("/v1/analytics/summary/cache", "What the cache did", graphs::cache_summary),
        get("/v1/analytics/metrics", "The metrics there are", explore::metrics),
        get("/v1/analytics/query", "Any metrics over time, by what tells requests apart", explore::query),

        // Policies.
        post("/v1/policies/usage-limits", "Make a usage limit policy", policies::create_usage_limit),
        get("/v1/policies/usage-limits", "List usage limit policies", policies::list_usage_limits),
        get("/v1/policies/usage-limits/{id}", "A usage limit policy", policies::retrieve_usage_limit),
        put("/v1/policies/usage-limits/{id}", "Change a usage limit policy", policies::update_usage_limit),
        delete("/v1/policies/usage-limits/{id}", "Archive a usage limit policy", policies::delete_usage_limit),
        get("/v1/policies/usage-limits/{id}/entities", "List what was used under a policy", policies::list_entities),
        put("/v1/policies/usage-limits/{id}/entities/{entity}/reset", "Set usage under a policy back", policies::reset_entity),
        post("/v1/policies/rate-limits", "Make a rate limit policy", policies::create_rate_limit),
        get("/v1/policies/rate-limits", "List rate limit policies", policies::list_rate_limits),
        get("/v1/policies/rate-limits/{id}", "A rate limit policy", policies::retrieve_rate_limit),
        put("/v1/policies/rate-limits/{id}", "Change a rate limit policy", policies::update_rate_limit),
        delete("/v1/policies/rate-limits/{id}", "Archive a rate limit policy", policies::delete_rate_limit),

        // Alert rules.
        post("/v1/alerts", "Make an alert rule", alerts::create),
        get("/v1/alerts", "List alert rules", alerts::list),
        get("/v1/alerts/{id}", "An alert rule, and how it stands", alerts::retrieve),
        put("/v1/alerts/{id}", "Change an alert rule", alerts::update),
        delete("/v1/alerts/{id}", "Delete an alert rule, and its history", alerts::delete),
        post("/v1/alerts/{id}/test", "Send a test to each channel of an alert rule", alerts::test),
        get("/v1/alerts/{id}/events", "What an alert rule told, and whom", alerts::list_events),

        // Saved views.
        post("/v1/saved-views", "Save a view of a page", saved_views::create),
        get("/v1/saved-views", "List saved views", saved_views::list),
        get("/v1/saved-views/{id}", "A saved view", saved_views::retrieve),
        put("/v1/saved-views/{id}", "Change a saved view", saved_views::update),
        delete("/v1/saved-views/{id}", "Delete a saved view", saved_views::delete),
    ]
}
