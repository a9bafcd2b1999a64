"""The form of a gateway becomes what the API takes, and a gateway becomes its form."""

from __future__ import annotations

from typing import Any

import pytest

from control.admin.gateway_models import GatewayCreate, GatewayPatch
from control.console.forms import Form, typed
from control.console.gateway_form import form_of_gateway, gathered, made_of, new_gateway_form
from control.http.problems import Problem
from control.registry.partial import gateway_with
from core.identifiers import new_id
from tests.fakes.registry import a_gateway

TEAM, PROVIDER = new_id(), new_id()


def test_a_form_in_which_nothing_was_typed_lacks_a_name_and_a_short_one() -> None:
    form = new_gateway_form("organisation")
    with pytest.raises(Problem) as refusal:
        form.read(GatewayCreate, **made_of(form))
    assert {one.field for one in refusal.value.errors} == {"name", "slug"}


def test_boxes_of_teams_count_where_teams_see_it_and_nowhere_else() -> None:
    ticked = {f"team:{TEAM}": "true", "visibility": "teams"}
    assert made_of(gathered(Form(ticked)))["teams"] == [TEAM]
    assert made_of(gathered(Form(ticked | {"visibility": "organisation"})))["teams"] == []
    assert gathered(Form(ticked)).given == {"visibility": "teams", "teams": TEAM, "may_ask": "", "environments": ""}
    asked = gathered(Form({"ask:sampling": "true", "ask:roots": "true"}))
    assert made_of(asked)["may_ask"] == ["sampling", "roots"]


def test_lists_are_lines_and_labels_are_pairs() -> None:
    made = made_of(typed({"header_allowlist": "x-a\r\nx-b", "allowed_clients": "a, b", "labels": "a = b\nc="}))
    assert (made["header_allowlist"], made["allowed_clients"]) == (["x-a", "x-b"], ["a", "b"])
    assert made["labels"] == {"a": "b", "c": ""}


@pytest.mark.parametrize("text", ["stage", "=test"])
def test_a_label_without_a_name_or_a_value_is_told_with_its_place(text: str) -> None:
    with pytest.raises(Problem) as refusal:
        made_of(Form({"labels": f"a=b\n{text}"}))
    assert [one.field for one in refusal.value.errors] == ["labels[1]"]


def test_the_provider_stays_where_the_form_did_not_show_it() -> None:
    assert "identity_provider_id" not in made_of(Form({"name": "x"}))


def test_without_a_provider_there_is_no_audience() -> None:
    made = made_of(Form({"identity_provider_id": "", "identity_provider_audience": "left over"}))
    assert (made["identity_provider_id"], made["identity_provider_audience"]) == (None, "")
    assert made["takes_assertions"] is False


def test_a_provider_that_is_taken_away_takes_its_assertions_along() -> None:
    assert made_of(Form({"identity_provider_id": PROVIDER, "takes_assertions": "true"}))["takes_assertions"] is True
    assert made_of(Form({"identity_provider_id": "", "takes_assertions": "true"}))["takes_assertions"] is False


@pytest.mark.parametrize(
    "fields",
    [
        {"visibility": "teams", "teams": (TEAM,)},
        {"visibility": "personal", "owner_id": PROVIDER},
        {
            "labels": {"stage": "test"}, "header_allowlist": ("x-a",), "audit_required": True,
            "allowed_clients": ("a", "b"), "instructions": "Ask.", "identity_provider_id": PROVIDER,
            "identity_provider_audience": "https://a.example", "takes_assertions": True,
        },
    ],
)  # fmt: skip
def test_the_form_of_a_gateway_makes_the_same_gateway_again(fields: dict[str, Any]) -> None:
    gateway = a_gateway(**fields)
    form = form_of_gateway(gateway)
    wanted = gateway_with(gateway, form.read(GatewayPatch, **made_of(form)).changes())
    assert {name: getattr(wanted, name) for name in fields} == fields
    assert form.version == gateway.version
