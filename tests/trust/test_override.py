"""K-1: what somebody says over a server's Deployment gives it nothing that a server of ours has not.

Held where the objects are made, which is the last place before the cluster: what was saved by an older version, or
written into the database by hand, does not run either.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.orchestrator.objects import objects_of
from control.servers.runtime import Refused
from core.strict_yaml import write_yaml
from tests.kube.wanted_servers import DEFAULTS, STDIO

POD = "spec.template.spec"
SERVER, BEFORE = f"{POD}.containers[0]", f"{POD}.initContainers[0]"
TOKEN = {"serviceAccountToken": {"path": "token"}}


def pod(**said: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": said}}}


def server(**said: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "server", **said}])


def before(**said: Any) -> dict[str, Any]:
    return pod(initContainers=[{"name": "before", "image": "registry.example/a:1", **said}])


def secured(**said: Any) -> dict[str, Any]:
    return {"securityContext": said}


def labelled(**labels: Any) -> dict[str, Any]:
    return {"spec": {"template": {"metadata": labels}}}


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("privileged", server(**secured(privileged=True)), f"{SERVER}.securityContext.privileged"),
    ("privileged", before(**secured(privileged=True)), f"{BEFORE}.securityContext.privileged"),
    ("hostNetwork", pod(hostNetwork=True), f"{POD}.hostNetwork"),
    ("hostPID", pod(hostPID=True), f"{POD}.hostPID"),
    ("hostIPC", pod(hostIPC=True), f"{POD}.hostIPC"),
    ("hostPath", pod(volumes=[{"name": "a", "hostPath": {"path": "/"}}]), f"{POD}.volumes[0].hostPath"),
    (
        "capabilities.add",
        before(**secured(capabilities={"add": ["SYS_ADMIN"]})),
        f"{BEFORE}.securityContext.capabilities.add",
    ),
    (
        "allowPrivilegeEscalation",
        server(**secured(allowPrivilegeEscalation=True)),
        f"{SERVER}.securityContext.allowPrivilegeEscalation",
    ),
    ("runAsUser: 0", pod(**secured(runAsUser=0)), f"{POD}.securityContext.runAsUser"),
    ("runAsUser: 0", before(**secured(runAsUser=0)), f"{BEFORE}.securityContext.runAsUser"),
    ("serviceAccountName", pod(serviceAccountName="admin"), f"{POD}.serviceAccountName"),
    ("automountServiceAccountToken", pod(automountServiceAccountToken=True), f"{POD}.automountServiceAccountToken"),
    ("procMount", server(**secured(procMount="Unmasked")), f"{SERVER}.securityContext.procMount"),
    ("nodeName", pod(nodeName="one"), f"{POD}.nodeName"),
    ("extra containers", pod(containers=[{"name": "side", "image": "a"}]), f"{SERVER}.name"),
    ("extra containers", before(restartPolicy="Always"), f"{BEFORE}.restartPolicy"),
    ("ephemeralContainers", pod(ephemeralContainers=[{"name": "a"}]), f"{POD}.ephemeralContainers"),
    (
        "volumes with other secrets",
        pod(volumes=[{"name": "a", "secret": {"secretName": "others"}}]),
        f"{POD}.volumes[0].secret",
    ),
    (
        "volumes with projected tokens",
        pod(volumes=[{"name": "a", "projected": {"sources": [TOKEN]}}]),
        f"{POD}.volumes[0].projected",
    ),
    ("envFrom of others", server(envFrom=[{"secretRef": {"name": "others"}}]), f"{SERVER}.envFrom"),
    (
        "envFrom of others",
        before(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "others", "key": "KEY"}}}]),
        f"{BEFORE}.env[0].valueFrom.secretKeyRef.name",
    ),
    ("ownerReferences", {"metadata": {"ownerReferences": []}}, "metadata.ownerReferences"),
    ("namespace", {"metadata": {"namespace": "kube-system"}}, "metadata.namespace"),
    (
        "labels that our policies select on",
        labelled(labels={"archway.dev/installation": "0193a1b2-c3d4-7e5f-8a6b-112233445567"}),
        "spec.template.metadata.labels.archway.dev/installation",
    ),
    (
        "labels that our policies select on",
        labelled(labels={"app.kubernetes.io/component": "proxy"}),
        "spec.template.metadata.labels.app.kubernetes.io/component",
    ),
    (
        "sidecar-injection annotations",
        labelled(annotations={"sidecar.istio.io/inject": "true"}),
        "spec.template.metadata.annotations.sidecar.istio.io/inject",
    ),
    (
        "sidecar-injection annotations",
        labelled(labels={"sidecar.istio.io/inject": "true"}),
        "spec.template.metadata.labels.sidecar.istio.io/inject",
    ),
]


IMAGES = [
    pytest.param("evil@registry.example.com/team/before:1", id="K-4: image evil@..., of an init container"),
    pytest.param("169.254.169.254/before:1", id="K-4: registry host 169.254.169.254, of an init container"),
]


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_no_image_is_none_of_an_init_container_either(image: str) -> None:
    with pytest.raises(Refused, match=r"initContainers\[0\]\.image must"):
        objects_of(replace(STDIO, override=write_yaml(before(image=image))), DEFAULTS)


def test_an_override_fetches_with_no_pull_secret_of_another_team() -> None:
    with pytest.raises(Refused, match=r"spec\.template\.spec\.imagePullSecrets are those of the entry"):
        objects_of(replace(STDIO, override=write_yaml(pod(imagePullSecrets=[{"name": "theirs"}]))), DEFAULTS)


NAMES = [name for name, _, _ in CASES]


@pytest.mark.parametrize(
    ("override", "path"),
    [
        # What is tried in several ways is the row's input in the first of them.
        pytest.param(said, path, id=f"K-1: {name}" if NAMES.index(name) == number else f"{name} at {path}")
        for number, (name, said, path) in enumerate(CASES)
    ],
)
def test_it_is_refused_by_its_path(override: dict[str, Any], path: str) -> None:
    with pytest.raises(Refused) as refused:
        objects_of(replace(STDIO, override=write_yaml(override)), DEFAULTS)
    assert refused.value.cause == "override"
    assert f"{path} " in refused.value.message
