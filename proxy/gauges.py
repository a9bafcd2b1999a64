"""What a worker tells of itself once a second: gauges as they are, and counters by what came since the last time.

`proxy/worker.py` runs it. Counters live in slots that outlast a worker (`proxy/telemetry/counting.py`); what is
counted in this process begins at 0, so it is added by difference and a total never falls. What a call counts by
itself is not here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from core.logs import lines_dropped
from core.resolve import (
    CallerQuestion,
    CallerVerdict,
    InstallationAnswer,
    InstallationQuestion,
    ResolvedInstallation,
)
from core.tasks import forever
from proxy.access_endings import AccessEndings
from proxy.caches.two_ages import TwoAgeCache
from proxy.callers.signed_tokens import SignedTokens
from proxy.deps import Deps
from proxy.gateways.changes import ChangeStream
from proxy.gateways.holder import Gateways
from proxy.limits.overload import Overload
from proxy.limits.usage import Usage
from proxy.resolve.control_clock import ControlClock
from proxy.resolve.key_sets import KeySets
from proxy.resolve.list_news import ListNews
from proxy.resolve.refreshes import Refreshes
from proxy.telemetry.counting import FAST_LANE, Slots
from proxy.telemetry.metrics import (
    ACCESS_ENDED,
    AUTHENTICATIONS,
    CACHE_USED_AGE,
    CACHE_USES,
    CALLS_IN_FLIGHT,
    CONNECTIONS_HELD,
    CONNECTS,
    CONTROL_CLOCK,
    GATEWAYS_HELD,
    KEY_SET_QUESTIONS,
    KEY_SETS_HELD,
    LIST_NEWS,
    LISTENED_SERVERS,
    LOG_LINES_DROPPED,
    LOOP_LAG,
    PLANNED,
    RECORDS,
    RECORDS_DROPPED,
    REFRESH_QUESTIONS,
    REFRESHES,
    REFUSALS_UNSAID,
    RESOLUTIONS,
    SERVERS_WATCHED,
    SIGNED_TOKENS,
    SNAPSHOT_AGE,
    SNAPSHOTS_REJECTED,
    SPANS,
    STALE_USES,
    STREAM_HOLES,
    STREAMS_OPEN,
    TASKS,
    VERDICTS_HELD,
    series,
)
from proxy.tracing.sending import Sender
from proxy.upstream.watches import Watches

log = logging.getLogger(__name__)
EVERY_S = 1.0
TASKS_EVERY = 10
"""Tasks are counted at every tenth telling: with ten thousand of them that takes a millisecond or two."""
SNAPSHOT_ALARM_S = 300.0
"""Older than this, control and Redis have both been away for minutes."""


_OF_PLANNED_CALLS: Final = (
    FAST_LANE,
    series(PLANNED, ("kept",)),
    series(AUTHENTICATIONS, ("accepted",)),
    series(RESOLUTIONS, ("remembered",)),
    *(series(CACHE_USES, (name, "planned")) for name in ("verdicts", "connections", "snapshots")),
)
"""Each call that goes by a plan counts in all of these: it was let in, by what was remembered."""


class Connecting(Protocol):
    """What opens connections to servers, and counts how many were opened and failed."""

    @property
    def opened(self) -> int:
        """Connections that were made."""

    @property
    def failed(self) -> int:
        """Attempts that failed."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The parts of a worker, beside `Deps`, whose numbers are told."""

    slots: Slots
    """Where they are told."""
    usage: Usage
    overload: Overload
    verdicts: TwoAgeCache[CallerVerdict]
    installations: TwoAgeCache[ResolvedInstallation]
    gateways: Gateways
    changes: ChangeStream
    egress: Connecting
    clock: ControlClock
    spans: Sender | None
    key_sets: KeySets
    signed_tokens: SignedTokens
    access: AccessEndings
    verdict_refreshes: Refreshes[CallerQuestion, CallerVerdict]
    installation_refreshes: Refreshes[InstallationQuestion, InstallationAnswer]
    watches: Watches
    list_news: ListNews


class Gauges:
    """Tells the numbers of one worker."""

    def __init__(self, deps: Deps, watched: Watched) -> None:
        self._deps, self._watched = deps, watched
        self._alarmed = False
        self._tellings = 0
        verdicts, installations, gateways = watched.verdicts, watched.installations, watched.gateways
        changes, egress, spans, keys = watched.changes, watched.egress, watched.spans, watched.key_sets.held.memory
        self._revisions: dict[str, int] = {}
        self._counted: Final[Mapping[str, Callable[[], float]]] = {
            RECORDS: lambda: deps.records.kept,
            RECORDS_DROPPED: lambda: deps.records.dropped,
            SNAPSHOTS_REJECTED: lambda: gateways.rejected,
            STREAM_HOLES: lambda: changes.holes,
            STALE_USES: lambda: verdicts.stale_uses + installations.stale_uses + keys.stale_uses,
            KEY_SET_QUESTIONS: lambda: watched.key_sets.questions,
            LIST_NEWS: lambda: watched.list_news.noted,
            ACCESS_ENDED: lambda: watched.access.cut,
            series(SIGNED_TOKENS, ("good",)): lambda: watched.signed_tokens.checked,
            series(SIGNED_TOKENS, ("refused",)): lambda: watched.signed_tokens.refused,
            LOG_LINES_DROPPED: lines_dropped,
            REFUSALS_UNSAID: lambda: deps.refusal_log.unsaid,
            series(CONNECTS, ("made",)): lambda: egress.opened,
            series(CONNECTS, ("failed",)): lambda: egress.failed,
            series(SPANS, ("sent",)): lambda: spans.sent if spans is not None else 0,
            series(SPANS, ("dropped",)): lambda: spans.dropped if spans is not None else 0,
            **_of_a_cache("verdicts", verdicts),
            **_of_refreshes("verdicts", verdicts, watched.verdict_refreshes),
            **_of_a_cache("connections", installations),
            **_of_refreshes("connections", installations, watched.installation_refreshes),
            **_of_a_cache("snapshots", gateways),
            **_of_a_cache("key_sets", keys),
            **dict.fromkeys(_OF_PLANNED_CALLS, lambda: watched.slots.planned),
        }
        self._told: dict[str, float] = dict.fromkeys(self._counted, 0)
        self._told[LOG_LINES_DROPPED] = lines_dropped()

    async def keep_telling(self) -> None:
        """Run until cancelled."""
        await forever("gauges", self._tell_after_a_while, EVERY_S)

    async def _tell_after_a_while(self) -> None:
        await asyncio.sleep(EVERY_S)
        self.tell()

    def tell(self) -> None:
        """Bring every slot up to now; also the last thing that a worker does with them."""
        watched, slots = self._watched, self._watched.slots
        slots.set(CALLS_IN_FLIGHT, watched.usage.calls_in_flight)
        slots.set(STREAMS_OPEN, len(self._deps.streams))
        slots.set(LISTENED_SERVERS, len(self._deps.subscriptions.shared))
        slots.set(LOOP_LAG, watched.overload.longest)
        watched.overload.longest = 0.0
        slots.set(CONTROL_CLOCK, abs(watched.clock.ahead))
        slots.set(VERDICTS_HELD, len(watched.verdicts))
        slots.set(CONNECTIONS_HELD, len(watched.installations))
        slots.set(SERVERS_WATCHED, len(watched.watches))
        slots.set(KEY_SETS_HELD, len(watched.key_sets.held.memory))
        self.tell_counts()
        if self._tellings % TASKS_EVERY == 0:
            slots.set(TASKS, len(asyncio.all_tasks()))
        self._tellings += 1
        self._tell_age()
        self._tell_revisions()

    def tell_counts(self) -> None:
        """Bring every counter up to now."""
        for name, count in self._counted.items():
            now = count()
            self._watched.slots.add(name, now - self._told[name])
            self._told[name] = now

    def _tell_revisions(self) -> None:
        """Of each gateway that is held; one that is held no more, or has another slug now, has none."""
        held = {gateway.snapshot.slug: gateway.snapshot.revision for gateway in self._watched.gateways.all()}
        for slug in self._revisions.keys() - held.keys():
            self._watched.slots.revision(slug, 0)
        for slug, revision in held.items():
            if self._revisions.get(slug) != revision:
                self._watched.slots.revision(slug, revision)
        self._revisions = held

    def _tell_age(self) -> None:
        held, now = self._watched.gateways.all(), time.monotonic()
        age = now - min((gateway.confirmed for gateway in held), default=now)
        self._watched.slots.set(GATEWAYS_HELD, len(held))
        self._watched.slots.set(SNAPSHOT_AGE, age)
        if (age > SNAPSHOT_ALARM_S) != self._alarmed:
            self._alarmed = not self._alarmed
            level = logging.ERROR if self._alarmed else logging.INFO
            log.log(level, "snapshots", extra={"old": self._alarmed, "age_s": age})


class _Uses(Protocol):
    hits: int
    misses: int
    used_age: float


def _of_a_cache(name: str, cache: _Uses) -> dict[str, Callable[[], float]]:
    """What a cache counts, by series."""
    return {
        series(CACHE_USES, (name, "hit")): lambda: cache.hits,
        series(CACHE_USES, (name, "miss")): lambda: cache.misses,
        series(CACHE_USES, (name, "stale")): lambda: getattr(cache, "stale_uses", 0),
        series(CACHE_USED_AGE, (name,)): lambda: cache.used_age,
    }


def _of_refreshes(
    name: str, cache: TwoAgeCache[Any], refreshes: Refreshes[Any, Any]
) -> dict[str, Callable[[], float]]:
    return {
        series(REFRESHES, (name,)): lambda: cache.refreshes,
        series(REFRESH_QUESTIONS, (name,)): lambda: refreshes.questions,
    }
