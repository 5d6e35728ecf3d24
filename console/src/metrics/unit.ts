import { bytes, count, duration, type Figure, money, percent, rate, UNKNOWN } from "@/format/number";

/** Writes a figure in its unit, as the list of metrics names units. */
export function inUnit(unit: string): (value: Figure) => string {
  switch (unit) {
    case "USD":
      return money;
    case "ms":
      return duration;
    case "%":
      return percent;
    case "1/s":
      return rate;
    case "bytes":
      return bytes;
    case "tokens/s":
      return (value) => (value === null || value === undefined ? UNKNOWN : `${value.toFixed(1)} tok/s`);
    case "ratio":
      return (value) => (value === null || value === undefined ? UNKNOWN : value.toFixed(2));
    default:
      return count;
  }
}

/** Those of metrics that the console shows by themselves; the list of the gateway has all of them. */
export function unitOf(metric: string): string {
  if (/^(cost|cache_savings)/.test(metric)) return "USD";
  if (/^(latency|ttft|upstream_latency|queue_wait|cache_latency)/.test(metric)) return "ms";
  if (/(_rate|_share)$/.test(metric)) return "%";
  if (/^bytes_/.test(metric)) return "bytes";
  if (metric === "requests_per_second") return "1/s";
  if (metric === "tokens_per_second") return "tokens/s";
  return /(^apdex|per_request|per_user|_speedup)$/.test(metric) ? "ratio" : "count";
}
