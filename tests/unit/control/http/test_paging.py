"""Pages and cursors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.http.paging import (
    LONGEST_CURSOR,
    NamedPageQuery,
    PageQuery,
    make_cursor,
    open_cursor,
    page_of,
    place_key,
)
from control.http.problems import Problem
from control.store.statements import Place
from core.identifiers import new_id


def page(rows: list[str], limit: int) -> tuple[list[str], str | None]:
    found = page_of(rows, PageQuery(limit=limit), str, str)
    return found.items, found.next


def test_one_row_more_than_asked_for_means_that_there_is_a_next_page() -> None:
    items, cursor = page(["a", "b", "c"], 2)
    assert items == ["a", "b"]
    assert cursor is not None
    assert open_cursor(cursor) == "b"


def test_the_last_page_has_no_next() -> None:
    assert page(["a", "b"], 2) == (["a", "b"], None)
    assert page([], 2) == ([], None)


def test_a_list_reads_one_row_more_than_it_shows() -> None:
    assert PageQuery(limit=2).fetch == 3


@given(st.text(max_size=50).filter(lambda text: text.isprintable()))
def test_a_cursor_gives_back_its_key(key: str) -> None:
    assert open_cursor(make_cursor(key)) == key


@given(st.text(max_size=50))
def test_any_text_is_a_cursor_of_ours_or_a_problem_that_names_it(text: str) -> None:
    found: str | Problem
    try:
        found = make_cursor(open_cursor(text))
    except Problem as problem:
        found = problem
    if isinstance(found, Problem):
        assert (found.status, found.errors[0].field) == (422, "cursor")
    else:
        assert found == text


def test_a_cursor_of_a_list_by_identifier_must_hold_one() -> None:
    known = new_id()
    assert PageQuery(cursor=make_cursor(known)).after == known
    assert PageQuery().after is None
    with pytest.raises(Problem, match="cursor"):
        _ = PageQuery(cursor=make_cursor("'; drop table users")).after


@given(st.text(max_size=128).filter(lambda text: "\0" not in text))
def test_a_cursor_of_a_list_by_name_gives_back_name_and_identifier(name: str) -> None:
    known = new_id()
    cursor = make_cursor(place_key(name, known))
    assert len(cursor) <= LONGEST_CURSOR
    assert NamedPageQuery(cursor=cursor).place == Place(name, known)


@pytest.mark.parametrize("key", ["", "a name", "{id}", "{id}name", "{id} a\0b", "name {id}"])
def test_what_holds_no_name_and_identifier_is_no_cursor_of_a_list_by_name(key: str) -> None:
    key = key.format(id=new_id())
    assert NamedPageQuery().place is None
    with pytest.raises(Problem, match="cursor"):
        _ = NamedPageQuery(cursor=make_cursor(key) or "x").place
