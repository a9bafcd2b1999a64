"""The profile "restricted": what our own pods are, and each way out of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from control.orchestrator.objects import objects_of
from control.orchestrator.override.restricted import breaches
from tests.kube.wanted_servers import GOLDEN
from tests.unit.control.orchestrator.override.said_overrides import BASE

POD = BASE["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", GOLDEN)
def test_our_own_servers_are_within_it(name: str) -> None:
    (pod,) = (one["spec"]["template"]["spec"] for one in objects_of(*GOLDEN[name]) if one["kind"] == "Deployment")
    assert breaches(pod, {}) == []


@pytest.mark.parametrize(
    ("of_pod", "path"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"hostPID": True}, "hostPID"),
        ({"hostIPC": True}, "hostIPC"),
        ({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, "volumes[0].hostPath"),
        ({"volumes": [{"name": "a", "nfs": {}}]}, "volumes[0].nfs"),
        ({"securityContext": {"runAsUser": 0}}, "securityContext.runAsUser"),
        ({"securityContext": {"runAsNonRoot": False}}, "securityContext.runAsNonRoot"),
        ({"securityContext": {"sysctls": [{"name": "kernel.msgmax"}]}}, "securityContext.sysctls[0]"),
        (
            {"securityContext": {"windowsOptions": {"hostProcess": True}}},
            "securityContext.windowsOptions.hostProcess",
        ),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "securityContext.seccompProfile"),
        ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, "securityContext.appArmorProfile"),
        ({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}, "securityContext.seLinuxOptions"),
    ],
)
def test_each_way_out_of_the_pod_is_seen(of_pod: dict[str, Any], path: str) -> None:
    assert path in [one.path for one in breaches({**POD, **of_pod}, {})]


@pytest.mark.parametrize(
    ("of_container", "path"),
    [
        ({"securityContext": {"privileged": True}}, "securityContext.privileged"),
        ({"securityContext": {"allowPrivilegeEscalation": True}}, "securityContext.allowPrivilegeEscalation"),
        ({"securityContext": {}}, "securityContext.allowPrivilegeEscalation"),
        ({"securityContext": {"procMount": "Unmasked"}}, "securityContext.procMount"),
        ({"securityContext": {"capabilities": {"drop": ["KILL"]}}}, "securityContext.capabilities.drop"),
        ({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, "securityContext.capabilities.add"),
        ({"securityContext": {"runAsNonRoot": False}}, "securityContext.runAsNonRoot"),
        ({"ports": [{"containerPort": 80, "hostPort": 80}]}, "ports[0].hostPort"),
        ({"livenessProbe": {"httpGet": {"host": "169.254.169.254"}}}, "livenessProbe.httpGet.host"),
        ({"lifecycle": {"preStop": {"tcpSocket": {"host": "10.0.0.1"}}}}, "lifecycle.preStop.tcpSocket.host"),
    ],
)
@pytest.mark.parametrize("kind", ["containers", "initContainers", "ephemeralContainers"])
def test_each_way_out_of_a_container_is_seen(of_container: dict[str, Any], path: str, kind: str) -> None:
    pod = copy.deepcopy(POD)
    pod[kind] = [{**pod["containers"][0], **of_container}]
    assert f"{kind}[0].{path}" in [one.path for one in breaches(pod, {})]


def test_an_annotation_takes_no_profile_away() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/server"
    assert breaches(POD, {key: "unconfined"})
    assert not breaches(POD, {key: "runtime/default"})
