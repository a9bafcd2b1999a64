"""What every resource does with rows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from control.admin.resource import one_or_404, shown, whose
from control.http.models import Item, Name
from control.http.problems import Problem
from control.registry.access import Caller

ADA, ROOT = Caller("ada", "Ada", "member"), Caller("root", "Root", "admin")


class Team(Item):
    """A team."""

    name: Name
    size: int


@dataclass
class TeamRow:
    id: str
    name: str
    secret: str = "s"


def test_a_row_is_shown_by_the_names_of_the_models_fields_and_nothing_else_of_it() -> None:
    team = shown(Team, {"id": "1", "name": "Red", "size": 2, "secret": "s"})
    assert team.model_dump() == {"id": "1", "name": "Red", "size": 2}


def test_an_object_is_shown_by_its_attributes() -> None:
    assert shown(Team, TeamRow("1", "Red"), size=3).model_dump() == {"id": "1", "name": "Red", "size": 3}


def test_a_field_that_is_made_here_wins_over_a_column() -> None:
    assert shown(Team, {"id": "1", "name": "Red", "size": 2}, size=9).size == 9


def test_a_missing_column_is_a_bug_and_not_an_empty_field() -> None:
    with pytest.raises(KeyError):
        shown(Team, {"id": "1", "name": "Red"})


def test_what_an_earlier_version_stored_is_shown_whatever_the_rules_of_today() -> None:
    assert shown(Team, {"id": "1", "name": " with spaces ", "size": 0}).name == " with spaces "


def test_a_row_that_is_not_there_is_404() -> None:
    assert one_or_404("row", "team") == "row"
    with pytest.raises(Problem, match="no such team") as refused:
        one_or_404(None, "team")
    assert refused.value.status == 404


@pytest.mark.parametrize("user_id", [None, "ada"])
def test_who_may_not_read_all_rows_is_shown_their_own_whether_they_ask_for_them_or_not(user_id: str | None) -> None:
    assert whose(ADA, "session:read", user_id) == "ada"


def test_rows_of_somebody_else_are_404_to_who_may_not_read_all() -> None:
    with pytest.raises(Problem, match="no such user") as refused:
        whose(ADA, "session:read", "root")
    assert refused.value.status == 404


@pytest.mark.parametrize("user_id", [None, "ada"])
def test_who_may_read_all_rows_is_shown_those_that_they_ask_for(user_id: str | None) -> None:
    assert whose(ROOT, "session:read", user_id) == user_id
