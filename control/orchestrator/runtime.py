"""A Kubernetes cluster as a place where servers run: applies what is wanted, and tells how it does.

The loop of `control/servers` calls it in the replica that leads; any replica may read logs. What is wanted of one
server as objects, and what the objects say of it, are the pure files beside this one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.container import CONTAINER
from control.orchestrator.copies import Copies
from control.orchestrator.defaults import Defaults
from control.orchestrator.differences import differs, fingerprinted
from control.orchestrator.evidence import events_of, packages_that_run, said_by_the_bridge
from control.orchestrator.foreign_secrets import check_foreign_secrets
from control.orchestrator.identity import INSTALLATION, INSTANCE, PROBE
from control.orchestrator.kinds import (
    APPLIED,
    DEPLOYMENT,
    POD,
    POLICY,
    REPLICA_SET,
    SECRET,
    Kind,
    kind_of,
)  # fmt: skip
from control.orchestrator.objects import objects_of
from control.orchestrator.phases import newest_pod, state_of
from control.orchestrator.secret_objects import without_secrets
from control.registry.resolved_packages import Packages
from control.registry.server_state import Place, ServerState
from control.servers.runtime import Refused, Report, RuntimeAway
from control.servers.troubles import refused
from control.servers.wanted import WantedServer
from core.spreading import between

log = logging.getLogger(__name__)

FULL_APPLY_S: Final = (3 * 3600.0, 6 * 3600.0)
"""After so long an installation is applied though nothing seems to differ: for what no watch told."""
MISSED_AFTER_S: Final = 120.0
"""An object must have been there for so long before it may be taken for nobody's."""
LOOK_AGAIN_S: Final = 10.0
"""How late a state is told that changes because time passes."""
TELL_AGAIN_S: Final = 1.0
CONFLICT: Final = 409
SETTLED: Final = frozenset({"ready", "failed"})
"""Phases that nothing changes but what is seen."""
NO_LOG: Final = b"unable to retrieve container logs"
"""What comes with a status 200 instead of the log of a run that is no longer kept."""
NO_RUN_YET: Final = frozenset({400, 404})
"""Its container has not run, or not twice; or its pod has just gone."""


class ClusterRuntime:
    """The servers of one deployment in one namespace of a cluster."""

    place: Place = "cluster"

    def __init__(self, cluster: Cluster, defaults: Defaults) -> None:
        self._cluster, self._defaults = cluster, defaults
        self._namespace = defaults.namespace
        self._labels = f"{INSTANCE}={defaults.instance_id},!{PROBE}"
        self._copies: Copies | None = None
        self._full_at: dict[str, float] = {}
        self._refused: dict[str, tuple[int, Refused]] = {}
        self._packages_of: dict[str, tuple[str, Packages]] = {}
        """What each came to, with the start that it was asked for."""
        self._touched: set[str] = set()
        self._news = asyncio.Event()

    async def run(self, report: Report, wake: Callable[[str], None]) -> None:
        """Watch what is there and report how it does, until cancelled; drift wakes the installation."""

        def changed(installation_id: str, drifted: bool) -> None:
            self._touch(installation_id)
            if drifted:
                wake(installation_id)

        self._copies = copies = Copies(self._cluster, self._namespace, self._labels, changed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(copies.run(), name="servers/copies")
                group.create_task(self._tell(copies, report), name="servers/states")
        finally:
            self._copies = None

    async def apply(self, wanted: WantedServer) -> None:
        """Have the cluster hold what is wanted, in the order in which it is needed; asks nothing where it does."""
        copies, installation_id = await self._filled(), wanted.installation_id
        try:
            await self._apply(copies, wanted)
        except Refused as why:
            self._refused[installation_id] = (wanted.generation, why)
            raise
        self._refused.pop(installation_id, None)
        self._touch(installation_id)

    async def _apply(self, copies: Copies, wanted: WantedServer) -> None:
        made = [fingerprinted(one) for one in objects_of(wanted, self._defaults)]
        made.sort(key=lambda one: APPLIED.index(kind_of(one)))
        full = self._is_due(wanted.installation_id)
        to_apply = [one for one in made if full or differs(one, copies.find(kind_of(one), one["metadata"]["name"]))]
        try:
            if to_apply:
                await check_foreign_secrets(self._cluster, self._namespace, wanted)
            for one in to_apply:
                copies.put(kind_of(one), await self._cluster.apply(kind_of(one), self._namespace, one))
            kept = {(kind_of(one), one["metadata"]["name"]) for one in made}
            await self._clear(copies, wanted.installation_id, kept)
        except ClusterSaid as said:
            if said.status == CONFLICT:  # changed between the API's own reading and writing
                raise RuntimeAway(str(said)) from None
            raise Refused("refused_by_cluster", said.message) from None
        if full:
            self._full_at[wanted.installation_id] = _now() + between(*FULL_APPLY_S)

    async def remove(self, installation_id: str) -> None:
        """Delete all of it; what confines its pods goes last, when there are none left."""
        copies = await self._filled()
        self._full_at.pop(installation_id, None)
        self._packages_of.pop(installation_id, None)
        self._refused.pop(installation_id, None)
        try:
            for kind in reversed(APPLIED):
                if kind == POLICY and copies.of(POD, installation_id):
                    raise RuntimeAway("its pods are still ending")
                for one in copies.of(kind, installation_id):
                    await self._cluster.delete(kind, self._namespace, one["metadata"]["name"])
        except ClusterSaid as said:
            raise RuntimeAway(str(said)) from None

    async def present(self) -> frozenset[str]:
        """The installations of which something has been here for two minutes."""
        return (await self._filled()).installations(MISSED_AFTER_S)

    async def _clear(self, copies: Copies, installation_id: str, kept: set[tuple[Kind, str]]) -> None:
        """Delete what it had and no longer has; secrets only once no pod of an earlier change needs them."""
        for kind in APPLIED:
            for one in copies.of(kind, installation_id):
                name = one["metadata"]["name"]
                if (kind, name) not in kept and (kind != SECRET or self._is_rolled_out(copies, installation_id)):
                    await self._cluster.delete(kind, self._namespace, name)

    def _is_rolled_out(self, copies: Copies, installation_id: str) -> bool:
        """Whether all pods are of the newest change, https://kubernetes.io/docs/concepts/workloads/controllers/deployment."""
        return all(
            status.get("observedGeneration") == one["metadata"].get("generation")
            and status.get("replicas", 0) == status.get("updatedReplicas", 0) == status.get("availableReplicas", 0)
            for one in copies.of(DEPLOYMENT, installation_id)
            for status in [one.get("status") or {}]
        )

    def _is_due(self, installation_id: str) -> bool:
        """Whether it is to be applied whatever the copies say. The first time is spread, as all begin together."""
        return _now() >= self._full_at.setdefault(installation_id, _now() + between(0, FULL_APPLY_S[1]))

    async def _state_of(self, copies: Copies, installation_id: str) -> ServerState | None:
        """None of one that is not there, or whose deployment was just deleted by hand."""
        deployment = next(iter(copies.of(DEPLOYMENT, installation_id)), None)
        if deployment is None:
            return None
        sets, pods = copies.of(REPLICA_SET, installation_id), copies.of(POD, installation_id)
        state = state_of(installation_id, deployment, sets, pods)
        pod = newest_pod(deployment, sets, pods)
        if pod is not None and state.phase != "ready":
            redact = without_secrets(copies.of(SECRET, installation_id))
            events = await events_of(self._cluster, self._namespace, pod)
            bridge = await said_by_the_bridge(self._cluster, self._namespace, pod)
            state = state_of(installation_id, deployment, sets, pods, events=events, bridge=bridge, redact=redact)
        if pod is not None and state.phase == "ready":
            packages = await self._packages(installation_id, pod, state.restarts)
            state = replace(state, resolved={**(state.resolved or {}), **packages})
        if (known := self._refused.get(installation_id)) is None:
            return state
        generation, why = known
        return refused(installation_id, generation, self.place, why, state)

    async def _packages(self, installation_id: str, pod: Mapping[str, Any], restarts: int) -> dict[str, Any]:
        """What its command came to, asked once for each start; {} where nothing is known of that."""
        start = f"{pod['metadata'].get('uid')}/{restarts}"
        known = self._packages_of.get(installation_id)
        if known is None or known[0] != start:
            found = await packages_that_run(self._cluster, self._namespace, pod)
            if found is None:
                return {}
            known = self._packages_of[installation_id] = (start, found)
        return {"packages": known[1]} if known[1] else {}

    async def _filled(self) -> Copies:
        if self._copies is None:
            raise RuntimeAway("the cluster is not watched yet")
        await self._copies.filled()
        return self._copies

    def _touch(self, installation_id: str) -> None:
        self._touched.add(installation_id)
        self._news.set()

    async def _tell(self, copies: Copies, report: Report) -> None:
        """Report each state that is another than the one told last; those that time changes are looked at again."""
        told: dict[str, ServerState] = {}
        while True:
            self._news.clear()
            with suppress(RuntimeAway):
                await copies.filled()
                await self._tell_touched(copies, report, told)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._news.wait()
                    continue
            self._touched |= {key for key, state in told.items() if state.phase not in SETTLED}

    async def _tell_touched(self, copies: Copies, report: Report, told: dict[str, ServerState]) -> None:
        while self._touched:
            installation_id = self._touched.pop()
            state = await self._state_of(copies, installation_id)
            if state is None:
                told.pop(installation_id, None)
            elif state != told.get(installation_id):
                try:
                    await report(state)
                except Exception as fault:
                    log.warning("a state was not told", exc_info=fault, extra={"installation": installation_id})
                    self._touched.add(installation_id)
                    await asyncio.sleep(TELL_AGAIN_S)
                else:
                    told[installation_id] = state

    async def logs(self, installation_id: str, *, lines: int, previous: bool, follow: bool) -> AsyncIterator[bytes]:
        """The latest lines of its newest pod. Asked of the cluster, not of the copies: any replica may be asked."""
        labels = f"{self._labels},{INSTALLATION}={installation_id}"
        query = {"container": CONTAINER, "tailLines": str(lines)}
        query |= {"previous": "true"} if previous else {}
        query |= {"follow": "true"} if follow else {}
        try:
            pods, _ = await self._cluster.list(POD, self._namespace, labels)
            if not pods:
                return
            redact = without_secrets((await self._cluster.list(SECRET, self._namespace, labels))[0])
            newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
            first = True
            async for line in self._cluster.log(POD, self._namespace, newest["metadata"]["name"], query):
                if first and line.startswith(NO_LOG):
                    return
                first = False
                yield redact(line.decode(errors="replace")).encode()
        except ClusterSaid as said:
            if said.status not in NO_RUN_YET:
                raise RuntimeAway(str(said)) from None


def _now() -> float:
    return asyncio.get_running_loop().time()
