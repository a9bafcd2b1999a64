"""How servers do, as the copies of a namespace tell it, and as the cluster is asked where those do not say why.

Used by the runtime for each server of which something changed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from control.orchestrator.cluster import Cluster
from control.orchestrator.evidence import events_of, packages_that_run, said_by_the_bridge
from control.orchestrator.kinds import DEPLOYMENT, POD, REPLICA_SET, SECRET
from control.orchestrator.namespace import Namespace
from control.orchestrator.phases import newest_pod, state_of
from control.orchestrator.secret_objects import without_secrets
from control.registry.resolved_packages import Packages
from control.registry.server_state import ServerState


class Seen:
    """What is seen of servers, with what was asked once about each start of one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._packages_of: dict[str, tuple[str, Packages]] = {}
        """What each came to, with the start that it was asked for."""

    async def state(self, where: Namespace, installation_id: str) -> ServerState | None:
        """How it does there; None of one that is not there, or whose deployment was just deleted by hand."""
        copies = where.copies
        deployment = next(iter(copies.of(DEPLOYMENT, installation_id)), None)
        if deployment is None:
            return None
        sets, pods = copies.of(REPLICA_SET, installation_id), copies.of(POD, installation_id)
        state = state_of(installation_id, deployment, sets, pods)
        pod = newest_pod(deployment, sets, pods)
        if pod is not None and state.phase != "ready":
            redact = without_secrets(copies.of(SECRET, installation_id))
            events = await events_of(self._cluster, where.name, pod)
            bridge = await said_by_the_bridge(self._cluster, where.name, pod)
            state = state_of(installation_id, deployment, sets, pods, events=events, bridge=bridge, redact=redact)
        if pod is not None and state.phase == "ready":
            packages = await self._packages(where, installation_id, pod, state.restarts)
            state = replace(state, resolved={**(state.resolved or {}), **packages})
        return state

    def forget(self, installation_id: str) -> None:
        """It is removed."""
        self._packages_of.pop(installation_id, None)

    async def _packages(
        self, where: Namespace, installation_id: str, pod: Mapping[str, Any], restarts: int
    ) -> dict[str, Any]:
        """What its command came to, asked once for each start; {} where nothing is known of that."""
        start = f"{pod['metadata'].get('uid')}/{restarts}"
        known = self._packages_of.get(installation_id)
        if known is None or known[0] != start:
            found = await packages_that_run(self._cluster, where.name, pod)
            if found is None:
                return {}
            known = self._packages_of[installation_id] = (start, found)
        return {"packages": known[1]} if known[1] else {}
