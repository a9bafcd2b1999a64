from dataclasses import replace

import pytest

from control.credentials.calling import Calling
from control.credentials.for_caller import ForCaller
from control.credentials.given import Given, given_to
from control.registry.credential import Credential, IdentityAssertion, Passthrough, TokenExchange
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal, JwtProof, Principal, TokenProof
from tests.fakes.registry import an_entry, an_installation

BY_PROVIDER = Calling(
    Principal("user", "ann", "Ann"), "provider_token", JwtProof.of("a.b.c"), audience="crm", expires_at=2_000.0
)
BY_TOKEN = Calling(Principal("user", "ann", "Ann"), "user_token", TokenProof("d" * 64))
OF_A_TEAM = Calling(Principal("team", "ops", "Ops"), "team_token", TokenProof("d" * 64))
EXCHANGE, ASSERTION = TokenExchange("p1"), IdentityAssertion("p1", "https://as.test", "archway")


class Exchanging:
    """Gives one token to whoever asks, and remembers who did."""

    def __init__(self, answer: ForCaller | InstallationRefusal) -> None:
        self.answer, self.asked = answer, list[tuple[Calling, float, float]]()

    async def token(
        self, calling: Calling, _: Entry, __: Installation, *, newer_than: float = 0.0, within: float = 0.0
    ) -> ForCaller | InstallationRefusal:
        self.asked.append((calling, newer_than, within))
        return self.answer


async def given(
    credential: Credential, calling: Calling, exchanging: Exchanging | None = None, refused: float = 0.0
) -> Given | InstallationRefusal:
    return await given_to(calling, an_entry(credential=credential), an_installation(), exchanging, refused, 7.5)


@pytest.mark.parametrize("credential", [EXCHANGE, ASSERTION])
async def test_an_exchanged_token_has_its_end_when_it_was_obtained_and_whom_it_serves(credential: Credential) -> None:
    exchanging = Exchanging(ForCaller("theirs", 1_900.0, 1_500.5))
    found = await given(credential, BY_TOKEN, exchanging)
    assert found == Given("theirs", expires_at=1_900.0, obtained_at=1_500.5, made_for="user:ann")
    assert exchanging.asked == [(BY_TOKEN, 0.0, 7.5)]


async def test_what_came_of_the_callers_own_token_serves_that_token_alone() -> None:
    found = await given(EXCHANGE, BY_PROVIDER, Exchanging(ForCaller("theirs", 0.0, 1.0)))
    assert isinstance(found, Given)
    assert found.made_for == BY_PROVIDER.proof.digest


async def test_a_newer_one_than_the_refused_is_asked_for() -> None:
    exchanging = Exchanging(ForCaller("theirs", 0.0, 1_500.5))
    await given(EXCHANGE, BY_TOKEN, exchanging, 1_500.5)
    assert exchanging.asked == [(BY_TOKEN, 1_500.5, 7.5)]


async def test_why_there_is_none_is_told() -> None:
    never = InstallationRefusal("needs_sign_in", "Sign in first.")
    assert await given(EXCHANGE, BY_TOKEN, Exchanging(never)) == never
    nobody = await given(EXCHANGE, BY_TOKEN)
    assert isinstance(nobody, InstallationRefusal)


@pytest.mark.parametrize("credential", [EXCHANGE, ASSERTION, Passthrough(("crm",))])
async def test_the_tables_refusal_is_told_behind_the_servers_name_and_nobody_is_asked(credential: Credential) -> None:
    exchanging = Exchanging(ForCaller("theirs", 0.0, 1.0))
    found = await given(credential, OF_A_TEAM, exchanging)
    assert isinstance(found, InstallationRefusal)
    assert found.code == "not_allowed"
    assert found.sentence.startswith("GitHub acts as the person who calls") or "takes the identity" in found.sentence
    assert exchanging.asked == []


async def test_a_token_that_is_passed_on_stays_with_the_proxy_and_ends_when_it_does() -> None:
    assert await given(Passthrough(("erp", "crm")), BY_PROVIDER) == Given(
        own=True, expires_at=2_000.0, made_for=BY_PROVIDER.proof.digest
    )


@pytest.mark.parametrize("audience", ["", "CRM", "crm/", "crm2", "cr"])
async def test_a_token_for_another_audience_is_not_passed_on(audience: str) -> None:
    """Trust rows A-6 and P-1: only what an administrator named, to the letter."""
    found = await given(Passthrough(("erp", "crm")), replace(BY_PROVIDER, audience=audience))
    assert isinstance(found, InstallationRefusal)
    assert "'erp' or 'crm'" in found.sentence
    assert repr(audience) in found.sentence


async def test_a_token_of_archways_is_not_passed_on() -> None:
    found = await given(Passthrough(("crm",)), replace(BY_PROVIDER, kind="oauth"))
    assert isinstance(found, InstallationRefusal)
    assert "call with the provider's token" in found.sentence
