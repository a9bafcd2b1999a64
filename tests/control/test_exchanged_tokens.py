"""What a proxy gets for callers whose identity provider gives tokens for the server: over the internal listener, at a
real provider, by the person's own sign-in and by the token that they came with.
"""

from __future__ import annotations

import base64
import json
import logging
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest
from msgspec import structs

from control.changes import entries, identities, identity_providers
from control.changes.installations import WantedInstallation, create
from control.changes.write import changing
from control.identity.token_endpoint import ProviderTokens
from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.identity_provider import Exchange
from control.store.pool import transaction
from core.resolve import InstallationAnswer, InstallationQuestion, JwtProof, Proof, ResolvedInstallation, TokenProof
from tests.control import seeded
from tests.control.corp_callers import SAFEGUARDS, WORK, Corp
from tests.fakes.identity_provider import AT_SERVER, AT_SERVER_SECRET, EXCHANGER, EXCHANGER_SECRET, IdentityProvider
from tests.fakes.providers import a_person
from tests.fakes.registry import a_wanted_entry
from tests.fixtures_redis import RedisServer, everything_in

SIGNED_IN = "update identities set tokens = $2, signed_in_at = now() where id = $1"
OWN = Exchange(enabled=True, client_id=EXCHANGER)


@dataclass
class Exchanging:
    """The provider exchanges, and Ann, who signed in with it, has a token of Archway's."""

    corp: Corp
    digest: str
    given: dict[str, Any]
    """What the provider gave at her sign-in."""
    assignment: str = ""

    async def server(self, credential: TokenExchange | IdentityAssertion, secret: str | None = None) -> None:
        """A server with this credential is on the gateway, under the name `crm`."""
        async with changing(self.corp.pool, seeded.SEEDER) as write:
            wanted = a_wanted_entry("https://crm.test/mcp", slug="crm", name="CRM", credential=credential)
            entry = await entries.create(write, SAFEGUARDS, replace(wanted, client_secret=secret))
            installed = await create(write, SAFEGUARDS, WantedInstallation(entry_id=entry.id, scope="organisation"))
        async with transaction(self.corp.pool) as conn:
            await conn.execute("update installations set state = 'ready' where id = $1", installed.id)
            tool = await seeded.tool(conn, entry.id)
            self.assignment = await seeded.assignment(conn, self.corp.gateway, tool, exposed="crm")

    async def answer(self, proof: Proof | None = None, refused: float = 0.0) -> InstallationAnswer:
        """What the proxy is told for this caller; None: for Ann with her token."""
        question = InstallationQuestion.of(proof or TokenProof(self.digest), self.corp.gateway, self.assignment)
        asked, path = structs.replace(question, refused_obtained=refused), "/internal/connection"
        answer: InstallationAnswer = await self.corp.proxy.ask_again(path, asked, InstallationAnswer)
        return answer

    async def installation(self, proof: Proof | None = None, refused: float = 0.0) -> ResolvedInstallation:
        answer = await self.answer(proof, refused)
        assert answer.installation is not None, answer.refusal
        return answer.installation


def claims_in(installation: ResolvedInstallation) -> dict[str, Any]:
    """What the token says that its calls carry."""
    token = dict(installation.credential_headers)["authorization"].removeprefix("Bearer ")
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


@pytest.fixture
async def exchanging(corp_callers: Corp) -> Exchanging:
    corp = corp_callers
    async with changing(corp.pool, seeded.SEEDER) as write:
        corp.provider = await identity_providers.change(
            write, corp.provider.id, lambda now: replace(now, exchange=OWN), None, SAFEGUARDS,
            exchange_secret=EXCHANGER_SECRET,
        )  # fmt: skip
        identity = await identities.link(write, corp.provider, a_person(issuer=corp.idp.issuer), corp.ann)
    given, now = await corp.idp.signed_in("ann"), time.time()
    tokens = ProviderTokens(given["access_token"], given["id_token"], given["refresh_token"], now + 300, "", now)
    sealed = SAFEGUARDS.seals.provider_tokens(identity.id, tokens.packed())
    async with transaction(corp.pool) as conn:
        await conn.execute(
            "update identities set tokens = $2, signed_in_at = now() where id = $1", identity.id, sealed
        )
        digest = await seeded.token(conn, user=corp.ann)
    return Exchanging(corp, digest, given)


async def test_a_person_with_a_token_of_archways_acts_at_the_server_as_themselves(exchanging: Exchanging) -> None:
    await exchanging.server(TokenExchange(exchanging.corp.provider.id, audience="crm", scopes=("read",)))
    installation = await exchanging.installation()
    claims = claims_in(installation)
    assert (claims["iss"], claims["sub"], claims["aud"]) == (exchanging.corp.idp.issuer, "ann", "crm")
    assert time.time() < installation.expires_at <= time.time() + 300


async def test_a_person_with_the_providers_own_token_does_too(exchanging: Exchanging) -> None:
    await exchanging.server(TokenExchange(exchanging.corp.provider.id, audience="crm"))
    proof = JwtProof.of(await exchanging.corp.token(aud=WORK))
    assert claims_in(await exchanging.installation(proof))["sub"] == "ann"


async def test_an_assertion_is_taken_to_the_servers_own_authorization_server(
    exchanging: Exchanging, upstream_idp: IdentityProvider
) -> None:
    corp = exchanging.corp
    await corp.idp.exchanges(client_ids={upstream_idp.issuer: AT_SERVER})
    await upstream_idp.trust(corp.idp.issuer)
    await exchanging.server(IdentityAssertion(corp.provider.id, upstream_idp.issuer, AT_SERVER), AT_SERVER_SECRET)
    claims = claims_in(await exchanging.installation())
    assert (claims["iss"], claims["sub"]) == (upstream_idp.issuer, f"ann@{corp.idp.issuer}")


async def test_a_refused_token_is_followed_by_a_newer_one(exchanging: Exchanging) -> None:
    await exchanging.server(TokenExchange(exchanging.corp.provider.id, audience="crm"))
    first = await exchanging.installation()
    again = await exchanging.installation()
    assert (first.obtained_at, first.credential_headers) == (again.obtained_at, again.credential_headers)
    newer = await exchanging.installation(refused=first.obtained_at)
    assert newer.is_newer(first)
    assert newer.credential_headers != first.credential_headers


async def test_who_is_shut_out_gets_nothing_any_more(exchanging: Exchanging) -> None:
    await exchanging.server(TokenExchange(exchanging.corp.provider.id, audience="crm"))
    _ = await exchanging.installation()
    async with transaction(exchanging.corp.pool) as conn:
        await conn.execute("update identities set gone_at = now()")
    gone = (await exchanging.answer()).refusal
    assert gone is not None
    assert gone.code == "needs_sign_in"
    async with transaction(exchanging.corp.pool) as conn:
        await conn.execute("update users set disabled_at = now() where id = $1", exchanging.corp.ann)
    out = (await exchanging.answer()).refusal
    assert out is not None
    assert out.code == "not_allowed"


async def test_a_teams_token_is_told_why_it_gets_none(exchanging: Exchanging) -> None:
    await exchanging.server(TokenExchange(exchanging.corp.provider.id, audience="crm"))
    async with transaction(exchanging.corp.pool) as conn:
        digest = await seeded.token(conn, team=await seeded.team(conn, "Sales"))
    refusal = (await exchanging.answer(TokenProof(digest))).refusal
    assert refusal is not None
    assert "a team's token is nobody's" in refusal.sentence


@pytest.mark.parametrize("trouble", [{"refuses": "invalid_target"}, {"away": True}])
async def test_no_token_is_in_a_log_a_refusal_or_redis(
    exchanging: Exchanging, redis_server: RedisServer, caplog: pytest.LogCaptureFixture, trouble: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    await exchanging.server(TokenExchange(exchanging.corp.provider.id, audience="crm"))
    token = dict((await exchanging.installation()).credential_headers)["authorization"].removeprefix("Bearer ")
    await exchanging.corp.idp.exchanges(**trouble)
    own = await exchanging.corp.token(aud=WORK)
    refusal = (await exchanging.answer(JwtProof.of(own))).refusal
    assert refusal is not None
    told = " ".join(str(one.__dict__) for one in caplog.records) + refusal.sentence
    secrets = [token, own, *(str(exchanging.given[name]) for name in ("access_token", "id_token", "refresh_token"))]
    assert [one for one in [*secrets, EXCHANGER_SECRET] if one in told] == []
    async with transaction(exchanging.corp.pool) as conn:
        rows = await conn.fetch("select to_jsonb(a)::text as row from audit a")
    assert [one for one in secrets if any(one in row["row"] for row in rows)] == []
    assert [one for one in secrets if one.encode() in everything_in(redis_server)] == []
