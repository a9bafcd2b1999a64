"""A deployment of Archway as far as its servers in a cluster are concerned: rows in memory, loop, runtime and lease.

Real but for the database and the cluster, which is the fake. Several over the same rows and the same fake are
several replicas.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson

from control.orchestrator.cluster import connected
from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.capabilities import PLAIN, Capabilities
from control.orchestrator.identity import server_name
from control.orchestrator.lease import Lease
from control.orchestrator.runtime import ClusterRuntime
from control.registry.server_state import ServerState
from control.servers.loop import Rows, ServerLoop
from control.servers.runtime import Refused
from control.servers.wanted import ConfinedServer, WantedServer
from tests.kube.fake_server import FakeKube
from tests.kube.passing import Counted, CountedPace, UnderWay
from tests.unit.control.servers.conftest import wanted_server

NAMESPACE = "servers"
DEFAULTS = Defaults(
    instance_id="019ad000-0000-7000-8000-000000000001", namespace=NAMESPACE, proxies_namespace="archway",
    base_image="registry.example/base:1", name_key=b"k" * 32,
)  # fmt: skip
A, B = (f"019ad000-0000-7000-8000-00000000000{letter}" for letter in "ab")
"""Two installations."""


def name_of(installation_id: str) -> str:
    """Of its deployment, its service and its policy."""
    return server_name("crm", installation_id)


class RowsInMemory:
    """What the database would say."""

    def __init__(self) -> None:
        self.generations: dict[str, int] = {}
        self.states: dict[str, ServerState] = {}
        self.changes: dict[str, dict[str, Any]] = {}
        """What is wanted of some otherwise than usual, beside their generation."""
        self.refusals: dict[str, Refused] = {}
        """Why some cannot be run as they are."""

    async def versions(self) -> dict[str, str]:
        return {
            key: f"{generation} {self.changes.get(key)} {self.refusals.get(key)}"
            for key, generation in self.generations.items()
        }

    async def wanted(self, key: str) -> WantedServer | None:
        if key in self.refusals:
            raise self.refusals[key]
        return self._said(key)

    async def confined(self, key: str) -> ConfinedServer | None:
        return self._said(key)

    def _said(self, key: str) -> WantedServer | None:
        if key not in self.generations:
            return None
        return replace(wanted_server(key, self.generations[key]), **self.changes.get(key, {}))

    async def kept(self, key: str) -> ServerState | None:
        return self.states.get(key)

    async def report(self, state: ServerState) -> None:
        self.states[state.installation_id] = state


class Platform:
    """One replica."""

    def __init__(self, cluster: Counted, rows: RowsInMemory, name: str, namespaces: Sequence[str]) -> None:
        self.cluster, self.rows, self.name = cluster, rows, name
        self.capabilities = PLAIN
        """What the cluster can hold, as the next look finds it."""
        self.runtime = ClusterRuntime(cluster, DEFAULTS, namespaces, self._look)
        self.loop = ServerLoop(self.runtime, Rows(rows.versions, rows.wanted, rows.confined, rows.kept), rows.report)
        self.leads = 0
        self._lease = Lease(cluster, NAMESPACE, "archway", name)

    async def run(self) -> None:
        await self._lease.lead(self._led)

    async def _look(self) -> Capabilities:
        return self.capabilities

    async def _led(self) -> None:
        self.leads += 1
        await self.loop.run()


@asynccontextmanager
async def platform(
    kube: FakeKube,
    rows: RowsInMemory,
    folder: Path,
    under_way: UnderWay,
    name: str = "one",
    namespaces: Sequence[str] = (NAMESPACE,),
) -> AsyncIterator[Platform]:
    """A replica that is not running yet."""
    path = folder / f"{name}.json"
    path.write_bytes(orjson.dumps(kube.kubeconfig()))
    with patch.multiple("control.orchestrator.cluster", Cluster=Counted, Pace=CountedPace):
        cluster = await connected(str(path))
    assert isinstance(cluster, Counted)
    cluster.under_way = under_way
    cluster._pace.under_way = under_way  # type: ignore[attr-defined]
    try:
        yield Platform(cluster, rows, name, namespaces)
    finally:
        await cluster.close()
