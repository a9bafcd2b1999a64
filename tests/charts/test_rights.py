"""What control may do in the cluster, by the values: the rules of the files in `files/`, in one namespace each."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest
import yaml

from control.orchestrator.kinds import BY_PROVIDER
from control.registry.egress_providers import EgressProvider
from tests.charts.conftest import Render
from tests.charts.matrix import MATRIX
from tests.charts.objects import of_kind, pod_of
from tests.charts.rendering import CHART, NAMESPACE

ALL = ("in-servers-namespace", "for-cilium", "for-aws", "for-gke", "for-dry-runs", "for-probes")
FORMER = "for-former-providers"


def rules(*files: str) -> list[dict[str, Any]]:
    return [rule for file in files for rule in yaml.safe_load((CHART / "files" / f"role-{file}.yaml").read_text())]


@pytest.mark.parametrize("way", ["default", "two namespaces of servers"])
def test_rights_are_the_rules_of_the_files_in_one_namespace_each(way: str, render: Render) -> None:
    rendered = render(MATRIX[way])
    namespaces = MATRIX[way].get("servers", {}).get("namespaces", ["archway-servers"])
    roles = {one["metadata"]["namespace"]: one["rules"] for one in of_kind(rendered, "Role")}
    assert roles == {NAMESPACE: rules("in-release-namespace"), **dict.fromkeys(namespaces, rules(*ALL))}
    bound = {
        one["metadata"]["namespace"]: (one["roleRef"], one["subjects"]) for one in of_kind(rendered, "RoleBinding")
    }
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "archway-control"}
    account = {"kind": "ServiceAccount", "name": "archway-control", "namespace": NAMESPACE}
    assert bound == dict.fromkeys(roles, (role, [account]))
    assert pod_of(rendered, "control")["serviceAccountName"] == "archway-control"
    assert "serviceAccountName" not in pod_of(rendered, "proxy")


@pytest.mark.parametrize(
    ("servers", "files"),
    [
        ({"egress": {"provider": "kubernetes", "probes": False}}, (FORMER,)),
        ({"egress": {"provider": "cilium", "probes": False}}, ("for-cilium", FORMER)),
        ({"egress": {"provider": "aws"}}, ("for-aws", FORMER, "for-probes")),
        ({"egress": {"provider": "gke"}}, ("for-gke", FORMER, "for-probes")),
        ({"egress": {"probes": False}, "dryRuns": True}, ("for-cilium", "for-aws", "for-gke", "for-dry-runs")),
    ],
)
def test_what_the_values_leave_out_is_no_right(
    servers: dict[str, Any], files: tuple[str, ...], render: Render
) -> None:
    rendered = render({"servers": {"dryRuns": False, **servers}})
    (role,) = [one for one in of_kind(rendered, "Role") if one["metadata"]["namespace"] != NAMESPACE]
    assert role["rules"] == rules("in-servers-namespace", *files)


def test_every_file_of_rules_is_given_by_some_values() -> None:
    files = {path.stem.removeprefix("role-") for path in (CHART / "files").glob("role-*.yaml")}
    assert files == {"in-release-namespace", *ALL, FORMER}


@pytest.mark.parametrize("provider", get_args(EgressProvider))
def test_a_provider_that_the_values_name_leaves_control_to_take_away_what_another_held(
    provider: str, render: Render
) -> None:
    rendered = render({"servers": {"egress": {"provider": provider}}})
    (role,) = [one for one in of_kind(rendered, "Role") if one["metadata"]["namespace"] != NAMESPACE]
    rights = {one for rule in role["rules"] for one in product(rule["apiGroups"], rule["resources"], rule["verbs"])}
    for kind in BY_PROVIDER.values():
        group = kind.api_version.partition("/")[0]
        assert {(group, kind.plural, "list"), (group, kind.plural, "delete")} <= rights
