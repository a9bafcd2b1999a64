"""What clients do with a gateway's URL and with a session that is over: served, in both lanes."""

import pytest

from tests.proxy.conftest import Rig

OPEN = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


async def test_a_gateway_is_the_same_with_a_slash_behind_its_name(rig: Rig) -> None:
    await rig.serve([])
    for _ in range(2):  # the second time with heads that are known
        session = await rig.open_session(gateway="g/")
        assert (await rig.legacy("ping", session=session, gateway="g/")).result == {}
        assert (await rig.legacy("ping", session=session)).result == {}
        assert "tools" in (await rig.modern("tools/list", gateway="g/")).result
        headers = {"Authorization": f"Bearer {rig.token}", "Mcp-Session-Id": session}
        listening = headers | {"Accept": "text/event-stream"}
        async with rig.http.get(rig.url("g/"), headers=listening) as stream:
            assert (stream.status, stream.content_type) == (200, "text/event-stream")
        async with rig.http.delete(rig.url("g/"), headers=headers) as ended:
            assert ended.status == 204
        assert (await rig.legacy("ping", session=session)).status == 404


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("slug", ["g//", "/g", "g/x", "g/%2f", "h/"])
async def test_no_other_path_is_a_gateway(rig: Rig, method: str, slug: str) -> None:
    await rig.serve([])
    headers = {"Authorization": f"Bearer {rig.token}", "Content-Type": "application/json"}
    async with rig.http.request(
        method, rig.url(slug), json=OPEN if method == "POST" else None, headers=headers
    ) as one:
        assert one.status == 404


@pytest.mark.parametrize("stale", ["made-up", "x" * 4000, "ended", "another gateway's"])
async def test_a_client_with_a_session_that_is_none_may_open_another(rig: Rig, stale: str) -> None:
    await rig.serve([])
    await rig.serve([], slug="h")
    if stale in {"ended", "another gateway's"}:
        ended = stale == "ended"
        stale = await rig.open_session(gateway="g" if ended else "h")
        if ended:
            headers = {"Authorization": f"Bearer {rig.token}", "Mcp-Session-Id": stale}
            async with rig.http.delete(rig.url(), headers=headers):
                pass

    assert (await rig.legacy("ping", session=stale)).status == 404
    reply = await rig.post(OPEN, headers={"Mcp-Session-Id": stale, "MCP-Protocol-Version": "2025-11-25"})
    assert reply.status == 200
    fresh = reply.headers["Mcp-Session-Id"]
    assert fresh != stale
    assert (await rig.legacy("ping", session=fresh)).result == {}
    for message in (
        [OPEN],
        {**OPEN, "method": "tools/list"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ):
        assert (await rig.post(message, headers={"Mcp-Session-Id": stale})).status == 404
    for method in ("GET", "DELETE"):
        headers = {"Authorization": f"Bearer {rig.token}", "Mcp-Session-Id": stale, "Accept": "text/event-stream"}
        async with rig.http.request(method, rig.url(), headers=headers) as answer:
            assert answer.status == 404
