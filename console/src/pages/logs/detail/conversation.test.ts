import { describe, expect, it } from "vitest";
import { answered, asked, plain, toolsOf } from "./conversation";

describe("conversations", () => {
  it("of chat, with images, tool calls and results", () => {
    const turns = asked({
      tools: [{}, {}],
      messages: [
        { role: "system", content: "Be terse." },
        { role: "user", content: [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: "data:image/png;base64,AA" } }] },
        { role: "assistant", content: null, tool_calls: [{ id: "c1", function: { name: "look", arguments: "{}" } }] },
        { role: "tool", tool_call_id: "c1", content: "a tide" },
      ],
    });
    expect(turns.map((turn) => turn.role)).toEqual(["system", "user", "assistant", "tool"]);
    expect(turns[1]?.parts[1]).toEqual({ kind: "image", url: "data:image/png;base64,AA" });
    expect(turns[2]?.parts).toEqual([{ kind: "call", name: "look", id: "c1", input: "{}" }]);
    expect(turns[3]?.parts).toEqual([{ kind: "result", id: "c1", text: "a tide" }]);
    expect(toolsOf({ tools: [{}, {}] })).toBe(2);
  });

  it("of messages", () => {
    const turns = asked({ system: "Terse.", messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "ok" }] }] }] });
    expect(plain(turns)).toBe("system: Terse.\n\nuser: ok");
    expect(plain(answered({ content: [{ type: "thinking", thinking: "hm" }, { type: "text", text: "Hi" }] }))).toBe("assistant: hm\nHi");
  });

  it("of streams, in pieces", () => {
    const chat = 'data: {"choices":[{"delta":{"content":"He"}}]}\n\ndata: {"choices":[{"delta":{"content":"llo","tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}}]}\n\ndata: [DONE]\n';
    expect(plain(answered(chat))).toBe("assistant: Hello\nf({})");
    const messages = 'event: x\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n';
    expect(plain(answered(messages))).toBe("assistant: Hi");
  });

  it("of nothing that is one", () => {
    expect(asked("text")).toEqual([]);
    expect(answered({ data: [] })).toEqual([]);
    expect(answered("data: {broken")).toEqual([]);
  });
});
