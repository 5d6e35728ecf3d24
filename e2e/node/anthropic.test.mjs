// Anthropic's Node SDK through the gateway, in front of every provider.

import assert from "node:assert/strict";
import { test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import { ANTHROPIC_TOOL, ARGUMENTS, KEY, QUESTION, TIDE, gateway, providers } from "./setup.mjs";

const messages = [{ role: "user", content: QUESTION }];

function client(provider) {
  return new Anthropic({ baseURL: gateway, apiKey: KEY, defaultHeaders: provider.headers, maxRetries: 0 });
}

for (const provider of providers.fakes) {
  const ask = { model: provider.model, max_tokens: 50, messages };

  test(`message: ${provider.name}`, async () => {
    const message = await client(provider).messages.create(ask);
    assert.equal(message.content[0].text, TIDE);
    assert.equal(message.stop_reason, "end_turn");
  });

  test(`stream: ${provider.name}`, async () => {
    const pieces = [];
    const stream = client(provider).messages.stream(ask).on("text", (piece) => pieces.push(piece));
    const message = await stream.finalMessage();
    assert.equal(pieces.join(""), TIDE);
    assert.equal(message.content[0].text, TIDE);
    assert.ok(message.usage.output_tokens > 0);
  });

  test(`tool round trip: ${provider.name}`, async () => {
    const sdk = client(provider);
    const first = await sdk.messages.create({ ...ask, tools: [ANTHROPIC_TOOL] });
    const use = first.content.find((block) => block.type === "tool_use");
    assert.equal(first.stop_reason, "tool_use");
    assert.deepEqual(use.input, ARGUMENTS);
    const result = { type: "tool_result", tool_use_id: use.id, content: "12:04" };
    const turns = [...messages, { role: "assistant", content: first.content }, { role: "user", content: [result] }];
    const message = await sdk.messages.create({ ...ask, messages: turns, tools: [ANTHROPIC_TOOL] });
    assert.equal(message.content[0].text, TIDE);
  });

  test(`streamed tool call: ${provider.name}`, async () => {
    const message = await client(provider).messages.stream({ ...ask, tools: [ANTHROPIC_TOOL] }).finalMessage();
    assert.deepEqual(message.content.find((block) => block.type === "tool_use").input, ARGUMENTS);
  });
}

test("real: message, stream", async () => {
  const ask = { model: providers.real.model, max_tokens: 8, messages };
  const sdk = client(providers.real);
  assert.ok((await sdk.messages.create(ask)).content[0].text);
  assert.ok((await sdk.messages.stream(ask).finalMessage()).content[0].text);
});
