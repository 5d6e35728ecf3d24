"""Tidegate answers as Portkey's gateway does, except where it is meant not to."""

import pytest
from side_by_side import equivalent, generated, intended
from side_by_side.compare import differences, equivalences
from side_by_side.play import Answered, Played
from side_by_side.run import SAME, SAME_WAY, run_both


def played(status=200, body=None, calls=(), **headers):
    portkey = {f"x-portkey-{name}": value for name, value in headers.items()}
    return Played((Answered(status, portkey, body, False),), calls)


def asked(body=None, url="/chat/completions", **headers):
    return played(calls=({"method": "POST", "url": url, "headers": headers, "body": body},))


UUID = "portkey-0b9e5d0e-1c3a-4d55-9a0c-0a51c5b4f0aa"


@pytest.mark.parametrize(
    ("reference", "tidegate", "places"),
    [
        (played(), played(), []),
        (played(400), played(500), ["answer.0.status"]),
        (played(provider="a"), played(provider="a", more="b"), []),
        (played(provider="a"), played(), ["answer.0.header.x-portkey-provider"]),
        (played(body={"a": 1}), played(body={"a": 1, "b": 2}), []),
        (played(body={"a": 1}), played(body={"a": 2}), ["answer.0.body.a"]),
        (played(body={"a": {"b": 1}}), played(body={"a": {}}), ["answer.0.body.a.b"]),
        (played(body={"a": [1, 2]}), played(body={"a": [1, 3]}), ["answer.0.body.a.1"]),
        (played(body={"a": [1]}), played(body={"a": [1, 2]}), ["answer.0.body.a"]),
        (played(body={"a": True}), played(body={"a": 1}), ["answer.0.body.a"]),
        (played(body={"created": 1}), played(body={"created": 2}), []),
        (played(body={"created": 1}), played(body={"created": None}), ["answer.0.body.created"]),
        (played(body={"id": UUID}), played(body={"id": "x"}), []),
        (played(body={"id": UUID}), played(body={"id": ""}), ["answer.0.body.id"]),
        (asked(), played(), ["calls"]),
        (asked(), asked(x="1"), ["call.0.headers.x"]),
    ],
)
def test_differences_are_found(reference, tidegate, places):
    assert [difference.at for difference in differences(reference, tidegate, False)] == places


def test_only_what_an_entry_covers_is_intended():
    entry = intended.Entry(cases=["a/*"], at=["answer.*.status"], rule="D1", reason="r", reference=400)
    found = differences(played(400, {"a": 1}), played(500, {"a": 2}), False)
    assert [difference.at for difference in intended.judge([entry], "a/b", found)[0]] == ["answer.0.body.a"]
    assert entry.used
    assert len(intended.judge([entry], "b/b", found)[0]) == 2
    found = differences(played(401), played(500), False)
    assert len(intended.judge([entry], "a/b", found)[0]) == 1


MESSAGES, GENERATE = "/v1/messages", "/v1beta/models/m:generateContent"


def told(*chunks):
    chunk = {"object": "chat.completion.chunk"}
    return played(body=[event if event in ({},) else {"data": chunk | event} for event in chunks])


def delta(**members):
    return {"choices": [{"index": 0, "delta": members, "finish_reason": None}]}


def system(value):
    return asked({"system": value}, MESSAGES)


def said(*content):
    return asked({"messages": [{"role": "user", "content": content[0] if isinstance(content[0], str) else list(content)}]}, MESSAGES)


def schema(**keywords):
    return asked({"tools": [{"name": "f", "input_schema": {"type": "object"} | keywords}]}, MESSAGES)


def form(boundary, value="1", name="Content-Disposition"):
    body = f'--{boundary}\r\n{name}: form-data; name="n"\r\n\r\n{value}\r\n--{boundary}--\r\n'
    return asked(body, **{"content-type": f"multipart/form-data; boundary={boundary}"})


TEXT = {"type": "text", "text": "a"}
CACHED = TEXT | {"cache_control": {"type": "ephemeral"}}
MODE = {"mode": "ANY"}
NAMED = {"mode": "ANY", "allowed_function_names": ["f"]}
ARGUMENTS = {"index": 0, "function": {"arguments": ""}}

# Of each row: what it makes one, and what it must leave apart.
EQUIVALENT = {
    "no instructions": ([(system([]), asked({}, MESSAGES))], [(system([TEXT]), asked({}, MESSAGES)), (asked({"system": []}), asked({}))]),
    "one text": ([(said(TEXT), said("a"))], [(said(CACHED), said("a")), (said(TEXT, TEXT), said("a")), (said(TEXT), said("b"))]),
    "empty keywords": (
        [(schema(required=[], **{"$defs": {}}), schema())],
        [(schema(required=["a"]), schema()), (schema(properties={}), schema()), (schema(**{"$defs": {"a": {}}}), schema())],
    ),
    "not streamed": (
        [(asked({"stream": False}), asked({}))],
        [(asked({"stream": True}), asked({})), (asked({"stream": False}, "/api/chat"), asked({}, "/api/chat"))],
    ),
    "Google's key": (
        [(asked({}, GENERATE + "?key=k"), asked({}, GENERATE, **{"x-goog-api-key": "k"}))],
        [
            (asked({}, GENERATE + "?key=k"), asked({}, GENERATE, **{"x-goog-api-key": "z"})),
            (asked({}, GENERATE + "?key=k"), asked({}, GENERATE)),
            (asked({}, GENERATE + "?key=k"), asked({}, GENERATE + "?alt=sse", **{"x-goog-api-key": "k"})),
            (asked({}, "/foo?key=k"), asked({}, "/foo", **{"x-goog-api-key": "k"})),
        ],
    ),
    "model in the path": (
        [(asked({"model": "m"}, GENERATE), asked({}, GENERATE)), (asked({"model": "models/m"}, GENERATE), asked({}, GENERATE))],
        [(asked({"model": "n"}, GENERATE), asked({}, GENERATE)), (asked({"model": "m"}), asked({}))],
    ),
    "spelling": (
        [(asked({"tool_config": {"function_calling_config": NAMED}}, GENERATE), asked({"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}}, GENERATE))],
        [
            (asked({"tool_config": {"function_calling_config": NAMED}}, GENERATE), asked({"toolConfig": {"functionCallingConfig": MODE}}, GENERATE)),
            (asked({"tool_config": {}}), asked({"toolConfig": {}})),
        ],
    ),
    "role of instructions": (
        [(asked({"systemInstruction": {"role": "system", "parts": []}}, GENERATE), asked({"systemInstruction": {"parts": []}}, GENERATE))],
        [
            (asked({"systemInstruction": {"role": "user", "parts": []}}, GENERATE), asked({"systemInstruction": {"parts": []}}, GENERATE)),
            (asked({"systemInstruction": {"role": "system"}}, GENERATE), asked({}, GENERATE)),
        ],
    ),
    "type of nothing": (
        [(asked(None, **{"content-type": "application/json"}), asked(None))],
        [(asked({}, **{"content-type": "application/json"}), asked({}))],
    ),
    "boundary": (
        [(form("a"), form("b")), (form("a"), form("b", name="content-disposition"))],
        [(form("a"), form("b", value="2")), (form("a"), form("b", name="x-other")), (form("a"), asked(None, **{"content-type": "multipart/form-data; boundary=b"}))],
    ),
    "comments": ([(told(delta(content="a")), told({}, delta(content="a")))], [(told(), told(delta(content="a")))]),
    "empty chunks": (
        [(told(delta()), told()), (told(delta(tool_calls=[ARGUMENTS])), told())],
        [
            (told(delta(content="a")), told()),
            (told(delta(role="assistant")), told()),
            (told(delta(tool_calls=[ARGUMENTS | {"id": "c"}])), told()),
            (told(delta() | {"usage": {"total_tokens": 1}}), told()),
            (told({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}), told()),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", equivalent.ROWS, ids=lambda row: row.name)
def test_equivalences_join_what_means_the_same_and_nothing_else(row):
    same, different = EQUIVALENT[row.name]
    for reference, tidegate in same:
        assert differences(reference, tidegate, False) == []
        assert equivalences(reference, tidegate, False) == [row.name]
    for reference, tidegate in different:
        assert differences(reference, tidegate, False) != []


def test_what_a_stream_adds_up_to_is_compared_as_well():
    whole, pieces, less = (told(*(delta(content=text) for text in texts)) for texts in (["ab"], ["a", "b"], ["a"]))
    assert [difference.at for difference in differences(whole, pieces, False)] == ["answer.0.body"]
    assert [difference.at for difference in differences(whole, less, False)][-1] == "answer.0.said.content"


def test_each_equivalence_is_there_once():
    assert [row.name for row in equivalent.ROWS] == list(EQUIVALENT)


def test_generated_cases_depend_on_their_number_alone():
    cases = generated.cases(count=50)
    assert [case.id for case in cases] == [case.id for case in generated.cases(count=50)]
    again = generated.one(generated.SEED, 42)
    assert (again.id, again.requests) == (cases[42].id, cases[42].requests)
    assert generated.one(generated.SEED + 1, 42).requests != again.requests


def test_side_by_side(capsys):
    report = run_both([])
    with capsys.disabled():
        print("\n" + "\n".join(report.lines()))
    ok = report.ok and report.same >= SAME and report.same_way >= SAME_WAY
    assert ok, report.summary()
