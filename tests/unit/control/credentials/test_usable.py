from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from control.credentials import dispatch
from control.credentials.for_caller import ForCaller
from control.credentials.statement import CallerStatements, Facts
from control.credentials.usable import Usable
from control.registry.account import Account, AccountTokens, place_of
from control.registry.caller_statement import CallerStatement
from control.registry.credential import ClientCredentials, OAuthCredential, Passthrough, TokenExchange
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from core.caller_statements import StatementSigner
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationRefusal, ResolvedInstallation
from tests.fakes.registry import an_account, an_entry, an_installation
from tests.unit.control.credentials.test_given import BY_PROVIDER, BY_TOKEN, Exchanging

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SEALS = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))
ENTRY = an_entry(credential=OAuthCredential())
CLIENT = an_entry(credential=ClientCredentials(issuer="https://login.test"))


def held(entry: Entry = ENTRY, token: str = "one", **changes: Any) -> Account:
    """An account of the entry whose token lives for an hour."""
    usual = {"place": place_of(entry, entry.reached.url), "expires_at": NOW + timedelta(hours=1)}
    account = an_account(**{**usual, **changes})
    return replace(account, tokens=SEALS.account_tokens("i1", account, AccountTokens(token, "refresh")))


class Renewing:
    """Gives the next token, and remembers what it was asked about."""

    def __init__(self, answer: Account | InstallationRefusal | None = None) -> None:
        self.asked: list[Account | None] = []
        self.used: list[Account] = []
        self.waits: list[float] = []
        self.answer = answer or held(token="two", version=2)

    async def renewed(
        self, _: Entry, __: Installation, account: Account | None, within: float = 0.0
    ) -> Account | InstallationRefusal:
        self.asked.append(account)
        self.waits.append(within)
        return self.answer

    def noticed(self, account: Account) -> None:
        self.used.append(account)


async def resolved(
    account: Account | None,
    renewing: Renewing | None = None,
    entry: Entry = ENTRY,
    refused_version: int = 0,
    **installation: Any,
) -> ResolvedInstallation | InstallationRefusal:
    usable = Usable(SEALS, renewing or Renewing(), lambda: NOW)
    return await usable.resolved(entry, an_installation(**installation), account, refused_version)


async def test_a_token_that_lives_is_used_without_asking_anybody() -> None:
    renewing = Renewing()
    found = await resolved(held(account_name="octocat"), renewing)
    assert isinstance(found, ResolvedInstallation)
    assert found.credential_headers == [("authorization", "Bearer one")]
    assert (found.account, found.installation, found.version) == ("octocat", "Ours", 2)
    assert [one.account_name for one in renewing.used] == ["octocat"], "the background is told that it is used"
    assert found.expires_at == (NOW + timedelta(hours=1)).timestamp()
    assert renewing.asked == []
    assert len(renewing.used) == 1


async def test_a_token_that_ends_is_renewed_first() -> None:
    found = await resolved(held(expires_at=NOW))
    assert isinstance(found, ResolvedInstallation)
    assert found.credential_headers == [("authorization", "Bearer two")]


async def test_the_next_token_is_waited_for_as_long_as_whoever_asks_does() -> None:
    renewing = Renewing()
    await Usable(SEALS, renewing, lambda: NOW).resolved(ENTRY, an_installation(), held(expires_at=NOW), within=7.5)
    assert renewing.waits == [7.5]


async def test_a_token_that_the_server_refused_is_renewed_and_a_newer_one_is_not() -> None:
    renewing = Renewing()
    await resolved(held(), renewing, refused_version=2)
    assert len(renewing.asked) == 1
    await resolved(held(version=2), renewing, refused_version=2)
    assert len(renewing.asked) == 1


async def test_why_there_is_no_next_token_is_told() -> None:
    away = InstallationRefusal("provider_away", "Still connected.")
    assert await resolved(held(expires_at=NOW), Renewing(away)) == away


async def test_nobody_is_asked_where_a_person_must_sign_in() -> None:
    renewing = Renewing()
    for account, why in (
        (None, "is not signed in at its provider yet"),
        (held(place="elsewhere"), "was signed in for another address or provider of this server"),
        (held(refused_at=NOW), "was signed out by its provider"),
    ):
        found = await resolved(account, renewing)
        assert isinstance(found, InstallationRefusal)
        assert found.code == "needs_sign_in"
        assert why in found.sentence
    assert renewing.asked == []


async def test_the_second_caller_is_told_the_same_as_the_first_whose_renewal_marked_the_installation() -> None:
    found = await resolved(held(refused_at=NOW), state="needs_sign_in")
    assert isinstance(found, InstallationRefusal)
    assert "was signed out by its provider" in found.sentence
    without = await resolved(held(), state="needs_sign_in")
    assert isinstance(without, InstallationRefusal)
    assert "must be given its credential again" in without.sentence


async def test_a_client_without_a_token_gets_one() -> None:
    renewing = Renewing(held(CLIENT, "client"))
    usable = Usable(SEALS, renewing, lambda: NOW)
    secrets = SEALS.secret_values("i1", {"credential": "s3cret"})
    installation = an_installation(
        secret_values=secrets, secret_names=("credential",), bound_places=dispatch.places(CLIENT.credential)
    )
    found = await usable.resolved(CLIENT, installation, None)
    assert isinstance(found, ResolvedInstallation)
    assert found.credential_headers == [("authorization", "Bearer client")]
    assert "s3cret" not in str(found.own_headers)


async def test_an_account_of_an_entry_of_another_kind_is_not_looked_at() -> None:
    found = await resolved(held(), entry=an_entry())
    assert isinstance(found, ResolvedInstallation)
    assert (found.credential_headers, found.version) == ([], 1)


async def test_tokens_that_cannot_be_opened_are_to_be_given_again() -> None:
    found = await resolved(replace(held(), tokens=b"x" * 40))
    assert isinstance(found, InstallationRefusal)
    assert "cannot be read any more" in found.sentence


async def test_a_token_of_the_callers_own_is_in_the_header_with_its_end_and_whose_it_is() -> None:
    exchanging = Exchanging(ForCaller("theirs", 1_900.0, 1_500.0))
    usable = Usable(SEALS, Renewing(), lambda: NOW, for_callers=exchanging)
    entry, installation = an_entry(credential=TokenExchange("p1"), version=3), an_installation()
    found = await usable.resolved(entry, installation, None, within=7.5, calling=BY_TOKEN)
    assert isinstance(found, ResolvedInstallation)
    assert found.credential_headers == [("authorization", "Bearer theirs")]
    assert (found.expires_at, found.version, found.caller_token) == (1_900.0, 3, False)
    assert (found.made_for, found.obtained_at) == ("user:ann", 1_500.0)
    await usable.resolved(entry, installation, None, found.version, calling=BY_TOKEN, newer_than=found.obtained_at)
    assert exchanging.asked == [(BY_TOKEN, 0.0, 7.5), (BY_TOKEN, 1_500.0, 0.0)]


async def test_a_token_that_is_passed_on_is_in_no_answer() -> None:
    usable = Usable(SEALS, Renewing(), lambda: NOW)
    found = await usable.resolved(
        an_entry(credential=Passthrough(("crm",))), an_installation(), None, calling=BY_PROVIDER
    )
    assert isinstance(found, ResolvedInstallation)
    assert (found.caller_token, found.credential_headers, found.expires_at) == (True, [], 2_000.0)


async def test_without_a_caller_nothing_of_anybody_is_given() -> None:
    exchanging = Exchanging(ForCaller("theirs", 1_900.0, 1_500.0))
    usable = Usable(SEALS, Renewing(), lambda: NOW, for_callers=exchanging)
    found = await usable.resolved(an_entry(credential=TokenExchange("p1")), an_installation(), None)
    assert isinstance(found, ResolvedInstallation)
    assert (found.credential_headers, exchanging.asked) == ([], [])


async def test_no_provider_is_asked_for_an_installation_that_lacks_something() -> None:
    exchanging = Exchanging(ForCaller("theirs", 1_900.0, 1_500.0))
    usable = Usable(SEALS, Renewing(), lambda: NOW, for_callers=exchanging)
    installation = an_installation(state="needs_sign_in")
    found = await usable.resolved(an_entry(credential=TokenExchange("p1")), installation, None, calling=BY_TOKEN)
    assert isinstance(found, InstallationRefusal)
    assert exchanging.asked == []


async def test_what_a_server_is_told_of_callers_is_put_in_and_no_server_may_repeat_a_statement() -> None:
    signer = StatementSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), "https://archway.test")
    usable = Usable(SEALS, Renewing(), lambda: NOW, statements=CallerStatements(signer))
    entry = an_entry(caller_statement=CallerStatement(request_id_header="x-request-id"))
    opened = await usable.opened(entry, an_installation(), None, facts=Facts("user:1"))
    assert not isinstance(opened, InstallationRefusal)
    found, secrets = opened
    assert found.own_headers["x-archway-caller"] in secrets.all
    assert (found.made_for, found.request_id_header) == ("user:1", "x-request-id")
    # Plain headers are no secrets: words such as a name may well stand in what a server says.
    plain = an_entry(caller_statement=CallerStatement(form="headers", headers={"name": "x-name"}))
    opened = await usable.opened(plain, an_installation(), None, facts=Facts("user:1", name="Anna"))
    assert not isinstance(opened, InstallationRefusal)
    assert opened[0].own_headers["x-name"] == "Anna"
    assert not opened[1].all
