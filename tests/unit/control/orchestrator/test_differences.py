from __future__ import annotations

import copy
from typing import Any

import pytest

from control.orchestrator.differences import FINGERPRINT, differs, fingerprinted

CONTAINER: dict[str, Any] = {
    "name": "server", "image": "crm:1", "args": ["a", "b"],
    "env": [{"name": "X", "value": "1"}, {"name": "EMPTY", "value": ""}],
    "resources": {"requests": {"cpu": "0.5", "memory": "1Gi"}, "limits": {"memory": "1024Mi"}},
    "ports": [{"name": "mcp", "containerPort": 8080}],
}  # fmt: skip
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "crm", "labels": {"a": "b"}},
    "spec": {"replicas": 1, "template": {"spec": {
        "containers": [CONTAINER], "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1024Mi"}}]}}},
}  # fmt: skip
SECRET: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "crm-g1", "labels": {"a": "b"}},
    "data": {"KEY": "c2VjcmV0"}, "immutable": True,
}  # fmt: skip
POLICY: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "crm"},
    "spec": {"policyTypes": ["Egress"], "egress": [{"ports": [
        {"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}]},
}  # fmt: skip


def container_of(found: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = found["spec"]["template"]["spec"]["containers"][0]
    return container


def in_the_cluster(wanted: dict[str, Any]) -> dict[str, Any]:
    """As the API has it: with what it adds, and quantities and nothings in its own way."""
    found = copy.deepcopy(fingerprinted(wanted))
    found["metadata"] |= {"uid": "1", "resourceVersion": "7", "generation": 1}
    if found["kind"] == "Deployment":
        container = container_of(found)
        container |= {"terminationMessagePath": "/dev/termination-log"}
        container["resources"]["requests"]["cpu"] = "500m"
        del container["env"][1]["value"]
        container["ports"][0]["protocol"] = "TCP"
        found["spec"]["template"]["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] = "1Gi"
        found["spec"]["revisionHistoryLimit"] = 10
        found["status"] = {"replicas": 1}
    return found


@pytest.mark.parametrize("wanted", [DEPLOYMENT, SECRET, POLICY], ids=lambda wanted: wanted["kind"])
def test_what_the_api_adds_and_writes_in_its_own_way_is_no_difference(wanted: dict[str, Any]) -> None:
    assert not differs(fingerprinted(wanted), in_the_cluster(wanted))


def test_what_others_add_is_no_difference() -> None:
    found = in_the_cluster(DEPLOYMENT)
    template = found["spec"]["template"]
    template["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-29T13:00:00Z"}}
    container_of(found)["env"].append({"name": "THEIRS", "value": "2"})
    template["spec"]["containers"].insert(0, {"name": "sidecar", "image": "sidecar:1"})
    assert not differs(fingerprinted(DEPLOYMENT), found)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("image", "crm:2"),
        ("args", ["a"]),
        ("args", ["a", "b", "c"]),
        ("env", [{"name": "X", "value": "2"}, {"name": "EMPTY"}]),
        ("env", [{"name": "X", "value": "1"}]),
        ("resources", {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}),
        ("resources", {}),
    ],
)
def test_what_was_changed_by_hand_is_a_difference(where: str, value: Any) -> None:
    found = in_the_cluster(DEPLOYMENT)
    container_of(found)[where] = value
    assert differs(fingerprinted(DEPLOYMENT), found)


def test_what_is_wanted_no_longer_is_a_difference() -> None:
    less = copy.deepcopy(DEPLOYMENT)
    del container_of(less)["args"]
    assert differs(fingerprinted(less), in_the_cluster(DEPLOYMENT))


@pytest.mark.parametrize("gone", [None, {"metadata": {"deletionTimestamp": "2026-11-29T13:00:00Z"}}])
def test_what_is_gone_is_a_difference(gone: dict[str, Any] | None) -> None:
    assert differs(fingerprinted(DEPLOYMENT), gone)


@pytest.mark.parametrize(
    "changed",
    [
        {"data": {"KEY": "b3RoZXI="}},
        {"data": {"KEY": "c2VjcmV0", "MORE": "eA=="}},
        {"data": {}},
        {"metadata": {"name": "crm-g1"}},
        {"immutable": False},
    ],
)
def test_a_secret_is_compared_whole(changed: dict[str, Any]) -> None:
    assert differs(fingerprinted(SECRET), in_the_cluster(SECRET) | changed)


def test_a_secret_has_no_digest_that_it_could_be_guessed_by() -> None:
    assert FINGERPRINT not in str(fingerprinted(SECRET))
    assert FINGERPRINT in str(fingerprinted(DEPLOYMENT))


def test_a_policy_that_was_opened_by_hand_is_a_difference() -> None:
    found = in_the_cluster(POLICY)
    found["spec"]["egress"].append({})
    assert differs(fingerprinted(POLICY), found)
