/** What workspace keys are usually given. The server knows all scopes, and who may give which. */
export const PRESETS = {
  calls: ["completions.write"],
  observe: ["completions.write", "logs.list", "logs.view", "logs.read", "analytics.view"],
  manage: [
    "completions.write",
    "logs.list",
    "logs.view",
    "logs.read",
    "analytics.view",
    ...["configs", "providers", "virtual_keys", "policies"].flatMap((family) =>
      ["create", "read", "update", "delete", "list"].map((action) => `${family}.${action}`),
    ),
    "workspace_integrations.list",
    "workspaces.read",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Preset = keyof typeof PRESETS | "custom";

/** The scopes that a key of a workspace can have. */
export const SCOPES: readonly string[] = [
  "completions.write",
  ...["list", "view", "read", "write", "export"].map((action) => `logs.${action}`),
  "analytics.view",
  ...["configs", "providers", "virtual_keys", "policies", "prompts", "guardrails", "workspace_integrations"].flatMap((family) =>
    ["create", "read", "update", "delete", "list"].map((action) => `${family}.${action}`),
  ),
  "prompts.publish",
  "prompts.render",
  "organisation_integrations.list",
  "workspaces.read",
  "workspaces.update",
  "workspaces.list",
  ...["create", "read", "update", "delete", "list"].map((action) => `workspace_users.${action}`),
];

/** The preset that has just these scopes. */
export function presetOf(scopes: readonly string[]): Preset {
  const wanted = [...scopes].sort().join();
  const hit = Object.entries(PRESETS).find(([, preset]) => [...preset].sort().join() === wanted);
  return hit ? (hit[0] as Preset) : "custom";
}
