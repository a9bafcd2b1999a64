from __future__ import annotations

import pytest

from proxy.caches.meanwhile import UnderWay


def test_a_question_is_told_of_changes_while_it_is_under_way_and_not_before_or_after() -> None:
    under_way = UnderWay[str]()
    under_way.change(lambda key, _: key == "before")
    with under_way.question() as meanwhile:
        under_way.change(lambda key, _: key == "during")
    under_way.change(lambda key, _: key == "after")
    under_way.doubt()
    assert [meanwhile.changed(key, "value") for key in ("before", "during", "after")] == [False, True, False]
    assert not meanwhile.doubted


def test_all_questions_under_way_are_told_and_each_ends_by_itself() -> None:
    under_way = UnderWay[str]()
    with under_way.question() as outer:
        with under_way.question() as inner:
            under_way.change(lambda _, value: value == "x")
        under_way.doubt()
    assert outer.changed("k", "x")
    assert [inner.changed("k", value) for value in "xy"] == [True, False]
    assert (outer.doubted, inner.doubted) == (True, False)


def test_a_question_that_fails_is_told_no_more() -> None:
    under_way = UnderWay[str]()
    with pytest.raises(ValueError), under_way.question() as meanwhile:
        raise ValueError
    under_way.doubt()
    assert not meanwhile.doubted


@pytest.mark.parametrize(("number", "all_of_them"), [(511, False), (512, True), (600, True)])
def test_more_changes_than_are_remembered_concern_every_answer(number: int, all_of_them: bool) -> None:
    under_way = UnderWay[str]()
    with under_way.question() as meanwhile:
        for _ in range(number):
            under_way.change(lambda *_: False)
    assert meanwhile.changed("k", "value") == all_of_them
    assert len(meanwhile.changes) == min(number, 512)
