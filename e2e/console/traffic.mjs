// Requests as applications make them: the vendors' own SDKs, in front of strict stand-ins for the vendors.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { beside, until } from "./gateway.mjs";

// Where setup.py put the SDKs.
const require = createRequire(new URL("../node/package.json", import.meta.url));
const OpenAI = require("openai").OpenAI;
const Anthropic = require("@anthropic-ai/sdk").Anthropic;
const { Portkey } = require("portkey-ai");

const PLACE = { workspace_id: "ws-default" };
const QUESTION = "When is high water?";
const TOOL = {
  type: "function",
  function: { name: "tide", description: "Tide at a port", parameters: { type: "object", properties: { port: { type: "string" } }, required: ["port"] } },
};

/** The stand-ins, and what ends them. */
export async function fakes() {
  const child = spawn(beside("testkit-upstream"), { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("READY ")) return { urls: JSON.parse(line.slice(6)), stop: () => child.kill() };
  }
  throw new Error("testkit-upstream ended before it was ready");
}

/** Keeps providers and makes calls; waits until all of them are in the log. Gives their number. */
export async function traffic(gateway, { rounds = 2 } = {}) {
  const { urls, stop } = await fakes();
  try {
    return await calls(gateway, urls, rounds);
  } finally {
    stop();
  }
}

async function calls(gateway, urls, rounds) {
  const post = async (path, body) => {
    const made = await gateway.ask(path, { method: "POST", body });
    if (made.status !== 200) throw new Error(`POST ${path}: ${made.status} ${JSON.stringify(made.body)}`);
    return made.body;
  };
  const provider = (slug, kind, custom_host) =>
    post("/v1/integrations", {
      ...PLACE,
      name: slug,
      ai_provider_id: kind,
      key: "sk-e2e-0123456789",
      configurations: { custom_host },
      create_default_provider: true,
      default_provider_slug: slug,
    });
  await provider("openai", "openai", `${urls.openai}/v1`);
  await provider("anthropic", "anthropic", `${urls.anthropic}/v1`);
  await provider("shaky", "openai", urls.scripted);
  const scopes = ["completions.write", "logs.write", "logs.view", "logs.list", "analytics.view"];
  const { key } = await post("/v1/api-keys/workspace/service", { ...PLACE, name: "web", scopes });
  const limited = await post("/v1/api-keys/workspace/service", {
    ...PLACE,
    name: "batch",
    scopes: ["completions.write"],
    rate_limits: [{ type: "requests", unit: "rpd", value: rounds }],
  });
  const config = {
    strategy: { mode: "fallback", on_status_codes: [503] },
    targets: [{ provider: "@shaky", override_params: { model: "st503" } }, { provider: "@openai", override_params: { model: "gpt-4o" } }],
  };
  const saved = await post("/v1/configs", { ...PLACE, name: "rescue", config });

  const before = (await gateway.ask("/v1/logs?workspace_id=ws-default")).body.total;
  let made = 0;
  const call = async (asked, isRefused = false) => {
    made += 1;
    const outcome = await asked.then(
      (answer) => ({ answer }),
      (error) => ({ error }),
    );
    if (Boolean(outcome.error) !== isRefused) throw outcome.error ?? new Error("this should have been refused");
    return outcome.answer;
  };
  for (let round = 0; round < rounds; round++) {
    const metadata = (user) => ({ "x-portkey-metadata": JSON.stringify({ _user: user, _session: `sitting-${round}`, team: "harbour" }) });
    const trace = (name) => ({ "x-portkey-trace-id": `agent-${round}`, "x-portkey-span-id": `${name}-${round}`, "x-portkey-span-name": name });
    const openai = (headers) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, defaultHeaders: headers, maxRetries: 0 });
    const messages = [{ role: "system", content: "You are terse." }, { role: "user", content: QUESTION }];

    const ada = openai({ ...metadata("ada"), ...trace("plan") });
    await call(ada.chat.completions.create({ model: "@openai/gpt-4o", messages }));
    await call(ada.chat.completions.create({ model: "@openai/gpt-4o-mini", messages: [{ role: "user", content: QUESTION }], tools: [TOOL] }));
    await call(ada.embeddings.create({ model: "@openai/text-embedding-3-small", input: ["ebb", "flow"] }));
    const stream = await call(openai(metadata("bo")).chat.completions.create({ model: "@openai/gpt-4o", messages, stream: true, stream_options: { include_usage: true } }));
    for await (const _ of stream);

    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: key, defaultHeaders: { ...metadata("cy"), ...trace("answer") }, maxRetries: 0 });
    const asked = { model: "@anthropic/claude-sonnet-4-5", max_tokens: 200, messages: [{ role: "user", content: QUESTION }] };
    await call(anthropic.messages.create(asked));
    await call(anthropic.messages.stream(asked).finalMessage());

    const portkey = new Portkey({ baseURL: `${gateway.url}/v1`, apiKey: key, config: saved.slug, traceID: `agent-${round}` });
    await call(portkey.chat.completions.create({ model: "gpt-4o", messages }));
    await portkey.feedback.create({ traceID: `agent-${round}`, value: round === 0 ? 1 : -1, weight: 1, metadata: { _user: "ada" } });

    // What goes wrong: a model that nobody has, a provider that fails, a limit.
    await call(openai(metadata("ada")).chat.completions.create({ model: "@nope/none", messages }), true);
    await call(openai(metadata("dee")).chat.completions.create({ model: "@shaky/st500", messages }), true);
    const batch = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: limited.key, maxRetries: 0 });
    await call(batch.chat.completions.create({ model: "@demo/echo", messages }));
  }
  const batch = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: limited.key, maxRetries: 0 });
  await call(batch.chat.completions.create({ model: "@demo/echo", messages: [{ role: "user", content: QUESTION }] }), true);
  await until(async () => (await gateway.ask("/v1/logs?workspace_id=ws-default")).body.total >= before + made);
  return made;
}
