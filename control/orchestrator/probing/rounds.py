"""When environments are probed: at each change of what a probe rests on, at an upgrade, every hour, and when asked.

Whoever leads runs it (`control/hosted_servers.py` composes it), one environment after the other. It remembers
nothing: the database says of what the last probe was, and when, so that another replica goes on where this one ended.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec

from control.orchestrator.cluster import ClusterSaid
from control.registry.enforcement import Enforcement, RuleKind, kinds_of
from control.registry.environment import Environment
from control.servers.runtime import RuntimeAway
from control.store.enforcement import LastProbe
from core.egress.rules import EgressRules
from core.our_version import VERSION
from core.spreading import between

log = logging.getLogger(__name__)

EVERY_MIN: Final = (54.0, 66.0)
"""Minutes from one probe of an environment to the next: spread, so that many deployments do not act together."""
LOOK_EVERY_S: Final = 30.0
SPACING_S: Final = 1.0
"""Between two looks at the rows, however often they are told of."""

Confined = tuple[Environment, EgressRules]
"""An environment that has a policy, and its rules with all presets looked up."""


class Probes(Protocol):
    """What makes one probe (`prober.py`); raises RuntimeAway."""

    async def rests_on(self) -> Any:
        """What, beside the environment, is reason for another probe when it changes; plain values. Raises RuntimeAway
        where that is not known yet.
        """

    async def probe(self, environment: Environment, kinds: Sequence[RuleKind]) -> list[Enforcement]:
        """What it showed, for each kind."""

    async def clear(self, namespace: str) -> None:
        """Take away what any probe left in this namespace."""


@dataclass(frozen=True, slots=True)
class ProbeRows:
    """What the rounds read and write of the database; each raises when it is away."""

    confined: Callable[[], Awaitable[Sequence[Confined]]]
    last: Callable[[], Awaitable[Mapping[str, LastProbe]]]
    keep: Callable[[str, Sequence[Enforcement], str], Awaitable[None]]
    """What a probe of an environment showed, and of what it was."""


class ProbeRounds:
    """The rounds of one deployment in its cluster."""

    def __init__(
        self,
        prober: Probes,
        rows: ProbeRows,
        namespaces: Sequence[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`namespaces`: all in which servers may run."""
        self._prober, self._rows, self._namespaces, self._now = prober, rows, namespaces, now
        self._told = asyncio.Event()
        self._every = timedelta(minutes=between(*EVERY_MIN))

    def wake(self) -> None:
        """Rows may have changed."""
        self._told.set()

    async def run(self) -> None:
        """Probe whenever there is reason, until cancelled."""
        await self._until_known()
        for namespace in self._namespaces:  # also where no environment is any more
            with suppress(RuntimeAway, ClusterSaid):  # one without rights stops no other
                await self._prober.clear(namespace)
        while True:
            self._told.clear()
            await self._look()
            await asyncio.sleep(SPACING_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._told.wait()

    async def _until_known(self) -> None:
        """Until the cluster was looked at, on which each probe rests."""
        while True:
            with suppress(RuntimeAway):
                await self._prober.rests_on()
                return
            await asyncio.sleep(SPACING_S)

    async def _look(self) -> None:
        """Once over all environments. What changes meanwhile is reason for another probe at the next look."""
        confined, probed = await self._rows.confined(), await self._rows.last()
        try:
            rests_on = await self._prober.rests_on()
        except RuntimeAway as away:
            log.info("environments are probed later", extra={"fault": str(away)})
            return
        for environment, rules in confined:
            of, last = _digest(environment, rules, rests_on), probed.get(environment.id)
            if last is None or last.of != of or self._now() - last.at >= self._every:
                await self._probe(environment, rules, of)

    async def _probe(self, environment: Environment, rules: EgressRules, of: str) -> None:
        extra: dict[str, Any] = {"environment": environment.name}
        try:
            found = await self._prober.probe(environment, kinds_of(rules))
        except RuntimeAway as away:
            log.info("an environment is probed later", extra=extra | {"fault": str(away)})
            return
        await self._rows.keep(environment.id, found, of)
        for one in found:
            level = logging.INFO if one.state == "enforced" else logging.WARNING
            log.log(level, "egress %s", one.state, extra=extra | {"kind": one.kind, "reason": one.reason})


def _digest(environment: Environment, rules: EgressRules, rests_on: Any) -> str:
    """Of all that is reason for another probe when it changes."""
    of_environment = (environment.namespace, environment.node_selector, environment.tolerations, rules)
    return sha256(msgspec.json.encode((VERSION, of_environment, rests_on))).hexdigest()
