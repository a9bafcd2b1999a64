from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.registry.account import Account, place_of
from control.registry.credential import ClientCredentials, OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.self_hosted import SelfHosted
from control.registry.server_url import server_place
from control.servers.runtime import Refused
from control.servers.tokens_at_start import TokensAtStart, TokenWanted
from core.egress.addresses import ANYWHERE
from core.resolve import InstallationRefusal
from tests.fakes.registry import an_account, an_entry, an_installation

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = SelfHosted(command=("npx", "files@1.0.0"))
PERSON = an_entry(reached=RUN, credential=OAuthCredential(issuer="https://login.test", variable="TOKEN"))
CLIENT = an_entry(reached=RUN, credential=ClientCredentials(issuer="https://login.test", variable="TOKEN"))


class Renewing:
    """Answers as a test says, and remembers which accounts are used."""

    def __init__(self, answer: Account | InstallationRefusal) -> None:
        self.answer, self.used = answer, list[Account]()

    async def renewed(
        self, _: Entry, __: Installation, ___: Account | None, within: float = 0.0
    ) -> Account | InstallationRefusal:
        return self.answer

    def noticed(self, account: Account) -> None:
        self.used.append(account)


def held(entry: Entry = PERSON, **changes: Any) -> Account:
    place = place_of(entry, server_place(entry, {}, ANYWHERE))
    return an_account(**{"place": place, "client_id": "", "expires_at": NOW + timedelta(hours=1), **changes})


def installed(**changes: Any) -> Installation:
    return an_installation(plain_values={"client_id": ""}, **changes)


def asked(entry: Entry, account: Account | None, **installation: Any) -> Account | TokenWanted:
    return TokensAtStart(Renewing(held()), lambda: NOW).of(entry, installed(**installation), account)


def test_a_token_that_lives_is_the_one_and_its_account_counts_as_used() -> None:
    renewing, account = Renewing(held()), held()
    assert TokensAtStart(renewing, lambda: NOW).of(PERSON, installed(), account) is account
    assert renewing.used == [account]


@pytest.mark.parametrize("left_s", [-1, 5])
def test_one_that_has_ended_or_is_about_to_is_asked_for_again(left_s: int) -> None:
    ended = held(expires_at=NOW + timedelta(seconds=left_s))
    assert asked(PERSON, ended) == TokenWanted(PERSON, installed(), ended)


def test_a_client_gets_its_first_token_and_one_for_another_provider_by_itself() -> None:
    assert isinstance(asked(CLIENT, None), TokenWanted)
    assert isinstance(asked(CLIENT, held(place="elsewhere")), TokenWanted)


@pytest.mark.parametrize(
    ("entry", "account", "state", "said"),
    [
        (PERSON, None, "ready", "Nobody has signed in"),
        (PERSON, held(place="elsewhere"), "ready", "another address"),
        (PERSON, held(refused_at=NOW, fault="invalid_grant"), "needs_sign_in", "invalid_grant"),
        (CLIENT, held(CLIENT, refused_at=NOW, fault="invalid_client"), "needs_sign_in", "invalid_client"),
    ],
    ids=["nobody", "elsewhere", "signed out", "a client that is not taken"],
)
def test_without_an_account_that_its_provider_knows_nothing_goes_on(
    entry: Entry, account: Account | None, state: str, said: str
) -> None:
    with pytest.raises(Refused, match=said) as refused:
        asked(entry, account, state=state)
    assert (refused.value.cause, refused.value.ends) == ("not_signed_in", True)


async def test_a_token_that_was_got_is_read_from_the_row() -> None:
    await TokensAtStart(Renewing(held())).get(TokenWanted(PERSON, installed(), None))


@pytest.mark.parametrize(("code", "cause"), [("needs_sign_in", "not_signed_in"), ("provider_away", "no_token")])
async def test_a_provider_that_gives_none_ends_what_runs_with_the_one_before(code: Any, cause: str) -> None:
    refusing = Renewing(InstallationRefusal(code, "It gives none."))
    with pytest.raises(Refused, match="It gives none") as refused:
        await TokensAtStart(refusing).get(TokenWanted(PERSON, installed(), replace(held(), version=3)))
    assert (refused.value.cause, refused.value.ends) == (cause, True)
