"""What an installation lacks is judged once, and each reason has its words."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from control.credentials.lacks import WORDS, Lack, Lacking, fits, of_account, of_answers, of_secrets, of_state
from control.credentials.places import account_place, places_of
from control.registry.account import Account
from control.registry.credential import ClientCredentials, OAuthCredential
from control.registry.fields import Field
from tests.fakes.registry import BEARER, MADE_AT, an_account, an_entry, an_installation

KEYED = an_entry("https://crm.test/mcp", credential=BEARER)
HOLDS = an_installation(
    secret_names=("credential",), bound_url="https://crm.test/mcp", bound_places=places_of(KEYED)
)  # fmt: skip
SIGNED_IN = an_entry(credential=OAuthCredential())
PLACED = an_entry("https://{region}.crm.test/mcp", credential=OAuthCredential(), fields=(Field("region", "string"),))


def account(**changes: Any) -> Account:
    return an_account(**{"place": account_place(SIGNED_IN, an_installation()), **changes})


@pytest.mark.parametrize("lack", get_args(Lack))
def test_each_reason_has_words_for_callers_and_for_whoever_looks_after_it(lack: Lack) -> None:
    assert not WORDS[lack].because.endswith(".")
    assert WORDS[lack].cause.endswith(".")


def test_where_all_fits_nothing_is_lacking() -> None:
    assert of_answers(KEYED, HOLDS) is of_state(HOLDS) is of_secrets(KEYED, HOLDS.secret_names) is None
    assert of_account(SIGNED_IN, an_installation(), account()) is None
    assert of_account(KEYED, HOLDS, None) is None


def test_answers_that_make_no_address_are_named() -> None:
    found = of_answers(PLACED, an_installation())
    assert found is not None
    assert (found.lack, found.answer) == ("address", "region")
    assert "region" in found.details


def test_secrets_that_were_given_for_another_server_are_named_and_said_more_exactly() -> None:
    found = of_answers(an_entry("https://b.test/mcp", credential=BEARER), HOLDS)
    assert found is not None
    assert (found.lack, found.secrets) == ("secrets_elsewhere", ("credential",))
    assert found.because == "has secrets that were given for another address of this server"
    assert "https://b.test/mcp" in found.details


def test_what_was_found_before_and_what_is_missing_is_told_apart() -> None:
    assert of_state(an_installation(state="needs_sign_in")) == Lacking("given_again")
    assert of_secrets(KEYED, ()) == Lacking("credential")


@pytest.mark.parametrize(
    ("held", "lacking"),
    [
        (None, Lacking("account")),
        (account(place="elsewhere"), Lacking("account_elsewhere")),
        (account(refused_at=MADE_AT, fault="It says no."), Lacking("signed_out", details="It says no.")),
        (account(place="elsewhere", refused_at=MADE_AT), Lacking("account_elsewhere")),
    ],
)
def test_an_account_is_missing_of_another_place_or_signed_out(held: Account | None, lacking: Lacking) -> None:
    assert of_account(SIGNED_IN, an_installation(), held) == lacking


def test_without_an_address_no_account_fits() -> None:
    assert not fits(PLACED, an_installation(), account())


@pytest.mark.parametrize(("client_id", "fit"), [("mine", True), ("another", False)])
def test_a_clients_account_is_of_that_client(client_id: str, fit: bool) -> None:
    entry = an_entry(credential=ClientCredentials(issuer="https://login.test"))
    installation = an_installation(plain_values={"client_id": client_id})
    held = an_account(place=account_place(entry, installation), client_id="mine")
    assert fits(entry, installation, held) is fit
