"""K-7: what control may do in a cluster is what it does there, in the namespaces of its servers and nowhere else.

The rules stand in files of the chart, so that they are read here without Helm; that a release has these rules and no
others is tested with Helm, in `tests/charts/`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import Any

import pytest
import yaml

from control.orchestrator import kinds
from control.orchestrator.kinds import APPLIED, WATCHED, Kind
from tests.house.tracked import ROOT, text_of, tracked

CHART = "deploy/helm/archway"
VERBS = {
    "list": ("list",),
    "watch": ("watch",),
    "get": ("get",),
    "create": ("create",),
    "replace": ("update",),
    "apply": ("create", "patch"),  # https://kubernetes.io/docs/reference/using-api/server-side-apply/
    "delete": ("delete",),
    "log": ("get",),
}
"""Methods of the one class that speaks to a cluster, and the verbs that an API server asks rights of."""

Rights = dict[tuple[str, str], set[str]]
"""Group and resource, such as ("apps", "deployments"), to verbs."""


def granted(which: str) -> Rights:
    """In the namespace of the release, or in one of servers: there with all that values may add (`role-for-*`)."""
    folder = ROOT / CHART / "files"
    added = sorted(folder.glob("role-for-*.yaml")) if which == "servers" else []
    rights: Rights = defaultdict(set)
    for file in (folder / f"role-in-{which}-namespace.yaml", *added):
        rules: list[dict[str, Any]] = yaml.safe_load(file.read_text())
        for rule in rules:
            assert rule.keys() == {"apiGroups", "resources", "verbs"}
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    rights[group, resource] |= set(rule["verbs"])
    return rights


def asked() -> Rights:
    """What the files of the orchestrator ask a cluster for, by their calls."""
    rights: Rights = defaultdict(set)
    for path in tracked():
        if path.startswith("control/orchestrator/") and path.endswith(".py"):
            for method, kind in _asked_in(ast.parse((ROOT / path).read_text())):
                rights[_resource(kind, method)] |= set(VERBS[method])
    return rights


def _resource(kind: Kind, method: str) -> tuple[str, str]:
    return kind.api_version.rpartition("/")[0], kind.plural + ("/log" if method == "log" else "")


def _asked_in(tree: ast.AST) -> list[tuple[str, Kind]]:
    """Each `...cluster.METHOD(KIND, ...)`; where the kind is a variable, all that are applied, or watched."""
    asked = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_cluster(node.func.value):
            if node.func.attr in {"close", "discover"}:  # every account may discover what an API serves
                continue
            first = node.args[0]
            named = getattr(kinds, first.id, None) if isinstance(first, ast.Name) else None
            several = WATCHED if node.func.attr in {"list", "watch"} else APPLIED
            asked += [(node.func.attr, kind) for kind in ((named,) if isinstance(named, Kind) else several)]
    return asked


def _is_cluster(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.strip("_") == "cluster"


@pytest.mark.parametrize("nothing", [pytest.param("ClusterRole", id="K-7: namespaced Role only")])
def test_nothing_in_deploy_gives_a_right_beyond_a_namespace_or_more_than_is_used(nothing: str) -> None:
    texts = {
        path: text_of(path) or "" for path in tracked() if path.startswith("deploy/") and not path.endswith(".md")
    }
    assert [path for path, text in texts.items() if nothing in text] == []
    roles = [path for path, text in texts.items() if "rbac.authorization.k8s.io" in text]
    assert roles == [f"{CHART}/templates/rights.yaml"]
    servers, release = granted("servers"), granted("release")
    assert not servers.keys() & release.keys()
    assert servers | release == asked()


@pytest.mark.parametrize("resource", [pytest.param("secrets", id="K-7: secrets outside of its namespace")])
def test_no_secret_is_read_outside_of_the_namespaces_of_servers(resource: str) -> None:
    everything = granted("servers") | granted("release")
    assert ("", resource) in granted("servers")
    assert granted("release").keys() == {("coordination.k8s.io", "leases")}
    # What would lead to secrets by another way: a pod of one's own making, another's rights, or one's own raised.
    ways = {
        "pods/exec",
        "pods/attach",
        "pods/ephemeralcontainers",
        "serviceaccounts",
        "serviceaccounts/token",
        "roles",
    }
    assert not {name for _, name in everything} & {*ways, "rolebindings", "namespaces", "*"}
    assert not {verb for verbs in everything.values() for verb in verbs} & {"*", "bind", "escalate", "impersonate"}
