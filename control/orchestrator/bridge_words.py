"""Why the server behind a bridge does not run, as the bridge wrote it to the log of its pod. Pure.

A program that ends behind the bridge does not end its pod: kubelet only sees that it is not ready. The bridge writes
a line of JSON for each end and for each first answer (`bridge/kept_server.py`); what the server itself prints is a
value in other lines, so that it cannot write such a one.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, NamedTuple

import orjson

from control.registry.resolved_packages import Packages, packages_in
from core.bridge_terms import ANSWERS, DOES_NOT_RUN

LOGGER: Final = "bridge"
LINES: Final = 200
"""Of a log's end, in which the latest such line is found."""


class BridgeSaid(NamedTuple):
    """How the server behind a bridge ended last."""

    cause: str
    message: str
    times: int
    """How often it has ended since it last answered."""


def bridge_said(lines: Iterable[bytes]) -> BridgeSaid | None:
    """What the bridge said last of the server's end; None where it has answered since."""
    found = None
    for line in lines:
        event = _event(line)
        if event.get("event") == ANSWERS:
            found = None
        elif event.get("event") == DOES_NOT_RUN:
            times = found.times + 1 if found else 1
            found = BridgeSaid(str(event.get("cause", "")) or "crashed", str(event.get("why", "")), times)
    return found


def packages_said(lines: Iterable[bytes]) -> Packages:
    """The packages of the run that answered last, as the bridge said; [] where it said none."""
    found: Packages = []
    for line in lines:
        event = _event(line)
        if event.get("event") == ANSWERS:
            found = []
            with suppress(orjson.JSONDecodeError):
                found = packages_in(orjson.loads(str(event.get("packages", "")))) or []
    return found


def _event(line: bytes) -> dict[str, Any]:
    """A line of the bridge's own log; {} for any other."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    ours = isinstance(event, dict) and str(event.get("logger", "")).partition(".")[0] == LOGGER
    return event if ours else {}
