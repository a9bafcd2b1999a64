"""What a worker tells of itself once a second: gauges as they are, and counters by what came since the last time.

`proxy/worker.py` runs it. Counters live in slots that outlast a worker (`proxy/counting.py`); what is counted in
this process begins at nought, so it is added by difference and a total never falls. What a call counts by itself is
not here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from core.logs import DroppingQueue
from core.tasks import forever
from proxy.deps import Deps
from proxy.gateways.changes import ChangeStream

log = logging.getLogger(__name__)
EVERY_S = 1.0
SNAPSHOT_ALARM_S = 300.0
"""Older than this, control and Redis have both been away for minutes."""


class Gauges:
    """One worker's."""

    def __init__(self, deps: Deps, changes: ChangeStream) -> None:
        self._deps = deps
        self._alarmed = False
        verdicts, connections = deps.authority.verdicts.memory, deps.connections.resolved.memory
        self._counted: Final[Mapping[str, Callable[[], int]]] = {
            "archway_records_total": lambda: deps.records.kept,
            "archway_records_dropped_total": lambda: deps.records.dropped,
            "archway_snapshots_rejected_total": lambda: deps.gateways.rejected,
            "archway_stream_holes_total": lambda: changes.holes,
            "archway_stale_uses_total": lambda: verdicts.stale_uses + connections.stale_uses,
            "archway_log_lines_dropped_total": lambda: DroppingQueue.dropped,
            "archway_refusals_unsaid_total": lambda: deps.refusal_log.unsaid,
        }
        self._told = dict.fromkeys(self._counted, 0)
        self._told["archway_log_lines_dropped_total"] = DroppingQueue.dropped

    async def keep_telling(self) -> None:
        """Run until cancelled."""
        await forever("gauges", self._tell_after_a_while, EVERY_S)

    async def _tell_after_a_while(self) -> None:
        await asyncio.sleep(EVERY_S)
        self.tell()

    def tell(self) -> None:
        """Bring every slot up to now; also the last thing that a worker does with them."""
        deps, slots = self._deps, self._deps.slots
        slots.set("archway_calls_in_flight", deps.calls.in_flight)
        slots.set("archway_streams_open", len(deps.streams))
        slots.set("archway_verdicts_held", len(deps.authority.verdicts.memory))
        slots.set("archway_connections_held", len(deps.connections.resolved.memory))
        for name, count in self._counted.items():
            now = count()
            slots.add(name, now - self._told[name])
            self._told[name] = now
        self._tell_age()

    def _tell_age(self) -> None:
        held, now = self._deps.gateways.all(), time.monotonic()
        age = now - min((gateway.confirmed for gateway in held), default=now)
        self._deps.slots.set("archway_gateways_held", len(held))
        self._deps.slots.set("archway_snapshot_age_seconds", age)
        if (age > SNAPSHOT_ALARM_S) != self._alarmed:
            self._alarmed = not self._alarmed
            level = logging.ERROR if self._alarmed else logging.INFO
            log.log(level, "snapshots", extra={"old": self._alarmed, "age_s": age})
