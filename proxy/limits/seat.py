"""All that calls of one principal, of one tool of one server, take of a worker: looked up once, taken in one step.

A plan keeps a seat (`proxy/plans`). The same counts are taken one by one by calls that go through the stages, so a
seat asks exactly what `admit`, `room.reserve`, `upstream_call.begin` and `apply_limits` ask.
"""

from dataclasses import dataclass

from proxy.limits.forgetful import Kept
from proxy.limits.server_places import ServerPlaces
from proxy.limits.shares import Shares, quarter


@dataclass(frozen=True)  # without slots, since it is compiled
class CallLimits:
    """How much a worker has of what a call takes."""

    calls: int
    """Calls at once; one principal has a quarter."""
    room: int
    """Bytes that are held for callers; the same."""
    at_server: int
    """Calls at once with one server."""


class Seat:
    """What a call takes before it is sent, and gives back."""

    __slots__ = (
        "_at",
        "_at_server",
        "_caller",
        "_calls",
        "_calls_share",
        "_held",
        "_kept",
        "_most_calls",
        "_most_room",
        "_room",
        "_room_share",
        "_running",
        "_tool",
    )

    def __init__(
        self, running: Shares, held: Shares, places: Kept[ServerPlaces], principal: str, tool: str, limits: CallLimits
    ) -> None:
        at = places.count
        calls, room = running.keep(principal), held.keep(principal)
        caller, of_tool = at.callers.keep(principal), at.tools.keep(tool)
        self._kept = (places, calls, room, caller, of_tool)
        """So that they are found again by name, for as long as this takes of them."""
        self._running, self._held, self._at = running, held, at
        self._calls, self._room, self._caller, self._tool = calls.count, room.count, caller.count, of_tool.count
        self._most_calls, self._calls_share = limits.calls, quarter(limits.calls)
        self._most_room, self._room_share = limits.room, quarter(limits.room)
        self._at_server = limits.at_server

    def take(self, size: int) -> bool:
        """Take a place among all calls and at the server, and room for a body; False, and nothing taken, for none."""
        running, held, at, calls, room = self._running, self._held, self._at, self._calls, self._room
        if running.used >= self._most_calls or calls.used >= self._calls_share:
            return False
        if held.used + size > self._most_room or room.used + size > self._room_share:
            return False
        caller, tool, most = self._caller, self._tool, self._at_server
        if 2 * at.used >= most and not at.has_one_for(caller, tool, most):
            return False
        running.used += 1
        calls.used += 1
        held.used += size
        room.used += size
        at.used += 1
        caller.used += 1
        tool.used += 1
        return True

    def take_room(self, size: int) -> bool:
        """Take room for so many bytes more; False where there is none."""
        held, room = self._held, self._room
        if held.used + size > self._most_room or room.used + size > self._room_share:
            return False
        held.used += size
        room.used += size
        return True

    def leave(self) -> None:
        """The call is over: give its places back."""
        self._running.used -= 1
        self._calls.used -= 1
        self._at.used -= 1
        self._caller.used -= 1
        self._tool.used -= 1

    def give_room_back(self, size: int) -> None:
        """Nothing of so many bytes is held any more."""
        self._held.used -= size
        self._room.used -= size
