"""Tidegate answers as Portkey's gateway does, except where it is meant not to."""

from side_by_side.run import run_both


def test_side_by_side(capsys):
    report = run_both([])
    with capsys.disabled():
        print("\n" + "\n".join(report.lines()))
    assert report.ok, report.summary()
