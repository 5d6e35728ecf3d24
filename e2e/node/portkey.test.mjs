// Portkey's Node SDK through the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Portkey } from "portkey-ai";

import { ARGUMENTS, OPENAI_TOOL, QUESTION, REFUSED, TIDE, gateway, providers } from "./setup.mjs";

const messages = [{ role: "user", content: QUESTION }];

function client(config) {
  return new Portkey({ baseURL: `${gateway}/v1`, apiKey: "unused", config });
}

for (const provider of providers.fakes) {
  test(`chat: ${provider.name}`, async () => {
    const answer = await client(provider.target).chat.completions.create({ model: provider.model, messages });
    assert.equal(answer.choices[0].message.content, TIDE);
  });

  test(`stream: ${provider.name}`, async () => {
    const ask = { model: provider.model, messages, stream: true };
    let text = "";
    for await (const chunk of await client(provider.target).chat.completions.create(ask)) {
      text += chunk.choices[0]?.delta?.content ?? "";
    }
    assert.equal(text, TIDE);
  });

  test(`tool call: ${provider.name}`, async () => {
    const ask = { model: provider.model, messages, tools: [OPENAI_TOOL] };
    const answer = await client(provider.target).chat.completions.create(ask);
    assert.deepEqual(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments), ARGUMENTS);
  });

  if (provider.embeddingModel) {
    test(`embeddings: ${provider.name}`, async () => {
      const answer = await client(provider.target).embeddings.create({ model: provider.embeddingModel, input: ["a", "b"] });
      assert.equal(answer.data.length, 2);
    });
  }
}

test("fallback", async () => {
  const [openai, anthropic] = providers.fakes;
  const dead = { ...openai.target, custom_host: `${REFUSED}/v1` };
  const config = { strategy: { mode: "fallback" }, targets: [dead, anthropic.target] };
  const answer = await client(config).chat.completions.create({ model: anthropic.model, messages, max_tokens: 50 });
  assert.equal(answer.choices[0].message.content, TIDE);
});

test("real: chat", async () => {
  const { real } = providers;
  const answer = await client(real.target).chat.completions.create({ model: real.model, messages, max_tokens: 8 });
  assert.ok(answer.choices[0].message.content);
});
