"""The judgement itself: what it lets pass, and that it sees everything else."""

from dataclasses import replace

import pytest

from tests.fuzz.differences import equal
from tests.fuzz.lanes import Outcome, Said

FIRST = Said(200, "HTTP/1.1", (("content-type", "application/json"),), frozenset({"date"}), b"first", closes=False)
SECOND = replace(FIRST, body=b"second")
LAST = replace(FIRST, body=b"ok", closes=True)
GOOD = Outcome((FIRST, SECOND, LAST), (("first",), ("second",)))


def test_the_same_is_equal() -> None:
    assert equal(GOOD, replace(GOOD))


@pytest.mark.parametrize(
    "other",
    [
        replace(GOOD, answers=(SECOND, FIRST, LAST)),
        replace(GOOD, answers=(FIRST, LAST)),
        replace(GOOD, answers=(FIRST, SECOND)),
        replace(GOOD, answers=(replace(FIRST, status=400), SECOND, LAST)),
        replace(GOOD, answers=(replace(FIRST, body=b"f1rst"), SECOND, LAST)),
        replace(GOOD, answers=(replace(FIRST, headers=()), SECOND, LAST)),
        replace(GOOD, answers=(replace(FIRST, named=frozenset()), SECOND, LAST)),
        replace(GOOD, calls=(("first",), ("second",), ("second",))),
        replace(GOOD, calls=(("first",), ("2nd",))),
        replace(GOOD, rest=b"HTTP/1.1 200 OK\r\n"),
        replace(GOOD, ended=False),
        Outcome((replace(FIRST, status=400, closes=True),), ()),
        Outcome((), ()),
    ],
    ids=[
        "order",
        "lost",
        "cut",
        "status",
        "body",
        "header",
        "named",
        "twice",
        "other call",
        "rest",
        "open",
        "400",
        "none",
    ],
)
def test_whatever_is_not_allowed_is_seen(other: Outcome) -> None:
    assert not equal(GOOD, other)


def test_a_lane_that_hands_over_may_close_with_the_answer() -> None:
    handed_over = replace(SECOND, closes=True)
    assert equal(GOOD, Outcome((FIRST, handed_over), (("first",), ("second",))))
    assert not equal(GOOD, Outcome((FIRST, replace(handed_over, body=b"other")), (("first",), ("second",))))
    assert not equal(GOOD, Outcome((FIRST, handed_over), (("first",), ("other",))))
    assert not equal(GOOD, Outcome((FIRST, handed_over), (("first",), ("second",)), ended=False))


def test_a_lane_that_handed_over_holds_no_stream_behind_its_answer_though_the_reference_does() -> None:
    holding = replace(GOOD, answers=(FIRST, SECOND), ended=False)
    assert equal(holding, Outcome((replace(FIRST, closes=True),), (("first",),)))
    assert not equal(holding, GOOD)


def test_the_reference_may_not_close_where_the_other_lane_goes_on() -> None:
    assert not equal(Outcome((FIRST, replace(SECOND, closes=True)), GOOD.calls), GOOD)


def test_the_version_of_the_status_line_is_free() -> None:
    assert equal(GOOD, replace(GOOD, answers=(FIRST, replace(SECOND, version="HTTP/1.0"), LAST)))
