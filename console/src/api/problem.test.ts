import { describe, expect, it } from "vitest";
import { queryText } from "./client";
import { Problem, problemOf } from "./problem";

const of = (status: number, body: string, headers: Record<string, string> = {}) => Problem.of(new Response(body, { status, headers }));

describe("problems", () => {
  it("are in the server's words, with the field and the request's id", async () => {
    const body = JSON.stringify({ success: false, message: "name is missing", error: { message: "name is missing", param: "name" } });
    const problem = await of(400, body, { "x-portkey-trace-id": "r1" });
    expect(problem).toMatchObject({ status: 400, message: "name is missing", param: "name", requestId: "r1", retryAfter: null });
  });

  it("tell what is not served from what is not there", async () => {
    expect((await of(501, "{}")).isNotServed).toBe(true);
    expect((await of(404, '{"message":"there is no such route"}')).isNotServed).toBe(true);
    expect((await of(404, '{"message":"this log was not found"}')).isNotServed).toBe(false);
  });

  it("are something even when the answer is nothing like one", async () => {
    expect((await of(502, "<html>bad gateway</html>")).message).toBe("<html>bad gateway</html>");
    expect((await of(429, "", { "retry-after": "7" })).retryAfter).toBe(7);
    expect(problemOf("odd")).toMatchObject({ status: 0, message: "odd" });
  });
});

it("queries leave out what is empty, and join lists", () => {
  expect(queryText({ a: "", b: null, c: undefined, d: ["x", "y"], e: 0, f: "a b" })).toBe("?d=x%2Cy&e=0&f=a+b");
  expect(queryText({})).toBe("");
});
