"""Subscriptions to single resources: who hears of which change, on which stream, and how servers are listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from core.resolve import InstallationRefusal
from core.tokens import digest
from proxy.subscriptions import shared_listening
from tests.fakes.mcp_upstream import Answer, Era, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import MakeRig, Reply, Rig, eventually, running_rig
from tests.proxy.test_news_of_lists import SUBSCRIPTION, get_stream, listening, soon
from tests.proxy.test_offers import offered, resources

TELLS = {"tools": {}, "resources": {"subscribe": True}}
UPDATED = "notifications/resources/updated"
ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])
SPEAKS = pytest.mark.parametrize("speaks", ["modern", "legacy"])


@asynccontextmanager
async def server_of(speaks: Era, *uris: str) -> AsyncIterator[McpUpstream]:
    """A server that says when its resources change."""
    async with McpUpstream(era=speaks, capabilities=TELLS) as server:
        resources(server, *uris)
        yield server


async def serve(rig: Rig, *servers: tuple[str, McpUpstream], **route: Any) -> None:
    """A gateway with the resources of these."""
    held = [(name, rig.control.installation(server.url, entry=name)) for name, server in servers]
    await rig.serve([], offers=[offered(rig, "resources", one, **route) for _, one in held])


class Caller:
    """Someone who subscribes, in one era, and the stream on which they hear."""

    def __init__(self, rig: Rig, era: str) -> None:
        self.rig, self.era = rig, era
        self.session = ""

    async def subscribe(self, *uris: str, on: Rig | None = None) -> list[Reply]:
        """Of a legacy one: by a request for each."""
        self.session = self.session or await self.rig.open_session()
        asked = on or self.rig
        return [await asked.legacy("resources/subscribe", {"uri": uri}, session=self.session) for uri in uris]

    @asynccontextmanager
    async def hears(self, *uris: str) -> AsyncIterator[AsyncIterator[Any]]:
        """The stream of a caller who is subscribed to these, once it stands."""
        async with AsyncExitStack() as stack:
            if self.era == "modern":
                stream = await stack.enter_async_context(listening(self.rig, {"resourceSubscriptions": list(uris)}))
                told = (await soon(stream))["params"]["notifications"]
                assert told.get("resourceSubscriptions", []) == list(uris)
            else:
                assert [reply.result for reply in await self.subscribe(*uris)] == [{}] * len(uris)
                stream = await stack.enter_async_context(get_stream(self.rig, self.session))
            await until(lambda: len(self.rig.worker.deps.subscriptions) >= len(uris))
            yield stream


async def until(true: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return true()

    await eventually(holds)


@ERAS
@SPEAKS
async def test_a_caller_hears_when_a_resource_changes_that_they_subscribed_to(
    rig: Rig, era: str, speaks: Era
) -> None:
    async with server_of(speaks) as server:
        await serve(rig, ("crm", server))
        async with Caller(rig, era).hears("a://1", "a://2") as stream:
            await server.updated("a://another")
            await server.updated("a://2")
            news = await soon(stream)
            assert (news["method"], news["params"]["uri"]) == (UPDATED, "a://2")
            assert news["params"].get("_meta") == ({SUBSCRIPTION: "listen-1"} if era == "modern" else None)
        assert server.complaints == []


@ERAS
async def test_a_part_of_what_was_subscribed_to_is_told_of_and_what_only_begins_so_is_not(rig: Rig, era: str) -> None:
    async with server_of("legacy") as server:
        await serve(rig, ("crm", server))
        async with Caller(rig, era).hears("a://1") as stream:
            await server.updated("a://11")
            await server.updated("a://1/part")
            assert (await soon(stream))["params"]["uri"] == "a://1/part"


@ERAS
@SPEAKS
async def test_each_hears_by_their_own_account(rig: Rig, era: str, speaks: Era) -> None:
    async with server_of(speaks) as server:
        mine = rig.control.installation(server.url, entry="crm", credential_headers=[("Authorization", "Bearer a")])
        theirs = rig.control.installation(server.url, entry="crm", credential_headers=[("Authorization", "Bearer b")])
        offer = offered(rig, "resources", mine)
        other = rig.control.token()
        rig.control.installations[f"{offer.assignment_id}/{digest(other)}"] = theirs
        await rig.serve([], offers=[offer])
        async with Caller(rig, era).hears("me://1"):
            token, rig.token = rig.token, other
            asked = "subscriptions/listen" if speaks == "modern" else "resources/subscribe"
            async with AsyncExitStack() as stack:
                caller = Caller(rig, era)
                if era == "modern":
                    await soon(await stack.enter_async_context(listening(rig, {"resourceSubscriptions": ["me://1"]})))
                else:
                    await caller.subscribe("me://1")
                seen = [one.headers["Authorization"] for one in server.seen_of(asked)]
                assert seen == ["Bearer a", "Bearer b"]
            rig.token = token


async def test_two_streams_of_one_caller_listen_to_a_server_once(rig: Rig) -> None:
    async with server_of("legacy") as server:
        await serve(rig, ("crm", server))
        async with Caller(rig, "legacy").hears("a://1") as one, Caller(rig, "modern").hears("a://1") as other:
            assert server.heard_by == 1
            await server.updated("a://1")
            assert [(await soon(stream))["params"]["uri"] for stream in (one, other)] == ["a://1"] * 2
        assert len(server.seen_of("resources/subscribe")) == 1


async def test_a_uri_that_two_servers_have_is_told_as_the_caller_knows_it(rig: Rig) -> None:
    async with server_of("legacy", "file:///x") as crm, server_of("modern", "file:///x") as wiki:
        await serve(rig, ("crm", crm), ("wiki", wiki))
        async with Caller(rig, "legacy").hears("wiki+file:///x", "crm+file:///x") as stream:
            await wiki.updated("file:///x")
            assert (await soon(stream))["params"]["uri"] == "wiki+file:///x"
            await crm.updated("file:///x#part")
            assert (await soon(stream))["params"]["uri"] == "crm+file:///x#part"
        assert wiki.seen_of("subscriptions/listen")[-1].params["notifications"] == {
            "resourceSubscriptions": ["file:///x"]
        }


async def test_a_session_that_has_unsubscribed_hears_no_more(rig: Rig) -> None:
    async with server_of("modern") as server:
        await serve(rig, ("crm", server))
        caller = Caller(rig, "legacy")
        async with caller.hears("a://1", "a://2") as stream:
            told = await rig.legacy("resources/unsubscribe", {"uri": "a://1"}, session=caller.session)
            assert told.result == {}
            await until(lambda: len(rig.worker.deps.subscriptions) == 1)
            await server.updated("a://1")
            await server.updated("a://2")
            assert (await soon(stream))["params"]["uri"] == "a://2"


async def test_a_session_that_subscribes_while_its_stream_is_open_hears_on_it(rig: Rig) -> None:
    async with server_of("legacy") as server:
        await serve(rig, ("crm", server))
        caller = Caller(rig, "legacy")
        async with caller.hears("a://1") as stream:
            await caller.subscribe("a://2")
            await until(lambda: len(rig.worker.deps.subscriptions) == 2)
            await server.updated("a://2")
            assert (await soon(stream))["params"]["uri"] == "a://2"
        assert server.heard_by == 1


async def test_news_comes_on_the_streams_worker_whichever_was_asked(make_rig: MakeRig) -> None:
    async with server_of("modern") as server, make_rig() as rig, make_rig(control=rig.control) as other:
        other.token = rig.token
        await serve(rig, ("crm", server))
        caller = Caller(rig, "legacy")
        await caller.subscribe("a://1", on=other)
        async with get_stream(rig, caller.session) as stream:
            await until(lambda: len(rig.worker.deps.subscriptions) == 1)
            await caller.subscribe("a://2", on=other)
            await until(lambda: len(rig.worker.deps.subscriptions) == 2)
            await rig.worker.deps.subscriptions.ask(*asking(rig, caller, "a://2"))
            await server.updated("a://2")
            assert (await soon(stream))["params"]["uri"] == "a://2"


def asking(rig: Rig, caller: Caller, uri: str) -> Any:
    """Ask again what is held already: it is answered when it stands."""
    of = next(iter(rig.worker.deps.subscriptions._streams.values()))
    one = next(one for one in of.holds if one.exposed == uri)
    assert of.held.session is not None
    return of.held.caller, of.held.gateway, of.held.session.jti, one


@SPEAKS
async def test_what_a_server_does_not_tell_of_is_no_subscription(rig: Rig, speaks: Era) -> None:
    async with server_of(speaks) as server:
        server.untold = {"a://none"}
        await serve(rig, ("crm", server))
        told = (await Caller(rig, "legacy").subscribe("a://none"))[0].error
        assert told["data"]["code"] == ("no_news" if speaks == "modern" else "upstream_error")
        async with listening(rig, {"resourceSubscriptions": ["a://none", "a://1"]}) as stream:
            assert (await soon(stream))["params"]["notifications"] == {"resourceSubscriptions": ["a://1"]}


@pytest.mark.parametrize("speaks", ["legacy", "legacy-stateless"])
async def test_a_server_that_says_nothing_by_itself_cannot_be_subscribed_to(rig: Rig, speaks: Era) -> None:
    async with McpUpstream(era=speaks, capabilities={"resources": {}}) as server:
        resources(server)
        await serve(rig, ("crm", server))
        told = (await Caller(rig, "legacy").subscribe("a://1"))[0].error
        assert (told["data"]["code"], told["message"]) == ("no_news", "crm does not say when its resources change.")


@SPEAKS
async def test_a_resource_that_was_refused_can_be_subscribed_to_once_the_server_tells_of_it(
    rig: Rig, speaks: Era
) -> None:
    async with server_of(speaks) as server:
        server.untold = {"a://late"}
        await serve(rig, ("crm", server))
        caller = Caller(rig, "legacy")
        assert (await caller.subscribe("a://late"))[0].error
        server.untold = set()
        assert (await caller.subscribe("a://late"))[0].result == {}


async def test_a_modern_server_without_listening_cannot_be_subscribed_to(rig: Rig) -> None:
    async with server_of("modern") as server:
        server.on("subscriptions/listen", Answer(error=(-32601, "Method not found"), status=404))
        await serve(rig, ("crm", server))
        assert (await Caller(rig, "legacy").subscribe("a://1"))[0].error["data"]["code"] == "no_news"


async def test_without_a_session_there_is_nothing_on_which_to_hear(rig: Rig) -> None:
    async with server_of("modern") as server:
        await serve(rig, ("crm", server))
        for method in ("resources/subscribe", "resources/unsubscribe"):
            told = await rig.legacy(method, {"uri": "a://1"}, headers={"MCP-Protocol-Version": "2025-03-26"})
            assert told.error["data"]["code"] == "no_session", method


@pytest.mark.parametrize("uris", ["a://1", [1], [["a://1"]], {"a://1": True}])
async def test_what_is_no_list_of_uris_is_refused(rig: Rig, uris: Any) -> None:
    async with server_of("modern") as server:
        await serve(rig, ("crm", server))
        reply = await rig.modern("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}})
        assert (reply.status, reply.error["code"]) == (400, -32602)


async def test_more_than_a_hundred_subscriptions_are_too_many(rig: Rig) -> None:
    async with server_of("modern") as server:
        await serve(rig, ("crm", server))
        wanted = {"resourceSubscriptions": [f"a://{number}" for number in range(101)]}
        told = (await rig.modern("subscriptions/listen", {"notifications": wanted})).error
        assert told["data"]["code"] == "too_many_subscriptions"
        caller = Caller(rig, "legacy")
        rig.worker.deps.questions.may_send = lambda _principal, _size: True  # type: ignore[method-assign]  # as if in time
        replies = await caller.subscribe(*wanted["resourceSubscriptions"])
        assert all(reply.result == {} for reply in replies[:100])
        assert replies[100].error["data"]["code"] == "too_many_subscriptions"


@SPEAKS
async def test_a_stream_that_its_server_ends_is_begun_again_and_the_caller_told_to_look(
    rig: Rig, speaks: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("listened.FIRST_PAUSE_S", "heard_stream.AGAIN_S"):
        monkeypatch.setattr(f"proxy.upstream.{name}", 0.05)
    async with server_of(speaks) as server:
        await serve(rig, ("crm", server))
        async with Caller(rig, "legacy").hears("a://1") as stream:
            server.close_streams()
            await server.wait_until(lambda: server.heard_by == 0)
            await server.wait_until(lambda: server.heard_by == 1)
            assert (await soon(stream))["params"]["uri"] == "a://1"
            await server.updated("a://1/2")
            assert (await soon(stream))["params"]["uri"] == "a://1/2"


@ERAS
@SPEAKS
async def test_a_caller_that_leaves_is_listened_for_no_more(
    rig: Rig, era: str, speaks: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server_of(speaks) as server:
        await serve(rig, ("crm", server))
        async with Caller(rig, era).hears("a://1"):
            assert server.heard_by == 1
            monkeypatch.setattr(shared_listening, "LINGER_S", 0.05)
        await server.wait_until(lambda: server.heard_by == 0)
        if speaks == "legacy":
            await server.wait_for("DELETE")
        assert len(rig.worker.deps.subscriptions) == len(rig.worker.deps.subscriptions.shared) == 0


async def test_an_installation_that_changed_is_listened_to_with_what_it_is_now(rig: Rig) -> None:
    async with server_of("modern") as server:
        before = rig.control.installation(server.url, entry="crm", credential_headers=[("Authorization", "Bearer a")])
        offer = offered(rig, "resources", before)
        await rig.serve([], offers=[offer])
        async with Caller(rig, "modern").hears("a://1") as stream:
            after = rig.control.installation(
                server.url, entry="crm", credential_headers=[("Authorization", "Bearer b")]
            )
            rig.control.installations[offer.assignment_id] = after
            await rig.control.announce("installation", before.installation_id)
            await server.wait_for("subscriptions/listen", 2)
            assert server.seen_of("subscriptions/listen")[-1].headers["Authorization"] == "Bearer b"
            await server.wait_until(lambda: server.heard_by == 1)
            await server.updated("a://1")
            assert (await soon(stream))["params"]["uri"] == "a://1"


async def test_what_a_gateway_offers_no_more_is_heard_of_no_more(rig: Rig) -> None:
    async with server_of("modern") as server:
        await serve(rig, ("crm", server))
        async with Caller(rig, "legacy").hears("a://1"):
            await rig.serve([])
            await until(lambda: len(rig.worker.deps.subscriptions) == 0)


async def test_whoever_lacks_a_credential_is_told_how_to_get_one(rig: Rig) -> None:
    async with server_of("modern") as server:
        held = rig.control.installation(server.url, entry="crm")
        offer = offered(rig, "resources", held)
        refusal = InstallationRefusal("needs_sign_in", "Sign in to crm first.", "https://archway.test/install/crm")
        rig.control.installations[offer.assignment_id] = refusal
        await rig.serve([], offers=[offer])
        told = (await Caller(rig, "legacy").subscribe("a://1"))[0].error
        assert told["data"]["code"] == "needs_sign_in"
        async with listening(rig, {"resourceSubscriptions": ["a://1"]}) as stream:
            assert (await soon(stream))["params"]["notifications"] == {}


async def test_while_redis_is_away_nothing_is_promised(breakable_redis: RedisServer, way: str) -> None:
    async with server_of("modern") as server, running_rig(breakable_redis, way) as rig:
        await serve(rig, ("crm", server))
        session = await rig.open_session()
        await rig.legacy("resources/list", session=session)
        breakable_redis.kill()
        told = await rig.legacy("resources/subscribe", {"uri": "a://1"}, session=session)
        assert told.error["data"]["code"] == "subscriptions_away"


@ERAS
async def test_a_gateway_says_that_it_can_be_subscribed_to(rig: Rig, era: str) -> None:
    async with server_of("modern") as server:
        await serve(rig, ("crm", server))
        if era == "modern":
            can = (await rig.modern("server/discover")).result["capabilities"]
        else:
            opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t"}}
            can = (await rig.legacy("initialize", opening)).result["capabilities"]
        assert can["resources"] == {"listChanged": True, "subscribe": True}


async def test_a_stream_hears_of_resources_that_its_gateway_offers_only_later(rig: Rig) -> None:
    async with server_of("modern") as server:
        await rig.serve([])
        caller = Caller(rig, "legacy")
        caller.session = await rig.open_session()
        async with get_stream(rig, caller.session) as stream:
            await serve(rig, ("crm", server))
            assert (await soon(stream))["method"] == "notifications/resources/list_changed"
            await caller.subscribe("a://1")
            await until(lambda: len(rig.worker.deps.subscriptions) == 1)
            await server.updated("a://1")
            assert (await soon(stream))["params"]["uri"] == "a://1"
