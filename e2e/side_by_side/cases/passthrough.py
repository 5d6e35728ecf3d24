"""Paths the gateway has no opinion on, and the old proxy path."""

from ..case import HEADERS, case, chat, target
from ..upstream import Answer

CASES = [
    case("GET", method="GET", path="/v1/foo/bar", config=target()),
    case("GET with headers", method="GET", path="/v1/foo", headers=HEADERS),
    case("POST", path="/v1/foo", config=target(), body={"z": 1, "a": [1, 2]}),
    case("POST with headers", path="/v1/foo", headers=HEADERS | {"x-foo": "1"}, body={"z": 1}),
    case("DELETE", method="DELETE", path="/v1/foo/1", config=target()),
    case("query", method="GET", path="/v1/foo?limit=2&after=a%20b", config=target()),
    case("escaped path", method="GET", path="/v1/foo/a%2Fb", config=target()),
    case("empty POST", path="/v1/foo", config=target()),
    case("empty object", path="/v1/foo", config=target(), body={}),
    case("override merged", path="/v1/foo", config=target(override_params={"b": 2}), body={"a": 1}),
    case("metadata stays here", path="/v1/foo", config=target(), headers={"x-portkey-metadata": "{}", "x-portkey-trace-id": "t"}, body={}),
    case("anthropic", path="/v1/foo", config=target(provider="anthropic"), body={"a": 1}),
    case("anthropic v1", path="/v1/v1/foo", config=target(provider="anthropic"), body={"a": 1}),
    case("google", path="/v1/foo", config=target(provider="google"), body={"a": 1}),
    case("azure", method="GET", path="/v1/foo", config=target(provider="azure-openai", resource_name="r", deployment_id="d", api_version="2024-02-01")),
    case("cohere rerank", path="/v1/rerank", config=target(provider="cohere"), body={"model": "m", "query": "q", "documents": ["a"]}),
    case("old path", path="/v1/proxy/foo", config=target(), body={"a": 1}),
    case("old path, chat", path="/v1/proxy/chat/completions", config=target(), body=chat("echo")),
    case("old path, GET", method="GET", path="/v1/proxy/foo", config=target()),
    case("old path without provider", path="/v1/proxy/foo", body={"a": 1}),
    case("without provider", path="/v1/foo", body={"a": 1}),
    case("stream", path="/v1/foo", config=target(), body={"model": "m", "stream": True}),
    case("text answer", method="GET", path="/v1/foo", config=target(), answer=Answer(200, "hello")),
    case("bytes answer", method="GET", path="/v1/foo", config=target(), answer=Answer(200, b"\x00\x01\x02", {"content-type": "application/octet-stream"})),
    case("204", method="DELETE", path="/v1/foo", config=target(), answer=Answer(204)),
    case("201", path="/v1/foo", config=target(), body={}, answer=Answer(201, {"a": 1}, {"location": "/x"})),
    case("redirect", method="GET", path="/v1/foo", config=target(), answer=Answer(304, "")),
    case("form", path="/v1/foo", config=target(), raw=b"a=b", content_type="application/x-www-form-urlencoded"),
]
