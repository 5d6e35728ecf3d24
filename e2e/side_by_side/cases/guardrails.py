"""Guardrails and mutators: rows 75 to 94."""

import json

from ..case import HEADERS, case, chat, strategy, target

FAIL = {"contains": {"words": ["zzz"], "operator": "any"}, "id": "g"}
PASS = {"contains": {"words": ["hi"], "operator": "any"}, "id": "g"}
DENY = FAIL | {"deny": True}
EMPTY_REGEX = {"regexMatch": {}, "id": "g", "deny": True}
DISABLED = {"contains": {"words": ["zzz"], "operator": "any", "is_enabled": False}, "id": "g", "deny": True}
FEEDBACK = {"feedback": {"value": -5, "weight": 1, "metadata": {"user_x": "b"}}}


def before(guardrail: dict) -> dict:
    return target(input_guardrails=[guardrail])


def after(guardrail: dict) -> dict:
    return target(output_guardrails=[guardrail])


CASES = [
    case("075 input fails", config=before(FAIL), body=chat()),
    case("076 input deny", config=before(DENY), body=chat()),
    case("077 input passes", config=before(PASS | {"deny": True}), body=chat()),
    case("078 output fails", config=after(FAIL), body=chat()),
    case("079 output deny", config=after(DENY), body=chat()),
    case("080 output deny and retry", config=after(DENY) | {"retry": {"attempts": 1, "on_status_codes": [446]}}, body=chat()),
    case("081 deny and fallback", config=strategy("fallback", before(DENY), target()), body=chat()),
    case("082 async", config=before(DENY | {"async": True}), body=chat()),
    case("083 check fails to run", config=before(EMPTY_REGEX), body=chat()),
    case("084 failOnError", config=before({"regexMatch": {"failOnError": True}, "id": "g", "deny": True}), body=chat()),
    case("085 unknown check", config=before({"no.such": {}, "id": "g", "deny": True}), body=chat()),
    case("086 disabled", config=before(DISABLED), body=chat()),
    case("087 upstream 400", config=before(FAIL), body=chat("st400")),
    case("088 responses", path="/v1/responses", config=before(DENY), body={"model": "echo", "input": "x"}),
    case("089 embeddings", path="/v1/embeddings", config=before(DENY), body={"model": "e", "input": "x"}),
    case("090 default header", headers=HEADERS | {"x-portkey-default-input-guardrails": json.dumps([DENY])}, body=chat()),
    case("091 bad default header", headers=HEADERS | {"x-portkey-default-input-guardrails": "{"}, body=chat()),
    case("092 mutator", config=target(input_mutators=[{"addPrefix": {"prefix": "P "}, "id": "m"}]), body=chat("echo")),
    case("093 regexReplace", config=after({"default.regexReplace": {"rule": "/o/g", "redactText": "X"}, "id": "g"}), body=chat("txt:foo")),
    case("094 feedback", config=before(FAIL | {"on_fail": FEEDBACK}), body=chat()),
]
