"""What a cluster can do, as it is kept."""

from __future__ import annotations

from control.orchestrator.egress.capabilities import PLAIN, Capabilities
from control.registry.egress_providers import ClusterFound


def test_nothing_is_taken_for_granted() -> None:
    """Where nobody looked, a cluster holds networks alone, so that names are refused and not forgotten."""
    assert PLAIN.provider == "kubernetes"


def test_people_are_told_who_holds_policies_and_how_that_was_seen() -> None:
    found = Capabilities(provider="gke", evidence="it serves fqdnnetworkpolicies").found
    assert found == ClusterFound(provider="gke", evidence="it serves fqdnnetworkpolicies")
