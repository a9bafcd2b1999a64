"""Which rule the form of a provider's claims makes."""

from __future__ import annotations

import pytest

from control.console.forms import Form
from control.console.pages.provider_rules import rule_of
from control.http.problems import Problem
from core.identifiers import new_id


def test_a_team_makes_a_rule_of_teams() -> None:
    team = new_id()
    rule = rule_of(Form({"value": "eng", "gives": team, "role": "editor"}))
    assert rule == ("team_rules", {"value": "eng", "team_id": team, "role": "editor"})


def test_the_organisation_makes_a_rule_of_roles() -> None:
    rule = rule_of(Form({"value": "eng", "gives": "", "role": "editor"}))
    assert rule == ("role_rules", {"value": "eng", "role": "editor"})


def test_a_rule_without_a_value_is_none() -> None:
    with pytest.raises(Problem):
        rule_of(Form({"value": "", "gives": "", "role": "editor"}))
