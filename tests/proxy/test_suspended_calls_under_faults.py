"""A call that waits for a modern caller's answer, while workers end or fall silent, or Redis is away: the caller gets
the end of that very call, or is told that it waits no more; never is it made a second time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy.sessions import elsewhere
from proxy.sessions.mailbox import Letter
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import MakeRig, Reply, Rig, eventually, running_rig

FORM = {"message": "Which city?", "requestedSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
CAN = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
PARIS = {"action": "accept", "content": {"city": "Paris"}}


async def serve(rig: Rig, server: McpUpstream, held: asyncio.Event | None = None) -> None:
    """A tool whose server asks, and then answers once `held` is set."""
    server.tool("ask", Answer(asks=("elicitation/create", FORM), then=lambda _: Answer(text="done", hold=held)))
    await rig.serve([rig.control.tool("t", "ask", rig.control.installation(server.url))])


async def call(rig: Rig, **more: Any) -> Reply:
    return await rig.modern("tools/call", {"name": "t", "arguments": {}, **more}, meta=CAN)


async def asked(rig: Rig) -> dict[str, Any]:
    """What goes back with the answer."""
    told = (await call(rig)).result
    return {"inputResponses": dict.fromkeys(told["inputRequests"], PARIS), "requestState": told["requestState"]}


def calls_of(server: McpUpstream) -> int:
    return len([one for one in server.seen_of("tools/call") if not one.prepares])


def text(reply: Reply) -> str:
    return str(reply.result["content"][0]["text"])


async def goes_on(rig: Rig, letters: list[Letter], times: int = 1) -> None:
    """Until the worker that has the call has said so."""

    async def said() -> bool:
        return len([one for one in letters if one.kind == "resumes"]) >= times

    await eventually(said)


def heard_by(rig: Rig, patched: pytest.MonkeyPatch) -> list[Letter]:
    """The letters about suspended calls that this worker reads."""
    letters: list[Letter] = []
    deliver = rig.worker.deps.suspended.deliver

    def note(letter: Letter) -> None:
        letters.append(letter)
        deliver(letter)

    patched.setattr(rig.worker.deps.suspended, "deliver", note)
    return letters


async def test_who_goes_on_for_long_is_waited_for_as_long_as_it_says_so(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    monkeypatch.setattr(elsewhere, "SAYS_SO_S", 0.05)
    async with make_rig() as rig, make_rig(control=rig.control) as other, McpUpstream(era="legacy") as server:
        other.token = rig.token
        await serve(rig, server, held)
        back = await asked(rig)
        letters = heard_by(other, monkeypatch)
        async with asyncio.TaskGroup() as group:
            retry = group.create_task(call(other, **back))
            await goes_on(other, letters, times=3)
            held.set()
        assert text(retry.result()) == "done"
        assert calls_of(server) == 1


async def test_a_worker_that_falls_silent_while_it_goes_on_is_not_waited_for(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    async with make_rig() as rig, make_rig(control=rig.control) as other, McpUpstream(era="legacy") as server:
        other.token = rig.token
        await serve(rig, server, held)
        back = await asked(rig)
        monkeypatch.setattr(elsewhere, "SILENT_S", 0.2)
        assert (await call(other, **back)).refusal["code"] == "question_gone"
        assert calls_of(server) == 1
        held.set()


async def test_a_worker_that_ends_while_it_goes_on_says_so(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    monkeypatch.setattr(elsewhere, "SILENT_S", 600.0)
    async with make_rig() as rig, McpUpstream(era="legacy") as server:
        await serve(rig, server, held)
        async with asyncio.TaskGroup() as group, make_rig(control=rig.control) as ends:
            ends.token = rig.token
            back = await asked(ends)
            letters = heard_by(rig, monkeypatch)
            retry = group.create_task(call(rig, **back))
            await goes_on(rig, letters)
        assert retry.result().refusal["code"] == "question_gone"
        assert calls_of(server) == 1
        held.set()


async def test_without_redis_the_worker_that_has_the_call_goes_on_and_another_one_makes_no_second(
    breakable_redis: RedisServer, way: str
) -> None:
    async with (
        running_rig(breakable_redis, way) as rig,
        running_rig(breakable_redis, way, control=rig.control) as other,
        McpUpstream(era="legacy") as server,
    ):
        other.token = rig.token
        await serve(rig, server)
        back = await asked(rig)
        assert (await other.modern("tools/list")).result["tools"]  # it knows the caller and the gateway
        breakable_redis.kill()
        assert (await call(other, **back)).refusal["code"] == "question_gone"
        assert text(await call(rig, **back)) == "done"
        assert calls_of(server) == 1
