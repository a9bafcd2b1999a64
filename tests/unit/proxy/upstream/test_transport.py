"""Which transport serves a worker, and what holds of both: the interface, and when a connection is used again."""

import asyncio

import pytest

from core.egress.addresses import PublicUrl
from core.egress.client import UpstreamFault
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.transport import AiohttpTransport, Transport, open_transport
from tests.fakes.outbound_calls import CAP, LOOPBACK
from tests.fakes.pool_calls import body_of, fault_of, post
from tests.fakes.scripted_upstream import CLOSE, HANG, RESET, Script, ScriptedUpstream, head, ok


async def test_upstreams_are_reached_by_our_pool_unless_a_proxy_or_a_setting_says_otherwise() -> None:
    direct = open_transport(LOOPBACK)
    proxied = open_transport(LOOPBACK, proxy="http://127.0.0.1:1")
    told = open_transport(LOOPBACK, pool=False)
    assert [type(one) for one in (direct, proxied, told)] == [UpstreamPool, AiohttpTransport, AiohttpTransport]
    for one in (direct, proxied, told):
        await one.close()


@pytest.mark.parametrize("setting", ["ca_bundle", "proxy"])
async def test_a_setting_that_cannot_be_used_is_named(setting: str) -> None:
    with pytest.raises(ValueError, match=r"ARCHWAY_CA_BUNDLE|HTTPS_PROXY"):
        open_transport(LOOPBACK, **{setting: "/nowhere"})


async def test_an_answer_shows_its_status_its_headers_and_its_body(transport: Transport) -> None:
    async with (
        ScriptedUpstream([ok(b"one", b"Mcp-Session-Id: s", status=b"404 Not Found")]) as upstream,
        post(transport, upstream.url, {"x-a": "b"}) as answer,
    ):
        assert (answer.status, answer.header("mcp-session-id"), answer.header("x-none")) == (404, "s", None)
        assert await answer.read_capped(CAP) == b"one"
        assert b"x-a: b\r\n" in upstream.requests[0]


async def test_a_request_without_a_deadline_is_its_callers_to_time(transport: Transport) -> None:
    async with (
        ScriptedUpstream([ok(b"one")]) as upstream,
        transport.request("POST", PublicUrl(upstream.url + "/"), {}, b"") as answer,
    ):
        assert await answer.read_capped(CAP) == b"one"


async def test_connections_are_counted_and_so_are_those_that_failed(transport: Transport) -> None:
    async with ScriptedUpstream([ok(b"one")]) as upstream:
        await body_of(transport, upstream.url)
        await body_of(transport, upstream.url)
    await fault_of(transport, upstream.url)
    assert (transport.opened, transport.failed) == (1, 1)


async def test_a_body_can_be_read_as_it_comes(transport: Transport) -> None:
    async with ScriptedUpstream([head(b"Connection: close"), b"one", 0.05, b"two", CLOSE]) as upstream:
        pieces = []
        async with post(transport, upstream.url) as answer:
            while piece := await answer.next_chunk():
                pieces.append(piece)
    assert pieces == [b"one", b"two"]


async def test_cookies_of_one_call_are_not_sent_with_the_next(transport: Transport) -> None:
    async with ScriptedUpstream([ok(b"", b"Set-Cookie: tenant=a; Path=/")]) as upstream:
        for _ in range(2):
            await body_of(transport, upstream.url)
        assert b"tenant" not in upstream.requests[1].lower()


async def test_an_error_of_the_callers_own_passes_unchanged(transport: Transport) -> None:
    async with ScriptedUpstream([ok(b"")]) as upstream:
        for error in (TimeoutError("mine"), OSError("mine"), KeyError("mine")):
            with pytest.raises(type(error), match="mine"):
                async with post(transport, upstream.url):
                    raise error


async def test_a_sound_connection_is_used_again(transport: Transport) -> None:
    async with ScriptedUpstream(
        [ok(b"1")], [head(b"Transfer-Encoding: chunked"), b"1\r\n2\r\n0\r\n\r\n"]
    ) as upstream:
        assert [await body_of(transport, upstream.url) for _ in range(4)] == [b"1", b"2", b"2", b"2"]
        assert (len(upstream.requests), upstream.connections) == (4, 1)


SPENDS: dict[str, Script] = {
    "bytes behind the answer at once": [ok(b"mine") + ok(b"other")],
    "bytes behind the answer later": [ok(b"mine"), 0.02, ok(b"other")],
    "a time-out said on an idle connection": [ok(b"mine"), 0.02, ok(b"", status=b"408 Request Timeout")],
    "garbage on an idle connection": [ok(b"mine"), 0.02, b"\x00\xff"],
    "the end of an idle connection": [ok(b"mine"), CLOSE],
    "the reset of an idle connection": [ok(b"mine"), RESET],
    "Connection: close": [ok(b"mine", b"Connection: close")],
    "a body ended by close": [head(), b"mine", CLOSE],
    "HTTP/1.0": [ok(b"mine").replace(b"1.1", b"1.0")],
    "bytes behind the last chunk": [head(b"Transfer-Encoding: chunked") + b"4\r\nmine\r\n0\r\n\r\n" + ok(b"other")],
}


@pytest.mark.parametrize("script", SPENDS.values(), ids=SPENDS.keys())
async def test_what_makes_a_connection_unfit_for_the_next_caller(transport: Transport, script: Script) -> None:
    async with ScriptedUpstream(script, [ok(b"yours")]) as upstream:
        assert await body_of(transport, upstream.url) == b"mine"
        await asyncio.sleep(0.06)
        assert await body_of(transport, upstream.url) == b"yours"
        assert upstream.connections == 2


async def test_unread_bytes_in_the_kernel_spoil_an_idle_connection(transport: Transport) -> None:
    async with ScriptedUpstream([ok(b"mine")], [ok(b"yours")]) as upstream:
        assert await body_of(transport, upstream.url) == b"mine"
        # The loop has no turn between the peer's write and our next request: only the kernel knows of the bytes.
        upstream.write_to_all(ok(b"answer of somebody else"))
        assert await body_of(transport, upstream.url) == b"yours"


async def judged_wrong(transport: Transport, url: str) -> None:
    async with post(transport, url) as answer:
        await answer.read_capped(CAP)
        await asyncio.sleep(0.01)
        raise UpstreamFault("broken", sent=True)


async def test_an_answer_found_wrong_after_its_last_byte_spends_its_connection(transport: Transport) -> None:
    async with ScriptedUpstream([ok(b"wrong id")]) as upstream:
        for _ in range(2):
            with pytest.raises(UpstreamFault):
                await judged_wrong(transport, upstream.url)
        assert upstream.connections == 2


async def test_a_caller_can_ask_that_a_connection_is_not_used_again(transport: Transport) -> None:
    async with ScriptedUpstream([ok(b"odd")]) as upstream:
        for _ in range(2):
            async with post(transport, upstream.url) as answer:
                await answer.read_capped(CAP)
                answer.never_reuse()
        assert upstream.connections == 2


async def test_a_block_left_without_reading_the_body_spends_its_connection(transport: Transport) -> None:
    async with ScriptedUpstream([head(b"Content-Length: 3"), 0.05, b"abc"]) as upstream:
        for _ in range(2):
            async with post(transport, upstream.url):
                pass
        assert upstream.connections == 2


async def test_a_block_that_may_be_left_and_was_not_framed_spends_its_connection(transport: Transport) -> None:
    async with ScriptedUpstream([head(), b"abc", 0.05, CLOSE]) as upstream:
        for _ in range(2):
            async with post(transport, upstream.url) as answer:
                answer.may_be_left(all_read=True)
        assert upstream.connections == 2


async def test_a_cancelled_caller_leaves_nothing_behind(transport: Transport) -> None:
    async with ScriptedUpstream([HANG], [ok(b"fine")]) as upstream:
        async with asyncio.TaskGroup() as tasks:
            caller = tasks.create_task(body_of(transport, upstream.url))
            await upstream.seen(1)
            caller.cancel()
        assert caller.cancelled()
        assert await body_of(transport, upstream.url) == b"fine"
        assert upstream.connections == 2
