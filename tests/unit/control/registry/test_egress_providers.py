"""What each provider can say of an egress policy."""

import pytest

from control.registry.egress_providers import NO_NAMES, UNKNOWN, ClusterFound, EgressProvider, why_not
from core.egress.rules import Allowed

EXACT = Allowed(domains=("api.example.com",))
ONE_LABEL = Allowed(domains=("*.example.com",))
ANY_DEPTH = Allowed(domains=("**.example.com",))
RANGE = Allowed(domains=("api.example.com",), ports=("1000-1040",))


@pytest.mark.parametrize(
    ("provider", "allowed", "field"),
    [
        ("kubernetes", EXACT, "domains"),
        (None, EXACT, "domains"),
        ("aws", ONE_LABEL, "domains"),
        ("aws", EXACT, ""),
        ("aws", ANY_DEPTH, ""),
        ("gke", RANGE, "ports"),
        ("gke", Allowed(domains=("api.example.com",), ports=("1000-1039",)), ""),
        ("gke", ANY_DEPTH, ""),
        ("cilium", RANGE, ""),
        ("cilium", ONE_LABEL, ""),
    ],
)
def test_a_provider_is_asked_for_what_it_can_say(
    provider: EgressProvider | None, allowed: Allowed, field: str
) -> None:
    reason = why_not(ClusterFound(provider=provider), allowed)
    assert (reason[0] if reason else "") == field


@pytest.mark.parametrize("provider", ["kubernetes", "aws", "gke", "cilium", None])
def test_networks_can_be_held_by_everybody(provider: EgressProvider | None) -> None:
    assert why_not(ClusterFound(provider=provider), Allowed(cidrs=("10.0.0.0/8",), ports=("1-65535",))) is None


def test_not_knowing_is_told_apart_from_not_being_able_to() -> None:
    assert why_not(ClusterFound(provider=None), EXACT) == ("domains", UNKNOWN)
    assert why_not(ClusterFound(provider="kubernetes"), EXACT) == ("domains", NO_NAMES)
