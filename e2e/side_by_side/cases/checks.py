"""Each local check of a guardrail, on the request or on the answer, without denying."""

from ..case import case, chat, target

FENCED = "```py\nx\n```"
FENCED_3 = "```python3\nx\n```"

# Of the request's text, `hi there` unless given.
INPUT = [
    ("regexMatch", {"rule": "(?<x>h)i"}),
    ("regexMatch", {"rule": "zzz"}),
    ("regexMatch", {"rule": "hi", "not": True}),
    ("regexMatch", {"rule": "("}),
    ("sentenceCount", {"minSentences": 0, "maxSentences": 2}, "a... b"),
    ("sentenceCount", {"minSentences": 1, "maxSentences": 2}, "One. Two."),
    ("sentenceCount", {}),
    ("wordCount", {"minWords": 1, "maxWords": 2}),
    ("wordCount", {"minWords": 3, "maxWords": 9}),
    ("wordCount", {"minWords": "1", "maxWords": 3}),
    ("characterCount", {"minCharacters": 1, "maxCharacters": 3}),
    ("characterCount", {"minCharacters": 2, "maxCharacters": 2}, "é☃"),
    ("contains", {"words": ["hi", "zzz"], "operator": "all"}),
    ("contains", {"words": ["zzz"], "operator": "none"}),
    ("contains", {"words": ["hi"], "operator": "some"}),
    ("contains", {"operator": "any"}),
    ("alluppercase", {}, "ABC 1"),
    ("alluppercase", {}, "Abc"),
    ("alllowercase", {}, "Abc"),
    ("alllowercase", {}, "abc 1"),
    ("endsWith", {"suffix": "there"}, "hi there."),
    ("endsWith", {"suffix": "zzz"}),
    ("modelWhitelist", {"models": ["gpt-4"]}),
    ("modelWhitelist", {"models": ["txt:a"]}),
    ("modelwhitelist", {"models": ["gpt-4"]}),
    ("modelRules", {"rules": {"defaults": ["x"], "metadata": {"team": {"a": ["txt:a"]}}}}),
    ("modelRules", {"rules": {"defaults": ["x"]}}),
    ("modelRules", {"rules": {}}),
    ("requiredMetadataKeys", {"metadataKeys": ["team", "b"], "operator": "any"}),
    ("requiredMetadataKeys", {"metadataKeys": ["team"], "operator": "none"}),
    ("requiredMetadataKeys", {"metadataKeys": ["team", "b"], "operator": "all"}),
    ("requiredMetadataKeys", {"metadataKeys": [], "operator": "all"}),
    ("allowedRequestTypes", {"allowedTypes": ["chatComplete"]}),
    ("allowedRequestTypes", {"blockedTypes": "chatComplete, embed"}),
    ("allowedRequestTypes", {"allowedTypes": ["a"], "blockedTypes": ["a"]}),
    ("allowedRequestTypes", {}),
    ("regexReplace", {"rule": "/h/g", "redactText": "X"}),
    ("regexReplace", {"rule": "hi", "failOnDetection": True}),
    ("regexReplace", {}),
    ("addPrefix", {"prefix": "P ", "applyToRole": "system"}),
    ("addPrefix", {}),
]

# Of the answer's text.
OUTPUT = [
    ("jsonSchema", {"schema": {"type": "object", "required": ["a"]}}, 'x {"a":1} y'),
    ("jsonSchema", {"schema": {"type": "object", "required": ["b"]}}, '{"a":1}'),
    ("jsonSchema", {"schema": {"type": "object"}}, '{"a":{"b":1}}'),
    ("jsonSchema", {"schema": {"type": "object"}, "not": True}, "none"),
    ("jsonKeys", {"keys": ["a", "b"], "operator": "any"}, '{"a":1}'),
    ("jsonKeys", {"keys": ["a", "b"], "operator": "all"}, '{"a":1}'),
    ("jsonKeys", {"keys": ["a"], "operator": "none"}, "none"),
    ("containsCode", {"format": "Python"}, FENCED),
    ("containsCode", {"format": "Python"}, FENCED_3),
    ("containsCode", {"format": "Python", "not": True}, "no code"),
    ("notNull", {}, ""),
    ("notNull", {"not": True}, "x"),
    ("regexReplace", {"rule": "/a/g", "redactText": "X"}, "banana"),
]


def _guardrail(check: str, parameters: dict) -> list[dict]:
    return [{f"default.{check}": parameters, "id": "g"}]


def _input(number: int, check: str, parameters: dict, text: str = "hi there"):
    config = target(input_guardrails=_guardrail(check, parameters))
    metadata = {"x-portkey-metadata": '{"team":"a"}'}
    return case(f"input {number:02} {check}", config=config, headers=metadata, body=chat("txt:a", text))


def _output(number: int, check: str, parameters: dict, text: str):
    config = target(output_guardrails=_guardrail(check, parameters))
    return case(f"output {number:02} {check}", config=config, body=chat(f"txt:{text}"))


CASES = [_input(number, *row) for number, row in enumerate(INPUT, 1)] + [
    _output(number, *row) for number, row in enumerate(OUTPUT, 1)
]
