import type { Member, Shape } from "@/editor/complete";

const FLAG = ["true", "false"] as const;
const text: Member = { stub: '"|"' };
const number: Member = { stub: "|" };
const object: Member = { stub: "{|}" };
const codes: Member = { stub: "[429, 500, 502, 503, 504]|" };

const retry: Shape = {
  members: {
    attempts: { stub: "2|" },
    on_status_codes: codes,
    use_retry_after_header: { stub: "true|", values: FLAG },
    max_wait_ms: number,
    jitter: { stub: "true|", values: FLAG },
    budget: { stub: "0.2|" },
  },
};

const condition: Shape = { members: { query: { stub: '{"metadata.|": {"$eq": ""}}' }, then: text } };

const sticky: Shape = {
  members: { by: { stub: '"|"', values: ["prompt_prefix", "header", "metadata", "params"] }, prefix_chars: number, ttl_s: number },
};

const strategy: Shape = {
  members: {
    mode: { stub: '"|"', values: ["fallback", "loadbalance", "conditional", "least_latency", "lowest_cost", "single"] },
    on_status_codes: codes,
    conditions: { stub: "[\n  {|}\n]", items: condition },
    default: text,
    sticky: { stub: "{|}", shape: sticky },
  },
};

/** A config, and each of its targets: what the editor offers. The server checks, and knows more. */
export const CONFIG: Shape = {
  members: {
    strategy: { stub: '{"mode": "|"}', shape: strategy },
    // Filled in below: targets are configs themselves.
    targets: { stub: "[\n  {|}\n]" },
    provider: text,
    virtual_key: text,
    api_key: text,
    override_params: { stub: '{"model": "|"}' },
    default_params: object,
    retry: { stub: '{"attempts": |2}', shape: retry },
    request_timeout: number,
    timeouts: { stub: "{|}", shape: { members: { connect_ms: number, first_byte_ms: number, between_chunks_ms: number } } },
    cache: {
      stub: '{"mode": "|"}',
      shape: { members: { mode: { stub: '"|"', values: ["simple", "semantic"] }, max_age: number } },
    },
    weight: number,
    name: text,
    hedge: { stub: '{"after": "|p95"}', shape: { members: { after: text, max_share: number } } },
    circuit_breaker: {
      stub: "{|}",
      shape: { members: { failures: number, window_s: number, open_s: number, half_open: number, strict: { stub: "true|", values: FLAG } } },
    },
    custom_host: text,
    forward_headers: { stub: '["|"]' },
    strict_open_ai_compliance: { stub: "false|", values: FLAG },
    input_guardrails: { stub: "[|]" },
    output_guardrails: { stub: "[|]" },
  },
};

(CONFIG.members as Record<string, Member>).targets = { stub: "[\n  {|}\n]", items: CONFIG };
