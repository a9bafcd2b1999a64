"""How much of a worker is in use: calls that run, bytes held for callers, places at servers; in all and by principal.

Numbers only: the stages `admit` and `apply_limits`, `proxy/upstream_call.py` and `proxy/room.py` take and give back,
and say what a caller is told where there is no more. Which calls run, and how they are cancelled, is in
`running_calls.py`.
"""

from proxy.limits.server_places import ServerPlaces
from proxy.limits.shares import Shares


class Usage:
    """What one worker's callers use of it."""

    def __init__(self) -> None:
        self.running = Shares()
        """Calls, by principal."""
        self.held = Shares()
        """Bytes of bodies that came and of answers that were not read yet, by principal."""
        self._at_servers: dict[str, ServerPlaces] = {}

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
        return sum(places.used for places in self._at_servers.values())

    def enter(self, server: str, principal: str, tool: str, most: int) -> bool:
        """Take a place at a server that has `most`; False where none is left for this principal or this tool."""
        places = self._at_servers.get(server)
        if places is None:
            places = self._at_servers[server] = ServerPlaces()
        return places.take(principal, tool, most)

    def leave(self, server: str, principal: str, tool: str) -> None:
        """Give the place back."""
        places = self._at_servers.get(server)
        if places is None:
            return
        places.give_back(principal, tool)
        if not places.used:
            del self._at_servers[server]
