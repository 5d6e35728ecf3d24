"""Tidegate answers as Portkey's gateway does, except where it is meant not to."""

import pytest
from side_by_side import intended
from side_by_side.compare import differences
from side_by_side.play import Answered, Played
from side_by_side.run import run_both


def played(status=200, body=None, calls=(), **headers):
    portkey = {f"x-portkey-{name}": value for name, value in headers.items()}
    return Played((Answered(status, portkey, body, False),), calls)


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
        (played(calls=({"url": "/"},)), played(), ["calls"]),
        (played(calls=({"url": "/"},)), played(calls=({"url": "/", "x": 1},)), ["call.0.x"]),
    ],
)
def test_differences_are_found(reference, tidegate, places):
    assert [difference.at for difference in differences(reference, tidegate, False)] == places


def test_only_what_an_entry_covers_is_intended():
    entry = intended.Entry(cases=["a/*"], at=["answer.*.status"], rule="D1", reason="r", reference=400)
    found = differences(played(400, {"a": 1}), played(500, {"a": 2}), False)
    assert [difference.at for difference in intended.uncovered([entry], "a/b", found)] == ["answer.0.body.a"]
    assert entry.used
    assert len(intended.uncovered([entry], "b/b", found)) == 2
    found = differences(played(401), played(500), False)
    assert len(intended.uncovered([entry], "a/b", found)) == 1


def test_side_by_side(capsys):
    report = run_both([])
    with capsys.disabled():
        print("\n" + "\n".join(report.lines()))
    ok = report.ok
    assert ok, report.summary()
