"""Whose a new token is and when it ends, as its form says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.console.forms import Form
from control.console.pages.tokens import ends, owner_of


@pytest.mark.parametrize(
    ("whose", "owner"),
    [
        ("mine", {"kind": "user"}),
        ("organisation", {"kind": "organisation"}),
        ("user:abc", {"kind": "user", "user_id": "abc"}),
        ("team:abc", {"kind": "team", "team_id": "abc"}),
        ("", {"kind": "user"}),
        ("somebody", {"kind": "user"}),
    ],
)
def test_the_owner_is_told_as_the_api_takes_it(whose: str, owner: dict[str, str]) -> None:
    assert owner_of(Form({"whose": whose})) == owner


def test_a_number_of_days_is_a_moment() -> None:
    moment = ends("30")
    assert moment is not None
    assert abs(moment - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=5)


@pytest.mark.parametrize("days", ["never", "", "-1", "99999", "1e3", "²"])
def test_what_is_no_number_of_days_is_never(days: str) -> None:
    assert ends(days) is None
