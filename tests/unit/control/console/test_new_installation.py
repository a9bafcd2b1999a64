"""What a form wants of a new installation, as the change takes it."""

from __future__ import annotations

import pytest

from control.console.forms import Form
from control.console.new_installation import read_new
from control.http.problems import Problem
from control.registry.fields import Field
from core.identifiers import new_id
from tests.fakes.registry import BEARER, an_entry

ENTRY = an_entry(
    id=new_id(), credential=BEARER, fields=(Field("account", "string", "x-account"), Field("region", "string", "x-r"))
)
TEAM = "01900000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("whose", "scope", "team_id"),
    [("personal", "personal", None), (f"team:{TEAM}", "team", TEAM), ("organisation", "organisation", None)],
)
def test_it_says_for_whom_and_with_which_answers(whose: str, scope: str, team_id: str | None) -> None:
    given = {"whose": whose, "name": "", "credential": "k", "values.account": "12", "values.region": ""}
    wanted = read_new(ENTRY, Form(given))
    assert (wanted.entry_id, wanted.scope, wanted.team_id) == (ENTRY.id, scope, team_id)
    assert (wanted.values, wanted.credential, wanted.name) == ({"account": "12"}, "k", None)
    assert (wanted.protocol, wanted.default) == ("auto", False)


def test_an_owner_of_no_kind_that_there_is_is_refused() -> None:
    with pytest.raises(Problem):
        read_new(ENTRY, Form({"whose": "everybody"}))
