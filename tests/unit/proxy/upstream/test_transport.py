"""Which transport serves a worker, and that both keep one interface."""

import pytest

from core.addresses import PublicUrl
from core.egress import UpstreamFault
from proxy.upstream.pool import UpstreamPool
from proxy.upstream.transport import AiohttpTransport, Transport, open_transport
from tests.fakes.outbound_calls import CAP, LOOPBACK
from tests.fakes.scripted_upstream import CLOSE, ScriptedUpstream, head, ok


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


async def exchange(transport: Transport, url: str) -> tuple[int, str | None, bytes]:
    async with transport.request("POST", PublicUrl(url + "/"), {"x-a": "b"}, b"{}", deadline=3) as answer:
        return answer.status, answer.header("mcp-session-id"), await answer.read_capped(CAP)


@pytest.mark.parametrize("pool", [True, False], ids=["our pool", "aiohttp's client"])
async def test_both_transports_answer_alike(pool: bool) -> None:
    transport = open_transport(LOOPBACK, pool=pool)
    async with ScriptedUpstream(
        [ok(b"one", b"Mcp-Session-Id: s", status=b"404 Not Found")], [ok(b"two")], [CLOSE], [head(), b"abc", CLOSE]
    ) as upstream:
        assert await exchange(transport, upstream.url) == (404, "s", b"one")
        assert await exchange(transport, upstream.url) == (200, None, b"two")
        assert (transport.opened, transport.failed) == (1, 0)
        with pytest.raises(UpstreamFault) as caught:
            await exchange(transport, upstream.url)
        assert (caught.value.reason, caught.value.sent) == ("broken", True)
        async with transport.request("POST", PublicUrl(upstream.url + "/"), {}, b"") as answer:
            assert b"".join([chunk async for chunk in pieces(answer.next_chunk)]) == b"abc"
            answer.never_reuse()
        await transport.close()


async def pieces(next_chunk):  # type: ignore[no-untyped-def]
    while chunk := await next_chunk():
        yield chunk
