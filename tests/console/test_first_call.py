"""The event stream of Connect: what it tells, when it ends, and how many a replica keeps open."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack

import pytest

from control.console import live
from control.store import browser_sessions
from control.store.pool import transaction
from proxy.edge import passing_on
from tests.console.serving import Console, Reader, reading
from tests.control import seeded

WITHIN_S = 30.0


async def a_gateway(console: Console) -> str:
    async with transaction(console.pool) as connection:
        return await seeded.gateway(connection, "sales")


async def events(
    reader: Reader, console: Console, after_first: asyncio.Event, path: str = "/connect/sales/first-call"
) -> str:
    """All that the stream says until it ends; `after_first` is set once it has said something."""
    told = ""
    async with reader.http.get(console.url + path) as answer:
        assert answer.content_type == "text/event-stream"
        async for piece in answer.content.iter_any():
            told += piece.decode()
            after_first.set()
    return told


async def test_it_says_that_it_waits_then_that_the_call_arrived_and_ends(console: Console) -> None:
    gateway_id, bea, waits = await a_gateway(console), await console.person("Bea"), asyncio.Event()
    async with reading(console, bea) as reader, asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        stream = group.create_task(events(reader, console, waits))
        await waits.wait()
        await console.called(gateway_id, bea, "crm__find", "quarantined", "It is in quarantine.")
        await console.called(gateway_id, bea, "crm__find")
    told = stream.result()
    assert told.index("Waiting for your first call") < told.index("Connected: your call arrived")
    assert told.endswith("event: done\ndata: done\n\n")


async def test_a_call_that_was_there_before_ends_it_at_once(console: Console) -> None:
    gateway_id, bea = await a_gateway(console), await console.person("Bea")
    await console.called(gateway_id, bea, "crm__find")
    async with reading(console, bea) as reader, asyncio.timeout(WITHIN_S):
        told = await events(reader, console, asyncio.Event())
    assert "Waiting" not in told
    assert "event: done" in told


async def test_who_has_just_made_a_token_waits_for_another_call_than_the_one_before(console: Console) -> None:
    gateway_id, bea, waits = await a_gateway(console), await console.person("Bea"), asyncio.Event()
    await console.called(gateway_id, bea, "crm__before")
    async with reading(console, bea) as reader, asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        _, page, _ = await reader.post("/connect/sales/token", client="curl")
        assert "Waiting for your first call" in page
        (path,) = re.findall(r'data-live="([^"]+)"', page)
        stream = group.create_task(events(reader, console, waits, path))
        await waits.wait()
        await console.called(gateway_id, bea, "crm__after")
    told = stream.result()
    assert told.index("Waiting") < told.index("crm__after")
    assert "crm__before" not in told


async def test_it_ends_with_the_session_at_the_next_look(console: Console) -> None:
    await a_gateway(console)
    bea, waits = await console.person("Bea"), asyncio.Event()
    async with reading(console, bea) as reader, asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        stream = group.create_task(events(reader, console, waits))
        await waits.wait()
        async with transaction(console.pool) as connection:
            await browser_sessions.delete_all_of(connection, bea.id)
    assert "done" not in stream.result()


async def test_a_stream_that_waits_says_so_now_and_then(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "COMMENT_AFTER_S", 0.0)
    await a_gateway(console)
    async with (
        reading(console, await console.person("Bea")) as reader,
        asyncio.timeout(WITHIN_S),
        reader.http.get(f"{console.url}/connect/sales/first-call") as answer,
    ):
        told = b""
        while b": still here\n\n" not in told:
            told += await answer.content.readany()


def test_a_proxy_cuts_off_no_stream_that_waits() -> None:
    """Even if a round takes as long as a write may."""
    assert live.COMMENT_AFTER_S + live.PAUSE_S + 10.0 < passing_on.SILENCE_S


async def test_one_person_takes_no_more_than_a_few_from_everybody(console: Console) -> None:
    await a_gateway(console)
    bea, carl = await console.person("Bea"), await console.person("Carl")
    url = f"{console.url}/connect/sales/first-call"
    async with AsyncExitStack() as ending, reading(console, bea) as reader, reading(console, carl) as other:
        for _ in range(live.MOST_OF_ONE):
            assert (await ending.enter_async_context(reader.http.get(url))).status == 200
        assert (await ending.enter_async_context(reader.http.get(url))).status == 503
        assert (await ending.enter_async_context(other.http.get(url))).status == 200
