"""How a server does that its runtime did not take, could not be asked to take, or has ended for want of calls. Pure.

All else is reported by the runtime, which sees what runs. What answered before goes on answering, and is not taken
from its callers because the latest change of it does not run.
"""

from dataclasses import replace

from control.registry.server_state import ANSWERING, Place, ServerState
from control.servers.runtime import Refused, RuntimeAway
from control.servers.wanted import WantedServer


def refused(
    installation_id: str, generation: int, place: Place, why: Refused, kept: ServerState | None
) -> ServerState:
    """The state of a server that cannot be run as it is wanted."""
    if kept is not None and kept.place == place:
        generation = max(kept.generation, generation)
        if kept.phase in ANSWERING and not why.ends:
            return replace(kept, phase="degraded", generation=generation, cause=why.cause, message=why.message)
    return ServerState(
        installation_id=installation_id, place=place, phase="failed", generation=generation,
        cause=why.cause, message=why.message,
    )  # fmt: skip


def away(
    installation_id: str, generation: int, place: Place, why: RuntimeAway, kept: ServerState | None
) -> ServerState | None:
    """The state of a server of which its runtime has not heard yet, or not of this generation; None where nothing new
    is known: what runs goes on.
    """
    if kept is not None and kept.place == place and (kept.phase in ANSWERING or kept.generation >= generation):
        return None
    return ServerState(
        installation_id=installation_id, place=place, phase="pending", generation=generation,
        cause="runtime_away", message=str(why),
    )  # fmt: skip


def asleep(wanted: WantedServer, place: Place) -> ServerState:
    """The state of a server of which nothing runs until somebody calls."""
    return ServerState(
        installation_id=wanted.installation_id, place=place, phase="asleep", generation=wanted.generation
    )
