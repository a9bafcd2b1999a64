from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from control.registry.self_hosted import USUAL
from control.registry.server_state import ServerState
from control.servers.loop import Rows, ServerLoop
from control.servers.runtime import Report, RuntimeAway
from control.servers.wanted import ConfinedServer, WantedServer
from tests.plugins.moved_clock import MovedClock


def wanted_server(installation_id: str, generation: int = 1) -> WantedServer:
    return WantedServer(
        installation_id=installation_id, entry="crm", team_id=None, generation=generation, image="", command=("srv",),
        transport="stdio", port=8080, path="/mcp", health_path="", environment={},
        secret_environment={"KEY": f"word {generation}"}, files={},
        bridge_token="word", resources=USUAL, pull_secrets=(),
    )  # fmt: skip


class FakeRuntime:
    """A place that keeps in memory what it was given, and fails as a test says."""

    place = "cluster"

    def __init__(self) -> None:
        self.running: dict[str, int] = {}
        """Installation to generation."""
        self.applies: list[str] = []
        self.removals: list[str] = []
        self.confines: list[ConfinedServer] = []
        self.faults: list[Exception] = []
        """Raised by the next calls, one each."""
        self.away = False
        self.at_once = self.most_at_once = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.wake: Callable[[str], None] = lambda _: None
        self.runs = 0

    async def run(self, report: Report, wake: Callable[[str], None]) -> None:
        self.wake, self.runs = wake, self.runs + 1
        await asyncio.Event().wait()

    async def apply(self, wanted: WantedServer) -> None:
        self.applies.append(wanted.installation_id)
        self._fail()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.hold.wait()
        finally:
            self.at_once -= 1
        self.running[wanted.installation_id] = wanted.generation

    async def confine(self, wanted: ConfinedServer) -> None:
        self.confines.append(wanted)
        self._fail()

    async def remove(self, installation_id: str) -> None:
        self.removals.append(installation_id)
        self._fail()
        self.running.pop(installation_id, None)

    async def present(self) -> frozenset[str]:
        self._fail()
        return frozenset(self.running)

    async def try_out(self, wanted: WantedServer) -> str:
        raise AssertionError("a loop tries nothing out")

    async def logs(self, installation_id: str, *, lines: int, previous: bool, follow: bool) -> AsyncIterator[bytes]:
        yield b"ready\n"

    def _fail(self) -> None:
        if self.away:
            raise RuntimeAway("the cluster's API is away")
        if self.faults:
            raise self.faults.pop(0)


@dataclass
class Scene:
    """A loop over a fake runtime and rows in memory."""

    clock: MovedClock
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    rows: dict[str, int] = field(default_factory=dict)
    """Installation to generation."""
    kept: dict[str, ServerState] = field(default_factory=dict)
    reported: list[ServerState] = field(default_factory=list)
    refusals: dict[str, Exception] = field(default_factory=dict)
    database_away: bool = False
    looks: int = 0

    def __post_init__(self) -> None:
        self.loop = ServerLoop(
            self.runtime, Rows(self._versions, self._wanted, self._confined, self._kept), self._report
        )

    async def _versions(self) -> dict[str, str]:
        self.looks += 1
        if self.database_away:
            raise ConnectionError("away")
        return {key: str(generation) for key, generation in self.rows.items()}

    async def _wanted(self, key: str) -> WantedServer | None:
        if self.database_away:
            raise ConnectionError("away")
        if key in self.refusals:
            raise self.refusals[key]
        return wanted_server(key, self.rows[key]) if key in self.rows else None

    async def _confined(self, key: str) -> ConfinedServer | None:
        return wanted_server(key, self.rows[key]) if key in self.rows else None

    async def _kept(self, key: str) -> ServerState | None:
        return self.kept.get(key)

    async def _report(self, state: ServerState) -> None:
        self.reported.append(state)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.get_running_loop().create_task(self.loop.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, true: Callable[[], bool], *, by: float = 0.05) -> float:
        """Let time pass, a little at a time, until it is so; how much did."""
        passed = 0.0
        while not true():
            assert passed < 3_600, "an hour passed"
            self.clock.pass_by(by)
            passed += by
            for _ in range(5):
                await asyncio.sleep(0)
        return passed

    async def pass_by(self, seconds: float, *, by: float = 0.25) -> None:
        for _ in range(round(seconds / by)):
            self.clock.pass_by(by)
            for _ in range(5):
                await asyncio.sleep(0)


@pytest.fixture
def scene(clock: MovedClock) -> Scene:
    return Scene(clock)
