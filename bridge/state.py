"""How the server does, as `/healthz` tells it: a phase, and why it is not ready in a word and in its own words."""

import signal
from dataclasses import dataclass
from typing import Final

LONGEST_MESSAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class State:
    """The state of the server behind the bridge. Words as those of `control/registry/server_state.py`."""

    phase: str
    """`starting`, `ready`, `failed` (it is started again after a pause), `stopping`."""
    cause: str = ""
    message: str = ""
    restarts: int = 0
    """How often it was started again."""

    @property
    def is_ready(self) -> bool:
        """Whether calls are let through."""
        return self.phase == "ready"

    def told(self) -> dict[str, object]:
        """The body of `/healthz`."""
        message = self.message[-LONGEST_MESSAGE:]
        return {"phase": self.phase, "cause": self.cause, "message": message, "restarts": self.restarts}


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"It ended with status {status}."
    try:
        return f"It was ended by {signal.Signals(-status).name}."
    except ValueError:
        return f"It was ended by signal {-status}."
