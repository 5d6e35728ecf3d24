import { type Query, send } from "./client";
import type { LogRow } from "./logs";

/** A server-sent event; `message` where it says no other name. */
export interface TailEvent {
  readonly name: string;
  readonly data: string;
}

export interface Watcher {
  /** The stream has begun: what was there before is in the list, and what comes from now on is told. */
  readonly onOpen: () => void;
  readonly onRow: (row: LogRow) => void;
  /** So many rows had no room. */
  readonly onSkipped: (count: number) => void;
}

/** The events that are whole, and what is left of the text. */
export function takeEvents(text: string): { readonly events: readonly TailEvent[]; readonly rest: string } {
  const parts = text.split("\n\n");
  const rest = parts.pop() ?? "";
  const events: TailEvent[] = [];
  for (const part of parts) {
    let name = "message";
    const data: string[] = [];
    for (const line of part.split("\n")) {
      if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data.push(line.slice(6));
    }
    if (data.length > 0) events.push({ name, data: data.join("\n") });
  }
  return { events, rest };
}

/**
 * Watches logs until the stream ends or `signal` says so. A stream and not an `EventSource`, which cannot send a key.
 *
 * @throws {Problem} when there is no stream, and whatever breaks it.
 */
export async function watch(query: Query, watcher: Watcher, signal: AbortSignal): Promise<void> {
  const response = await send("/v1/logs/tail", { query, signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  watcher.onOpen();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const { events, rest } = takeEvents(text + value);
    text = rest;
    for (const { name, data } of events) {
      if (name === "message") watcher.onRow(JSON.parse(data) as LogRow);
      else if (name === "skipped") watcher.onSkipped((JSON.parse(data) as { count: number }).count);
    }
  }
}
