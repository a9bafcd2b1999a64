"""How a server that we run does, in a form that people and proxies are told: phase, cause, cure.

A runtime reports one whenever something changed of each
installation. `cause` is a word of a fixed list; `message` is what the system itself
said, such as a registry's answer, with secrets taken out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

Phase = Literal["pending", "pulling", "starting", "ready", "degraded", "failed", "stopping"]
"""`degraded`: it answers, and its latest change does not run. `failed`: nothing happens until somebody changes
something; it is tried again all the same, less and less often."""
Place = Literal["process", "cluster"]
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
