"""What a place where servers run must be able to do; one of them serves a deployment.

A loop calls `apply` and `remove` until what runs is what is wanted; the runtime reports states by itself whenever
they change. Both may be called again with the same argument at any time, and then change nothing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from control.registry.server_state import Place, ServerState
from control.servers.wanted import ConfinedServer, WantedServer

Report = Callable[[ServerState], Awaitable[None]]
"""Takes a state as soon as it is another one."""


class RuntimeAway(Exception):
    """The place cannot be asked now; the sentence says why. What runs goes on."""


class Refused(Exception):
    """The place will not run it as it is wanted: a word of a fixed list, and what the place said."""

    def __init__(self, cause: str, message: str, *, ends: bool = False) -> None:
        super().__init__(f"{cause}: {message}")
        self.cause, self.message = cause, message
        self.ends = ends
        """Whether what runs of it must not go on either."""


class Runtime(Protocol):
    """A place where the servers of one deployment run: processes of this machine, or a cluster."""

    place: Place

    async def run(self, report: Report, wake: Callable[[str], None]) -> None:
        """Watch what runs, until cancelled: states go to `report`; `wake` is told each installation whose objects are
        no longer as they were applied.
        """

    async def apply(self, wanted: WantedServer) -> None:
        """Make it run as wanted; raises RuntimeAway and Refused. Returns before it is ready."""

    async def confine(self, wanted: ConfinedServer) -> None:
        """Hold what runs of it to what it may reach by now, though nothing else of it is applied; raises RuntimeAway
        and Refused. One that is not there is confined.
        """

    async def remove(self, installation_id: str) -> None:
        """End it and take away all that belongs to it; raises RuntimeAway. One that is not there is removed."""

    async def present(self) -> frozenset[str]:
        """The installations that something is there of and that are old enough to be missed; raises RuntimeAway."""

    def logs(self, installation_id: str, *, lines: int, previous: bool, follow: bool) -> AsyncIterator[bytes]:
        """Its latest lines, each with its end; `previous`: of the run before this one; `follow`: and those to come.
        Raises RuntimeAway.
        """

    async def try_out(self, wanted: WantedServer) -> str:
        """Have the place say whether it would run it, without running it: '' where it would, else why that cannot be
        told. Raises Refused where it would not. Any replica may be asked.
        """
