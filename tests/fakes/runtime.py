"""A place where servers run, as far as pages go: it says what it was told to say of logs, and runs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from control.registry.server_state import Place
from control.servers.runtime import Report, RuntimeAway
from control.servers.wanted import WantedServer

_ONLY_LOGS = "pages ask for logs alone"


@dataclass
class FakeRuntime:
    """Set `lines` and `before`; with `away` it cannot be asked, for that reason."""

    place: Place = "cluster"
    lines: list[bytes] = field(default_factory=list)
    before: list[bytes] = field(default_factory=list)
    away: str = ""

    async def run(self, report: Report, wake: Callable[[str], None]) -> None:
        raise AssertionError(_ONLY_LOGS)

    async def apply(self, wanted: WantedServer) -> None:
        raise AssertionError(_ONLY_LOGS)

    async def remove(self, installation_id: str) -> None:
        raise AssertionError(_ONLY_LOGS)

    async def present(self) -> frozenset[str]:
        raise AssertionError(_ONLY_LOGS)

    async def logs(self, installation_id: str, *, lines: int, previous: bool, follow: bool) -> AsyncIterator[bytes]:
        if self.away:
            raise RuntimeAway(self.away)
        for one in (self.before if previous else self.lines)[-lines:]:
            yield one
