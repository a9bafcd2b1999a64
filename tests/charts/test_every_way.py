"""What holds of every way in which the chart is installed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from control.settings import from_environment as control_settings
from proxy.settings import from_environment as proxy_settings
from tests.charts.conftest import KubernetesObject, Render
from tests.charts.custom_resources import KINDS, said_against_custom
from tests.charts.keys import secrets_of_a_deployment
from tests.charts.matrix import MATRIX
from tests.charts.objects import container_of, of_kind, pod_of, secrets_of, settings_of
from tests.charts.rendering import NAMESPACE
from tests.kubernetes_schemas import NEWEST_MINORS, said_against

Objects = list[KubernetesObject]
PLANES = ("control", "proxy")


@pytest.mark.parametrize("version", NEWEST_MINORS)
def test_no_object_has_anything_said_against_it_by(version: str, render: Render) -> None:
    rendered = {json.dumps(one, sort_keys=True): one for values in MATRIX.values() for one in render(values)}
    said = [
        f"{one['kind']} {one['metadata']['name']}: {complaint}"
        for one in rendered.values()
        if (complaint := said_against_custom(one) if one["kind"] in KINDS else said_against(one, version))
    ]
    assert said == []


def test_pods_keep_to_the_restricted_standard(objects: Objects) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/ says what that is."""
    pods = [one["spec"]["template"]["spec"] for one in of_kind(objects, "Deployment", "Job")]
    of_standard = {"emptyDir", "configMap", "secret"}
    assert len(pods) >= 2
    for pod in pods:
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"].get("runAsUser", 1) != 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert all(set(volume) - {"name"} <= of_standard for volume in pod["volumes"])


def test_the_admin_api_answers_in_controls_own_pod_alone(objects: Objects) -> None:
    container = container_of(objects, "control")
    told = {one["name"]: one.get("value") for one in container["env"]}
    assert told["ARCHWAY_ADMIN_LISTEN"] == "127.0.0.1:8401"
    assert "admin" not in {port["name"] for port in container["ports"]}


@pytest.mark.parametrize("plane", PLANES)
def test_a_pod_is_told_what_its_plane_accepts(plane: str, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = secrets_of_a_deployment()
    for variable, (_, key) in secrets_of(objects, plane).items():
        monkeypatch.setenv(variable, kept[key])
    for variable, value in settings_of(objects, plane).items():
        monkeypatch.setenv(variable, value)
    told = control_settings() if plane == "control" else proxy_settings()
    assert told.public_url == "https://mcp.example.com"


def test_a_proxy_is_given_no_key_of_controls(objects: Objects) -> None:
    assert secrets_of(objects, "proxy").keys() == {"ARCHWAY_PROXY_KEY", "ARCHWAY_VERIFY_KEYS", "ARCHWAY_REDIS_URL"}
    assert "ARCHWAY_VERIFY_KEYS" not in secrets_of(objects, "control")


def test_the_chart_holds_no_secret(objects: Objects) -> None:
    assert of_kind(objects, "Secret") == []


@pytest.mark.parametrize("plane", PLANES)
def test_a_pod_says_how_it_is_and_what_it_takes(plane: str, objects: Objects) -> None:
    container = container_of(objects, plane)
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/ready"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["image"].rpartition(":")[2] in {"0.1.0", "0.2.0"}


@pytest.mark.parametrize("plane", PLANES)
def test_no_upgrade_is_given_up_while_a_start_may_still_succeed(plane: str, objects: Objects) -> None:
    probe = container_of(objects, plane)["startupProbe"]
    patience = _deployment(objects, plane)["spec"].get("progressDeadlineSeconds", 600)  # the API's own
    assert patience > probe["periodSeconds"] * probe["failureThreshold"]


def test_only_control_has_a_token_of_the_cluster(objects: Objects) -> None:
    runs_servers = "ARCHWAY_RUNTIME" in settings_of(objects, "control")
    assert pod_of(objects, "control")["automountServiceAccountToken"] is runs_servers
    assert pod_of(objects, "proxy")["automountServiceAccountToken"] is False


def test_services_and_the_ingress_lead_to_ports_that_are_there(objects: Objects) -> None:
    for service in of_kind(objects, "Service"):
        (plane,) = {service["spec"]["selector"]["app.kubernetes.io/component"]}
        ports = {port["name"]: port["containerPort"] for port in container_of(objects, plane)["ports"]}
        for port in service["spec"]["ports"]:  # that of callers is up to the values
            assert port["targetPort"] == "gateways" or port["port"] == ports[port["targetPort"]]
            assert port["targetPort"] in ports
    known = {service["metadata"]["name"]: service["spec"]["ports"] for service in of_kind(objects, "Service")}
    for ingress in of_kind(objects, "Ingress"):
        backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        assert backend["port"]["name"] in {port["name"] for port in known[backend["name"]]}
    for route in of_kind(objects, "HTTPRoute"):
        backend = route["spec"]["rules"][0]["backendRefs"][0]
        assert backend["port"] in {port["port"] for port in known[backend["name"]]}


def test_what_selects_pods_selects_those_of_one_plane(objects: Objects) -> None:
    templates = {plane: _deployment(objects, plane)["spec"]["template"]["metadata"]["labels"] for plane in PLANES}
    selectors = [service["spec"]["selector"] for service in of_kind(objects, "Service")]
    selectors += [
        one["spec"]["selector"]["matchLabels"] for one in of_kind(objects, "Deployment", "PodDisruptionBudget")
    ]
    selectors += [one["spec"]["podSelector"]["matchLabels"] for one in of_kind(objects, "NetworkPolicy")]
    assert len(selectors) in {7, 9}
    assert not [
        job
        for job in of_kind(objects, "Job")
        if any(one.items() <= job["spec"]["template"]["metadata"]["labels"].items() for one in selectors)
    ]
    for selector in selectors:
        assert [p for p, labels in templates.items() if selector.items() <= labels.items()] == [
            selector["app.kubernetes.io/component"]
        ]


def test_the_admin_api_and_metrics_are_not_open_to_callers(objects: Objects) -> None:
    ports = {
        one["metadata"]["name"]: [port["targetPort"] for port in one["spec"]["ports"]]
        for one in of_kind(objects, "Service")
    }
    assert ports == {
        "archway-proxy": ["gateways"],
        "archway-proxy-internal": ["internal", "metrics"],
        "archway-control": ["internal", "people"],
    }
    assert [one["spec"].get("type", "ClusterIP") for one in of_kind(objects, "Service")[1:]] == ["ClusterIP"] * 2


def test_everything_stands_in_the_releases_namespace_or_in_one_of_the_servers(objects: Objects) -> None:
    elsewhere = {(one["kind"], one["metadata"]["namespace"]) for one in objects if "namespace" in one["metadata"]}
    assert {kind for kind, _ in elsewhere} <= {"Role", "RoleBinding"}
    assert {one["kind"] for one in objects} <= {
        "ConfigMap", "Deployment", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress", "Job", "Namespace",
        "NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "PrometheusRule", "Role", "RoleBinding", "Service",
        "ServiceAccount",
    }  # fmt: skip
    assert not elsewhere or ("Role", NAMESPACE) in elsewhere


def _deployment(objects: Objects, plane: str) -> dict[str, Any]:
    (found,) = [one for one in of_kind(objects, "Deployment") if one["metadata"]["name"] == f"archway-{plane}"]
    return found
