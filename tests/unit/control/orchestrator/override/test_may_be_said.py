"""The list of what may be said, by one value that it lets pass and one that it refuses at a time."""

from __future__ import annotations

from typing import Any

import pytest

from control.orchestrator.override.faults import NotOverridden
from control.orchestrator.override.overridden import overridden
from core.strict_yaml import write_yaml
from tests.unit.control.orchestrator.override.said_overrides import BASE, of_init, of_pod, of_server

VOLUME = {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}


def mounted(path: str, **more: Any) -> str:
    return of_pod(
        volumes=[VOLUME],
        containers=[{"name": "server", "volumeMounts": [{"name": "data", "mountPath": path, **more}]}],
    )


def variable(**source: Any) -> str:
    return of_server(env=[{"name": "A", "valueFrom": source}])


@pytest.mark.parametrize(
    "text",
    [
        write_yaml({"metadata": {"annotations": {"custom.archway.dev/a": "any text: 1"}}}),
        of_pod(nodeSelector={"kubernetes.io/arch": "arm64"}),
        of_pod(tolerations=[]),
        of_pod(tolerations=[{"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 60}]),
        of_pod(automountServiceAccountToken=False, enableServiceLinks=False),
        of_pod(securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}),
        of_pod(volumes=[{"name": "fast", "emptyDir": {"sizeLimit": "64Mi", "medium": "Memory"}}]),
        of_server(imagePullPolicy="Always"),
        of_server(env=[{"name": "NODE_OPTIONS", "value": "--max-old-space-size=400"}]),
        of_server(env=[{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        of_server(securityContext={"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}),
        of_server(resources={"requests": {"ephemeral-storage": "1Gi"}, "limits": {"ephemeral-storage": "2Gi"}}),
        of_init(args=["a"], workingDir="/data", env=[{"name": "A"}]),
        of_init(volumeMounts=[{"name": "home", "mountPath": "/var/lib/mcp"}]),
        mounted("/app/cache", subPath="cache"),
        mounted("/var/lib/mcp/models"),
        mounted("/tmp/models"),
    ],
)
def test_what_gives_a_pod_no_more_than_it_may_have_is_merged(text: str) -> None:
    overridden(BASE, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (of_pod(tolerations=[{"operator": "Exists"}]), r"tolerations\[0\] needs key"),
        (of_pod(tolerations=[{"key": "node-role.kubernetes.io/control-plane"}]), "the cluster's own control"),
        (of_pod(nodeSelector={"node-role.kubernetes.io/control-plane": ""}), "the cluster's own control"),
        (of_pod(nodeSelector={"kubernetes.io/hostname": "node-1"}), "names one node, which cannot be chosen"),
        (of_pod(nodeSelector={"a": True}), "must be the value of a label: text in quotes"),
        (of_pod(nodeSelector={"a b": "c"}), "must be the key of a label"),
        (of_pod(hostAliases=[{"ip": "here", "hostnames": ["a"]}]), "must be an IP address"),
        (of_pod(securityContext={"fsGroup": 0}), "must be a whole number from 1"),
        (of_pod(volumes=[{"name": "a", "emptyDir": {}}]), r"volumes\[0\]\.emptyDir needs sizeLimit"),
        (of_pod(volumes=[{"name": "a", "emptyDir": {"sizeLimit": "33Gi"}}]), "must be at most 32Gi"),
        (of_pod(volumes=[VOLUME, VOLUME]), r"volumes\[1\] has the name of another item"),
        (of_server(env=[{"name": "LD_PRELOAD", "value": "a"}]), "loads code into every program"),
        (of_server(env=[{"name": "A", "value": 1}]), "numbers in quotes"),
        (of_server(env=[{"name": "A", "value": "$(ARCHWAY_BRIDGE_TOKEN)"}]), "a variable of Archway's"),
        (variable(secretKeyRef={"name": "own", "key": "API_KEY"}), "not among"),
        (variable(fieldRef={"fieldPath": "spec.nodeName"}), "must be metadata"),
        (of_server(resources={"limits": {"memory": "8Gi"}}), "counts for its team"),
        (of_server(command=["sh"]), r"say it in run\.command"),
        (of_init(image="https://a"), "without https://"),
        (of_init(name="server"), "another name than server"),
        (of_init(resources={}), "not among"),
        (of_init(ports=[]), "proxies reach it"),
        (of_pod(initContainers=[{"name": "a"}]), r"initContainers\[0\] needs image"),
        (mounted("/"), "would hide"),
        (mounted("/usr/local/lib"), "would hide"),
        (mounted("/run"), "would hide"),
        (mounted("/var/run/secrets/kubernetes.io"), "would hide"),
        (mounted("/data/../usr"), r"without '\.'"),
        (mounted("data"), "begins with '/'"),
        (mounted("/data", subPath="../x"), "must be a path below"),
    ],
)
def test_it_may_not_be_said(text: str, why: str) -> None:
    with pytest.raises(NotOverridden, match=why):
        overridden(BASE, text)
