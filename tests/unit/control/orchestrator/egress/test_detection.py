"""Who holds egress policies, found by the kinds that an API serves."""

from __future__ import annotations

import ipaddress

import pytest

from control.orchestrator.cluster import Cluster
from control.orchestrator.egress.detection import Said, detect
from control.orchestrator.kinds import AWS_POLICY, CILIUM_POLICY, GKE_POLICY
from control.registry.cluster_dns import ClusterDns
from control.registry.egress_providers import ClusterFound, EgressProvider
from tests.kube.fake_server import FakeKube
from tests.kube.policy_kinds import serve

SAID = Said(dns=ClusterDns(), never=(ipaddress.ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    ("served", "provider"),
    [
        ((), "kubernetes"),
        ((CILIUM_POLICY,), "cilium"),
        ((AWS_POLICY,), "aws"),
        ((CILIUM_POLICY, GKE_POLICY), "gke"),
        ((AWS_POLICY, CILIUM_POLICY), "aws"),
    ],
)
async def test_the_kind_that_is_served_says_who_holds_policies(
    cluster: Cluster, kube: FakeKube, served: tuple[object, ...], provider: EgressProvider
) -> None:
    serve(kube, *served)  # type: ignore[arg-type]
    found = await detect(cluster, SAID, None)
    assert found.provider == provider
    assert "Unverified" in found.evidence
    assert (found.dns, found.never) == (SAID.dns, SAID.never)


async def test_what_the_operator_says_is_not_asked_for(cluster: Cluster, kube: FakeKube) -> None:
    found = await detect(cluster, Said(provider="kubernetes", dns=ClusterDns()), None)
    assert (found.provider, kube.requests) == ("kubernetes", [])


async def test_who_held_them_before_is_remembered_since_objects_are_left(cluster: Cluster, kube: FakeKube) -> None:
    before = ClusterFound(provider="cilium", formerly=("aws",))
    assert (await detect(cluster, SAID, before)).formerly == ("aws", "cilium")
    serve(kube, AWS_POLICY)
    assert (await detect(cluster, SAID, before)).formerly == ("cilium",)
    assert (await detect(cluster, SAID, ClusterFound(provider="kubernetes"))).formerly == ()
    assert (await detect(cluster, SAID, ClusterFound(provider=None))).formerly == ()
