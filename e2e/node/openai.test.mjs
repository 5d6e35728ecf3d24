// OpenAI's Node SDK through the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

import { ARGUMENTS, KEY, OPENAI_TOOL, QUESTION, TIDE, gateway, providers } from "./setup.mjs";

const messages = [{ role: "user", content: QUESTION }];

function client(provider) {
  return new OpenAI({ baseURL: `${gateway}/v1`, apiKey: KEY, defaultHeaders: provider.headers, maxRetries: 0 });
}

for (const provider of providers.fakes) {
  test(`chat: ${provider.name}`, async () => {
    const answer = await client(provider).chat.completions.create({ model: provider.model, messages });
    assert.equal(answer.choices[0].message.content, TIDE);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.ok(answer.usage.total_tokens > 0);
  });

  test(`stream: ${provider.name}`, async () => {
    const stream = await client(provider).chat.completions.create({ model: provider.model, messages, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
    assert.equal(text, TIDE);
  });

  test(`tool round trip: ${provider.name}`, async () => {
    const sdk = client(provider);
    const first = await sdk.chat.completions.create({ model: provider.model, messages, tools: [OPENAI_TOOL] });
    const said = first.choices[0].message;
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    assert.deepEqual(JSON.parse(said.tool_calls[0].function.arguments), ARGUMENTS);
    const result = { role: "tool", tool_call_id: said.tool_calls[0].id, content: "12:04" };
    const turns = [...messages, said, result];
    const answer = await sdk.chat.completions.create({ model: provider.model, messages: turns, tools: [OPENAI_TOOL] });
    assert.equal(answer.choices[0].message.content, TIDE);
  });

  test(`streamed tool call: ${provider.name}`, async () => {
    const stream = client(provider).chat.completions.stream({ model: provider.model, messages, tools: [OPENAI_TOOL] });
    const call = (await stream.finalChatCompletion()).choices[0].message.tool_calls[0];
    assert.equal(call.function.name, "tide");
    assert.deepEqual(JSON.parse(call.function.arguments), ARGUMENTS);
  });

  if (provider.embeddingModel) {
    test(`embeddings: ${provider.name}`, async () => {
      const answer = await client(provider).embeddings.create({ model: provider.embeddingModel, input: ["a", "b"] });
      assert.equal(answer.data.length, 2);
      assert.ok(answer.data.every((item) => item.embedding.every(Number.isFinite)));
    });
  }
}

test("real: chat, stream, embeddings", async () => {
  const { real } = providers;
  const sdk = client(real);
  const answer = await sdk.chat.completions.create({ model: real.model, messages, max_tokens: 8 });
  assert.ok(answer.choices[0].message.content);
  const stream = await sdk.chat.completions.create({ model: real.model, messages, max_tokens: 8, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  assert.ok(text);
  assert.equal((await sdk.embeddings.create({ model: real.model, input: ["a", "b"] })).data.length, 2);
});
