"""Browser sessions as rules have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from control.registry.browser_session import IDLE, LONGEST, BrowserSession, Method, told_of_session

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
SESSION = BrowserSession(
    id="s", user_id="u", method="password", provider_id=None, csrf="t0ken", address="192.0.2.1", agent="Firefox",
    created_at=BEGAN, last_used_at=BEGAN, expires_at=BEGAN + timedelta(days=7),
)  # fmt: skip


def test_each_way_of_signing_in_has_its_longest_age_and_idling_ends_most_sooner() -> None:
    assert set(LONGEST) == set(get_args(Method))
    assert timedelta(hours=8) >= LONGEST["oidc"]
    assert LONGEST["password"] > IDLE


def test_the_cookie_lives_as_long_as_the_session_may() -> None:
    assert SESSION.age == timedelta(days=7)


def test_what_is_told_of_a_session_lets_nobody_use_it() -> None:
    assert "csrf" not in told_of_session(SESSION)
    assert "t0ken" not in str(told_of_session(SESSION))
