from __future__ import annotations

import pytest

from control.orchestrator.kinds import DEPLOYMENT, POD, SECRET, applied, kind_of, watched
from control.registry.egress_providers import EgressProvider


def test_paths_are_those_of_the_api() -> None:
    assert DEPLOYMENT.path("tools", "crm") == "/apis/apps/v1/namespaces/tools/deployments/crm"
    assert POD.path("tools", "crm-1", "log") == "/api/v1/namespaces/tools/pods/crm-1/log"


def test_a_name_cannot_lead_elsewhere() -> None:
    assert SECRET.path("tools", "../../x") == "/api/v1/namespaces/tools/secrets/..%2F..%2Fx"


@pytest.mark.parametrize(
    ("provider", "confining"),
    [
        ("kubernetes", ["NetworkPolicy"]),
        ("cilium", ["CiliumNetworkPolicy", "NetworkPolicy"]),
        ("aws", ["ApplicationNetworkPolicy", "NetworkPolicy"]),
        ("gke", ["NetworkPolicy", "FQDNNetworkPolicy"]),
    ],
)
def test_what_confines_comes_before_what_is_confined(provider: EgressProvider, confining: list[str]) -> None:
    """And what takes the egress out of a NetworkPolicy before that one, what adds to it after."""
    assert [kind.kind for kind in applied(provider)] == [*confining, "Secret", "Deployment", "Service"]
    assert [kind.kind for kind in watched(provider)][-2:] == ["ReplicaSet", "Pod"]


def test_an_object_of_no_kind_of_ours_is_refused() -> None:
    with pytest.raises(StopIteration):
        kind_of({"kind": "ClusterRole"})
