"""How much of a worker is in use: calls that run, bytes held for callers, places at servers; in all and by principal.

Numbers only: the stages `admit` and `apply_limits`, `proxy/upstream_call.py`, `proxy/room.py` and planned calls take
and give back, and say what a caller is told where there is no more. Which calls run, and how they are cancelled, is
in `running_calls.py`.
"""

from typing import Final
from weakref import WeakValueDictionary

from proxy.limits.seat import CallLimits, Seat
from proxy.limits.server_places import ServerPlaces
from proxy.limits.shares import Shares

MOST_IDLE: Final = 1000
"""Servers without a call that are kept besides the others."""


class Usage:
    """What one worker's callers use of it."""

    def __init__(self) -> None:
        self.running = Shares()
        """Calls, by principal."""
        self.held = Shares()
        """Bytes of bodies that came and of answers that were not read yet, by principal."""
        self._at_servers: dict[str, ServerPlaces] = {}
        self._others: WeakValueDictionary[str, ServerPlaces] = WeakValueDictionary()
        """Those that were forgotten without a call, while a seat keeps them."""
        self._most = MOST_IDLE

    @property
    def calls_in_flight(self) -> int:
        """Calls that run."""
        return self.running.used

    @property
    def bytes_in_flight(self) -> int:
        """Bytes that are held for callers."""
        return self.held.used

    @property
    def at_servers(self) -> int:
        """Places that are taken, at all servers together."""
        return sum(places.used for known in (self._at_servers, self._others) for places in known.values())

    def enter(self, server: str, principal: str, tool: str, most: int) -> bool:
        """Take a place at a server that has `most`; False where none is left for this principal or this tool."""
        return self._at(server).take(principal, tool, most)

    def leave(self, server: str, principal: str, tool: str) -> None:
        """Give the place back."""
        places = self._at_servers.get(server)
        if places is not None:
            places.give_back(principal, tool)

    def seat(self, principal: str, server: str, tool: str, limits: CallLimits) -> Seat:
        """All that calls of one principal, of one tool of one server, take of a worker, looked up once."""
        return Seat(self.running, self.held, self._at(server), principal, tool, limits)

    def found_by_name(self, server: str, principal: str, tool: str) -> None:
        """Have at hand by name what a seat has taken, so that it can be given back so: it may have been forgotten."""
        at = self._at(server)
        for shares in (self.running, self.held, at.callers):
            _ = shares.share(principal)
        _ = at.tools.share(tool)

    def _at(self, server: str) -> ServerPlaces:
        places = self._at_servers.get(server)
        if places is None:
            if len(self._at_servers) >= self._most:
                self._forget_idle()
            places = self._at_servers[server] = self._others.pop(server, ServerPlaces())
        return places

    def _forget_idle(self) -> None:
        idle = {server: places for server, places in self._at_servers.items() if not places.used}
        self._others.update(idle)
        for server in idle:
            del self._at_servers[server]
        self._most = len(self._at_servers) + MOST_IDLE
