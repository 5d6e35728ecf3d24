"""Who is called, and how the client says so: headers, or a config with strategies, targets and what they inherit."""

import json
import re
from dataclasses import dataclass, replace

from ..case import U, Request
from .draw import Draw

# How much of the traffic goes where. Surveys of large companies put OpenAI (with Azure) at somewhat more than a half,
# Anthropic and Google at up to a fifth each; the rest is a tail of smaller vendors. Bedrock is left out: Tidegate does
# not speak it yet, which the cases written by hand say.
PROVIDERS = {
    "openai": 42, "anthropic": 18, "azure-openai": 13, "google": 10, "groq": 3, "mistral-ai": 3, "together-ai": 2,
    "cohere": 2, "deepseek": 2, "openrouter": 2, "fireworks-ai": 1, "x-ai": 1, "perplexity-ai": 1,
}  # fmt: skip
# Who has the endpoint at all; a client that knows its provider asks no other.
ABLE = {
    "chat": set(PROVIDERS),
    "embeddings": {"openai", "azure-openai", "google", "mistral-ai", "together-ai", "cohere", "fireworks-ai"},
    "completions": {"openai", "azure-openai", "together-ai", "fireworks-ai"},
    "messages": {"anthropic"},
    "responses": {"openai", "azure-openai"},
    "other": {"openai"},
    "models": {"openai", "anthropic", "mistral-ai", "groq", "together-ai", "deepseek", "openrouter"},
    "rerank": {"cohere", "together-ai"},
}
AZURE = {"resource_name": "acme", "deployment_id": "gpt-4o", "api_version": "2024-10-21"}
MODELS = {
    "openai": ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "o4-mini", "gpt-5-mini"),
    "azure-openai": ("gpt-4o", "gpt-4o-mini"),
    "anthropic": ("claude-3-5-sonnet-20241022", "claude-sonnet-4-20250514", "claude-3-5-haiku-latest"),
    "google": ("gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-1.5-pro"),
    "groq": ("llama-3.3-70b-versatile", "llama-3.1-8b-instant"),
    "mistral-ai": ("mistral-large-latest", "mistral-small-latest"),
    "together-ai": ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "Qwen/Qwen2.5-72B-Instruct-Turbo"),
    "cohere": ("command-r-plus-08-2024", "command-a-03-2025"),
    "deepseek": ("deepseek-chat", "deepseek-reasoner"),
    "openrouter": ("openai/gpt-4o", "anthropic/claude-3.5-sonnet"),
    "fireworks-ai": ("accounts/fireworks/models/llama-v3p1-70b-instruct",),
    "x-ai": ("grok-3", "grok-2-latest"),
    "perplexity-ai": ("sonar", "sonar-pro"),
}
TIERS = ("free", "pro", "enterprise")


@dataclass(frozen=True)
class Route:
    name: str
    providers: tuple[str, ...]
    """Those that may be called, the likeliest first."""
    headers: dict[str, str]
    tried: int = 1
    """How many calls it may come to."""
    wait: bool = False
    """Retries are configured, so that failures cost time."""
    hasty: bool = False
    """A timeout is configured that a slow provider runs into."""

    @property
    def provider(self) -> str:
        return self.providers[0]

    def request(self, ask) -> Request:
        headers = ask.headers | self.headers
        if ask.body is not None:
            headers = {"content-type": ask.content_type} | headers
        return Request(ask.method, ask.path, headers, ask.body)


def provider(draw: Draw, kind: str) -> str:
    able = {name: weight for name, weight in PROVIDERS.items() if name in ABLE[kind]}
    return draw.weighted(able)


def host(name: str) -> str:
    """Where the upstream plays this vendor."""
    return f"{U}/{name}"


def key(draw: Draw, name: str) -> str:
    prefix = {"openai": "sk-proj-", "anthropic": "sk-ant-api03-", "google": "AIza", "groq": "gsk_"}.get(name, "")
    return prefix + draw.word(24)


def route(draw: Draw, endpoint) -> Route:
    shapes = {"headers": 35, "config": 20, "fallback": 20, "loadbalance": 10, "conditional": 8, "nested": 7}
    shape = draw.weighted(shapes)
    if shape == "headers":
        found = _by_headers(draw, endpoint)
    else:
        found = _by_config(draw, endpoint, shape)
    return replace(found, headers=found.headers | _gateway_headers(draw, found))


def _by_headers(draw: Draw, endpoint) -> Route:
    name = provider(draw, endpoint.kind)
    headers = {"x-portkey-provider": name, "x-portkey-custom-host": host(name)}
    secret = key(draw, name)
    if name == "anthropic" and draw.chance(25):
        headers["x-api-key"] = secret
    else:
        headers["authorization"] = f"Bearer {secret}"
    if name == "azure-openai":
        headers |= {f"x-portkey-azure-{part.replace('_', '-')}": value for part, value in AZURE.items()}
    if name == "openai" and draw.chance(4):
        headers["x-portkey-openai-organization"] = "org-acme"
    if name == "anthropic" and draw.chance(8):
        headers["x-portkey-anthropic-version"] = "2023-06-01"
    if name == "anthropic" and draw.chance(6):
        headers["x-portkey-anthropic-beta"] = "prompt-caching-2024-07-31"
    return Route("headers", (name,), headers)


def _by_config(draw: Draw, endpoint, shape: str) -> Route:
    tree = _Tree(draw, endpoint)
    config = tree.root(shape)
    if draw.chance(12):
        config = _camel(config)
    headers = {"x-portkey-config": json.dumps(config)}
    if tree.tiers or draw.chance(5):
        headers["x-portkey-metadata"] = json.dumps(tree.metadata)
    if len(set(tree.providers)) == 1 and draw.chance(15):
        headers["x-portkey-custom-host"] = host(tree.providers[0])
    if draw.chance(8):
        # Applications that came from OpenAI's SDK send some key all the same.
        headers["authorization"] = "Bearer " + draw.one(("dummy", "sk-unused"))
    return Route(shape, tuple(tree.providers), headers, tree.tried, tree.retries, tree.hasty)


def _gateway_headers(draw: Draw, found: Route) -> dict[str, str]:
    headers = {}
    if draw.chance(25):
        headers["x-portkey-trace-id"] = draw.one(("req-", "trace_")) + draw.word(8)
    if draw.chance(15) and "x-portkey-metadata" not in found.headers:
        headers["x-portkey-metadata"] = json.dumps({"_user": draw.word(5), "env": draw.one(("prod", "dev"))})
    if draw.chance(15):
        headers["x-portkey-api-key"] = draw.word(20)
    if draw.chance(4):
        headers["x-portkey-strict-open-ai-compliance"] = draw.one(("false", "true"))
    if draw.chance(4):
        headers["x-portkey-request-timeout"] = draw.one(("10000", "30000"))
    if draw.chance(4):
        headers |= {"x-portkey-forward-headers": "x-request-id, x-tenant", "x-tenant": "t1"}
    if draw.chance(3):
        headers["x-portkey-cache-force-refresh"] = "true"
    if draw.chance(20):
        headers["x-request-id"] = draw.word(10)
    if draw.chance(30):
        headers["user-agent"] = "OpenAI/Python 1.68.2"
    if draw.chance(30):
        headers["accept"] = draw.one(("application/json", "*/*"))
    return headers


class _Tree:
    """A config under way."""

    def __init__(self, draw: Draw, endpoint):
        self._draw = draw
        self._endpoint = endpoint
        self.providers: list[str] = []
        self.tried = 0
        self.retries = False
        self.hasty = False
        self.tiers = False
        self.metadata = {"_user": "u1", "tier": draw.one(TIERS), "n": draw.one((1, 5, "7"))}

    def root(self, shape: str) -> dict:
        if shape == "nested":
            outer = self._draw.one(("fallback", "loadbalance", "conditional", "single"))
            return self._group(outer, depth=2) | self._inherited(35)
        if shape == "config":
            if self._draw.chance(15):
                return self._group("single", depth=1) | self._inherited(35)
            return self._leaf() | self._inherited(35)
        return self._group(shape, depth=1) | self._inherited(35)

    def _group(self, mode: str, depth: int) -> dict:
        draw = self._draw
        count = 1 if mode == "single" else draw.weighted({2: 70, 3: 25, 4: 5})
        targets = [self._member(depth) for _ in range(count)]
        strategy: dict = {"mode": mode}
        if mode == "loadbalance":
            chosen = draw.below(count)
            for i, target in enumerate(targets):
                # A choice that is no choice: nothing else can be compared.
                target["weight"] = draw.one((1, 0.7, 100)) if i == chosen else 0
        if mode == "fallback" and draw.chance(35):
            strategy["on_status_codes"] = draw.one(([429], [429, 500, 502, 503, 504], [401, 403, 429, 500, 503], [500, 503, 529]))
        if mode == "conditional":
            names = [f"{draw.one(('fast', 'cheap', 'best', 'eu'))}-{i}" for i in range(count)]
            for target, name in zip(targets, names, strict=True):
                target["name"] = name
            strategy["conditions"] = [{"query": self._query(), "then": name} for name in names[:-1]]
            if draw.chance(90):
                strategy["default"] = names[-1]
        return {"strategy": strategy, "targets": targets}

    def _member(self, depth: int) -> dict:
        if depth > 1 and self._draw.chance(60):
            mode = self._draw.one(("fallback", "loadbalance", "single"))
            return self._group(mode, depth - 1) | self._inherited(15)
        return self._leaf() | self._inherited(12)

    def _leaf(self) -> dict:
        draw = self._draw
        # People mostly balance and fall back within what they have: the same vendor, or the next one.
        again = bool(self.providers) and draw.chance(40)
        name = self.providers[-1] if again else provider(draw, self._endpoint.kind)
        self.providers.append(name)
        self.tried += 1
        leaf = {"provider": name, "api_key": key(draw, name), "custom_host": host(name)}
        if name == "azure-openai":
            leaf |= AZURE
        if self._endpoint.models and (len(self.providers) > 1 or draw.chance(40)):
            leaf["override_params"] = {"model": self._endpoint.model(draw, name)}
            if name == "anthropic" and self._endpoint.kind == "chat" and draw.chance(70):
                leaf["override_params"]["max_tokens"] = draw.one((256, 1024, 4096))
        return leaf

    def _inherited(self, percent: int) -> dict:
        """What any node may say and those below it inherit."""
        draw = self._draw
        more: dict = {}
        if not draw.chance(percent):
            return more
        if draw.chance(45) and not self.retries:
            self.retries = True
            more["retry"] = {"attempts": draw.weighted({1: 50, 2: 25, 3: 20, 5: 5})}
            if draw.chance(40):
                more["retry"]["on_status_codes"] = draw.one(([429], [429, 503], [500, 502, 503, 504, 429], [408, 429, 529]))
            if draw.chance(35):
                more["retry"]["use_retry_after_header"] = True
        if draw.chance(20):
            self.hasty = self.hasty or draw.chance(30)
            more["request_timeout"] = 400 if self.hasty else draw.one((5000, 10000, 60000))
        if draw.chance(25) and self._endpoint.kind == "chat":
            more["override_params"] = draw.one(({"temperature": 0.2}, {"max_tokens": 512}, {"top_p": 0.9, "user": "u1"}))
        if draw.chance(10):
            more["forward_headers"] = ["x-request-id"]
        if draw.chance(8):
            more["strict_open_ai_compliance"] = draw.one((False, True))
        if draw.chance(8):
            more["cache"] = draw.one(({"mode": "simple"}, {"mode": "simple", "max_age": 60}))
        return more

    def _query(self) -> dict:
        draw = self._draw
        self.tiers = True
        tier = draw.one(TIERS)
        simple = (
            {"metadata.tier": {"$eq": tier}},
            {"metadata.tier": tier},
            {"metadata.tier": {"$ne": tier}},
            {"metadata.tier": {"$in": [tier, "trial"]}},
            {"metadata.tier": {"$nin": [tier]}},
            {"metadata.n": {"$gt": draw.one((2, 6))}},
            {"metadata.n": {"$gte": 5, "$lt": 7}},
            {"metadata.n": {"$lte": draw.one((1, "5"))}},
            {"metadata.tier": {"$regex": draw.one(("^p", "ree$", "o"))}},
            {"params.model": {"$eq": draw.one(MODELS["openai"])}},
            {"params.model": {"$regex": "mini"}},
            {"params.stream": {"$eq": True}},
            {"params.max_tokens": {"$gt": 500}},
            {"metadata.missing": {"$eq": "x"}},
        )
        first, second = draw.one(simple), draw.one(simple)
        if draw.chance(70):
            return first
        return draw.one(({"$and": [first, second]}, {"$or": [first, second]}, {"$or": [{"$and": [first, second]}, first]}))


# Their members are data, not settings: a camelCase config leaves them as they are.
_DATA = {"override_params", "conditions", "metadata"}
# Only known in this spelling to the config's schema.
_FIXED = {"api_key"}


def _camel(node: object) -> object:
    """The same config as users of JavaScript write it."""
    match node:
        case dict():
            return {_camel_name(name): value if name in _DATA else _camel(value) for name, value in node.items()}
        case list():
            return [_camel(value) for value in node]
    return node


def _camel_name(name: str) -> str:
    return name if name in _FIXED else re.sub(r"_(\w)", lambda match: match[1].upper(), name)
