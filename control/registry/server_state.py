"""How a server that we run does: phase, cause, and what its place said.

A runtime reports one for an installation whenever something of it has changed; kept by
`control/changes/server_states.py`. `cause` is a word of `server_causes.py`; `message` is what the system itself said,
such as a registry's answer, with secrets taken out. Pure.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

Phase = Literal["pending", "pulling", "starting", "ready", "degraded", "failed", "stopping", "asleep"]
"""`degraded`: it answers, and its latest change does not run. `failed`: nothing happens until somebody changes
something; it is tried again all the same, less and less often. `asleep`: nobody called it, and a call starts it."""
Place = Literal["process", "cluster"]
ANSWERING: Final[frozenset[Phase]] = frozenset({"ready", "degraded"})
"""Phases in which it takes calls."""
LONGEST_MESSAGE: Final = 1_000
"""Characters of what the system said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """How one server that we run does, as its runtime last saw it."""

    installation_id: str
    place: Place
    phase: Phase
    generation: int
    """The generation that this was seen of; one of an older generation never replaces one of a newer."""
    cause: str = ""
    """Why it is not ready, as a word of a fixed list; '' where nothing is wrong."""
    message: str = ""
    restarts: int = 0
    """How often it ended by itself and was started again, since its generation began."""
    endpoint: str = ""
    """The URL at which proxies call it; '' until it has one."""
    isolation: str = ""
    """How it is kept from others, as `archway status` says it: `kubernetes`, `user`, `namespace`, or `none`."""
    resolved: dict[str, Any] | None = None
    """What was resolved at its start: `{"image": "...@sha256:..."}`, `{"packages": [["name", "version"], ...]}`."""
    changed_at: datetime | None = None
    """When the phase or the cause last became another; set where it is stored."""

    @property
    def answers(self) -> bool:
        """Whether calls may go to it."""
        return self.phase in ANSWERING and self.endpoint != ""


def same_but_for_time(one: ServerState, other: ServerState) -> bool:
    """Whether nothing was seen of the second that was not of the first."""
    told = (field.name for field in fields(ServerState) if field.name != "changed_at")
    return all(getattr(one, name) == getattr(other, name) for name in told)


def as_seen_now(installation_id: str, kept: ServerState | None, place: Place | None) -> ServerState:
    """The state that people and calls are told: what was kept, if it is of the place where servers run now.

    `place` is None where nothing here runs servers.
    """
    if place is None:
        return ServerState(
            installation_id=installation_id, place="process", phase="failed", generation=0, cause="no_runtime"
        )
    if kept is not None and kept.place == place:
        return kept
    return ServerState(installation_id=installation_id, place=place, phase="pending", generation=0)
