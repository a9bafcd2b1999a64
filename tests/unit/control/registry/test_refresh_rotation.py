"""What becomes of a refresh token that is brought: by its number, and by when it was replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.registry.refresh_rotation import GRACE, REMEMBERED, Outcome, outcome, with_replaced

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=one) for one in seconds]


@pytest.mark.parametrize(
    ("brought", "living", "replaced", "expected"),
    [
        (1, 1, (), "rotate"),
        (2, 2, (5.0,), "rotate"),
        (1, 2, (5.0,), "repeat"),
        (1, 2, (30.0,), "repeat"),
        (1, 2, (30.1,), "reused"),
        (1, 3, (1.0, 5.0), "repeat"),
        (1, 3, (1.0, 31.0), "reused"),
        (2, 3, (1.0, 31.0), "repeat"),
        (3, 2, (1.0,), "unknown"),
        (0, 2, (1.0,), "unknown"),
        (-1, 2, (1.0,), "unknown"),
        (1, 2, (), "reused"),
    ],
)
def test_the_living_token_rotates_a_young_one_repeats_and_an_old_one_ends_the_family(
    brought: int, living: int, replaced: tuple[float, ...], expected: Outcome
) -> None:
    assert outcome(brought, living, ago(*replaced), NOW) == expected


def test_more_rotations_within_the_grace_than_are_remembered_sign_nobody_out() -> None:
    living = REMEMBERED + 20
    young = ago(*(number / 10 for number in range(REMEMBERED)))
    assert outcome(1, living, young, NOW) == "repeat"
    assert outcome(1, living, ago(*(number * 10 for number in range(REMEMBERED))), NOW) == "reused"


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 20)), max_size=40))
def test_whatever_comes_in_which_order_a_family_has_one_living_token_and_the_young_are_never_refused(
    steps: list[tuple[int, float]],
) -> None:
    living, replaced, now = 1, list[datetime](), NOW
    ended_at: dict[int, datetime] = {}
    for back, passed in steps:
        now += timedelta(seconds=passed)
        brought = max(1, living - back)
        found = outcome(brought, living, replaced, now)
        if brought == living:
            assert found == "rotate"
            ended_at[living], replaced = now, with_replaced(replaced, now)
            living += 1
        elif now - ended_at[brought] <= GRACE:
            assert found == "repeat"
        else:
            assert found == "reused"
            return
    assert len(replaced) <= REMEMBERED
