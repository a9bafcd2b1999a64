from __future__ import annotations

import pytest

from control.servers.orphans import TooManyOrphans, orphans

MANY = [str(number) for number in range(100)]


def test_what_runs_for_nobody_is_found() -> None:
    assert orphans(MANY, [*MANY[2:], "new"]) == {"0", "1"}


def test_nothing_is_found_where_all_that_runs_is_wanted() -> None:
    assert orphans(MANY, MANY) == frozenset()


@pytest.mark.parametrize("left", [0, 79])
def test_many_at_once_are_believed_to_be_a_mistake(left: int) -> None:
    with pytest.raises(TooManyOrphans, match=rf"^{100 - left} of 100 servers"):
        orphans(MANY, MANY[:left])


def test_a_fifth_of_all_may_go() -> None:
    assert len(orphans(MANY, MANY[20:])) == 20


def test_of_few_some_may_go() -> None:
    assert orphans(["a", "b", "c"], []) == {"a", "b", "c"}
