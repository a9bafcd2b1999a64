from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.accounts.times import fresh_for, next_refresh, refusals_with, rest_after
from tests.fakes.registry import an_account, an_installation

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("life", "luck", "ahead"),
    [(3600, 0.0, 300), (3600, 1.0, 600), (600, 0.0, 120), (600, 0.5, 180), (0, 1.0, 0), (-60, 0.5, 0)],
)
def test_the_next_refresh_is_ahead_of_the_end(life: int, luck: float, ahead: int) -> None:
    ends = NOW + timedelta(seconds=life)
    assert next_refresh(ends, NOW, luck) == ends - timedelta(seconds=ahead)


@pytest.mark.parametrize(
    ("life", "luck", "ahead"), [(3600, 0.0, 720), (3600, 1.0, 900), (600, 0.5, 300), (0, 1.0, 0)]
)
def test_a_program_that_is_started_with_it_gets_the_next_one_earlier_but_not_before_half_of_its_life(
    life: int, luck: float, ahead: int
) -> None:
    ends = NOW + timedelta(seconds=life)
    assert next_refresh(ends, NOW, luck, timedelta(seconds=720)) == ends - timedelta(seconds=ahead)


def test_what_never_ends_is_never_refreshed_by_itself() -> None:
    assert next_refresh(None, NOW, 0.5) is None


@pytest.mark.parametrize(
    ("failing", "wanted", "least", "most"),
    [
        (None, 0, 3.75, 6.25),
        (timedelta(seconds=1), 0, 3.75, 6.25),
        (timedelta(seconds=60), 0, 45, 75),
        (timedelta(days=3), 0, 225, 375),
        (None, 120, 120, 132),
        (timedelta(days=3), 3600, 3600, 3960),
        (timedelta(seconds=-5), 0, 3.75, 6.25),
    ],
)
def test_a_provider_rests_for_as_long_as_it_has_failed_and_never_shorter_than_it_wants(
    failing: timedelta | None, wanted: float, least: float, most: float
) -> None:
    since = None if failing is None else NOW - failing
    rests = [rest_after(since, NOW, wanted, luck).total_seconds() for luck in (0.0, 0.5, 1.0)]
    assert rests == sorted(rests)
    assert rests[0] == pytest.approx(least)
    assert rests[2] == pytest.approx(most)


def test_each_renewal_that_helped_nothing_makes_the_next_wait_twice_as_long() -> None:
    waits = [fresh_for(an_account(refusals=number), an_installation()).total_seconds() for number in range(9)]
    assert waits == [30, 30, 60, 120, 240, 480, 900, 900, 900]
    assert fresh_for(an_account(refusals=10**9), an_installation()) == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("age", "changes", "counted"),
    [
        (300, {}, 5),
        (961, {}, 1),  # twice the last wait, which was 480 s
        (300, {"expires_at": NOW}, 4),
        (300, {"refresh_at": NOW}, 4),
        (300, {"refresh_at": NOW + timedelta(seconds=1)}, 5),
    ],
)
def test_refusals_are_counted_until_a_token_was_good_for_long(
    age: int, changes: dict[str, datetime], counted: int
) -> None:
    account = an_account(refusals=4, refreshed_at=NOW - timedelta(seconds=age), **changes)
    assert refusals_with(account, an_installation(), NOW) == counted


@pytest.mark.parametrize(
    ("state", "discovered", "works"),
    [("ready", 1, True), ("ready", -1, False), ("ready", None, False), ("credential_refused", 1, False)],
)
def test_a_token_works_that_a_discovery_since_then_was_answered_with(
    state: str, discovered: int | None, works: bool
) -> None:
    account = an_account(refusals=4, refreshed_at=NOW)
    found = None if discovered is None else NOW + timedelta(seconds=discovered)
    installation = an_installation(state=state, discovered_at=found)
    assert (fresh_for(account, installation) == timedelta(seconds=30)) is works
    assert refusals_with(account, installation, NOW) == (1 if works else 5)
