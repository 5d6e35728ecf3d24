/** Messages of bodies in the usual dialects, in one form. What is not understood is left to the raw view. */

export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "thinking"; readonly text: string }
  | { readonly kind: "image"; readonly url: string }
  | { readonly kind: "call"; readonly name: string; readonly id: string; readonly input: string }
  | { readonly kind: "result"; readonly id: string; readonly text: string };

export interface Turn {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool" | "other";
  readonly parts: readonly Part[];
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

function role(value: unknown): Turn["role"] {
  return ROLES.find((one) => one === value) ?? "other";
}

/** Of a request: chat, messages, responses, completions. */
export function asked(body: unknown): readonly Turn[] {
  if (!isObject(body)) return [];
  const turns: Turn[] = [];
  const system = body.system ?? body.instructions;
  if (system !== undefined && system !== null) turns.push({ role: "system", parts: parts(system) });
  const said = body.messages ?? body.input ?? body.prompt;
  if (typeof said === "string") turns.push({ role: "user", parts: [{ kind: "text", text: said }] });
  for (const message of list(said)) {
    if (typeof message === "string") turns.push({ role: "user", parts: [{ kind: "text", text: message }] });
    else if (isObject(message)) turns.push(turn(message));
  }
  return turns;
}

/** How many tools a request offers. */
export function toolsOf(body: unknown): number {
  return isObject(body) ? list(body.tools).length : 0;
}

/** Of an answer, whole or as a stream's events. */
export function answered(body: unknown): readonly Turn[] {
  if (typeof body === "string") return streamed(body);
  if (!isObject(body)) return [];
  if (Array.isArray(body.choices)) {
    return body.choices.filter(isObject).map((choice) => (isObject(choice.message) ? turn(choice.message) : { role: "assistant", parts: parts(choice.text) }));
  }
  if (Array.isArray(body.output)) return body.output.filter(isObject).map(turn);
  return body.content === undefined ? [] : [{ role: "assistant", parts: parts(body.content) }];
}

function turn(message: Json): Turn {
  if (message.type === "function_call") return { role: "assistant", parts: [call(message)] };
  if (message.type === "function_call_output") return { role: "tool", parts: [{ kind: "result", id: shown(message.call_id), text: shown(message.output) }] };
  const own = role(message.role);
  const thinking = message.reasoning_content ?? message.reasoning;
  const all: Part[] = typeof thinking === "string" && thinking ? [{ kind: "thinking", text: thinking }] : [];
  if (own === "tool") all.push({ kind: "result", id: shown(message.tool_call_id ?? ""), text: shown(message.content) });
  else all.push(...parts(message.content));
  for (const one of list(message.tool_calls)) if (isObject(one)) all.push(call(isObject(one.function) ? { ...one.function, id: one.id } : one));
  return { role: own, parts: all };
}

function call(value: Json): Part {
  return { kind: "call", name: shown(value.name), id: shown(value.id ?? value.call_id ?? ""), input: shown(value.arguments ?? value.input ?? "") };
}

function parts(content: unknown): readonly Part[] {
  if (typeof content === "string") return content ? [{ kind: "text", text: content }] : [];
  return list(content).filter(isObject).map(part);
}

function part(value: Json): Part {
  switch (value.type) {
    case "thinking":
      return { kind: "thinking", text: shown(value.thinking) };
    case "tool_use":
      return call(value);
    case "tool_result":
      return { kind: "result", id: shown(value.tool_use_id), text: Array.isArray(value.content) ? parts(value.content).map(textOf).join("\n") : shown(value.content) };
    case "image_url":
      return { kind: "image", url: shown(isObject(value.image_url) ? value.image_url.url : value.image_url) };
    case "input_image":
      return { kind: "image", url: shown(value.image_url) };
    case "image": {
      const source = isObject(value.source) ? value.source : {};
      return { kind: "image", url: source.type === "base64" ? `data:${shown(source.media_type)};base64,${shown(source.data)}` : shown(source.url) };
    }
    default:
      return { kind: "text", text: typeof value.text === "string" ? value.text : shown(value) };
  }
}

/** The text of a stream of events: chat chunks, messages and responses. */
function streamed(body: string): readonly Turn[] {
  let text = "";
  let thinking = "";
  const calls = new Map<string, { name: string; id: string; input: string }>();
  for (const line of body.split("\n")) {
    if (!line.startsWith("data:")) continue;
    const event = read(line.slice(5).trim());
    if (!event) continue;
    const choice = list(event.choices)[0];
    const delta = isObject(choice) ? (isObject(choice.delta) ? choice.delta : choice) : isObject(event.delta) ? event.delta : {};
    if (event.type === "response.output_text.delta" && typeof event.delta === "string") text += event.delta;
    for (const key of ["content", "text"] as const) if (typeof delta[key] === "string") text += delta[key];
    for (const key of ["reasoning_content", "thinking"] as const) if (typeof delta[key] === "string") thinking += delta[key];
    for (const one of list(delta.tool_calls)) {
      if (!isObject(one) || !isObject(one.function)) continue;
      const known = calls.get(String(one.index)) ?? { name: "", id: "", input: "" };
      known.name += typeof one.function.name === "string" ? one.function.name : "";
      known.id ||= typeof one.id === "string" ? one.id : "";
      known.input += typeof one.function.arguments === "string" ? one.function.arguments : "";
      calls.set(String(one.index), known);
    }
    const block = event.content_block;
    if (isObject(block) && block.type === "tool_use") calls.set(String(event.index), { name: shown(block.name), id: shown(block.id), input: "" });
    const known = calls.get(String(event.index));
    if (known && typeof delta.partial_json === "string") known.input += delta.partial_json;
  }
  const all: Part[] = [];
  if (thinking) all.push({ kind: "thinking", text: thinking });
  if (text) all.push({ kind: "text", text });
  for (const one of calls.values()) all.push({ kind: "call", ...one });
  return all.length > 0 ? [{ role: "assistant", parts: all }] : [];
}

function read(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function textOf(part: Part): string {
  switch (part.kind) {
    case "text":
    case "thinking":
    case "result":
      return part.text;
    case "image":
      return part.url.slice(0, 60);
    case "call":
      return `${part.name}(${part.input})`;
  }
}

/** Turns as plain text, for comparing. */
export function plain(turns: readonly Turn[]): string {
  return turns.map((one) => `${one.role}: ${one.parts.map(textOf).join("\n")}`).join("\n\n");
}
