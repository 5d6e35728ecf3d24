// A workspace with one of each: what the pages that manage things have to show.

import { makeKey, seed } from "./gateway.mjs";

const PLACE = { workspace_id: "ws-default" };

/** Makes them; their ids and slugs by kind. */
export async function furnish(gateway) {
  const post = async (path, body) => {
    const made = await gateway.ask(path, { method: "POST", body });
    if (made.status !== 200) throw new Error(`POST ${path}: ${made.status} ${JSON.stringify(made.body)}`);
    return made.body;
  };
  await seed(gateway, await makeKey(gateway), 1);
  const key = await post("/v1/api-keys/workspace/service", {
    ...PLACE,
    name: "search",
    scopes: ["completions.write"],
    usage_limits: { type: "cost", credit_limit: 5, alert_threshold: 4, periodic_reset: "monthly" },
    rate_limits: [{ type: "requests", unit: "rpm", value: 100 }],
    defaults: { metadata: { team: "search" } },
  });
  const integration = await post("/v1/integrations", {
    ...PLACE,
    name: "local",
    ai_provider_id: "openai",
    key: "sk-0123456789abcdef",
    // The gateway itself: it answers as OpenAI does.
    base_url: `${gateway.url}/v1`,
    create_default_provider: true,
    default_provider_slug: "local",
  });
  const targets = ["openai", "anthropic"].map((provider) => ({ provider, api_key: "k", override_params: { model: "m" } }));
  const config = { strategy: { mode: "fallback" }, targets };
  const saved = await post("/v1/configs", { ...PLACE, name: "main", config });
  const second = { ...config, retry: { attempts: 2 } };
  await gateway.ask(`/v1/configs/${saved.slug}?workspace_id=ws-default`, { method: "PUT", body: { config: second } });
  const policy = await post("/v1/policies/usage-limits", {
    ...PLACE,
    name: "each user",
    conditions: [{ key: "metadata._user", value: "*" }],
    group_by: [{ key: "metadata._user" }],
    type: "tokens",
    credit_limit: 100_000,
    periodic_reset_days: 1,
  });
  const alert = await post("/v1/alerts", {
    ...PLACE,
    name: "errors",
    rule: { kind: "metric", metric: "error_rate", group: "model", condition: { type: "above", threshold: 5 }, min_requests: 20 },
    channels: [{ type: "slack", url: "https://hooks.example.org/services/T0/B0/X" }, { type: "email", to: ["ops@example.org"] }],
  });
  await post("/v1/admin/users/invites", { email: "mei@example.org", role: "member" });
  const { body } = await gateway.ask(`/v1/audit-logs?resource_type=configs&start_time=2020-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z`);
  return { key: key.id, integration: integration.id, config: saved.slug, policy: policy.id, alert: alert.id, entry: body.records[0].sequence };
}
