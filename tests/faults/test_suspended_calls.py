"""A call waits in a worker for a modern caller's answer, and that worker is killed, or replaced: the caller who comes
back gets the end of that very call or is told that it waits no more. The server is never called a second time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson
import psutil
import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_program import eventually
from tests.fixtures_supervised import SupervisedProxy, new_session, supervised
from tests.proxy.conftest import modern_request

FORM = {"message": "Which city?", "requestedSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
CAN = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
PARIS = {"action": "accept", "content": {"city": "Paris"}}
GRACE_S = 3


class Client:
    """One client with one connection, which is kept alive; it knows from which port it calls."""

    def __init__(self) -> None:
        self.http = new_session(socket_factory=self._made)
        self._socket: socket.socket | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    @property
    def port(self) -> int:
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def _made(self, address: Any) -> socket.socket:
        self._socket = socket.socket(*address[:3])
        return self._socket


@dataclass
class Scene:
    """Two workers, and a legacy server that asks in the middle of a call."""

    proxy: SupervisedProxy
    server: McpUpstream
    held: asyncio.Event
    """The server answers once it is set."""

    async def call(self, client: Client, **more: Any) -> dict[str, Any]:
        """The result."""
        message, named = modern_request("tools/call", {"name": "ask", "arguments": {}, **more}, meta=CAN)
        usual = {"Authorization": f"Bearer {self.proxy.token}", "Accept": "application/json, text/event-stream"}
        url = f"{self.proxy.program.url}/v1/mcp/asks"
        async with client.http.post(url, json=message, headers=usual | named) as response:
            raw = await response.read()
            assert response.status == 200, raw
        if response.content_type == "text/event-stream":  # it took longer than a caller waits in silence
            raw = [line for line in raw.splitlines() if line.startswith(b"data:")][-1].removeprefix(b"data:")
        return orjson.loads(raw)["result"]

    def worker_of(self, client: Client) -> int:
        """The pid of the worker to which this client is connected."""
        for pid in self.proxy.workers:
            held = psutil.Process(pid).net_connections("tcp4")
            if any(one.raddr and one.raddr.port == client.port for one in held):
                return pid
        raise AssertionError("the connection is no worker's")

    async def asked(self, client: Client) -> dict[str, Any]:
        """What goes back with the answer of a call that waits now, in the worker to which the client is connected."""
        told = await self.call(client)
        assert told["resultType"] == "input_required", told
        return {"inputResponses": dict.fromkeys(told["inputRequests"], PARIS), "requestState": told["requestState"]}

    @asynccontextmanager
    async def at_two_workers(self) -> AsyncIterator[tuple[Client, Client]]:
        """Two clients that are connected to different workers."""
        async with Client() as one:
            await self.asked(one)
            for _ in range(200):
                async with Client() as other:
                    await self.asked(other)
                    if self.worker_of(other) != self.worker_of(one):
                        self.server.seen.clear()
                        yield one, other
                        return
        raise AssertionError("every connection goes to one worker")

    @property
    def calls(self) -> int:
        """How often the server was called."""
        return len(self.server.seen_of("tools/call"))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    held = asyncio.Event()
    async with (
        supervised(tmp_path, workers=2, grace_seconds=str(GRACE_S)) as proxy,
        McpUpstream(era="legacy") as server,
    ):
        server.tool("ask", Answer(asks=("elicitation/create", FORM), then=lambda _: Answer(text="done", hold=held)))
        tool = proxy.control.tool("ask", "ask", proxy.control.installation(server.url))
        await proxy.control.publish(proxy.control.gateway("asks", [tool]))
        yield Scene(proxy, server, held)


def said(result: dict[str, Any]) -> str:
    """What the server answered, or the reason of a refusal."""
    if result.get("isError"):
        return str(result["_meta"]["archway/refusal"]["code"])
    return str(result["content"][0]["text"])


async def test_another_worker_ends_the_very_call_that_waits(scene: Scene) -> None:
    scene.held.set()
    async with scene.at_two_workers() as (one, other):
        back = await scene.asked(one)
        told = await scene.call(other, **back)
        assert (said(told), scene.calls) == ("done", 1)
        assert scene.worker_of(one) != scene.worker_of(other)


async def test_a_call_whose_worker_was_killed_is_said_to_wait_no_more(scene: Scene) -> None:
    scene.held.set()
    async with Client() as client:
        back = await scene.asked(client)
        owner = scene.worker_of(client)
        os.kill(owner, signal.SIGKILL)
    await eventually(lambda: _is_replaced(scene.proxy, owner), 60, "the killed worker is replaced")
    async with Client() as client:
        assert said(await scene.call(client, **back)) == "question_gone"
        assert scene.calls == 1
        again = await scene.asked(client)  # from the beginning
        assert said(await scene.call(client, **again)) == "done"
    assert scene.calls == 2


async def test_a_worker_that_is_killed_while_it_goes_on_keeps_nobody_waiting(scene: Scene) -> None:
    async with scene.at_two_workers() as (one, other), asyncio.TaskGroup() as group:
        back = await scene.asked(one)
        retry = group.create_task(scene.call(other, **back))
        await scene.server.wait_until(lambda: any(_is_answer(one.body) for one in scene.server.seen))
        os.kill(scene.worker_of(one), signal.SIGKILL)
    assert (said(retry.result()), scene.calls) == ("question_gone", 1)


async def test_a_call_whose_worker_is_replaced_ends_or_is_said_to_wait_no_more(scene: Scene) -> None:
    scene.held.set()
    async with Client() as first, Client() as second:
        meanwhile, late = await scene.asked(first), await scene.asked(second)
        owner, before = scene.worker_of(first), scene.proxy.workers
        scene.proxy.hup()
        await eventually(lambda: _is_leaving(scene.proxy, owner), 60, "its worker leaves")
        told = said(await scene.call(first, **meanwhile))
    await scene.proxy.rolled(before, within=120)
    async with Client() as third:
        assert said(await scene.call(third, **late)) == "question_gone"
    assert told in {"done", "question_gone"}
    assert scene.calls == 2


async def _is_leaving(proxy: SupervisedProxy, pid: int) -> bool:
    return pid not in proxy.workers


async def _is_replaced(proxy: SupervisedProxy, pid: int) -> bool:
    return pid not in proxy.workers and len(proxy.workers) == 2


def _is_answer(body: Any) -> bool:
    return isinstance(body, dict) and "method" not in body and "result" in body
