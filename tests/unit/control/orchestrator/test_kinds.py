from __future__ import annotations

import pytest

from control.orchestrator.kinds import APPLIED, DEPLOYMENT, POD, SECRET, kind_of


def test_paths_are_those_of_the_api() -> None:
    assert DEPLOYMENT.path("tools", "crm") == "/apis/apps/v1/namespaces/tools/deployments/crm"
    assert POD.path("tools", "crm-1", "log") == "/api/v1/namespaces/tools/pods/crm-1/log"


def test_a_name_cannot_lead_elsewhere() -> None:
    assert SECRET.path("tools", "../../x") == "/api/v1/namespaces/tools/secrets/..%2F..%2Fx"


def test_what_confines_comes_before_what_is_confined() -> None:
    assert [kind.kind for kind in APPLIED] == ["NetworkPolicy", "Secret", "Deployment", "Service"]


def test_an_object_of_no_kind_of_ours_is_refused() -> None:
    with pytest.raises(StopIteration):
        kind_of({"kind": "ClusterRole"})
