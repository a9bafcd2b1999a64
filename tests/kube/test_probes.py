"""A probe of egress on a real cluster, where one is given: what it shows is shown there, and nothing of it is left.

The fake runs no pod; what is made of one there is tested in `tests/unit/control/orchestrator/probing/`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from control.orchestrator.cluster import connected
from control.orchestrator.probing.prober import Prober
from control.registry.egress import Egress
from control.registry.environment import Environment
from core.identifiers import new_id
from tests.kube.cluster import Cluster
from tests.kube.conftest import KUBECONFIG, REAL
from tests.kube.platform import DEFAULTS

IMAGE = "ARCHWAY_TEST_BASE_IMAGE"
"""The base image, as the cluster pulls it."""
NO_IMAGE = f"no cluster here that can run it: {IMAGE} names no base image"


@pytest.mark.cluster
@pytest.mark.parametrize("kube", [REAL], indirect=True)
@pytest.mark.skipif(not os.environ.get(IMAGE), reason=NO_IMAGE)
async def test_a_cluster_says_whether_it_holds_networks_and_what_may_reach_nothing(controlled: Cluster) -> None:
    defaults = replace(DEFAULTS, namespace=controlled.namespace, base_image=os.environ[IMAGE])
    now = datetime.now(UTC)
    environment = Environment(
        id=new_id(), name="Probed", egress=Egress("off"), created_at=now, updated_at=now, version=1
    )
    cluster = await connected(KUBECONFIG)
    try:
        found = await Prober(cluster, defaults).probe(environment, ("off", "cidr"))
    finally:
        await cluster.close()
    assert {one.state for one in found} <= {"enforced", "not_enforced"}, [one.reason for one in found]
    assert not (await controlled.list("networkpolicies"))["items"]
