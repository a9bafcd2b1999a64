from __future__ import annotations

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
    assert "--scope team --team t1 --credential`" in to_connect(ENTRY, Principal("team", "t1", "Ops"))


def test_a_credential_is_given_again_to_the_installation_that_lacks_it() -> None:
    assert to_give_again(ENTRY, an_installation()).startswith("Run `archway installations update i1 --credential`")


def test_secret_answers_are_given_again_where_the_entry_takes_no_credential() -> None:
    entry = an_entry(fields=(Field("pin", "secret", "x-pin"), Field("key", "secret", "x-key")))
    told = to_give_again(entry, an_installation(secret_names=("pin",)))
    assert told.startswith("Run `archway installations update i1 --secret pin`")


def test_nobody_is_sent_to_a_page_that_is_not_there() -> None:
    assert install_link(ENTRY) == ""
