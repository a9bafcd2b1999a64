"""Links that sign a person in, as rules have them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.sign_in_link import AGES, Purpose, SignInLink, refuse_purpose, told_of_link

AT = datetime(2030, 1, 1, tzinfo=UTC)
LINK = SignInLink(
    id="l", digest="d1gest", user_id="u", purpose="reset", created_by=None, created_at=AT, expires_at=AT,
    used_at=None, expired=False,
)  # fmt: skip
ANN = Caller("ann", "Ann", "admin")


def test_each_purpose_has_an_age() -> None:
    assert set(AGES) == set(get_args(Purpose))


@pytest.mark.parametrize(
    ("link", "state"),
    [(LINK, "open"), (replace(LINK, expired=True), "expired"), (replace(LINK, used_at=AT, expired=True), "used")],
)
def test_a_link_is_open_until_it_is_used_or_too_old(link: SignInLink, state: str) -> None:
    assert link.state == state


def test_nobody_is_told_the_digest() -> None:
    assert "d1gest" not in str(told_of_link(LINK))


def test_a_way_in_without_a_password_is_for_oneself_and_not_by_a_token_for_programs() -> None:
    refuse_purpose("sign_in", "ann", ANN)
    refuse_purpose("reset", "bea", ANN)
    for user_id, maker in (("bea", ANN), ("ann", replace(ANN, token_id="t"))):
        with pytest.raises(BrokenRule, match="oneself"):
            refuse_purpose("sign_in", user_id, maker)
