"""Control's word on who bears one of its own access tokens, from the grant as it is now."""

from __future__ import annotations

from typing import Any

import pytest

from control.changes import oauth_clients, users
from control.changes.write import changing
from control.internal.own_callers import OwnCallers
from control.public.deps import PublicDeps
from control.registry.oauth_client import ClientFields
from control.store.pool import transaction
from core.jwt import AccessTokenSigner, VerifiedClaims, access_token_of, verify
from core.key_sets import KeySetQuestion, open_key_set
from core.keys import new_key, parse_key_ring
from core.resolve import CallerVerdict, JwtProof, Principal
from core.signing import Verifier
from tests.control import seeded
from tests.fixtures_people import ISSUER, NOBODY
from tests.oauth.flow import RESOURCE, Flow, claims_of


@pytest.fixture
def callers(public_deps: PublicDeps) -> OwnCallers:
    return OwnCallers(public_deps.pool, public_deps.access_tokens, public_deps.signer, public_deps.public_url)


async def verdict(callers: OwnCallers, tokens: dict[str, Any]) -> CallerVerdict:
    return await callers.verdict(JwtProof.of(tokens["access_token"]))


async def test_a_person_is_who_their_grant_says_with_their_teams_client_and_scopes(
    flow: Flow, callers: OwnCallers
) -> None:
    async with changing(flow.pool, NOBODY) as write:
        team = await seeded.team(write.connection, "Red", flow.ann["id"])
        write.observed()
    client = await flow.register()
    tokens = await flow.signed_in(client)
    claims = claims_of(tokens["access_token"])

    told = await verdict(callers, tokens)

    assert told.principal == Principal("user", flow.ann["id"], "Ann", frozenset({team}))
    assert (told.credential_id, told.client, told.scopes) == (claims["gid"], client["client_id"], frozenset({"mcp"}))
    assert (told.auth, told.expires, told.refusal) == ("oauth", claims["exp"], "")


async def test_a_client_by_itself_is_a_service_in_its_team(flow: Flow, callers: OwnCallers) -> None:
    async with changing(flow.pool, NOBODY) as write:
        team = await seeded.team(write.connection, "Red")
        write.observed()
    wanted = ClientFields(name="Nightly", acts="by_itself", auth_method="client_secret_post", team_id=team)
    async with changing(flow.pool, NOBODY) as write:
        client, secret = await oauth_clients.create(write, wanted)
    tokens = await flow.token(
        grant_type="client_credentials", client_id=client.client_id, client_secret=secret, resource=RESOURCE
    )

    told = await verdict(callers, tokens.json)

    assert told.principal == Principal("service", client.id, "Nightly", frozenset({team}))


async def ended(flow: Flow, how: str, client: dict[str, Any], tokens: dict[str, Any]) -> None:
    async with changing(flow.pool, NOBODY) as write:
        if how == "disabled":
            await users.disable(write, flow.ann["id"])
        elif how == "client disabled":
            (row,) = await flow.people.rows("select id from oauth_clients")
            await oauth_clients.set_disabled(write, row["id"], disabled=True)
        elif how == "client deleted":
            (row,) = await flow.people.rows("select id from oauth_clients")
            await oauth_clients.delete(write, row["id"])
    if how == "given back":
        sent = {"token": tokens["access_token"], "client_id": client["client_id"]}
        await flow.send("POST", "/oauth/revoke", data=sent)
    elif how == "not let in":
        await flow.change_gateway("work", allowed_clients=("https://another.example/client.json",))
    elif how == "another slug":
        await flow.change_gateway("work", slug="sales")
    elif how == "over":
        await flow.people.rows("update oauth_grants set expires_at = now()")


ENDS = {
    "disabled": "disabled",
    "client disabled": "revoked",
    "client deleted": "revoked",
    "given back": "revoked",
    "not let in": "revoked",
    "another slug": "unknown",
    "over": "expired",
}


@pytest.mark.parametrize("how", ENDS)
async def test_a_token_is_good_for_nothing_once_what_it_stands_on_has_ended(
    flow: Flow, callers: OwnCallers, how: str
) -> None:
    client = await flow.register()
    tokens = await flow.signed_in(client)
    assert (await verdict(callers, tokens)).principal is not None

    await ended(flow, how, client, tokens)

    told = await verdict(callers, tokens)
    assert (told.principal, told.refusal) == (None, ENDS[how])


async def test_a_token_opens_the_gateway_that_it_was_made_for_alone(flow: Flow, callers: OwnCallers) -> None:
    other = await flow.gateway("sales")
    tokens = await flow.signed_in(await flow.register())
    (work,) = await flow.people.rows("select id from gateways where slug = 'work'")
    proof = JwtProof.of(tokens["access_token"])

    async with transaction(flow.pool) as connection:
        assert await callers.accepts(connection, proof, work["id"])
        assert not await callers.accepts(connection, proof, other.id)


async def test_a_token_of_another_deployment_is_unknown(flow: Flow, callers: OwnCallers) -> None:
    foreign = AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), ISSUER)
    tokens = await flow.signed_in(await flow.register())
    claims = claims_of(tokens["access_token"])
    assert callers.judges(claims["iss"])
    assert not callers.judges("https://other.example")

    told = await callers.verdict(JwtProof.of(resigned(foreign, claims)))

    assert (told.principal, told.refusal) == (None, "unknown")


def resigned(signer: AccessTokenSigner, claims: dict[str, Any]) -> str:
    return signer.sign(access_token_of(VerifiedClaims(claims)))


async def test_proxies_get_our_keys_signed_and_can_check_a_token_with_them(
    flow: Flow, callers: OwnCallers, public_deps: PublicDeps
) -> None:
    tokens = await flow.signed_in(await flow.register())
    verifier = Verifier("ARCHWAY_VERIFY_KEYS", public_deps.signer.public_keys)

    answer = await callers.answer(KeySetQuestion(ISSUER))
    nothing = await callers.answer(KeySetQuestion("https://other.example"))

    key_set = open_key_set(answer.document, ISSUER, verifier)
    claims = verify(tokens["access_token"], key_set, RESOURCE, key_set.fetched_at)
    assert (key_set.kind, claims["sub"]) == ("own", f"user:{flow.ann['id']}")
    assert nothing.document == b""
