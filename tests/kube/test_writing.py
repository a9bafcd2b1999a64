"""The contract of the Kubernetes API, part two: plain reads and writes, patches, lists and discovery."""

from __future__ import annotations

import pytest

from tests.kube.cluster import JSON_PATCH, MERGE, STRATEGIC, Cluster
from tests.kube.objects import config_map, deployment, lease, secret, service, with_


async def test_what_is_absent_is_404(kube: Cluster) -> None:
    answer = await kube.get("deployments", "a")
    assert (answer.status, answer.thing["reason"]) == (404, "NotFound")
    assert answer.message == 'deployments.apps "a" not found'


async def test_what_is_there_cannot_be_made_again(kube: Cluster) -> None:
    first, second = [await kube.create("configmaps", config_map("a")) for _ in range(2)]
    assert (first.status, second.status, second.thing["reason"]) == (201, 409, "AlreadyExists")


async def test_text_of_a_secret_becomes_coded_content(kube: Cluster) -> None:
    made = (await kube.create("secrets", secret("a", stringData={"x": "canary"}))).thing
    assert (made["data"], made["type"]) == ({"x": "Y2FuYXJ5"}, "Opaque")
    assert "stringData" not in made


async def test_a_write_over_a_newer_one_is_a_conflict(kube: Cluster) -> None:
    made = (await kube.create("configmaps", config_map("a", x="1"))).thing
    await kube.patch("configmaps", "a", {"data": {"x": "2"}}, MERGE)
    refused = await kube.ask("PUT", kube.path("configmaps", "a"), made)
    assert (refused.status, refused.thing["reason"]) == (409, "Conflict")


async def test_of_two_who_take_a_lease_one_gets_it(kube: Cluster) -> None:
    held = (await kube.create("leases", lease("a", holderIdentity="one", leaseDurationSeconds=15))).thing
    takers = [with_(held, "spec.holderIdentity", name) for name in ("two", "three")]
    answers = [await kube.ask("PUT", kube.path("leases", "a"), taker) for taker in takers]
    assert [one.status for one in answers] == [200, 409]
    assert (await kube.get("leases", "a")).thing["spec"]["holderIdentity"] == "two"


async def test_a_deletion_of_another_object_of_that_name_is_a_conflict(kube: Cluster) -> None:
    await kube.create("configmaps", config_map("a"))
    condition = {"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}}
    refused = await kube.ask("DELETE", kube.path("configmaps", "a"), condition)
    assert refused.status == 409
    assert (await kube.get("configmaps", "a")).status == 200


async def test_what_was_deleted_is_gone(kube: Cluster) -> None:
    await kube.create("configmaps", config_map("a"))
    assert (await kube.ask("DELETE", kube.path("configmaps", "a"))).status == 200
    assert (await kube.ask("DELETE", kube.path("configmaps", "a"))).status == 404


async def test_what_has_a_finalizer_goes_when_that_is_taken_off(kube: Cluster) -> None:
    await kube.create("configmaps", with_(config_map("a"), "metadata.finalizers", ["archway.test/wait"]))
    await kube.ask("DELETE", kube.path("configmaps", "a"))
    assert "deletionTimestamp" in (await kube.get("configmaps", "a")).thing["metadata"]
    await kube.patch("configmaps", "a", {"metadata": {"finalizers": None}}, MERGE)
    assert (await kube.get("configmaps", "a")).status == 404


async def test_all_with_a_label_are_deleted_at_once(kube: Cluster) -> None:
    for name, label in (("a", "1"), ("b", "1"), ("c", "2")):
        await kube.create("configmaps", config_map(name, {"mine": label}))
    await kube.ask("DELETE", kube.path("configmaps"), labelSelector="mine=1")
    left = (await kube.list("configmaps", labelSelector="mine"))["items"]
    assert [one["metadata"]["name"] for one in left] == ["c"]


async def test_generation_counts_what_is_wanted_and_not_labels(kube: Cluster) -> None:
    await kube.create("deployments", deployment("a"))
    for patch in ({"metadata": {"labels": {"x": "y"}}}, {"spec": {"replicas": 2}}):
        await kube.patch("deployments", "a", patch, MERGE)
    assert (await kube.get("deployments", "a")).thing["metadata"]["generation"] == 2


async def test_a_strategic_patch_finds_the_container_by_its_name(kube: Cluster) -> None:
    await kube.create("deployments", deployment("a"))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "server", "workingDir": "/x"}]}}}}
    made = (await kube.patch("deployments", "a", patch, STRATEGIC)).thing
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["workingDir"]) == ("registry.k8s.io/pause:3.10", "/x")


async def test_a_merge_patch_replaces_the_list_and_loses_the_image(kube: Cluster) -> None:
    await kube.create("deployments", deployment("a"))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "server", "workingDir": "/x"}]}}}}
    refused = await kube.patch("deployments", "a", patch, MERGE)
    assert refused.status == 422
    assert "spec.template.spec.containers[0].image: Required value" in refused.message


async def test_a_json_patch_takes_its_steps(kube: Cluster) -> None:
    await kube.create("configmaps", config_map("a", x="1", y="2"))
    steps = [{"op": "replace", "path": "/data/x", "value": "3"}, {"op": "remove", "path": "/data/y"}]
    assert (await kube.patch("configmaps", "a", steps, JSON_PATCH)).thing["data"] == {"x": "3"}


async def test_a_patch_of_an_unknown_kind_is_refused(kube: Cluster) -> None:
    await kube.create("configmaps", config_map("a"))
    assert (await kube.patch("configmaps", "a", {}, "application/json")).status == 415


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier=web", ["a", "b"]),
        ("tier!=web", ["c", "d"]),
        ("tier in (web, db)", ["a", "b", "c"]),
        ("tier notin (web, db)", ["d"]),
        ("tier,canary", ["b"]),
        ("tier,!canary", ["a", "c"]),
        ("tier=web,canary=yes", ["b"]),
    ],
)
async def test_a_list_has_what_its_selector_wants(kube: Cluster, selector: str, names: list[str]) -> None:
    labels = {"a": {"tier": "web"}, "b": {"tier": "web", "canary": "yes"}, "c": {"tier": "db"}, "d": {"x": "y"}}
    for name, has in labels.items():
        await kube.create("configmaps", config_map(name, has | {"mine": "1"}))
    found = (await kube.list("configmaps", labelSelector=f"{selector},mine=1"))["items"]
    assert [one["metadata"]["name"] for one in found] == names


async def test_a_list_by_name_has_one(kube: Cluster) -> None:
    for name in ("a", "b"):
        await kube.create("configmaps", config_map(name))
    found = (await kube.list("configmaps", fieldSelector="metadata.name=b"))["items"]
    assert [one["metadata"]["name"] for one in found] == ["b"]


async def test_a_long_list_comes_in_pages(kube: Cluster) -> None:
    for number in range(5):
        await kube.create("configmaps", config_map(f"a{number}", {"mine": "1"}))
    names, more = [], {}
    while True:
        page = await kube.list("configmaps", labelSelector="mine=1", limit=2, **more)
        names += [one["metadata"]["name"] for one in page["items"]]
        if not page["metadata"].get("continue"):
            break
        more = {"continue": page["metadata"]["continue"]}
    assert names == [f"a{number}" for number in range(5)]


async def test_defaults_are_filled_in_and_quantities_have_one_form(kube: Cluster) -> None:
    amounts = {"limits": {"memory": "1024Mi", "cpu": "1000m"}, "requests": {"memory": "0.5Gi", "cpu": "0.1"}}
    environment = [{"name": "EMPTY", "value": ""}]
    wanted = deployment("a", resources=amounts, env=environment, ports=[{"name": "mcp", "containerPort": 8080}])
    spec = (await kube.create("deployments", wanted)).thing["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["resources"] == {
        "limits": {"memory": "1Gi", "cpu": "1"},
        "requests": {"memory": "512Mi", "cpu": "100m"},
    }
    assert container["env"] == [{"name": "EMPTY"}]
    assert container["ports"] == [{"name": "mcp", "containerPort": 8080, "protocol": "TCP"}]
    assert (container["imagePullPolicy"], spec["revisionHistoryLimit"]) == ("IfNotPresent", 10)
    assert spec["template"]["spec"]["restartPolicy"] == "Always"


async def test_a_service_gets_an_address_and_its_defaults(kube: Cluster) -> None:
    spec = (await kube.create("services", service("a"))).thing["spec"]
    assert spec["clusterIP"]
    assert spec["type"] == "ClusterIP"
    assert spec["ports"] == [{"port": 80, "targetPort": "mcp", "protocol": "TCP"}]


async def test_discovery_says_what_is_served(kube: Cluster) -> None:
    served = (await kube.ask("GET", "/apis/apps/v1")).thing["resources"]
    deployments = next(one for one in served if one["name"] == "deployments")
    assert (deployments["kind"], deployments["namespaced"]) == ("Deployment", True)
    assert {"create", "delete", "get", "list", "patch", "watch"} <= set(deployments["verbs"])
    assert (await kube.ask("GET", "/apis/nothing.archway.test")).status == 404
    assert (await kube.ask("GET", "/version")).thing["major"] == "1"
