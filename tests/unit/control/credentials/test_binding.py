from dataclasses import replace

import pytest

from control.credentials.binding import NewState, state_after, why_to_fill_again
from control.registry.credential import NoCredential, StaticCredential
from control.registry.entry import Remote
from control.registry.fields import Field
from control.registry.self_hosted import SelfHosted
from core.egress.addresses import AddressPolicy
from tests.fakes.registry import BEARER, an_entry, an_installation

POLICY = AddressPolicy()
ENTRY = an_entry("https://a.example/mcp", credential=BEARER)
FILLED = an_installation(secret_names=("credential",), bound_url="https://a.example/mcp")


def test_nothing_changes_where_all_still_fits() -> None:
    assert state_after(ENTRY, replace(ENTRY, name="other"), FILLED, POLICY) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://b.example/mcp",
        "http://a.example/mcp",
        "https://a.example:8443/mcp",
        "https://a.example/b",
        "https://a.example/mcp?of=b",
    ],
)
def test_a_secret_does_not_follow_to_another_host_scheme_port_path_or_query(url: str) -> None:
    change = state_after(ENTRY, replace(ENTRY, reached=Remote(url)), FILLED, POLICY)
    assert change is not None
    assert change.state == "needs_sign_in"
    assert "another address" in change.reason


def test_an_installation_without_secrets_follows_its_entry_anywhere() -> None:
    bare = replace(FILLED, secret_names=())
    assert why_to_fill_again(an_entry("https://b.example/"), bare, POLICY) is None


def test_a_credential_that_is_asked_for_now_has_to_be_given() -> None:
    assert (
        why_to_fill_again(ENTRY, replace(FILLED, secret_names=()), POLICY)
        == "Its entry asks for a credential; give it."
    )


@pytest.mark.parametrize(
    "field",
    [
        Field("a", "string", "x-a"),
        Field("a", "secret", "x-a"),
        Field("old", "number", "x-a"),
        Field("old", "select", "x-a", options=("eu",)),
        Field("old", "secret", "x-a"),
    ],
)
def test_answers_that_no_longer_fit_have_to_be_given_again(field: Field) -> None:
    installation = replace(FILLED, plain_values={"old": "text"})
    reason = why_to_fill_again(replace(ENTRY, fields=(field,)), installation, POLICY)
    assert reason is not None
    assert f"values.{field.name}" in reason


def test_answers_to_fields_that_are_gone_do_no_harm() -> None:
    assert why_to_fill_again(ENTRY, replace(FILLED, plain_values={"old": "text"}), POLICY) is None


def test_an_entry_that_moves_back_finds_its_installation_as_it_was() -> None:
    waiting = replace(FILLED, state="needs_sign_in")
    moved = replace(ENTRY, reached=Remote("https://b.example/mcp"))
    assert state_after(moved, ENTRY, waiting, POLICY) == NewState(
        "new", "The address of its server changed; discover its tools again."
    )


def test_one_that_fits_again_without_a_move_is_to_be_discovered() -> None:
    change = state_after(ENTRY, ENTRY, replace(FILLED, state="needs_sign_in"), POLICY)
    assert change is not None
    assert change.state == "new"


def test_a_credential_does_not_follow_to_another_header_or_style() -> None:
    moved = replace(ENTRY, credential=StaticCredential("header", "x-key"))
    assert state_after(ENTRY, moved, FILLED, POLICY) == NewState(
        "needs_sign_in",
        "It has secrets that were given to be sent in another way (credential: 'authorization: Bearer', now "
        "'x-key'); give them again.",
    )


def test_a_secret_answer_does_not_follow_to_another_header() -> None:
    entry = replace(ENTRY, fields=(Field("pin", "secret", "x-pin"),))
    filled = replace(FILLED, secret_names=("credential", "pin"), bound_places={**FILLED.bound_places, "pin": "x-pin"})
    assert state_after(entry, entry, filled, POLICY) is None
    change = state_after(entry, replace(entry, fields=(Field("pin", "secret", "x-log"),)), filled, POLICY)
    assert change is not None
    assert change.reason.startswith(
        "It has secrets that were given to be sent in another way (pin: 'x-pin', now 'x-log')"
    )


def test_an_answer_that_the_address_needs_has_to_be_given() -> None:
    entry = replace(ENTRY, reached=Remote("https://a.example/{site}"), fields=(Field("site", "string"),))
    change = state_after(ENTRY, entry, FILLED, POLICY)
    assert change is not None
    assert change.state == "needs_sign_in"
    assert "values.site: is needed" in change.reason
    moved = state_after(ENTRY, entry, replace(FILLED, plain_values={"site": "blue"}), POLICY)
    assert moved is not None
    assert moved.reason.startswith("It has secrets that were given for another address of this server")


def test_an_entry_that_gets_a_place_to_fill_keeps_its_secrets_where_the_answer_is_what_stood_there() -> None:
    entry = replace(
        ENTRY, reached=Remote("https://a.example/{site}"), fields=(Field("site", "string", default="mcp"),)
    )
    assert state_after(ENTRY, entry, FILLED, POLICY) == NewState(
        "new", "The address of its server changed; discover its tools again."
    )


def test_of_a_server_that_archway_runs_it_is_told_that_what_runs_changed() -> None:
    entry = replace(ENTRY, reached=SelfHosted(command=("x",)), fields=(), credential=NoCredential())
    other = replace(entry, reached=SelfHosted(command=("x",), override="spec: {}"))
    bare = replace(FILLED, secret_names=(), plain_values={})
    assert state_after(entry, other, bare, POLICY) == NewState(
        "new", "What Archway runs for it changed; discover its tools again."
    )
