"""Sessions of legacy clients: good in every worker, over in every worker; and batches, which exist in some only."""

import asyncio
from typing import Any

import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import Rig, eventually, running_rig


async def test_a_session_opened_in_one_worker_is_good_in_another(rig: Rig, redis_server: RedisServer) -> None:
    await rig.serve([])
    session = await rig.open_session()
    async with running_rig(redis_server, rig.way, control=rig.control) as second:
        reply = await second.legacy("ping", session=session, token=rig.token)

        assert reply.result == {}


async def test_an_ended_session_is_over_in_a_worker_that_knew_it(rig: Rig, redis_server: RedisServer) -> None:
    await rig.serve([])
    session = await rig.open_session()
    async with running_rig(redis_server, rig.way, control=rig.control) as second:
        assert (await second.legacy("ping", session=session, token=rig.token)).status == 200
        headers = {"Authorization": f"Bearer {rig.token}", "Mcp-Session-Id": session}
        async with rig.http.delete(rig.url(), headers=headers) as ended:
            assert ended.status == 204

        async def over() -> bool:
            return (await second.legacy("ping", session=session, token=rig.token)).status == 404

        await eventually(over)


async def test_an_ended_session_is_over_in_a_worker_that_comes_later(rig: Rig, redis_server: RedisServer) -> None:
    await rig.serve([])
    session = await rig.open_session()
    headers = {"Authorization": f"Bearer {rig.token}", "Mcp-Session-Id": session}
    async with rig.http.delete(rig.url(), headers=headers):
        pass
    async with running_rig(redis_server, rig.way, control=rig.control) as second:
        assert (await second.legacy("ping", session=session, token=rig.token)).status == 404


async def test_a_session_that_is_ended_while_redis_is_away_is_over_everywhere_when_it_is_back(
    breakable_redis: RedisServer, way: str
) -> None:
    async with (
        running_rig(breakable_redis, way) as first,
        running_rig(breakable_redis, way, control=first.control) as second,
    ):
        await first.serve([])
        session = await first.open_session()
        assert (await second.legacy("ping", session=session, token=first.token)).status == 200
        breakable_redis.kill()
        headers = {"Authorization": f"Bearer {first.token}", "Mcp-Session-Id": session}
        async with first.http.delete(first.url(), headers=headers) as ended:
            assert ended.status == 204
        assert (await first.legacy("ping", session=session)).status == 404
        assert (await second.legacy("ping", session=session, token=first.token)).status == 200
        breakable_redis.start()

        async def over() -> bool:
            return (await second.legacy("ping", session=session, token=first.token)).status == 404

        await eventually(over)


async def test_a_stream_ends_with_its_session_even_if_the_letter_was_missed(
    rig: Rig, redis_server: RedisServer
) -> None:
    await rig.serve([])
    session = await rig.open_session()
    headers = {"Authorization": f"Bearer {rig.token}", "Mcp-Session-Id": session}
    async with (
        running_rig(redis_server, rig.way, control=rig.control) as second,
        second.http.get(second.url(), headers=headers | {"Accept": "text/event-stream"}) as stream,
    ):
        assert stream.status == 200
        with redis_server.client() as client:
            client.client_kill_filter(_type="pubsub")
        async with rig.http.delete(rig.url(), headers=headers) as ended:
            assert ended.status == 204
        async with asyncio.timeout(8):
            await stream.read()


def request(method: str, id: Any, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


async def batch(rig: Rig, items: list[Any], version: str) -> Any:
    session = await rig.open_session(version)
    return await rig.post(items, headers={"MCP-Protocol-Version": version, "Mcp-Session-Id": session})


async def test_a_batch_in_a_session_of_2025_03_26_is_answered_item_by_item(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    items = [
        request("ping", "a"),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        request("tools/call", "b", name="t", arguments={"n": 1}, _meta={"progressToken": 1}),
        request("tools/call", "c", name="unknown", arguments={}),
        request("initialize", "d"),
        {"jsonrpc": "2.0", "id": "e", "result": {}},
        {"nonsense": True},
    ]

    reply = await batch(rig, items, "2025-03-26")

    answers = {answer.get("id"): answer for answer in reply.json if answer.get("id") is not None}
    assert reply.status == 200
    assert answers["a"]["result"] == {}
    assert answers["b"]["result"]["content"][0]["text"] == '{"n":1}'
    assert answers["c"]["error"]["code"] == -32602
    assert answers["d"]["error"]["code"] == -32600
    assert len(reply.json) == 6


async def test_a_batch_of_notifications_is_accepted_without_an_answer(rig: Rig) -> None:
    await rig.serve([])
    reply = await batch(rig, [{"jsonrpc": "2.0", "method": "notifications/initialized"}], "2025-03-26")
    assert (reply.status, reply.body) == (202, b"")


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25"])
async def test_other_versions_know_no_batches(rig: Rig, upstream: McpUpstream, version: str) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])

    reply = await batch(rig, [request("tools/call", 1, name="t", arguments={})], version)

    assert reply.error["code"] == -32600
    assert upstream.seen == []


async def test_a_batch_without_a_session_is_refused(rig: Rig) -> None:
    await rig.serve([])
    assert (await rig.post([request("ping", 1)])).error["code"] == -32600


async def test_calls_of_one_batch_run_side_by_side(rig: Rig, upstream: McpUpstream) -> None:
    met = asyncio.Barrier(3)

    async def meet(_: Any) -> Any:
        await asyncio.wait_for(met.wait(), 30)
        return Answer(text="met")

    upstream.tool("t", meet)
    await rig.serve([rig.control.tool("t", "t", rig.control.installation(upstream.url))])

    reply = await batch(rig, [request("tools/call", n, name="t", arguments={}) for n in range(3)], "2025-03-26")

    assert [answer["result"]["content"][0]["text"] for answer in reply.json] == ["met"] * 3
