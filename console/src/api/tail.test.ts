import { expect, it } from "vitest";
import { takeEvents } from "./tail";

it("reads events however they are cut", () => {
  const stream = ': the tail begins\n\nid: 1\ndata: {"id":"1"}\n\n:\n\nevent: skipped\ndata: {"count":3}\n\nid: 2\ndata: {"id"';
  const wanted = [
    { name: "message", data: '{"id":"1"}' },
    { name: "skipped", data: '{"count":3}' },
  ];
  for (let cut = 0; cut <= stream.length; cut++) {
    const first = takeEvents(stream.slice(0, cut));
    const second = takeEvents(first.rest + stream.slice(cut));
    expect([...first.events, ...second.events]).toEqual(wanted);
    expect(second.rest).toBe('id: 2\ndata: {"id"');
  }
});
