"""The callers of a soak: people who call, sessions with streams that come and go, a stranger, an administrator."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp
import orjson

from core.tasks import Tasks
from tests.fixtures_system import Person, System, new_session

PAUSE_S = 0.3
"""On the average, between two calls of one person: fifteen people make some fifty calls a second."""
SESSIONS = 4
STREAM_S = 20.0
RECONNECTS = 0.05


class SoakLoad:
    """What goes on from `start` to `stop`; `failed` counts what nobody should see, by how it failed."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._tasks = Tasks("soak")
        self._running: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self.calls = 0
        self.streams = 0
        self.changes = 0
        self.failed: Counter[str] = Counter()

    def start(self, change_every_s: float) -> None:
        work = [self._calls(person) for person in self._system.people]
        work += [self._streams(self._system.people[number]) for number in range(SESSIONS)]
        work += [self._stranger(), self._administrator(change_every_s)]
        self._running = [self._tasks.spawn("caller", one) for one in work]

    async def stop(self) -> None:
        """Everybody finishes what they began and hangs up."""
        self._stopping.set()
        await asyncio.wait(self._running, timeout=2 * STREAM_S)
        await self._tasks.close()

    async def _until_stopped(self, step: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while not await self._stopped_within(random.uniform(0.2, 1.8) * pause_s):
            try:
                await step()
            except (aiohttp.ClientError, TimeoutError, AssertionError) as error:
                self.failed[type(error).__name__] += 1

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _calls(self, person: Person) -> None:
        async with new_session() as session:

            async def call() -> None:
                close = random.random() < RECONNECTS
                outcome = await self._system.call(person, session=session, close=close)
                self.calls += 1
                if outcome.status != "ok":
                    self.failed[f"{outcome.status} {outcome.sentence}".strip()] += 1

            await self._until_stopped(call, PAUSE_S)

    async def _streams(self, person: Person) -> None:
        async with new_session() as session:
            await self._until_stopped(lambda: self._stream(person, session), 1.0)

    async def _stream(self, person: Person, session: aiohttp.ClientSession) -> None:
        """A legacy session: begun, its stream read for a while or to its goodbye, ended."""
        url = f"{self._system.proxies[0].url}/v1/mcp/desk"
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        body = orjson.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        async with session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 200, f"initialize {answer.status}"
            _ = await answer.read()
            headers |= {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-11-25"}
        try:
            async with asyncio.timeout(random.uniform(0.5, 1.0) * STREAM_S):
                async with session.get(url, headers=headers) as stream:
                    assert stream.status == 200, f"stream {stream.status}"
                    async for _ in stream.content.iter_any():
                        if self._stopping.is_set():
                            break
        except TimeoutError:
            pass  # read for long enough
        self.streams += 1
        async with session.delete(url, headers=headers) as answer:
            assert answer.status in {200, 204}, f"delete {answer.status}"

    async def _stranger(self) -> None:
        """Tokens that nobody knows, each one new."""

        async def knock() -> None:
            outcome = await self._system.call("arch_" + secrets.token_urlsafe(32))
            if outcome.status != "http 401":
                self.failed[f"a stranger: {outcome.status}"] += 1

        await self._until_stopped(knock, 1.0)

    async def _administrator(self, every_s: float) -> None:
        async def change() -> None:
            path = f"/gateways/{self._system.gateway['id']}"
            answer = await self._system.admin.patch(path, {"instructions": secrets.token_hex(8)}, match="*")
            assert answer.status == 200, answer.body
            self.changes += 1

        await self._until_stopped(change, every_s)
