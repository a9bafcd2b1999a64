"""What a form of the tool picker changes, and what it leaves as it is."""

from __future__ import annotations

from control.console.forms import Form
from control.console.picked_tools import carried, picked_in, refused_at
from control.registry.broken_rule import BrokenRule
from core.identifiers import new_id

TOOL, OTHER, ENTRY, FIRST, SECOND = (new_id() for _ in range(5))


def test_a_box_that_is_newly_ticked_is_assigned() -> None:
    assert picked_in(Form({f"tool:{TOOL}": "true"})).tools == (TOOL,)


def test_a_box_that_stays_ticked_changes_nothing() -> None:
    picked = picked_in(Form({f"tool:{TOOL}": "true", f"was:{TOOL}": FIRST}))
    assert not picked


def test_a_box_that_is_no_longer_ticked_takes_all_of_its_assignments() -> None:
    assert picked_in(Form({f"was:{TOOL}": f"{FIRST} {SECOND}"})).taken == (FIRST, SECOND)


def test_a_tool_that_the_page_did_not_show_is_left_alone() -> None:
    assert not picked_in(Form({"prefix": "true", f"pin:{ENTRY}": ""}))


def test_a_pin_counts_where_one_was_chosen() -> None:
    assert picked_in(Form({f"pin:{ENTRY}": FIRST, f"pin:{OTHER}": ""})).pins == {ENTRY: FIRST}


def test_the_buttons_name_an_entry() -> None:
    assert (picked_in(Form({"all": ENTRY})).every, picked_in(Form({"none": ENTRY})).none) == (ENTRY, ENTRY)


def test_what_is_no_identifier_is_left_out() -> None:
    form = Form({"tool:x": "true", "was:'": "y", f"was:{TOOL}": "z", "all": "*", "none": "*", "pin:e": FIRST})
    assert not picked_in(form)
    assert picked_in(form).pins == {}


def test_what_is_wrong_with_a_pin_is_told_at_its_entry_and_the_form_is_as_it_was_sent() -> None:
    form = Form({f"pin:{ENTRY}": FIRST})
    told = refused_at(form, BrokenRule("installation", "belongs to another person"), ENTRY)
    assert told.errors == {f"pin:{ENTRY}": "belongs to another person"}
    assert (told.given, told.status, told.problem) == (form.given, 422, "")


def test_what_is_wrong_with_anything_else_is_told_above() -> None:
    told = refused_at(Form(), BrokenRule("tools[0]", "is not a tool of github"), ENTRY)
    assert told.problem == "tools[0] is not a tool of github."


def test_what_the_page_does_not_show_is_carried_over() -> None:
    form = Form({f"tool:{TOOL}": "true", f"tool:{OTHER}": "true", f"was:{OTHER}": FIRST, "prefix": "true"})
    assert carried(form, {TOOL}) == {f"tool:{OTHER}": "true", f"was:{OTHER}": FIRST}
