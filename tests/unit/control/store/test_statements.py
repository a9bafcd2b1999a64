"""Statements made from one list of columns."""

from __future__ import annotations

from control.store.statements import Place, behind, in_order, insert_into, listed, place_of, update_of


def test_columns_are_listed_of_the_table_that_is_named() -> None:
    assert (listed(("a", "b")), listed(("a", "b"), "t")) == ("a, b", "t.a, t.b")


def test_an_insert_has_a_place_for_the_identifier_and_each_column() -> None:
    assert insert_into("teams", ("name", "description")) == (
        "insert into teams (id, name, description) values ($1, $2, $3)"
    )


def test_an_update_sets_each_column_and_raises_the_version() -> None:
    assert update_of("teams", ("name", "description")) == (
        "update teams set name = $2, description = $3, version = version + 1, updated_at = now() where id = $1"
    )


def test_an_update_of_a_table_that_keeps_no_date_sets_none() -> None:
    assert update_of("tokens", ("name",), dated=False) == (
        "update tokens set name = $2, version = version + 1 where id = $1"
    )


def test_a_list_goes_on_behind_a_name_and_an_identifier_in_the_order_in_which_it_is() -> None:
    assert in_order("t.name", "t.id") == 'order by lower(t.name) collate "C", t.id'
    assert behind(2, "t.name", "t.id") == (
        '($2::text is null or (lower(t.name) collate "C", t.id) > (lower($2::text) collate "C", $3::uuid))'
    )
    assert place_of(Place("Red", "1")) == ("Red", "1")
    assert place_of(None) == (None, None)
