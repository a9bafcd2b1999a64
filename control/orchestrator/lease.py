"""Which of several replicas runs the servers: whoever holds a Lease of the cluster, and renews it.

How long the holder has been silent is judged by our own monotonic clock since we last saw the record change, never
by the times in it: those are of another host's clock, which may be wrong. Work is ended before anybody else may begin
it. Two at once would do no harm, as applying twice changes nothing; the lease is there lest all is done twice.

Written for nobody but us, with the fields that `kubectl get lease` shows
(https://kubernetes.io/docs/concepts/architecture/leases/).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.kinds import LEASE, Object
from control.servers.runtime import RuntimeAway
from core.spreading import between

log = logging.getLogger(__name__)

LASTS_S: Final = 20
"""Silence of the holder after which another takes over."""
RENEW_S: Final = 5.0
GIVE_UP_S: Final = 12.0
"""Without a renewal for so long the work is ended; what `LASTS_S` is longer is for ending it."""
AGAIN_S: Final = 1.0
RELEASE_WITHIN_S: Final = 0.8
_LONGEST_S: Final = 60
"""As long as another holder's record is believed to last, whatever it says."""
_OTHERS: Final = {404, 409}
"""Somebody else was quicker: made it, changed it, or took it away."""


@dataclass(slots=True)
class _Seen:
    """A record as it was last seen to change, and when that was here."""

    version: str = ""
    at: float = 0.0


class Lease:
    """One replica's side of the lease that all replicas of one deployment share."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, holder: str) -> None:
        self._cluster, self._namespace, self._name, self._holder = cluster, namespace, name, holder
        self._seen = _Seen()

    async def lead(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` whenever the lease is ours, until cancelled; then give it back, so that the next begins at once.

        `work` is cancelled when the lease is lost, and begun again when it is ours again.
        """
        while True:
            held = await self._take()
            if held is None:
                await asyncio.sleep(between(0.8 * RENEW_S, 1.2 * RENEW_S))
            else:
                await self._lead(work, held)

    async def _lead(self, work: Callable[[], Coroutine[Any, Any, None]], held: Object) -> None:
        log.info("leads the servers", extra={"holder": self._holder})
        kept = [held]
        try:
            async with asyncio.TaskGroup() as group:
                working = group.create_task(work(), name="servers/led")
                await self._renew_until_lost(kept)
                working.cancel()
        finally:
            log.info("leads the servers no longer", extra={"holder": self._holder})
            await self._release(kept[0])

    async def _renew_until_lost(self, kept: list[Object]) -> None:
        """Answers when the lease is another's, or may be; the newest record of ours is in `kept`."""
        renewed_at = _now()
        pause = RENEW_S
        while True:
            await asyncio.sleep(pause)
            began_at, pause = _now(), AGAIN_S
            try:
                async with asyncio.timeout_at(renewed_at + GIVE_UP_S):
                    kept[0] = await self._renewed(kept[0])
            except (RuntimeAway, TimeoutError) as fault:
                log.warning("the lease was not renewed", extra={"fault": str(fault)})
                if _now() - renewed_at >= GIVE_UP_S - AGAIN_S:
                    return
            except ClusterSaid as said:
                log.warning("the lease is lost", extra={"fault": str(said)})
                return
            else:
                renewed_at, pause = began_at, RENEW_S

    async def _renewed(self, held: Object) -> Object:
        """The record with a new time; raises ClusterSaid when it is another's."""
        try:
            return await self._put(held, taken=False)
        except ClusterSaid as said:
            if said.status != 409:
                raise
            # Changed by somebody: by another holder, by hand, or by ourselves, with an answer that did not come.
            found = await self._cluster.get(LEASE, self._namespace, self._name)
            if found["spec"].get("holderIdentity") != self._holder:
                raise
            return await self._put(found, taken=False)

    async def _take(self) -> Object | None:
        """The record when it is ours now; None when it is another's, or nobody can tell."""
        try:
            found = await self._found()
            if found is None:
                return await self._cluster.create(LEASE, self._namespace, self._new())
            return await self._put(found, taken=True) if self._is_free(found) else None
        except RuntimeAway as away:
            log.info("nobody can say who leads the servers", extra={"fault": str(away)})
        except ClusterSaid as said:
            if said.status not in _OTHERS:
                log.warning("the lease cannot be taken", extra={"fault": str(said)})
        return None

    async def _found(self) -> Object | None:
        try:
            return await self._cluster.get(LEASE, self._namespace, self._name)
        except ClusterSaid as said:
            if said.status != 404:
                raise
            return None

    def _is_free(self, found: Object) -> bool:
        spec, version = found.get("spec") or {}, found["metadata"]["resourceVersion"]
        if version != self._seen.version:
            self._seen = _Seen(version, _now())
        lasts = min(spec.get("leaseDurationSeconds") or LASTS_S, _LONGEST_S)
        return not spec.get("holderIdentity") or _now() - self._seen.at > lasts

    async def _put(self, found: Object, *, taken: bool) -> Object:
        before, now = found.get("spec") or {}, _micro_time()
        spec = {**before, "holderIdentity": self._holder, "leaseDurationSeconds": LASTS_S, "renewTime": now}
        if taken:
            spec |= {"acquireTime": now, "leaseTransitions": (before.get("leaseTransitions") or 0) + 1}
        return await self._cluster.replace(LEASE, self._namespace, {**found, "spec": spec})

    async def _release(self, held: Object) -> None:
        """Say that it is nobody's; whoever cannot be told waits until it has lasted."""
        spec = {**held["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            async with asyncio.timeout(RELEASE_WITHIN_S):
                await self._cluster.replace(LEASE, self._namespace, {**held, "spec": spec})
        except (RuntimeAway, ClusterSaid, TimeoutError) as fault:
            log.info("the lease was not given back", extra={"fault": str(fault)})

    def _new(self) -> Object:
        now = _micro_time()
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._holder, "leaseDurationSeconds": LASTS_S, "leaseTransitions": 0,
                "acquireTime": now, "renewTime": now,
            },
        }  # fmt: skip


def _now() -> float:
    return asyncio.get_running_loop().time()


def _micro_time() -> str:
    """Now, as the API writes the times of a lease (`MicroTime`)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
