"""An override and its Deployment: what says nothing changes nothing, and what passes keeps all that is ours."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.orchestrator.override.faults import NotOverridden
from control.orchestrator.override.overridden import overridden, said
from control.orchestrator.override.restricted import breaches
from core.strict_yaml import write_yaml
from tests.kube.schemas import complaints
from tests.unit.control.orchestrator.override.said_overrides import BASE, OVERRIDE, of_pod

TRIED = {
    "privileged": True, "hostNetwork": True, "hostPID": True, "hostPath": {"path": "/"}, "add": ["SYS_ADMIN"],
    "allowPrivilegeEscalation": True, "runAsUser": 0, "runAsNonRoot": False, "serviceAccountName": "admin",
    "automountServiceAccountToken": True, "procMount": "Unmasked", "nodeName": "one", "ephemeralContainers": [],
    "envFrom": [{"secretRef": {"name": "others"}}], "ownerReferences": [{"uid": "1"}], "namespace": "kube-system",
    "name": "server", "image": "registry.example/other:1", "replicas": 1000, "priorityClassName": "high",
    "secret": {"secretName": "others"}, "volumes": [{"name": "x", "secret": {"secretName": "others"}}],
    "containers": [{"name": "side", "image": "x"}], "$patch": "replace", "$retainKeys": ["name"],
    "labels": {"app.kubernetes.io/component": "proxy"}, "annotations": {"sidecar.istio.io/inject": "true"},
    "archway.dev/installation": "other", "emptyDir": {"sizeLimit": "1Ti"}, "tolerations": [{"operator": "Exists"}],
    "restartPolicy": "Always", "env": [{"name": "HOME", "value": "/"}], "imagePullSecrets": [{"name": "others"}],
    "nodeSelector": {"pool": "other"}, "mountPath": "/usr", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}},
    "securityContext": {"runAsUser": 5}, "resources": {"limits": {"memory": "1Ti"}}, "selector": None, "spec": None,
    "template": None, "metadata": None, "ports": [], "seccompProfile": {"type": "Unconfined"}, "drop": [],
}  # fmt: skip


def _maps(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _maps(one)


@st.composite
def twisted(draw: st.DrawFn) -> str:
    """The override that says everything, with up to three things in it that somebody tries."""
    override = copy.deepcopy(OVERRIDE)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_maps(override))))
        name = draw(st.sampled_from(sorted(TRIED)))
        place[name] = copy.deepcopy(TRIED[name])
    return write_yaml(override)


def test_an_override_that_says_nothing_changes_nothing() -> None:
    for text in ("", "  \n", "# later\n\n  # perhaps\n"):
        assert overridden(BASE, text) is BASE
    assert overridden(BASE, "spec: {template: {spec: {}}}") == BASE


def test_all_that_may_be_said_is_done() -> None:
    pod = overridden(BASE, write_yaml(OVERRIDE))["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "dedicated", "operator": "Exists"}]
    assert pod["securityContext"] == BASE["spec"]["template"]["spec"]["securityContext"] | {
        "runAsUser": 1000, "fsGroup": 1000,
    }  # fmt: skip
    assert {one["name"]: one for one in pod["volumes"]}["home"] == {"name": "home", "emptyDir": {"sizeLimit": "2Gi"}}
    assert pod["containers"][0]["volumeMounts"][-1] == {"name": "models", "mountPath": "/data", "readOnly": True}


def test_a_cluster_knows_all_its_fields() -> None:
    assert complaints(overridden(BASE, write_yaml(OVERRIDE))) == []


def test_the_deployment_that_it_was_is_left_alone() -> None:
    kept = copy.deepcopy(BASE)
    overridden(BASE, write_yaml(OVERRIDE))
    assert kept == BASE


def test_everything_that_is_wrong_is_told_with_its_path_and_line() -> None:
    with pytest.raises(NotOverridden) as refused:
        said("spec:\n  replicas: 3\n  template:\n    spec:\n      hostPID: true\n")
    assert [(one.path, one.line) for one in refused.value.faults] == [
        ("spec.replicas", 2), ("spec.template.spec.hostPID", 5),
    ]  # fmt: skip


def test_what_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(NotOverridden, match=r"^line 2: \*a stands for something else"):
        said("spec:\n  replicas: *a\n")


def test_what_is_no_map_is_refused() -> None:
    for text in ("- a", "text", "12", "null"):
        with pytest.raises(NotOverridden, match="must be a map"):
            said(text)


@given(twisted())
def test_whatever_is_tried_is_refused_or_leaves_all_of_ours_as_it_was(text: str) -> None:
    try:
        made = overridden(BASE, text)
    except NotOverridden:
        return
    ours, template, was = BASE["spec"], made["spec"]["template"], BASE["spec"]["template"]
    assert {**made["spec"], "template": 0} == {**ours, "template": 0}
    assert made["metadata"]["labels"].items() >= BASE["metadata"]["labels"].items()
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (
        BASE["metadata"]["name"], BASE["metadata"]["namespace"],
    )  # fmt: skip
    assert template["metadata"]["labels"].items() >= was["metadata"]["labels"].items()
    assert breaches(template["spec"], template["metadata"]["annotations"]) == []
    assert template["spec"]["automountServiceAccountToken"] is False
    (server,), (before,) = template["spec"]["containers"], was["spec"]["containers"]
    for name in ("image", "args", "ports", "securityContext", "startupProbe", "readinessProbe"):
        assert server[name] == before[name]
    assert [one for one in before["env"] if one not in server["env"]] == []
    assert [one for one in before["volumeMounts"] if one not in server["volumeMounts"]] == []
    assert all(set(one) == {"name", "emptyDir"} for one in template["spec"]["volumes"])


def test_the_path_of_a_second_container_is_told() -> None:
    with pytest.raises(NotOverridden, match=r"spec\.template\.spec\.containers\[1\]\.name must be server"):
        overridden(BASE, of_pod(containers=[{"name": "server"}, {"name": "side"}]))


def test_one_of_too_many_values_is_refused_as_a_whole() -> None:
    with pytest.raises(NotOverridden, match="more than 4,000 names and values"):
        overridden(BASE, f"spec: [{'1,' * 4_000}]")
