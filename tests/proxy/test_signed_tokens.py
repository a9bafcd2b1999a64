"""Calls by signed tokens: access tokens of ours, and an identity provider's own; with and without plans."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.resolve import JwtProof
from core.snapshot import TokenIssuer
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import Rig, eventually, running_rig

PUBLIC = "http://127.0.0.1:8080"
RESOURCE = f"{PUBLIC}/v1/mcp/g"
AUDIENCE = "api://archway"


@pytest.fixture
def ours(rig: Rig) -> FakeIssuer:
    issuer = FakeIssuer(PUBLIC, kind="own")
    rig.control.knows(issuer)
    return issuer


@pytest.fixture
def provider(rig: Rig) -> FakeIssuer:
    issuer = FakeIssuer("https://idp.example", provider_id="p1")
    rig.control.knows(issuer)
    return issuer


async def serve(rig: Rig, upstream: McpUpstream, provider: FakeIssuer | None = None, **fields: Any) -> None:
    """The gateway `g` with one tool, for access tokens of ours and for tokens of this provider."""
    named = None if provider is None else TokenIssuer(provider.provider_id, provider.name, AUDIENCE)
    ways = {"client_auth": ["token"], "client_auth_beside": ["oauth", "jwt"]}
    tools = [rig.control.tool("t", "echo", rig.control.installation(upstream.url))]
    await rig.serve(tools, **({"identity_provider": named} | ways | fields))


async def calls(rig: Rig, jwt: str, times: int = 4, **more: Any) -> list[int]:
    """The statuses of so many calls with this token, one after the other; the last of them may go by a plan."""
    return [(await rig.call("t", token=jwt, **more)).status for _ in range(times)]


def planned(rig: Rig) -> float:
    return rig.worker.slots.planned


async def test_calls_with_an_access_token_of_ours_are_served_and_planned_as_others_are(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer
) -> None:
    await serve(rig, upstream)
    jwt = ours.token(aud=RESOURCE)
    rig.control.bears(jwt)
    before = planned(rig)
    assert await calls(rig, jwt) == [200] * 4
    assert (planned(rig) > before) is (rig.way == "planned")
    asked = rig.control.asked
    assert (asked.count("/internal/key-set"), asked.count("/internal/token")) == (1, 1)


async def test_calls_with_a_providers_own_token_are_served(
    rig: Rig, upstream: McpUpstream, provider: FakeIssuer
) -> None:
    await serve(rig, upstream, provider)
    jwt = provider.token(aud=AUDIENCE)
    rig.control.bears(jwt, auth="jwt", client="", scopes=frozenset())
    assert await calls(rig, jwt) == [200] * 4


async def test_a_call_by_any_name_of_the_gateway_is_for_its_one_resource(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer
) -> None:
    await serve(rig, upstream)
    (gateway,) = rig.control.gateways.values()
    jwt = ours.token(aud=RESOURCE)
    rig.control.bears(jwt)
    assert await calls(rig, jwt, gateway=gateway.id) == [200] * 4
    by_id = ours.token(aud=f"{PUBLIC}/v1/mcp/{gateway.id}")
    rig.control.bears(by_id)
    assert await calls(rig, by_id, 2, gateway=gateway.id) == [401] * 2


async def test_the_url_that_a_gateway_had_before_leads_on_to_the_same_gateway_and_the_same_sign_in(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer
) -> None:
    await serve(rig, upstream)
    (gateway,) = rig.control.gateways.values()
    rig.control.retired["before"] = gateway.id
    jwt, by_old = ours.token(aud=RESOURCE), ours.token(aud=f"{PUBLIC}/v1/mcp/before")
    rig.control.bears(jwt)
    rig.control.bears(by_old)

    assert await calls(rig, jwt, gateway="before") == [200] * 4
    assert await calls(rig, by_old, 2, gateway="before") == [401] * 2  # tokens are for the one canonical name
    for name in ("before", "g", gateway.id):
        stranger = await rig.call("t", token="eyJhbGciOiJFZERTQSJ9.e30.c2ln", gateway=name)
        where = f"{PUBLIC}/.well-known/oauth-protected-resource/v1/mcp/{name}"
        assert (stranger.status, f'resource_metadata="{where}"' in stranger.headers["WWW-Authenticate"]) == (
            401,
            True,
        )
        path = f"/.well-known/oauth-protected-resource/v1/mcp/{name}"
        async with rig.http.get(f"http://127.0.0.1:{rig.port}{path}") as answer:
            told = await answer.json()
        # Each document is about the URL that was asked, or clients would refuse it (RFC 9728 section 3.3).
        assert (told["resource"], told["authorization_servers"]) == (f"{PUBLIC}/v1/mcp/{name}", [PUBLIC])


async def test_a_warm_caller_is_served_while_control_is_away_and_one_whom_nobody_knows_is_not(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer
) -> None:
    await serve(rig, upstream)
    jwt, unknown = ours.token(aud=RESOURCE), ours.token(aud=RESOURCE)
    rig.control.bears(jwt)
    await calls(rig, jwt)
    rig.control.down = True
    assert await calls(rig, jwt, 2) == [200] * 2
    assert await calls(rig, unknown, 1) == [503]


async def test_a_caller_whom_control_refuses_is_refused_and_not_asked_about_again(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer
) -> None:
    await serve(rig, upstream)
    jwt = ours.token(aud=RESOURCE)
    assert await calls(rig, jwt, 3) == [401] * 3
    assert rig.control.asked.count("/internal/token") == 1
    assert upstream.seen == []


async def test_without_the_scope_a_caller_is_told_which_one_is_missing(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer
) -> None:
    await serve(rig, upstream)
    jwt = ours.token(aud=RESOURCE, scope="openid")
    rig.control.bears(jwt)
    reply = await rig.call("t", token=jwt)
    assert (reply.status, reply.error["code"]) == (403, -31403)
    challenge = reply.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="mcp"' in challenge
    assert f'resource_metadata="{PUBLIC}/.well-known/oauth-protected-resource/v1/mcp/g"' in challenge
    assert upstream.seen == []


@pytest.mark.parametrize("auth", ["token", "jwt"])
async def test_a_verdict_on_a_credential_of_another_kind_lets_nobody_in(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer, auth: Any
) -> None:
    await serve(rig, upstream)
    jwt = ours.token(aud=RESOURCE)
    rig.control.bears(jwt, auth=auth)
    assert await calls(rig, jwt, 2) == [401] * 2


@pytest.mark.parametrize(
    ("ways", "status"),
    [(["oauth"], 200), (["jwt"], 401), (["token"], 401), (["id_jag"], 401), (["what a later version knows"], 401)],
)
async def test_a_gateway_takes_only_the_ways_that_it_names(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer, ways: list[str], status: int
) -> None:
    await serve(rig, upstream, client_auth=ways, client_auth_beside=[])
    jwt = ours.token(aud=RESOURCE)
    rig.control.bears(jwt)
    assert await calls(rig, jwt, 2) == [status] * 2


@pytest.mark.parametrize(("ways", "status"), [(["id_jag"], 200), (["token", "oauth", "jwt"], 401)])
async def test_a_token_that_a_provider_vouched_for_is_taken_where_its_assertions_are(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer, ways: list[str], status: int
) -> None:
    await serve(rig, upstream, client_auth=ways, client_auth_beside=[])
    jwt = ours.token(aud=RESOURCE)
    rig.control.bears(jwt, by_assertion=True)
    assert await calls(rig, jwt) == [status] * 4


async def test_a_new_key_is_found_and_one_that_is_withdrawn_ends_its_tokens(
    rig: Rig, upstream: McpUpstream, provider: FakeIssuer
) -> None:
    await serve(rig, upstream, provider)
    old = provider.token(aud=AUDIENCE)
    provider.rotate()
    rig.control.knows(provider)
    new = provider.token(aud=AUDIENCE)
    for jwt in (old, new):
        rig.control.bears(jwt, auth="jwt", client="", scopes=frozenset())
        assert await calls(rig, jwt) == [200] * 4

    provider.rotate(keep=False)
    rig.control.knows(provider)
    await rig.control.announce("provider", provider.name)

    async def has_ended() -> bool:
        return await calls(rig, old, 1) == await calls(rig, new, 1) == [401]

    await eventually(has_ended)


async def test_a_gateway_that_names_another_provider_ends_the_calls_of_the_one_before(
    rig: Rig, upstream: McpUpstream, provider: FakeIssuer
) -> None:
    await serve(rig, upstream, provider)
    jwt = provider.token(aud=AUDIENCE)
    rig.control.bears(jwt, auth="jwt", client="", scopes=frozenset())
    assert await calls(rig, jwt) == [200] * 4
    await serve(rig, upstream, FakeIssuer("https://other.example", provider_id="p2"))

    async def is_refused() -> bool:
        return await calls(rig, jwt, 1) == [401]

    await eventually(is_refused)


@pytest.mark.parametrize("kind", ["user", "grant", "client", "provider"])
async def test_a_change_that_takes_access_away_ends_calls_that_begin_within_a_second_or_so(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer, provider: FakeIssuer, kind: Any
) -> None:
    await serve(rig, upstream, provider)
    jwt = provider.token(aud=AUDIENCE) if kind == "provider" else ours.token(aud=RESOURCE)
    fields: dict[str, Any] = {"auth": "jwt", "client": ""} if kind == "provider" else {"credential_id": "grant-1"}
    principal = rig.control.bears(jwt, **fields)
    assert await calls(rig, jwt) == [200] * 4

    rig.control.verdicts.pop(JwtProof.of(jwt).digest)
    name = {"user": principal.id, "grant": "grant-1", "client": "a-client", "provider": provider.name}[kind]
    await rig.control.announce(kind, name)

    async def is_refused() -> bool:
        return await calls(rig, jwt, 1) == [401]

    await eventually(is_refused, within=10)


async def test_what_one_worker_has_verified_another_verifies_for_itself_and_asks_nobody(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer, redis_server: RedisServer
) -> None:
    await serve(rig, upstream)
    jwt = ours.token(aud=RESOURCE)
    rig.control.bears(jwt)
    await calls(rig, jwt)
    async with running_rig(redis_server, rig.way, control=rig.control) as second:
        asked = len(rig.control.asked)
        assert (await second.call("t", token=jwt)).status == 200
        questions = rig.control.asked[asked:]
        assert "/internal/token" not in questions
        assert "/internal/key-set" not in questions  # the copies in Redis have both


async def test_many_callers_at_once_ask_for_keys_once(rig: Rig, upstream: McpUpstream, ours: FakeIssuer) -> None:
    await serve(rig, upstream)
    tokens = [ours.token(aud=RESOURCE) for _ in range(8)]
    for jwt in tokens:
        rig.control.bears(jwt)
    statuses = await asyncio.gather(*(calls(rig, jwt, 1) for jwt in tokens))
    assert statuses == [[200]] * 8
    assert rig.control.asked.count("/internal/key-set") == 1


async def test_an_event_stream_of_a_caller_ends_with_the_token(
    rig: Rig, upstream: McpUpstream, ours: FakeIssuer
) -> None:
    await serve(rig, upstream)
    jwt = ours.token(aud=RESOURCE)
    rig.control.bears(jwt, credential_id="grant-1")
    session = await rig.open_session(token=jwt)
    headers = {
        "Authorization": f"Bearer {jwt}", "Accept": "text/event-stream", "Mcp-Session-Id": session,
        "MCP-Protocol-Version": "2025-11-25",
    }  # fmt: skip
    async with rig.http.get(rig.url(), headers=headers) as stream:
        assert stream.status == 200
        await stream.content.readline()
        rig.control.verdicts.pop(JwtProof.of(jwt).digest)
        await rig.control.announce("grant", "grant-1")
        await asyncio.wait_for(stream.content.read(), 10)
