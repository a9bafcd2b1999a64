from __future__ import annotations

import asyncio
import json

import pytest

from core.mcp.faults import MessageFault
from core.mcp.message import Batch
from proxy.answers.batches import AT_ONCE, answer_batch
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.pipeline import answer_request
from proxy.room import at_end, reserve
from proxy.sessions.sealed import Session
from tests.fakes.proxy_parts import exchange, gateway, proxy_parts

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
TOLD = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def in_session(version: str, *items: object) -> Exchange:
    x = exchange({})
    x.gateway, x.message = gateway(), Batch(list(items))
    x.session = Session("jti", version, 0, 0)
    return x


async def test_four_items_run_at_once_and_what_is_beyond_the_room_is_refused_with_its_id() -> None:
    running = most = asked = 0

    async def answered(one: Exchange, deps: Deps) -> Answer:
        nonlocal running, most, asked
        running, asked = running + 1, asked + 1
        most = max(most, running)
        reserve(one, deps, 400)
        await asyncio.sleep(0)  # all four have begun when the first goes on, and none other when the last ends
        running -= 1
        return Answer(200, b'"' + b"x" * 398 + b'"')

    async with proxy_parts(max_answer=1000) as deps:
        x = in_session("2025-03-26", *({**PING, "id": number} for number in range(20)))
        said = json.loads((await answer_batch(x, deps, answered)).body)
        assert most == AT_ONCE
        assert asked == 4
        assert said[:2] == ["x" * 398] * 2
        assert [one["id"] for one in said[2:]] == list(range(2, 20))
        assert {one["error"]["code"] for one in said[2:]} == {-31503}
        assert deps.usage.bytes_in_flight == 400 * asked
        at_end(x, deps)
        assert deps.usage.bytes_in_flight == 0


async def answers(deps: Deps, *items: object) -> list[object]:
    answer = await answer_batch(in_session("2025-03-26", *items), deps, answer_request)
    return list(json.loads(answer.body))


async def test_each_request_gets_its_answer_and_a_notification_none(deps: Deps) -> None:
    assert await answers(deps, PING, TOLD, {**PING, "id": "two"}) == [
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": "two", "result": {}},
    ]


async def test_where_nothing_awaits_an_answer_there_is_none(deps: Deps) -> None:
    answer = await answer_batch(in_session("2025-03-26", TOLD), deps, answer_request)
    assert answer == Answer(202)


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", None])
async def test_in_any_other_session_a_batch_is_no_message(deps: Deps, version: str | None) -> None:
    x = in_session(version or "", PING)
    if version is None:
        x.session = None
    with pytest.raises(MessageFault, match="2025-03-26"):
        await answer_batch(x, deps, answer_request)


async def test_what_is_wrong_with_one_item_is_that_items_answer(deps: Deps) -> None:
    wrong, initialize, response, fine = await answers(
        deps,
        {"jsonrpc": "2.0", "id": 5},
        {"jsonrpc": "2.0", "id": 6, "method": "initialize", "params": {}},
        {"jsonrpc": "2.0", "id": 7, "result": {}},
        PING,
    )
    assert [one["error"]["code"] for one in (wrong, initialize, response)] == [-32600] * 3  # type: ignore[index]
    assert fine == {"jsonrpc": "2.0", "id": 1, "result": {}}
