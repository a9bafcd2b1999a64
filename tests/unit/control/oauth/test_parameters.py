"""Parameters of requests: each once, none too long."""

from __future__ import annotations

import pytest

from control.oauth.errors import OAuthRefused
from control.oauth.parameters import LONGEST, Parameters

SENT = Parameters([("a", "1"), ("b", ""), ("resource", "x"), ("resource", "y"), ("resource", "")])


def test_a_parameter_is_read_by_its_name_and_a_missing_one_is_empty() -> None:
    assert (SENT.one("a"), SENT.one("b"), SENT.one("c")) == ("1", "", "")
    assert SENT.all("resource") == ["x", "y"]
    SENT.check()


@pytest.mark.parametrize("name", ["b", "c"])
def test_a_needed_one_that_is_missing_or_empty_is_named(name: str) -> None:
    with pytest.raises(OAuthRefused, match=name):
        SENT.required(name)


@pytest.mark.parametrize(
    "pairs",
    [[("a", "1"), ("a", "1")], [("a", "1"), ("a", "2")], [("a", "x" * (LONGEST + 1))], [("resource", "\0")]],
)
def test_what_comes_twice_or_is_out_of_bounds_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(OAuthRefused) as refused:
        Parameters(pairs).check()
    assert refused.value.code == "invalid_request"


def test_only_what_is_asked_about_is_checked() -> None:
    twice = Parameters([("a", "1"), ("a", "2"), ("b", "1")])
    twice.check(("b",))
    with pytest.raises(OAuthRefused):
        twice.check(("a",))
