"""Custom kinds of egress policies in the fake cluster."""

from __future__ import annotations

from control.orchestrator.kinds import Kind
from tests.kube import kinds
from tests.kube.fake_server import FakeKube


def serve(kube: FakeKube, *served: Kind) -> None:
    """Have its API serve these kinds, as their custom resource definitions would."""
    for one in served:
        group, _, version = one.api_version.rpartition("/")
        kube.kinds.add(kinds.Kind(group, version, one.plural, one.kind))
