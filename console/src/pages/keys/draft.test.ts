import { expect, test } from "vitest";
import { bodyOf, NEW_KEY, wrongLine } from "./draft";
import { presetOf } from "./scopes";

test("a key as it is typed becomes a body", () => {
  const body = bodyOf({
    ...NEW_KEY,
    name: " app ",
    limits: { ...NEW_KEY.limits, amount: "5", rates: [{ type: "requests", value: "100", unit: "rpm" }] },
    expires: "2027-01-31",
    metadata: "team=search\n\nurl=a=b",
    emails: "a@x.org, b@x.org",
  });
  expect(body).toEqual({
    name: "app",
    scopes: ["completions.write"],
    usage_limits: { type: "cost", credit_limit: 5, alert_threshold: null, periodic_reset: "monthly" },
    rate_limits: [{ type: "requests", value: 100, unit: "rpm" }],
    expires_at: "2027-01-31T23:59:59.000Z",
    defaults: { metadata: { team: "search", url: "a=b" }, config_id: null, allow_config_override: true },
    alert_emails: ["a@x.org", "b@x.org"],
  });
});

test("a line of metadata that cannot be meant is named", () => {
  expect(wrongLine("a=1\nb")).toBe(2);
  expect(wrongLine("a=1\n\n")).toBeNull();
});

test("presets are known again", () => {
  expect(presetOf(["completions.write"])).toBe("calls");
  expect(presetOf(["logs.list"])).toBe("custom");
});
