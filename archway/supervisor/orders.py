"""What a supervisor is told: made by `archway proxy` from settings that it checked, read by `__main__.py`.

It passes as one argument of a command line, since the process in which the settings were read makes way for one with
little in it. So nothing in it is secret.
"""

from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Listeners:
    """Host and port of each listener; port 0 takes any."""

    proxy: tuple[str, int]
    internal: tuple[str, int]
    metrics: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Supervision:
    """What one supervisor is to do: its listeners, how many workers, how long they may take to leave."""

    listeners: Listeners
    workers: int
    grace_s: float
    """How long a leaving worker may take to finish its calls."""
    log_level: str = "INFO"


def as_argument(orders: Supervision) -> str:
    """The orders as one word of a command line."""
    return orjson.dumps(orders).decode()


def from_argument(text: str) -> Supervision:
    """The orders that `as_argument` wrote."""
    told = orjson.loads(text)
    listeners = {name: (host, port) for name, (host, port) in told.pop("listeners").items()}
    return Supervision(Listeners(**listeners), **told)
