"""The turns of one server: the one that is called, the one that will take its place, and those that end their calls.

Kept by `runtime.py`, one for each installation. A server whose calls must not be cut off goes on beside the one that
takes its place: proxies are told the new one's address when that one answers, what was called before that is answered
by the old one, and then it ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from control.processes.server import RunningServer, Tell
from control.registry.server_state import ServerState
from core.tasks import Tasks

LEARN_S: Final = 5.0
"""For proxies to learn the new address: until then calls come to the old one."""

Left = Callable[[], Awaitable[None]]
"""Takes away what was given to a server that has ended beside another one."""


class Turns:
    """Those that run for one installation, from the first `begin` to `stop`."""

    def __init__(self, installation_id: str, tell: Tell) -> None:
        self._tell = tell
        self._tasks = Tasks(f"turns/{installation_id}")
        self._called: RunningServer | None = None
        self._next: RunningServer | None = None
        self._left: dict[RunningServer, Left] = {}
        """What is to be done when each has ended."""

    @property
    def newest(self) -> RunningServer | None:
        """The one that was begun last."""
        return self._next or self._called

    @property
    def answers(self) -> bool:
        """Whether there is one that calls go to."""
        return self._called is not None and self._called.state is not None and self._called.state.answers

    def begin(self, make: Callable[[Tell], RunningServer], left: Left) -> RunningServer:
        """Begin one: beside the one that is called, where there is one; it takes its place when it answers. `make` is
        given whom it tells how it does.
        """

        async def tell(state: ServerState) -> None:
            await self._told(server, state)

        server = make(tell)
        self._left[server] = left
        if self._called is None:
            self._called = server
        else:
            if self._next is not None:  # it was never called
                self._leave(self._next, 0.0)
            self._next = server
        server.start()
        return server

    def tell_again(self) -> None:
        """Whoever was told may not know any more."""
        for server in self._left:
            server.tell_again()

    async def stop(self) -> None:
        """End them all."""
        await self._tasks.close()
        servers, self._left = list(self._left), {}
        self._called = self._next = None
        _ = await asyncio.gather(*(server.stop() for server in servers))

    async def _told(self, server: RunningServer, state: ServerState) -> None:
        before = self._called
        if server is self._next and before is not None:
            if state.answers:
                self._called, self._next = server, None
                self._leave(before, LEARN_S)
            elif before.state is not None and before.state.answers:
                if state.cause:  # what answers goes on answering, as it did
                    as_before = replace(before.state, phase="degraded", generation=state.generation)
                    await self._tell(replace(as_before, cause=state.cause, message=state.message))
                return
        elif server is not before:
            return  # calls go to another one by now
        await self._tell(state)

    def _leave(self, server: RunningServer, learn_s: float) -> None:
        _ = self._tasks.spawn("leave", self._left_by(server, learn_s))

    async def _left_by(self, server: RunningServer, learn_s: float) -> None:
        """End one that no more calls come to, once it has answered those that did."""
        await asyncio.sleep(learn_s)
        if learn_s:
            await server.idle(server.wanted.drain_s)
        await server.stop()
        left = self._left.pop(server, None)
        if left is not None:
            await left()
