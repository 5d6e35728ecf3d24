import type { Log } from "@/api/logs";

/** A command that sends the request again. The key is a variable: it is not stored. */
export function curl(log: Log, origin: string): string {
  const metadata = Object.fromEntries(log.metrics["metadata.key"].map((key, index) => [key, log.metrics["metadata.value"][index] ?? ""]));
  const lines = [`curl ${quoted(origin + log.tidegate.path)}`, `-H "x-portkey-api-key: $TIDEGATE_API_KEY"`, `-H 'content-type: application/json'`];
  if (Object.keys(metadata).length > 0) lines.push(`-H ${quoted(`x-portkey-metadata: ${JSON.stringify(metadata)}`)}`);
  const { body } = log.request;
  if (body !== undefined) lines.push(`-d ${quoted(typeof body === "string" ? body : JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
