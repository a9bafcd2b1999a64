"""How much of a worker is in use: calls that run, bytes held for callers, places at servers; in all and by principal.

Numbers only: the stages `admit` and `apply_limits`, `proxy/upstream_call.py`, `proxy/room.py` and planned calls take
and give back, and say what a caller is told where there is no more. Which calls run, and how they are cancelled, is
in `running_calls.py`.
"""

from proxy.limits.forgetful import Forgetful
from proxy.limits.seat import CallLimits, Seat
from proxy.limits.server_places import ServerPlaces
from proxy.limits.shares import Shares


class Usage:
    """What one worker's callers use of it."""

    def __init__(self) -> None:
        self.running = Shares()
        """Calls, by principal."""
        self.held = Shares()
        """Bytes of bodies that came and of answers that were not read yet, by principal."""
        self._at_servers: Forgetful[ServerPlaces] = Forgetful(ServerPlaces)

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
        return sum(places.used for places in self._at_servers.all())

    def enter(self, server: str, principal: str, tool: str, most: int) -> bool:
        """Take a place at a server that has `most`; False where none is left for this principal or this tool."""
        return self._at_servers.of(server).take(principal, tool, most)

    def leave(self, server: str, principal: str, tool: str) -> None:
        """Give the place back."""
        places = self._at_servers.peek(server)
        if places is not None:
            places.give_back(principal, tool)

    def seat(self, principal: str, server: str, tool: str, limits: CallLimits) -> Seat:
        """All that calls of one principal, of one tool of one server, take of a worker, looked up once."""
        return Seat(self.running, self.held, self._at_servers.keep(server), principal, tool, limits)

    def found_by_name(self, server: str, principal: str, tool: str) -> None:
        """Have at hand by name what a seat has taken, so that it can be given back so though the seat be gone."""
        at = self._at_servers.of(server)
        for shares in (self.running, self.held, at.callers):
            _ = shares.share(principal)
        _ = at.tools.share(tool)
