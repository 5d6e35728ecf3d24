/** The admin API's objects, as far as the pages that manage them look at them. `/openapi.json` describes them whole. */

export type LimitType = "requests" | "tokens" | "concurrency";
export type RateUnit = "rps" | "rpm" | "rph" | "rpd" | "rpw";

export interface RateLimit {
  readonly type: LimitType;
  /** Of `concurrency` there is none. */
  readonly unit: string | null;
  readonly value: number;
}

export interface UsageLimit {
  readonly type: "cost" | "tokens";
  /** US dollars, or tokens. */
  readonly credit_limit: number;
  readonly alert_threshold?: number | null;
  readonly periodic_reset?: "daily" | "weekly" | "monthly" | null;
  readonly periodic_reset_days?: number | null;
  readonly next_usage_reset_at?: string | null;
}

export type Standing = "active" | "exhausted" | "expired" | "revoked" | "archived" | "disabled";

/** How one budget stands. */
export interface Used {
  readonly type: "cost" | "tokens";
  readonly credit_limit: number;
  readonly current_usage: number;
  /** Set aside for requests under way. */
  readonly reserved_usage?: number;
  readonly status: Standing;
  readonly next_usage_reset_at: string | null;
}

export interface ApiKey {
  readonly id: string;
  /** First and last characters. */
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly type: "organisation-service" | "workspace-service" | "workspace-user" | string;
  readonly workspace_id: string | null;
  readonly user_id: string | null;
  readonly status: Standing;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly rate_limits: readonly RateLimit[];
  readonly usage_limits: UsageLimit | null;
  readonly current_usage?: readonly Used[];
  readonly scopes: readonly string[];
  readonly defaults: { readonly metadata: Readonly<Record<string, string>>; readonly config_id: string | null };
  readonly allow_config_override: 0 | 1 | boolean;
  readonly alert_emails: readonly string[];
  readonly expires_at: string | null;
}

export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly integration_id: string | null;
  readonly ai_provider_name: string | null;
  readonly note: string | null;
  readonly status: Standing;
  readonly usage_limits: UsageLimit | null;
  readonly rate_limits: readonly RateLimit[] | null;
  readonly created_at: string;
  readonly expires_at: string | null;
}

export interface PoolKey {
  readonly id: string;
  readonly label: string;
  readonly weight: number;
  readonly status: "active" | "disabled";
  readonly masked_key: string;
  readonly created_at: string;
}

export interface WholeProvider extends Provider {
  readonly masked_key: string | null;
  readonly credentials: readonly PoolKey[];
  readonly model_config: Readonly<Record<string, unknown>>;
  readonly current_usage: readonly Used[];
}

export interface Integration {
  readonly id: string;
  readonly workspace_id: string | null;
  readonly ai_provider_id: string;
  readonly name: string;
  readonly slug: string;
  readonly description: string | null;
  readonly status: string;
  readonly type: "organisation" | "workspace";
}

export interface WholeIntegration extends Integration {
  readonly masked_key: string | null;
  readonly credentials: readonly PoolKey[];
  readonly configurations: Readonly<Record<string, unknown>>;
  readonly allow_all_models: boolean;
  readonly workspace_count: number;
}

/** Who may use an integration of the organisation. */
export interface Lent {
  readonly global_workspace_access: { readonly enabled: boolean };
  /** What is said of single workspaces comes before what holds for all. */
  readonly workspaces: readonly { readonly id: string; readonly enabled: boolean }[];
}

export interface ModelRow {
  readonly slug: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly is_custom: boolean;
  readonly is_finetune: boolean;
  readonly base_model_slug: string | null;
  readonly pricing_config: unknown;
}

export interface IntegrationModels {
  readonly total: number;
  readonly allow_all_models: boolean;
  readonly models: readonly ModelRow[];
}

export interface Config {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly is_default: number;
  readonly status: Standing;
  readonly version: number;
  readonly created_at: string;
  readonly last_updated_at: string;
}

export interface WholeConfig extends Config {
  /** JSON as text; credentials in it are masked. */
  readonly config: string;
}

export interface ConfigVersion {
  readonly version_id: string;
  readonly version: number;
  readonly name: string;
  readonly config: string;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly comment: string;
}

/** What a workspace keeps of its requests; null: as the gateway's settings say. */
export interface RecordRules {
  readonly retention_days: number | null;
  readonly bodies: "none" | "errors" | "all" | "sampled" | null;
  /** From 0 to 1, with `sampled`. */
  readonly body_share?: number;
}

export interface WorkspaceRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  readonly created_at: string;
  readonly is_default: 0 | 1 | boolean;
  readonly records: RecordRules;
  readonly usage_limits: readonly UsageLimit[];
  readonly rate_limits: readonly RateLimit[];
  readonly current_usage: readonly Used[];
}

export interface User {
  readonly id: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly role: string;
  readonly email: string;
  readonly created_at: string;
  readonly workspace_ids: readonly string[];
}

export interface Member {
  readonly id: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly org_role: string;
  readonly role: string;
  readonly email: string;
  readonly status: string;
}

export interface Invite {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly status: "pending" | "expired" | "accepted" | "cancelled";
}

export interface Condition {
  readonly key: string;
  readonly value: string | readonly string[];
}

interface Policy {
  readonly id: string;
  readonly name: string;
  readonly status: "active" | "archived";
  readonly conditions: readonly Condition[];
  readonly group_by: readonly { readonly key: string }[];
  readonly created_at: string;
}

export interface UsagePolicy extends Policy {
  readonly type: "cost" | "tokens" | "requests";
  readonly credit_limit: number;
  readonly alert_threshold: number | null;
  readonly periodic_reset: string | null;
  readonly periodic_reset_days: number | null;
}

export interface RatePolicy extends Policy {
  readonly type: "requests" | "tokens";
  readonly unit: string;
  readonly value: number;
}

export interface AuditRecord {
  readonly timestamp: string;
  readonly method: string;
  readonly uri: string;
  readonly request_id: string;
  /** JSON as text, secrets masked. */
  readonly request_body: string;
  readonly user_id: string | null;
  readonly user_type: "user" | "api_key" | "system" | "operator";
  readonly workspace_id: string | null;
  readonly response_status_code: number;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly resource_name: string;
  readonly action: string;
  readonly client_ip: string;
  readonly sequence: number;
  readonly hash: string;
}
