"""What is checked of a signed token before anybody is asked who bears it, and what is remembered of that."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import patch

import pytest

from core.identifiers import new_id
from core.key_sets import KeySet
from core.resolve import JwtProof
from core.snapshot import TokenIssuer
from proxy.caches.two_ages import SourceUnreachable
from proxy.callers.signed_tokens import SignedTokens
from proxy.gateways.compiled import CompiledGateway
from proxy.refusals import Refusal
from proxy.resolve.key_sets import IssuerUnknown
from tests.fakes.issuers import LIFE_S, FakeIssuer
from tests.fakes.proxy_parts import PUBLIC_URL, gateway

RESOURCE = f"{PUBLIC_URL}/v1/mcp/g"
ADDRESS = "192.0.2.1"


class Keys:
    """The sets of keys of a worker; each question to control is counted."""

    def __init__(self, *issuers: FakeIssuer) -> None:
        self.issuers = {issuer.name: issuer for issuer in issuers}
        self.held: dict[str, KeySet] = {}
        self.asked: list[str] = []
        self.newest: list[str] = []
        self.away = self.cools = False

    def young(self, issuer: str) -> KeySet | None:
        return self.held.get(issuer)

    def holds(self, issuer: str) -> bool:
        return issuer in self.held

    async def of(self, issuer: str) -> KeySet:
        if issuer not in self.held:
            self.asked.append(issuer)
            if self.away:
                raise SourceUnreachable
            if issuer not in self.issuers:
                raise IssuerUnknown
            self.held[issuer] = self.issuers[issuer].key_set()
        return self.held[issuer]

    async def newer(self, issuer: str, kid: str) -> KeySet | None:
        self.newest.append(kid)
        if self.cools:
            return None
        self.held[issuer] = self.issuers[issuer].key_set()
        return self.held[issuer]


class Held:
    """The gateways of a worker; each load is counted."""

    def __init__(self, *gateways: CompiledGateway) -> None:
        self.gateways = {gateway.snapshot.slug: gateway for gateway in gateways}
        self.here = dict(self.gateways)
        self.loaded: list[str] = []
        self.refuses = ""
        self.index_current = False

    def peek(self, name: str) -> CompiledGateway | None:
        return self.here.get(name)

    def is_absent(self, name: str) -> bool:
        return self.index_current and name not in self.gateways

    async def load(self, name: str, address: str) -> CompiledGateway:
        self.loaded.append(name)
        if self.refuses or name not in self.gateways:
            raise Refusal(self.refuses or "gateway_unknown", retry_after=1)
        self.here[name] = self.gateways[name]
        return self.here[name]


OURS = FakeIssuer(PUBLIC_URL, kind="own")
PROVIDER = FakeIssuer("https://idp.example", provider_id="p1")
OTHER = FakeIssuer("https://other.example", provider_id="p2")


def takes(issuer: FakeIssuer, slug: str = "g", audience: str = "api://archway") -> CompiledGateway:
    """A gateway that names this provider."""
    return gateway(slug=slug, identity_provider=TokenIssuer(issuer.provider_id, issuer.name, audience))


def tokens_of(keys: Keys, held: Held, per_second: float = 100) -> SignedTokens:
    return SignedTokens(keys, held, issuer=PUBLIC_URL, base_url=PUBLIC_URL, per_second=per_second)  # type: ignore[arg-type]


@pytest.fixture
def keys() -> Keys:
    return Keys(OURS, PROVIDER)


@pytest.fixture
def held() -> Held:
    return Held(takes(PROVIDER), gateway(slug="h"))


@pytest.fixture
def tokens(keys: Keys, held: Held) -> SignedTokens:
    return tokens_of(keys, held)


async def refused(tokens: SignedTokens, jwt: str, name: str = "g") -> Refusal:
    with pytest.raises(Refusal) as caught:
        await tokens.verified(JwtProof.of(jwt), name, ADDRESS)
    return caught.value


async def test_an_access_token_of_ours_is_verified_for_its_gateway(tokens: SignedTokens) -> None:
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    verified = await tokens.verified(proof, "g", ADDRESS)
    assert (verified.issuer, verified.audience, verified.way) == (PUBLIC_URL, RESOURCE, "oauth")
    assert verified.may_call
    assert tokens.known(proof.digest, "g") is verified
    assert tokens.checked == 1


async def test_a_providers_own_token_is_verified_for_the_audience_that_the_gateway_names(
    tokens: SignedTokens,
) -> None:
    proof = JwtProof.of(PROVIDER.token(aud=["api://archway"]))
    verified = await tokens.verified(proof, "g", ADDRESS)
    assert (verified.audience, verified.way, verified.may_call) == ("api://archway", "jwt", True)


async def test_an_access_token_that_does_not_allow_calls_is_verified_and_says_so(tokens: SignedTokens) -> None:
    verified = await tokens.verified(JwtProof.of(OURS.token(aud=RESOURCE, scope="mcpx openid")), "g", ADDRESS)
    assert not verified.may_call


async def test_what_was_verified_is_not_verified_again_and_asks_nobody(tokens: SignedTokens, keys: Keys) -> None:
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    await tokens.verified(proof, "g", ADDRESS)
    keys.asked.clear()
    assert tokens.known(proof.digest, "g") is not None
    assert (keys.asked, tokens.checked) == ([], 1)


async def test_a_token_for_one_gateway_is_refused_at_another_from_memory_too(tokens: SignedTokens) -> None:
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    await tokens.verified(proof, "g", ADDRESS)
    assert tokens.known(proof.digest, "h") is None
    assert (await refused(tokens, proof.jwt, "h")).detail.startswith("audience")
    assert tokens.known(proof.digest, "g") is not None  # still what it was


async def test_every_name_of_a_gateway_is_the_one_resource(tokens: SignedTokens, held: Held) -> None:
    held.here["by-its-id"] = held.here["g"]
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    assert await tokens.verified(proof, "by-its-id", ADDRESS)
    assert tokens.known(proof.digest, "g") is not None


async def test_a_gateway_that_is_renamed_takes_no_token_of_its_name_before(tokens: SignedTokens, held: Held) -> None:
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    await tokens.verified(proof, "g", ADDRESS)
    held.here["g"] = gateway(slug="new")
    assert tokens.known(proof.digest, "g") is None


async def test_a_gateway_that_names_another_provider_takes_no_token_of_the_one_before(
    tokens: SignedTokens, held: Held
) -> None:
    proof = JwtProof.of(PROVIDER.token(aud="api://archway"))
    await tokens.verified(proof, "g", ADDRESS)
    held.here["g"] = takes(OTHER)
    assert tokens.known(proof.digest, "g") is None


async def test_nothing_is_remembered_beyond_the_end_of_a_token(tokens: SignedTokens) -> None:
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    await tokens.verified(proof, "g", ADDRESS)
    with patch("time.time", return_value=time.time() + LIFE_S + 1):
        assert tokens.known(proof.digest, "g") is None


async def test_a_token_in_the_minute_that_clocks_may_differ_by_is_verified_each_time(tokens: SignedTokens) -> None:
    now = int(time.time())
    proof = JwtProof.of(OURS.token(aud=RESOURCE, iat=now - 600, exp=now - 30))
    assert await tokens.verified(proof, "g", ADDRESS)
    assert tokens.known(proof.digest, "g") is None
    assert len(tokens) == 0


@pytest.mark.parametrize(("ago", "why"), [(61, "expired"), (-61, "early")])
async def test_a_token_out_of_its_time_is_refused_and_the_log_is_told_of_the_clocks(
    tokens: SignedTokens, ago: int, why: str
) -> None:
    now = int(time.time())
    at = {"iat": now - 600, "exp": now - ago} if ago > 0 else {"iat": now - ago + 5, "exp": now + 600}
    detail = (await refused(tokens, OURS.token(aud=RESOURCE, **at))).detail
    assert detail.startswith(why)
    assert "clock" in detail


async def test_a_key_that_is_withdrawn_ends_what_was_verified_with_it(tokens: SignedTokens, keys: Keys) -> None:
    issuer = FakeIssuer(PUBLIC_URL, kind="own")
    keys.issuers[PUBLIC_URL] = issuer
    proof = JwtProof.of(issuer.token(aud=RESOURCE))
    verified = await tokens.verified(proof, "g", ADDRESS)
    issuer.rotate(keep=False)
    keys.held[PUBLIC_URL] = issuer.key_set()
    assert tokens.known(proof.digest, "g") is None
    assert (await refused(tokens, proof.jwt)).detail.startswith("unknown_key")
    assert not verified.stands


async def test_another_key_of_the_same_name_is_another_key(tokens: SignedTokens, keys: Keys) -> None:
    issuer = FakeIssuer(PUBLIC_URL, kind="own")
    keys.issuers[PUBLIC_URL] = issuer
    kid = issuer.rotate("the-key")
    proof = JwtProof.of(issuer.token(aud=RESOURCE))
    await tokens.verified(proof, "g", ADDRESS)
    issuer.rotate(kid)
    keys.held[PUBLIC_URL] = issuer.key_set()
    assert tokens.known(proof.digest, "g") is None


async def test_a_token_signed_with_a_new_key_is_verified_with_newer_keys(tokens: SignedTokens, keys: Keys) -> None:
    issuer = FakeIssuer(PUBLIC_URL, kind="own")
    keys.issuers[PUBLIC_URL] = issuer
    await tokens.verified(JwtProof.of(issuer.token(aud=RESOURCE)), "g", ADDRESS)
    kid = issuer.rotate()
    assert await tokens.verified(JwtProof.of(issuer.token(aud=RESOURCE)), "g", ADDRESS)
    assert keys.newest == [kid]


async def test_while_newer_keys_are_not_asked_for_an_unknown_one_is_refused(tokens: SignedTokens, keys: Keys) -> None:
    await keys.of(PUBLIC_URL)
    keys.cools = True
    other = FakeIssuer(PUBLIC_URL, kind="own")
    assert (await refused(tokens, other.token(aud=RESOURCE))).detail.startswith("unknown_key")


@pytest.mark.parametrize("here", [True, False], ids=["held", "not held"])
async def test_a_flood_of_unknown_issuers_costs_no_question_about_keys(keys: Keys, held: Held, here: bool) -> None:
    tokens = tokens_of(keys, held, per_second=40)
    if not here:
        held.here.clear()
    for number in range(100):
        stranger = FakeIssuer(f"https://{number}.example")
        with pytest.raises(Refusal):
            await tokens.verified(JwtProof.of(stranger.token(aud="api://archway")), "g", ADDRESS)
    assert keys.asked == []
    assert len(held.loaded) <= 1


async def test_strangers_at_made_up_gateways_have_a_budget(keys: Keys, held: Held) -> None:
    tokens = tokens_of(keys, held, per_second=40)
    reasons = {(await refused(tokens, OTHER.token(aud="x"), f"made-up-{number}")).reason for number in range(100)}
    assert reasons == {"not_authenticated", "too_many_unknown"}
    assert 0 < len(held.loaded) <= 2 * 40 * 0.25


async def test_a_gateway_that_is_certainly_not_there_is_not_asked_for(tokens: SignedTokens, held: Held) -> None:
    held.index_current = True
    assert (await refused(tokens, OTHER.token(aud="x"), "made-up")).reason == "not_authenticated"
    assert held.loaded == []


async def test_a_gateway_is_loaded_for_a_good_token_whatever_strangers_do(keys: Keys, held: Held) -> None:
    tokens = tokens_of(keys, held, per_second=1)
    held.here.clear()
    for number in range(50):
        await refused(tokens, OTHER.token(aud="x"), f"made-up-{number}")
    assert await tokens.verified(JwtProof.of(OURS.token(aud=RESOURCE)), "g", ADDRESS)


async def test_a_forged_token_of_ours_loads_no_gateway(tokens: SignedTokens, keys: Keys, held: Held) -> None:
    await keys.of(PUBLIC_URL)
    held.here.clear()
    whole = OURS.token(aud=RESOURCE)
    forged = whole[: whole.rindex(".") + 1] + "A" * 86
    assert (await refused(tokens, forged)).detail.startswith("signature")
    assert held.loaded == []


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("gateway_unknown", "not_authenticated"),
        ("gateway_unavailable", "cannot_authenticate"),
        ("overloaded", "overloaded"),
    ],
)
async def test_to_who_is_not_authenticated_a_gateway_that_is_not_there_is_no_other(
    tokens: SignedTokens, held: Held, reason: str, told: str
) -> None:
    held.here.clear()
    held.refuses = reason
    assert (await refused(tokens, OURS.token(aud=RESOURCE))).reason == told


async def test_without_keys_nobody_can_tell(tokens: SignedTokens, keys: Keys) -> None:
    keys.away = True
    with pytest.raises(SourceUnreachable):
        await tokens.verified(JwtProof.of(OURS.token(aud=RESOURCE)), "g", ADDRESS)


async def test_an_issuer_without_keys_is_one_that_is_not_known(tokens: SignedTokens, keys: Keys) -> None:
    del keys.issuers[PROVIDER.name]
    assert (await refused(tokens, PROVIDER.token(aud="api://archway"))).detail.startswith("issuer")


@pytest.mark.parametrize("aud", ["api://other", ["api://archway", "api://other"], [], None, ["api://archway"] * 2])
async def test_a_providers_token_for_others_too_is_none_for_us(tokens: SignedTokens, aud: Any) -> None:
    assert (await refused(tokens, PROVIDER.token(aud=aud))).detail.startswith("audience")


async def test_a_change_of_an_issuer_has_its_tokens_verified_again_and_no_others(tokens: SignedTokens) -> None:
    ours, theirs = JwtProof.of(OURS.token(aud=RESOURCE)), JwtProof.of(PROVIDER.token(aud="api://archway"))
    verified = await tokens.verified(theirs, "g", ADDRESS)
    await tokens.verified(ours, "g", ADDRESS)
    tokens.forget_issuer(PROVIDER.name)
    assert (tokens.known(theirs.digest, "g"), verified.stands) == (None, False)
    assert tokens.known(ours.digest, "g") is not None


async def test_a_token_that_is_verified_again_is_the_same_to_what_rests_on_it(tokens: SignedTokens) -> None:
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    first = await tokens.verified(proof, "g", ADDRESS)
    assert await tokens.verified(proof, "g", ADDRESS) is first
    assert first.stands


async def test_nothing_of_a_token_is_in_what_is_told(tokens: SignedTokens) -> None:
    proof = JwtProof.of(OURS.token(aud=RESOURCE))
    verified = await tokens.verified(proof, "g", ADDRESS)
    said = repr(verified) + repr(tokens) + (await refused(tokens, OTHER.token(aud=new_id()))).detail
    assert proof.jwt not in said
    assert proof.jwt.rsplit(".", 1)[1] not in said


@pytest.mark.parametrize("callers", [pytest.param(10_000, id="L-2: 10,000 callers, one token each")])
async def test_so_many_callers_of_two_issuers_are_all_remembered_and_their_keys_asked_for_once(
    tokens: SignedTokens, keys: Keys, callers: int
) -> None:
    proofs = [
        JwtProof.of(OURS.token(aud=RESOURCE) if number % 2 else PROVIDER.token(aud="api://archway"))
        for number in range(callers)
    ]
    for proof in proofs:
        await tokens.verified(proof, "g", ADDRESS)
    assert all(tokens.known(proof.digest, "g") for proof in proofs)
    assert (sorted(keys.asked), keys.newest) == (sorted([OURS.name, PROVIDER.name]), [])
    assert tokens.checked == callers
