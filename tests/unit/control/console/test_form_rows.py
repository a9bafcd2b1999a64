"""Rows of a form: read in their order, numbered again, and one more or less by a button."""

from __future__ import annotations

from control.console.form_rows import rows_of, with_buttons, with_rows
from control.console.forms import Form

BLANK = {"fields": {"name": "", "type": "string"}}
TWO = Form(
    {"fields[7].name": "b", "fields[7].type": "url", "fields[2].name": "a", "fields[2].type": "string", "slug": "x"}
)


def test_rows_are_in_the_order_of_their_numbers_whatever_those_are() -> None:
    assert rows_of(TWO, "fields") == [{"name": "a", "type": "string"}, {"name": "b", "type": "url"}]
    assert rows_of(TWO, "headers") == []


def test_rows_are_numbered_from_0_and_everything_else_stays() -> None:
    form = with_rows(TWO, "fields", [{"name": "c"}])
    assert form.given == {"fields[0].name": "c", "slug": "x"}


def test_a_button_adds_a_row_behind_the_others() -> None:
    form = with_buttons(Form({**TWO.given, "more": "fields"}), BLANK)
    assert form is not None
    assert [row["name"] for row in rows_of(form, "fields")] == ["a", "b", ""]


def test_a_button_takes_away_the_row_at_its_place() -> None:
    form = with_buttons(Form({**TWO.given, "drop": "fields[1]"}), BLANK)
    assert form is not None
    assert [row["name"] for row in rows_of(form, "fields")] == ["a"]


def test_any_other_button_is_none_of_theirs() -> None:
    assert with_buttons(TWO, BLANK) is None
    for sent in ({"more": "slug"}, {"drop": "fields[x]"}, {"drop": "slug[0]"}, {"drop": ""}):
        assert with_buttons(Form({**TWO.given, **sent}), BLANK) is None
