import { expect, it } from "vitest";
import { bodyOf, draftOf, mistakesOf, newDraft } from "./draft";
import type { AlertRule } from "./shapes";

const rule: AlertRule = {
  id: "r",
  name: "Errors",
  description: null,
  enabled: true,
  rule: {
    kind: "metric",
    metric: "error_rate",
    filters: { ai_model: "gpt-4o", is_success: "false" },
    group: "model",
    condition: { type: "above", threshold: 5, recover: 2 },
    window_seconds: 900,
    for_seconds: 60,
    min_requests: 20,
    repeat_seconds: 3600,
  },
  channels: [{ id: "ch_1", type: "webhook", url: "https://a.example/…", signed: true, to: null }],
  state: "ok",
  groups: [],
};

it("sends back what it was given, and no secret that nobody entered", () => {
  const { rule: sent, channels, name } = bodyOf(draftOf(rule));
  expect(sent).toEqual(rule.rule);
  expect(channels).toEqual([{ id: "ch_1", type: "webhook" }]);
  expect(name).toBe("Errors");
});

it("takes the question of the page that somebody comes from", () => {
  const from = new URLSearchParams("metric=cost&group=user&filter=model%3Agpt-4o");
  const draft = newDraft((name) => from.get(name));
  expect(bodyOf({ ...draft, bound: "5" }).rule).toMatchObject({ metric: "cost", group: "user", filters: { ai_model: "gpt-4o" }, condition: { threshold: 5 } });
});

it("keeps the members of the two kinds and of the conditions apart", () => {
  const change = bodyOf({ ...draftOf(rule), condition: "change", bound: "50" }).rule;
  expect("condition" in change && change.condition).toEqual({ type: "change", percent: 50, direction: "either", against: "day" });
  const outage = bodyOf({ ...draftOf(rule), kind: "provider_outage", providers: "openai, anthropic" }).rule;
  expect(outage).toMatchObject({ kind: "provider_outage", providers: ["openai", "anthropic"], degraded: false });
  expect(outage).not.toHaveProperty("metric");
});

it("sees what is no number and no filter", () => {
  const draft = draftOf(rule);
  expect(mistakesOf(draft)).toEqual([]);
  expect(mistakesOf({ ...draft, bound: "five", recover: "x", filter: "colour:red", minRequests: "1.5" })).toEqual(["minRequests", "bound", "recover", "filter"]);
  expect(mistakesOf({ ...draft, kind: "provider_outage", bound: "" })).toEqual([]);
});
