"""What the cluster can hold is looked for, kept, and known from then on."""

from __future__ import annotations

import pytest

from control.orchestrator.cluster import Cluster
from control.orchestrator.egress.detection import Said
from control.orchestrator.egress.looks import Looks
from control.orchestrator.kinds import CILIUM_POLICY
from control.registry.cluster_dns import ClusterDns
from control.registry.egress_providers import ClusterFound
from control.servers.runtime import RuntimeAway
from tests.kube.fake_server import FakeKube
from tests.kube.policy_kinds import serve

SAID = Said(dns=ClusterDns())


class Kept:
    """The one row."""

    def __init__(self) -> None:
        self.rows: list[ClusterFound] = []

    async def before(self) -> ClusterFound | None:
        return self.rows[-1] if self.rows else None

    async def keep(self, found: ClusterFound) -> None:
        self.rows.append(found)


async def test_each_look_is_kept_and_the_latest_known(cluster: Cluster, kube: FakeKube) -> None:
    kept = Kept()
    looks = Looks(cluster, SAID, kept.before, kept.keep)
    with pytest.raises(RuntimeAway, match="not known yet"):
        _ = looks.known
    serve(kube, CILIUM_POLICY)
    assert (await looks.look()).provider == "cilium"
    assert looks.known.provider == "cilium"
    assert [one.provider for one in kept.rows] == ["cilium"]


async def test_a_cluster_that_is_away_leaves_what_was_known(cluster: Cluster, kube: FakeKube) -> None:
    kept = Kept()
    looks = Looks(cluster, SAID, kept.before, kept.keep)
    await looks.look()
    kube.faults.add(403)
    with pytest.raises(RuntimeAway):
        await looks.look()
    assert looks.known.provider == "kubernetes"
