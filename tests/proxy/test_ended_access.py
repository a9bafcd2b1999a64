"""Calls that run while their callers lose their access: they end within a second or so, and say why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from core.acknowledgements import PURPOSE, open_acknowledgement
from core.redis_names import WORKERS, worker_key
from core.resolve import InstallationRefusal, JwtProof, ResolvedInstallation
from core.sealing import Sealer
from core.snapshot import TokenIssuer, Visibility
from core.tasks import Tasks
from core.tokens import digest
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import MakeRig, Reply, Rig, eventually

PUBLIC = "http://127.0.0.1:8080"
WITHIN_S = 10


async def held_calls(rig: Rig, upstream: McpUpstream, **more: Any) -> tuple[asyncio.Task[Reply], asyncio.Event]:
    """A call that its server holds, and what lets it go on."""
    held = asyncio.Event()
    upstream.tool("slow", Answer(text="done", hold=held))
    await rig.serve(
        [rig.control.tool("t", "slow", rig.control.installation(upstream.url))], client_auth_beside=["oauth", "jwt"]
    )
    call = Tasks("test").spawn("call", rig.call("t", **more))
    await upstream.wait_for("tools/call")
    return call, held


async def ended(call: asyncio.Task[Reply]) -> Reply:
    return await asyncio.wait_for(call, WITHIN_S)


def disable(rig: Rig, token: str) -> str:
    """Control refuses the token's bearer from now on; who that was."""
    verdict = rig.control.verdicts.pop(digest(token))
    assert verdict.principal is not None
    return verdict.principal.id


async def test_a_call_of_a_person_who_is_disabled_ends_and_is_told_why(rig: Rig, upstream: McpUpstream) -> None:
    call, _ = await held_calls(rig, upstream)
    await rig.control.announce("user", disable(rig, rig.token))
    reply = await ended(call)
    assert (reply.status, reply.refusal["code"]) == (200, "access_ended")
    assert reply.result["isError"]
    assert "access ended" in reply.result["content"][0]["text"]
    assert rig.worker.access.cut == 1
    assert (await rig.call("t")).status == 401


async def test_a_call_by_a_token_that_is_revoked_ends(rig: Rig, upstream: McpUpstream) -> None:
    call, _ = await held_calls(rig, upstream)
    await rig.control.revoke(rig.token)
    assert (await ended(call)).refusal["code"] == "access_ended"


@dataclass
class SignedIn:
    """Somebody who comes with a signed token, and what their access rests on."""

    jwt: str
    names: dict[str, str]

    def ends(self, rig: Rig) -> None:
        """Control refuses them from now on."""
        rig.control.verdicts.pop(JwtProof.of(self.jwt).digest)


async def signed_in(rig: Rig, upstream: McpUpstream, kind: str) -> SignedIn:
    """With a token of an identity provider's where its end is to be seen, else with one of ours."""
    provider = FakeIssuer("https://idp.example", provider_id="p")
    issuer = provider if kind == "provider" else FakeIssuer(PUBLIC, kind="own", provider_id="p")
    rig.control.knows(issuer)
    jwt = issuer.token(aud=f"{PUBLIC}/v1/mcp/g")
    auth, vouched_for = "jwt" if kind == "provider" else "oauth", kind == "vouching provider"
    principal = rig.control.bears(jwt, credential_id="grant-1", auth=auth, by_assertion=vouched_for)
    upstream.tool("slow", Answer(text="done", hold=asyncio.Event()))
    await rig.serve(
        [rig.control.tool("t", "slow", rig.control.installation(upstream.url))],
        client_auth_beside=["oauth", "jwt", "id_jag"],
        identity_provider=TokenIssuer("p", provider.name, f"{PUBLIC}/v1/mcp/g"),
    )
    names = {"grant": "grant-1", "client": "a-client", "user": principal.id} | dict.fromkeys(
        ("provider", "vouching provider"), provider.name
    )
    return SignedIn(jwt, names)


RESTS_ON = ["grant", "client", "provider", "vouching provider", "user"]


@pytest.mark.parametrize("kind", RESTS_ON)
async def test_a_call_by_a_signed_token_ends_with_what_it_rests_on(
    rig: Rig, upstream: McpUpstream, kind: Any
) -> None:
    person = await signed_in(rig, upstream, kind)
    call = Tasks("test").spawn("call", rig.call("t", token=person.jwt))
    await upstream.wait_for("tools/call")
    person.ends(rig)
    await rig.control.announce(kind.removeprefix("vouching "), person.names[kind])
    assert (await ended(call)).refusal["code"] == "access_ended"


@asynccontextmanager
async def open_stream(rig: Rig, token: str) -> AsyncIterator[tuple[str, aiohttp.ClientResponse]]:
    """The event stream of a legacy client; its session, and the answer."""
    session = await rig.open_session(token=token)
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "text/event-stream",
        "Mcp-Session-Id": session,
        "MCP-Protocol-Version": "2025-11-25",
    }
    async with rig.http.get(rig.url(), headers=headers) as answer:
        assert answer.status == 200
        yield session, answer


@pytest.fixture
def seldom_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody goes round the streams while a test runs: they end because of what was announced, or not at all."""
    monkeypatch.setattr("proxy.edge.stream_sweep.look_within", lambda *_: 3_600.0)


@pytest.mark.usefixtures("seldom_swept")
@pytest.mark.parametrize("kind", [*RESTS_ON, "token", "session", "gateway"])
async def test_a_stream_ends_at_once_with_what_it_rests_on(rig: Rig, upstream: McpUpstream, kind: Any) -> None:
    person = await signed_in(rig, upstream, kind)
    token = rig.token if kind in {"token", "session", "gateway"} else person.jwt
    async with open_stream(rig, token) as (_, stream), open_stream(rig, rig.control.token()) as (_, others):
        jti = next(iter(rig.worker.deps.streams.sessions()))
        if kind == "token":
            await rig.control.revoke(rig.token)
        elif kind == "gateway":
            (gateway,) = rig.control.gateways.values()
            rig.control.gateways.clear()
            await rig.control.announce("gateway", gateway.id, -1)
        elif kind == "session":
            await rig.control.announce("session", jti)
        else:
            person.ends(rig)
            await rig.control.announce(kind.removeprefix("vouching "), person.names[kind])
        _ = await asyncio.wait_for(stream.read(), WITHIN_S)
        if kind == "gateway":
            _ = await asyncio.wait_for(others.read(), WITHIN_S)
        else:
            assert len(rig.worker.deps.streams) == 1
            assert not others.content.at_eof()


@pytest.mark.usefixtures("seldom_swept")
async def test_a_worker_says_that_it_has_applied_a_change_once_what_it_concerns_has_ended(
    rig: Rig, upstream: McpUpstream
) -> None:
    call, _ = await held_calls(rig, upstream)
    sealer = Sealer(rig.control.ring, PURPOSE)

    def has_applied(number: int) -> bool:
        with rig.redis.client() as client:
            (worker,) = [name.decode() for name in client.zrange(WORKERS, 0, -1)] or [""]
            sealed = client.get(worker_key(worker))
        said = open_acknowledgement(worker, sealed, sealer) if sealed else None
        return said is not None and (said.epoch, said.number >= number) == (rig.control.epoch, True)

    async def says_so() -> bool:
        return has_applied(rig.control.number)

    await eventually(says_so)
    before = rig.control.number
    rig.control.slow = 1.0  # so that the answer about the caller takes a moment
    await rig.control.announce("user", disable(rig, rig.token))

    async def is_forgotten() -> bool:
        return rig.worker.changes.number > before

    await eventually(is_forgotten)
    assert not call.done()
    assert not has_applied(before + 1)
    await eventually(says_so)
    assert rig.worker.access.cut == 1
    assert (await ended(call)).refusal["code"] == "access_ended"


async def test_a_worker_that_stops_is_asked_no_more(make_rig: MakeRig) -> None:
    async with make_rig() as rig:

        def workers() -> int:
            with rig.redis.client() as client:
                return int(client.zcard(WORKERS)) + len(client.keys(worker_key("*")))

        async def has_spoken() -> bool:
            return workers() == 2

        await eventually(has_spoken)
        await rig.worker.acknowledging.leave()
        assert workers() == 0


async def test_a_legacy_call_ends_too_and_a_session_that_is_ended_ends_its_calls(
    rig: Rig, upstream: McpUpstream
) -> None:
    held = asyncio.Event()
    upstream.tool("slow", Answer(text="done", hold=held))
    await rig.serve([rig.control.tool("t", "slow", rig.control.installation(upstream.url))])
    session = await rig.open_session()
    call = Tasks("test").spawn("call", rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session))
    await upstream.wait_for("tools/call")
    (running,) = rig.worker.deps.calls.running()
    jti = running.key[0] if running.key is not None else ""
    await rig.control.announce("session", jti)
    assert (await ended(call)).refusal["code"] == "cancelled"
    assert (await rig.legacy("ping", session=session)).status == 404


async def test_a_streamed_answer_ends_and_says_why(rig: Rig, upstream: McpUpstream) -> None:
    upstream.tool("slow", Answer(text="done", progress=1, hold=asyncio.Event()))
    await rig.serve([rig.control.tool("t", "slow", rig.control.installation(upstream.url))])
    async with rig.events("t", meta={"progressToken": "p"}) as events:
        assert (await anext(events))["method"] == "notifications/progress"
        await rig.control.announce("user", disable(rig, rig.token))

        async def rest() -> list[Any]:
            return [event async for event in events]

        *_, last = await asyncio.wait_for(rest(), WITHIN_S)
        assert last["result"]["_meta"]["archway/refusal"]["code"] == "access_ended"


async def test_a_change_that_takes_nothing_away_ends_nothing(rig: Rig, upstream: McpUpstream) -> None:
    call, held = await held_calls(rig, upstream)
    principal = rig.control.verdicts[digest(rig.token)].principal
    assert principal is not None
    for kind, name in (("user", principal.id), ("team", "some-team"), ("grant", "other"), ("user", "other")):
        await rig.control.announce(kind, name)  # type: ignore[arg-type]  # each is a kind

    async def has_heard() -> bool:
        return rig.worker.changes.number >= rig.control.number

    await eventually(has_heard)
    held.set()
    reply = await ended(call)
    assert reply.result["content"][0]["text"] == "done"
    assert rig.worker.access.cut == 0


async def test_calls_of_others_go_on(rig: Rig, upstream: McpUpstream) -> None:
    other = rig.control.token()
    call, held = await held_calls(rig, upstream, token=other)
    await rig.control.announce("user", disable(rig, rig.token))

    async def is_known() -> bool:
        return (await rig.modern("tools/list")).status == 401

    await eventually(is_known)
    held.set()
    assert (await ended(call)).result["content"][0]["text"] == "done"


async def test_who_may_see_the_gateway_no_more_ends_there_with_what_they_run(rig: Rig, upstream: McpUpstream) -> None:
    call, _ = await held_calls(rig, upstream)
    await rig.serve([], visibility=Visibility("teams", teams=["others"]))
    assert (await ended(call)).refusal["code"] == "access_ended"


async def test_a_gateway_that_is_deleted_ends_its_calls(rig: Rig, upstream: McpUpstream) -> None:
    call, _ = await held_calls(rig, upstream)
    (gateway,) = rig.control.gateways.values()
    rig.control.gateways.clear()
    await rig.control.announce("gateway", gateway.id, -1)
    assert (await ended(call)).refusal["code"] == "access_ended"


async def test_while_no_news_can_come_callers_are_judged_again_twice_a_soft_age(
    make_rig: MakeRig, upstream: McpUpstream
) -> None:
    async with make_rig(soft_age=1.0) as rig:
        call, _ = await held_calls(rig, upstream)
        disable(rig, rig.token)  # and nobody tells
        assert (await ended(call)).refusal["code"] == "access_ended"


async def test_nothing_is_held_for_a_call_that_was_ended(rig: Rig, upstream: McpUpstream) -> None:
    call, _ = await held_calls(rig, upstream)
    await rig.control.revoke(rig.token)
    await ended(call)

    async def is_free() -> bool:
        usage = rig.worker.usage
        return not (usage.calls_in_flight or usage.at_servers or rig.worker.deps.calls.running())

    await eventually(is_free)


GONE = InstallationRefusal("installation_gone", "It was deleted.")
AWAY = InstallationRefusal("provider_away", "Try again.")
SIGN_IN = InstallationRefusal("needs_sign_in", "Sign in again.")


def resolves_to(rig: Rig, answer: ResolvedInstallation | InstallationRefusal) -> ResolvedInstallation:
    """Control says so from now on of each tool; what it said before."""
    (before,) = rig.control.installations.values()
    assert isinstance(before, ResolvedInstallation)
    rig.control.installations = dict.fromkeys(rig.control.installations, answer)
    return before


@pytest.mark.parametrize("kind", ["installation", "entry"])
async def test_a_call_ends_with_the_installation_that_it_goes_through(
    rig: Rig, upstream: McpUpstream, kind: Any
) -> None:
    call, _ = await held_calls(rig, upstream)
    before = resolves_to(rig, GONE)
    await rig.control.announce(kind, before.installation_id if kind == "installation" else before.entry_id)
    reply = await ended(call)
    assert (reply.status, reply.refusal["code"]) == (200, "installation_ended")
    assert "was removed" in reply.result["content"][0]["text"]
    assert (await rig.call("t")).refusal["code"] == "installation_gone"


async def test_a_call_ends_where_another_installation_takes_the_place_of_its_own(
    rig: Rig, upstream: McpUpstream
) -> None:
    call, _ = await held_calls(rig, upstream)
    before = resolves_to(rig, rig.control.installation(upstream.url))
    await rig.control.announce("installation", before.installation_id)
    assert (await ended(call)).refusal["code"] == "installation_ended"


@pytest.mark.parametrize("change", ["another", "renewed", "sign_in", "away", "unreachable"])
async def test_a_call_goes_on_whose_installation_is_still_there(rig: Rig, upstream: McpUpstream, change: str) -> None:
    call, held = await held_calls(rig, upstream)
    (before,) = rig.control.installations.values()
    assert isinstance(before, ResolvedInstallation)
    name = before.installation_id
    if change == "another":
        name = rig.control.installation(upstream.url).installation_id
    elif change == "unreachable":
        rig.control.down = True
    else:
        _ = resolves_to(rig, {"renewed": replace(before, version=2), "sign_in": SIGN_IN, "away": AWAY}[change])
    asked = len(rig.control.asked)
    await rig.control.announce("installation", name)

    async def was_judged() -> bool:
        judged = change == "another" or len(rig.control.asked) > asked
        return judged and rig.worker.changes.number >= rig.control.number

    await eventually(was_judged)
    await rig.worker.access.settled()
    held.set()
    assert (await ended(call)).result["content"][0]["text"] == "done"
    assert rig.worker.access.cut == 0
