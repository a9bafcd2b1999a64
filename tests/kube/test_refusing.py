"""The contract of the Kubernetes API, part three: objects that it takes from nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kube.cluster import Cluster
from tests.kube.objects import config_map, deployment, policy, secret, service, with_

TEMPLATE, CONTAINER = "spec.template.spec", "spec.template.spec.containers.0"
OUTSIDE = [{"from": [{"ipBlock": {"cidr": "10.0.0.0/99"}}]}]
MOUNTED = [{"name": "gone", "mountPath": "/x"}]
AMOUNTS = {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}


@pytest.mark.parametrize(
    ("plural", "thing", "path"),
    [
        ("configmaps", config_map("UPPER"), "metadata.name"),
        ("configmaps", config_map("a" * 254), "metadata.name"),
        ("configmaps", config_map("a", {"x": "v" * 64}), "metadata.labels"),
        ("configmaps", config_map("a", {"x": "a\r\nb"}), "metadata.labels"),
        ("configmaps", config_map("a", {"a b": "x"}), "metadata.labels"),
        ("configmaps", with_(config_map("a"), "metadata.ownerReferences", [{"kind": "X"}]), "ownerReferences"),
        ("services", service("a" * 64), "metadata.name"),
        ("deployments", with_(deployment("a"), "spec.selector", {}), "spec.selector"),
        ("deployments", with_(deployment("a"), "spec.selector.matchLabels.app", "b"), "template.metadata.labels"),
        ("deployments", with_(deployment("a"), f"{CONTAINER}.image", ""), "containers[0].image"),
        ("deployments", with_(deployment("a"), f"{CONTAINER}.name", "Server"), "containers[0].name"),
        ("deployments", with_(deployment("a"), f"{CONTAINER}.volumeMounts", MOUNTED), "volumeMounts[0].name"),
        ("deployments", with_(deployment("a"), f"{CONTAINER}.resources", AMOUNTS), "resources.requests"),
        ("deployments", with_(deployment("a"), "spec.minReadySeconds", 700), "spec.progressDeadlineSeconds"),
        ("secrets", secret("a", type="kubernetes.io/dockerconfigjson"), "data[.dockerconfigjson]"),
        ("secrets", secret("a", stringData={"a/b": "x"}), "data[a/b]"),
        ("networkpolicies", policy("a", ingress=OUTSIDE), "ipBlock.cidr"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_object_that_cannot_be_is_refused_with_its_path(
    kube: Cluster, plural: str, thing: dict[str, Any], path: str
) -> None:
    refused = await kube.create(plural, thing)
    assert (refused.status, refused.thing["reason"]) == (422, "Invalid")
    assert path in refused.message


async def test_a_field_of_another_type_is_refused(kube: Cluster) -> None:
    assert (await kube.create("deployments", with_(deployment("a"), "spec.replicas", "2"))).status == 400


async def test_an_unknown_field_is_refused_where_that_is_asked_for(kube: Cluster) -> None:
    wrong = with_(deployment("a"), "spec.replicaz", 2)
    refused = await kube.ask("POST", kube.path("deployments"), wrong, fieldValidation="Strict")
    assert refused.status == 400
    assert "replicaz" in refused.message


async def test_nothing_is_made_in_a_namespace_that_is_not_there(kube: Cluster) -> None:
    path = "/api/v1/namespaces/archway-test-nowhere/configmaps"
    assert (await kube.ask("POST", path, config_map("a"))).status == 404


async def test_the_selector_of_a_deployment_stays(kube: Cluster) -> None:
    await kube.create("deployments", deployment("a"))
    other = with_(deployment("a"), "spec.selector.matchLabels.app", "b")
    refused = await kube.apply("deployments", with_(other, "spec.template.metadata.labels.app", "b"), force=True)
    assert refused.status == 422
    assert "field is immutable" in refused.message


async def test_an_immutable_secret_keeps_its_content(kube: Cluster) -> None:
    await kube.apply("secrets", secret("a", immutable=True, data={"x": "MQ=="}))
    refused = await kube.apply("secrets", secret("a", immutable=True, data={"x": "Mg=="}), force=True)
    assert refused.status == 422
    assert "immutable" in refused.message


async def test_a_secret_that_is_immutable_can_still_be_given_an_owner_and_deleted(kube: Cluster) -> None:
    owner = (await kube.create("deployments", deployment("a"))).thing
    await kube.apply("secrets", secret("a", immutable=True, data={"x": "MQ=="}))
    named = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a", "uid": owner["metadata"]["uid"]}
    owned = with_(secret("a", immutable=True, data={"x": "MQ=="}), "metadata.ownerReferences", [named])
    assert (await kube.apply("secrets", owned)).thing["metadata"]["ownerReferences"] == [named]
    assert (await kube.ask("DELETE", kube.path("secrets", "a"))).status == 200


async def test_the_type_of_a_secret_stays(kube: Cluster) -> None:
    await kube.create("secrets", secret("a", data={"x": "MQ=="}))
    assert (await kube.apply("secrets", secret("a", type="example.org/other"), force=True)).status == 422
