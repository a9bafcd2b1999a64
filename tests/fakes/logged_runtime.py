"""A place where servers run, as far as logs go: it says what a test gives it to say, and runs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from control.registry.server_state import Place
from control.servers.runtime import Report, RuntimeAway
from control.servers.wanted import ConfinedServer, WantedServer


@dataclass
class LoggedRuntime:
    """Give it `lines`, and `before` of the run before; with `away` it cannot be asked, for that reason."""

    place: Place = "process"
    lines: list[bytes] = field(default_factory=list)
    before: list[bytes] = field(default_factory=list)
    later: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    """Lines for those who follow."""
    away: str = ""
    tried: list[WantedServer] = field(default_factory=list)
    """What was to be tried out."""
    says: str | Exception = ""
    """What comes of that."""

    async def run(self, report: Report, wake: Callable[[str], None]) -> None:
        raise AssertionError("nothing runs here")

    async def apply(self, wanted: WantedServer) -> None:
        raise AssertionError("nothing runs here")

    async def confine(self, wanted: ConfinedServer) -> None:
        raise AssertionError("nothing runs here")

    async def remove(self, installation_id: str) -> None:
        raise AssertionError("nothing runs here")

    async def present(self) -> frozenset[str]:
        raise AssertionError("nothing runs here")

    async def try_out(self, wanted: WantedServer) -> str:
        self.tried.append(wanted)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    async def logs(self, installation_id: str, *, lines: int, previous: bool, follow: bool) -> AsyncIterator[bytes]:
        if self.away:
            raise RuntimeAway(self.away)
        for one in (self.before if previous else self.lines)[-lines:]:
            yield one
        while follow:
            yield await self.later.get()
