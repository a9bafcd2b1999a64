"""The form of an OAuth client becomes what the API takes, and a client becomes its form."""

from __future__ import annotations

from typing import Any

import pytest

from control.admin.oauth_client_models import NewOAuthClient, OAuthClientChange
from control.console.client_form import form_of_client, made_of, new_client_form
from control.console.forms import typed
from control.http.problems import Problem
from control.registry.oauth_client import OAuthClient
from tests.fakes.registry import MADE_AT


def a_client(**changes: Any) -> OAuthClient:
    usual: dict[str, Any] = {
        "id": "c1", "client_id": "c1", "kind": "registered", "name": "Chat", "created_at": MADE_AT,
        "updated_at": MADE_AT, "last_used_at": None, "disabled_at": None, "version": 3,
    }  # fmt: skip
    return OAuthClient(**{**usual, **changes})


def test_a_form_in_which_nothing_was_typed_lacks_a_name_alone() -> None:
    form = new_client_form()
    with pytest.raises(Problem) as refusal:
        form.read(NewOAuthClient, **made_of(form))
    assert {one.field for one in refusal.value.errors} == {"name"}


def test_redirects_are_lines_and_a_box_that_is_not_ticked_says_no() -> None:
    made = made_of(typed({"redirect_uris": " https://a.example/cb \r\n\r\nhttp://localhost/cb"}))
    assert made["redirect_uris"] == ["https://a.example/cb", "http://localhost/cb"]
    assert (made["refreshes"], made["team_id"], made["jwks"]) == (False, None, {})


@pytest.mark.parametrize("text", ["{", "[1]", '"keys"', "[" * 100_000, '{"keys": "' + "x" * 40_000 + '"}'])
def test_what_are_no_keys_is_told_at_their_field(text: str) -> None:
    with pytest.raises(Problem) as refusal:
        made_of(typed({"jwks": text}))
    assert [one.field for one in refusal.value.errors] == ["jwks"]


def test_the_form_of_a_client_makes_the_same_client_again() -> None:
    client = a_client(
        redirect_uris=("https://a.example/cb", "cursor://cb"), auth_method="private_key_jwt", jwks={"keys": [{}]}
    )
    form = form_of_client(client)
    wanted = form.read(OAuthClientChange, **made_of(form)).changes()
    assert {name: getattr(client, name) for name in wanted} == wanted | {"redirect_uris": client.redirect_uris}
    assert form.version == 3
