from typing import Any

import pytest

from control.registry.binding import NewState, origin_of, state_after, why_to_fill_again
from core.egress.addresses import AddressPolicy

POLICY = AddressPolicy()
ENTRY: dict[str, Any] = {"url": "https://a.example/mcp", "credential_model": "static", "fields": []}
FILLED: dict[str, Any] = {
    "secret_names": ["credential"],
    "bound_origin": "https://a.example",
    "plain_values": {},
    "state": "ready",
}


def test_nothing_changes_where_all_still_fits() -> None:
    assert state_after(ENTRY, {**ENTRY, "name": "other"}, FILLED, POLICY) is None


@pytest.mark.parametrize("url", ["https://b.example/mcp", "http://a.example/mcp", "https://a.example:8443/mcp"])
def test_a_secret_does_not_follow_to_another_host_scheme_or_port(url: str) -> None:
    change = state_after(ENTRY, {**ENTRY, "url": url}, FILLED, POLICY)
    assert change is not None
    assert change.state == "needs_sign_in"
    assert "another address" in change.reason


def test_another_path_is_only_discovered_again() -> None:
    change = state_after(ENTRY, {**ENTRY, "url": "https://a.example/v2"}, FILLED, POLICY)
    assert change is not None
    assert change.state == "new"


def test_an_installation_without_secrets_follows_its_entry_anywhere() -> None:
    entry = {**ENTRY, "credential_model": "none"}
    bare = {**FILLED, "secret_names": []}
    assert why_to_fill_again({**entry, "url": "https://b.example/"}, bare, POLICY) is None


def test_a_credential_that_is_asked_for_now_has_to_be_given() -> None:
    assert (
        why_to_fill_again(ENTRY, {**FILLED, "secret_names": []}, POLICY)
        == "Its entry asks for a credential; give it."
    )


@pytest.mark.parametrize(
    "field",
    [
        {"name": "a", "type": "string", "header": "x-a"},
        {"name": "a", "type": "secret", "header": "x-a"},
        {"name": "old", "type": "number", "header": "x-a"},
        {"name": "old", "type": "select", "header": "x-a", "options": ["eu"]},
        {"name": "old", "type": "secret", "header": "x-a"},
    ],
)
def test_answers_that_no_longer_fit_have_to_be_given_again(field: dict[str, Any]) -> None:
    installation = {**FILLED, "plain_values": {"old": "text"}}
    reason = why_to_fill_again({**ENTRY, "fields": [field]}, installation, POLICY)
    assert reason is not None
    assert f"values.{field['name']}" in reason


def test_answers_to_fields_that_are_gone_do_no_harm() -> None:
    assert why_to_fill_again(ENTRY, {**FILLED, "plain_values": {"old": "text"}}, POLICY) is None


def test_an_entry_that_moves_back_finds_its_installation_as_it_was() -> None:
    waiting = {**FILLED, "state": "needs_sign_in"}
    moved = {**ENTRY, "url": "https://b.example/mcp"}
    assert state_after(moved, ENTRY, waiting, POLICY) == NewState(
        "new", "The address of its server changed; discover its tools again."
    )


def test_one_that_fits_again_without_a_move_is_to_be_discovered() -> None:
    change = state_after(ENTRY, ENTRY, {**FILLED, "state": "needs_sign_in"}, POLICY)
    assert change is not None
    assert change.state == "new"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.test/x?y", "https://a.test"),
        ("https://a.test:443", "https://a.test"),
        ("http://a.test:443", "http://a.test:443"),
        ("http://a.test:80/", "http://a.test"),
        ("http://[::1]:8080/mcp", "http://[::1]:8080"),
    ],
)
def test_origins_are_compared_in_one_form(url: str, origin: str) -> None:
    assert origin_of(url) == origin
