"""Configs that are not configs: the schema's own words, for each kind of mistake."""

from ..case import U, case, chat, strategy, target

BAD = {
    "provider unknown": {"provider": "nope", "api_key": "k"},
    "provider number": {"provider": 1, "api_key": "k"},
    "key number": {"provider": "openai", "api_key": 5},
    "provider without key": {"provider": "openai"},
    "strategy without mode": {"strategy": {}, "targets": [target()]},
    "strategy without targets": {"strategy": {"mode": "single"}},
    "strategy string": {"strategy": "fallback", "targets": [target()]},
    "targets object": {"strategy": {"mode": "single"}, "targets": {}},
    "target string": {"strategy": {"mode": "single"}, "targets": ["x"]},
    "statuses of text": {"strategy": {"mode": "fallback", "on_status_codes": ["429"]}, "targets": [target()]},
    "statuses number": {"strategy": {"mode": "fallback", "on_status_codes": 429}, "targets": [target()]},
    "default number": {"strategy": {"mode": "conditional", "default": 1}, "targets": [target()]},
    "condition without then": strategy("conditional", target(name="a"), conditions=[{"query": {}}]),
    "condition without query": strategy("conditional", target(name="a"), conditions=[{"then": "a"}]),
    "attempts text": target(retry={"attempts": "3"}),
    "retry number": target(retry=3),
    "retry statuses of text": target(retry={"attempts": 1, "on_status_codes": ["500"]}),
    "retry after text": target(retry={"attempts": 1, "use_retry_after_header": "yes"}),
    "cache mode": target(cache={"mode": "other"}),
    "cache without mode": target(cache={"max_age": 1}),
    "cache age text": target(cache={"mode": "simple", "max_age": "1"}),
    "weight text": strategy("loadbalance", target(weight="1")),
    "timeout text": target(request_timeout="50"),
    "forward text": target(forward_headers="x-foo"),
    "forward numbers": target(forward_headers=[1]),
    "host number": target(custom_host=1),
    "strict text": target(strict_open_ai_compliance="false"),
    "two mistakes": target(retry={}, request_timeout="x"),
    "mistake in a target": strategy("fallback", target(), target(retry={})),
    "mistake in a nested target": strategy("fallback", strategy("single", target(weight="x"))),
    "target without key": strategy("fallback", {"provider": "openai", "custom_host": U}, target()),
    "vertex without project": {"provider": "vertex-ai", "vertex_region": "us-central1", "api_key": "k"},
    "vertex without region": {"provider": "vertex-ai", "vertex_project_id": "p", "api_key": "k"},
    "guardrails object": target(input_guardrails={}),
    "hooks text": target(before_request_hooks="x"),
}

CASES = [case(name, config=config, body=chat()) for name, config in BAD.items()]
