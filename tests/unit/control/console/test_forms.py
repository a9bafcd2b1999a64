"""Forms: what was typed becomes what the API takes, and what it refuses comes back to its field."""

from __future__ import annotations

import pytest

from control.admin.team_models import NewTeam, TeamChange
from control.admin.user_models import NewUser
from control.changes.refusals import NotAllowed, NotNow, NotThere, Stale
from control.console.forms import Form, typed
from control.http.problems import Problem, forbidden
from control.registry.broken_rule import BrokenRule
from control.store.pool import StoreConflict


def refused(form: Form, refusal: Exception) -> Form:
    return form.refused(refusal)


def test_a_form_becomes_the_model_that_the_api_takes() -> None:
    form = typed({"name": " Support ", "description": "one\r\ntwo", "more": "x"})
    assert form.read(NewTeam) == NewTeam(name="Support", description="one\ntwo")


def test_a_path_of_the_api_may_have_another_name_in_the_form() -> None:
    form = typed({"static-header": "x y"})
    again = form.refused(
        BrokenRule("placement.header", "is no name"), {"placement.header": "static-header"}.__getitem__
    )
    assert (again.error("static-header"), again.problem) == ("is no name", "")


def test_a_change_names_the_fields_of_the_form() -> None:
    assert typed({"name": "Red"}).read(TeamChange).changes() == {"name": "Red"}


def test_what_the_page_makes_itself_goes_before_what_was_typed() -> None:
    form = typed({"name": "Ann", "email": "ann@example.com", "role": "admin"})
    assert form.read(NewUser, role="member").role == "member"


def test_a_refused_value_comes_back_at_its_field_with_what_was_typed() -> None:
    form = typed({"name": "Ann", "email": "nobody", "role": "member"})
    with pytest.raises(Problem) as refusal:
        form.read(NewUser)
    again = form.refused(refusal.value)
    assert again.error("email") == "must be an address such as ann@example.com"
    assert (again.value("email"), again.value("name"), again.problem, again.status) == ("nobody", "Ann", "", 422)


def test_a_clash_with_another_row_comes_back_at_its_field() -> None:
    again = refused(typed({"name": "Red"}), StoreConflict("teams_name"))
    assert again.error("name") == "is another team's; choose another"
    assert again.status == 409


def test_what_is_wrong_with_no_field_of_the_form_stands_above_it() -> None:
    again = refused(typed({"name": "x"}), BrokenRule("expires_at", "must be within 366 days"))
    assert again.problem == "expires_at must be within 366 days."


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(NotAllowed("You lack it."), 403), (NotNow("You lack it."), 409), (forbidden("You lack it."), 403)],
)
def test_a_refusal_without_a_field_is_said_above_the_form(refusal: Exception, status: int) -> None:
    again = refused(typed({"name": "x"}), refusal)
    assert (again.problem, again.status) == ("You lack it.", status)


def test_somebody_elses_change_is_told() -> None:
    assert refused(typed({"name": "x"}), Stale()).status == 412


@pytest.mark.parametrize("refusal", [NotThere("team"), ValueError("a bug")])
def test_what_is_no_matter_of_a_form_goes_on(refusal: Exception) -> None:
    with pytest.raises(type(refusal)):
        refused(typed({}), refusal)


@pytest.mark.parametrize(("text", "version"), [("3", 3), ("", None), ("x", None), ("-1", None), ("9" * 20, None)])
def test_a_form_that_does_not_say_its_version_is_of_any(text: str, version: int | None) -> None:
    assert Form({"version": text}).version == version


def test_one_of_several_values_comes_back_at_their_field_with_its_place() -> None:
    form = typed({"redirect_uris": "https://a.example/cb\nhttp://b.example/cb"})
    again = refused(form, BrokenRule("redirect_uris[1]", "has http"))
    assert again.error("redirect_uris") == "(number 2) has http"
    assert again.problem == ""


def test_one_of_several_values_that_have_no_field_stands_above() -> None:
    assert refused(typed({"name": "x"}), BrokenRule("labels[0]", "is odd")).problem == "labels[0] is odd."


def test_fields_of_several_values_are_read_by_words_or_by_lines() -> None:
    form = typed({"domains": "a.test, b.test\r\nc.test", "urls": "one, two\r\n\r\n three "})
    assert form.words("domains") == ["a.test", "b.test", "c.test"]
    assert form.lines("urls") == ["one, two", "three"]


def test_a_box_is_ticked_or_not_there() -> None:
    form = typed({"yes": "true"})
    assert (form.flag("yes"), form.flag("no")) == (True, False)
