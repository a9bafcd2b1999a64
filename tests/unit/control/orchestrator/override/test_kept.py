"""What a merge may not do to what is ours, even if the list of what may be said let it pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from control.orchestrator.override.kept import not_kept
from control.orchestrator.override.merge import merged
from tests.unit.control.orchestrator.override.said_overrides import BASE, OVERRIDE

Change = Callable[[dict[str, Any]], object]


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    return dict(deployment)["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def server(deployment: dict[str, Any]) -> dict[str, Any]:
    return pod(deployment)["containers"][0]  # type: ignore[no-any-return]


def test_what_may_be_said_leaves_all_of_it() -> None:
    allowed = copy.deepcopy(OVERRIDE)
    del allowed["spec"]["template"]["spec"]["initContainers"]
    assert not_kept(BASE, merged(BASE, allowed)) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda it: it.update(kind="DaemonSet"), ""),
        (lambda it: it["metadata"].update(name="other"), "metadata"),
        (lambda it: it["metadata"]["labels"].pop("archway.dev/installation"), "metadata"),
        (lambda it: it["metadata"].update(ownerReferences=[{}]), "metadata"),
        (lambda it: it["spec"].update(replicas=9), "spec"),
        (lambda it: it["spec"].update(selector={}), "spec"),
        (lambda it: it["spec"]["template"].pop("metadata"), "spec.template.metadata"),
        (lambda it: it["spec"]["template"]["metadata"]["labels"].update(app="proxy"), "spec.template.metadata"),
        (
            lambda it: it["spec"]["template"]["metadata"]["annotations"].update({"archway.dev/restarts": "9"}),
            "spec.template.metadata",
        ),
        (lambda it: pod(it).update(serviceAccountName="admin"), "spec.template.spec"),
        (lambda it: pod(it).update(imagePullSecrets=[{"name": "others"}]), "spec.template.spec"),
        (lambda it: pod(it)["securityContext"].pop("runAsNonRoot"), "spec.template.spec.securityContext"),
        (lambda it: pod(it)["volumes"].pop(), "spec.template.spec.volumes"),
        (lambda it: pod(it)["containers"].append({"name": "side"}), "spec.template.spec.containers"),
        (lambda it: server(it).update(image="other"), "spec.template.spec.containers[0].image"),
        (lambda it: server(it)["env"].pop(0), "spec.template.spec.containers[0].env"),
        (lambda it: server(it)["ports"].clear(), "spec.template.spec.containers[0].ports"),
        (lambda it: server(it)["resources"]["limits"].pop("memory"), "spec.template.spec.containers[0].resources"),
    ],
)
def test_each_part_of_ours_that_changed_is_told(change: Change, path: str) -> None:
    made = copy.deepcopy(BASE)
    change(made)
    assert path in [one.path for one in not_kept(BASE, made)]


@pytest.mark.parametrize(
    "change",
    [
        lambda it: server(it)["env"].append({"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}),
        lambda it: pod(it).update(initContainers=[{"name": "a", "envFrom": [{"configMapRef": {"name": "x"}}]}]),
        lambda it: pod(it)["volumes"].append({"name": "a", "secret": {"secretName": "x"}}),
        lambda it: pod(it)["volumes"].append({"name": "a", "hostPath": {"path": "/"}}),
    ],
)
def test_what_belongs_to_others_is_told(change: Change) -> None:
    made = copy.deepcopy(BASE)
    change(made)
    assert "would get what is not the server's own" in str(not_kept(BASE, made)[-1])
