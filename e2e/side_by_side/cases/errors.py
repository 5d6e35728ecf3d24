"""What clients get of providers' errors."""

from ..case import case, chat, target
from ..upstream import Answer

ASK = chat("m", max_tokens=5)
OPENAI = {"error": {"message": "bad", "type": "t", "param": None, "code": "c"}}


def of(provider: str, name: str, answer: Answer, path: str = "/v1/chat/completions", ask: dict = ASK, **more: object):
    return case(f"{provider}: {name}", path=path, config=target(provider=provider, **more), body=ask, answer=answer)


CASES = [
    *(
        of("openai", str(status), Answer(status, OPENAI))
        for status in (400, 401, 403, 404, 408, 409, 412, 413, 422, 429, 500, 502, 503, 504, 529)
    ),
    *(
        of(provider, "OpenAI's shape", Answer(400, OPENAI))
        for provider in (
            "groq", "together-ai", "fireworks-ai", "perplexity-ai", "ollama", "deepseek", "openrouter", "cerebras", "x-ai",
            "huggingface", "deepinfra", "nebius", "anyscale", "lepton", "github",
        )
    ),
    of("anthropic", "own shape", Answer(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}})),
    of("anthropic", "overloaded", Answer(529, {"type": "error", "error": {"type": "overloaded_error", "message": "bad"}})),
    of("anthropic", "native", Answer(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}), path="/v1/messages"),
    of("anthropic", "text", Answer(500, "oops")),
    of("google", "own shape", Answer(400, {"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}})),
    of("google", "in a list", Answer(400, [{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}])),
    of("google", "quota", Answer(429, {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [{"a": 1}]}})),
    of("cohere", "own shape", Answer(400, {"message": "bad"})),
    of("mistral-ai", "own shape", Answer(400, {"object": "error", "message": "bad", "type": "t", "param": None, "code": "c"})),
    of("azure-openai", "own shape", Answer(400, {"error": {"code": "c", "message": "bad", "type": None, "param": "p"}}), resource_name="r", deployment_id="d", api_version="2024-02-01"),
    of("openai", "further members", Answer(400, {"error": OPENAI["error"] | {"extra": 1}, "request_id": "r"})),
    of("openai", "no message", Answer(400, {"error": {"type": "t"}})),
    of("openai", "text as error", Answer(400, {"error": "bad"})),
    of("openai", "plain text", Answer(500, "oops", {"content-type": "text/plain"})),
    of("openai", "empty", Answer(500, "", {"content-type": "text/plain"})),
    of("openai", "not JSON", Answer(500, "oops", {"content-type": "application/json"})),
    of("openai", "own headers", Answer(429, OPENAI, {"retry-after": "7", "x-ratelimit-remaining-requests": "0", "x-request-id": "r"})),
    of("openai", "embeddings", Answer(400, OPENAI), path="/v1/embeddings", ask={"model": "e", "input": "a"}),
    of("openai", "completions", Answer(400, OPENAI), path="/v1/completions", ask={"model": "e", "prompt": "a"}),
    of("openai", "stream", Answer(400, OPENAI), ask=ASK | {"stream": True}),
    of("anthropic", "stream", Answer(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}), ask=ASK | {"stream": True}),
    of("google", "stream", Answer(400, {"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}), ask=ASK | {"stream": True}),
    of("openai", "proxy", Answer(400, OPENAI), path="/v1/foo", ask={"a": 1}),
    of("openai", "proxy text", Answer(500, "oops", {"content-type": "text/plain"}), path="/v1/foo", ask={"a": 1}),
]  # fmt: skip
