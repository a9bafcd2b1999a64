"""What the cluster can hold, as it was found last: looked for at a start and every ten minutes, and kept for people.

The runtime of whoever leads looks, before it applies anything; who makes objects beside it asks `known`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.egress.capabilities import PLAIN, Capabilities
from control.orchestrator.egress.detection import Said, detect
from control.registry.egress_providers import ClusterFound
from control.servers.runtime import RuntimeAway

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 600.0
AGAIN_S: Final = 10.0
"""After a first look that failed."""

Before = Callable[[], Awaitable[ClusterFound | None]]
Keep = Callable[[ClusterFound], Awaitable[None]]
Look = Callable[[], Awaitable[Capabilities]]


class Looks:
    """Looks at what one cluster can hold of egress policies, keeps it in the database, and knows it from then on."""

    def __init__(self, cluster: Cluster, said: Said, before: Before, keep: Keep) -> None:
        self._cluster, self._said, self._before, self._keep = cluster, said, before, keep
        self._found: Capabilities | None = None

    @property
    def known(self) -> Capabilities:
        """What was found last; raises RuntimeAway before the first look."""
        if self._found is None:
            raise RuntimeAway("what the cluster can hold of egress is not known yet")
        return self._found

    async def look(self) -> Capabilities:
        """What it can hold now; raises RuntimeAway where that cannot be asked, or not be kept."""
        try:
            found = await detect(self._cluster, self._said, await self._before())
        except ClusterSaid as said:
            raise RuntimeAway(f"what the cluster can hold cannot be asked: {said}") from None
        await self._keep(found.found)
        if self._found is None or self._found.provider != found.provider:
            log.info("egress is held by", extra={"provider": found.provider, "evidence": found.evidence})
        self._found = found
        return found


class Another(Exception):
    """The cluster can hold something else than before."""


async def plain() -> Capabilities:
    """What every cluster can hold, where nobody looks."""
    return PLAIN


async def first(look: Look) -> Capabilities:
    """What the cluster can hold, as soon as it can be asked: nothing is applied before."""
    while True:
        try:
            return await look()
        except RuntimeAway as away:
            log.info("what the cluster can hold is asked again", extra={"fault": str(away)})
        await asyncio.sleep(AGAIN_S)


async def until_another(look: Look, known: Capabilities) -> None:
    """Look again and again; raises Another once it finds something else. A cluster that is away changes nothing."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        with suppress(RuntimeAway):
            if await look() != known:
                raise Another
