from __future__ import annotations

import pytest

from control.credentials.cure import install_link, to_connect, to_give_again
from control.registry.fields import Field
from core.resolve import Principal
from tests.fakes.registry import BEARER, an_entry, an_installation

ENTRY = an_entry(slug="crm", credential=BEARER)
ANN = Principal("user", "u1", "Ann")


def test_a_person_connects_a_personal_installation() -> None:
    assert "`archway installations create --entry crm --scope personal --credential`" in to_connect(ENTRY, ANN)


def test_an_entry_that_takes_no_credential_is_connected_without_one() -> None:
    assert "--credential" not in to_connect(an_entry(), ANN)


def test_a_team_s_token_is_told_of_its_team() -> None:
    assert "--scope team --team Ops --credential`" in to_connect(ENTRY, Principal("team", "t1", "Ops"))


@pytest.mark.parametrize(
    ("name", "typed"), [("Field Sales", "'Field Sales'"), ("R&D", "'R&D'"), ("Käse", "'Käse'"), ("", "t1")]
)
def test_a_team_s_name_is_told_as_a_shell_takes_it(name: str, typed: str) -> None:
    assert f"--team {typed} --credential`" in to_connect(ENTRY, Principal("team", "t1", name))


def test_a_credential_is_given_again_to_the_installation_that_lacks_it() -> None:
    told = to_give_again(ENTRY, an_installation())
    assert told.startswith("Run `archway installations update github@organisation --credential`")


@pytest.mark.parametrize(
    ("owner", "typed"),
    [
        ("Support", "github@Support"),
        ("ann@example.com", "github@ann@example.com"),
        ("Field Ops", "'github@Field Ops'"),
    ],
)
def test_an_installation_is_named_by_its_address_and_never_by_its_identifier(owner: str, typed: str) -> None:
    told = to_give_again(ENTRY, an_installation(owner_name=owner))
    assert f"`archway installations update {typed} --credential`" in told


def test_secret_answers_are_given_again_where_the_entry_takes_no_credential() -> None:
    entry = an_entry(fields=(Field("pin", "secret", "x-pin"), Field("key", "secret", "x-key")))
    told = to_give_again(entry, an_installation(secret_names=("pin",)))
    assert told.startswith("Run `archway installations update github@organisation --secret pin`")


def test_nobody_is_sent_to_a_page_that_is_not_there() -> None:
    assert install_link(ENTRY) == ""
