import pytest

from archway.doctor.finding import Finding, looked, note


@pytest.mark.parametrize(
    ("finding", "line", "wrong"),
    [
        (Finding("a", "b", "c"), "failed   a; b; c", True),
        (note("a", cure="c"), "warning  a; c", False),
        (Finding("a", level="ok"), "ok       a", False),
    ],
)
def test_a_line_begins_with_how_it_is(finding, line, wrong):
    assert (finding.line, finding.wrong) == (line, wrong)


def test_what_was_looked_at_and_is_well_has_a_line():
    assert looked("Redis answers", []) == [Finding("Redis answers", level="ok")]
    assert looked("Redis answers", [note("slow")]) == [note("slow")]
