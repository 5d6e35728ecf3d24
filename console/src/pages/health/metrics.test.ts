import { expect, test } from "vitest";
import { by, samplesOf, sum } from "./metrics";

const TEXT = `# HELP tidegate_attempts_total Requests sent to providers.
# TYPE tidegate_attempts_total counter
tidegate_attempts_total{provider="openai",outcome="2xx"} 7
tidegate_attempts_total{provider="a\\"b",outcome="5xx"} 2
tidegate_attempts_total{provider="openai",outcome="5xx"} 1
tidegate_open_requests 3
`;

test("samples with labels and without", () => {
  const samples = samplesOf(TEXT);
  expect(samples).toHaveLength(4);
  expect(samples[1]).toEqual({ name: "tidegate_attempts_total", labels: { provider: 'a"b', outcome: "5xx" }, value: 2 });
  expect(sum(samples, "tidegate_open_requests")).toBe(3);
  expect(sum(samples, "nothing")).toBeNull();
});

test("sums by a label", () => {
  expect(by(samplesOf(TEXT), "tidegate_attempts_total", "outcome")).toEqual([
    ["2xx", 7],
    ["5xx", 3],
  ]);
});
