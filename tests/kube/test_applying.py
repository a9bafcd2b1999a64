"""The contract of the Kubernetes API, part one: server-side apply, on which all that we make in a cluster stands."""

from __future__ import annotations

import pytest

from tests.kube.cluster import MERGE, STRATEGIC, Cluster
from tests.kube.objects import config_map, deployment, secret, service, with_

TEMPLATE = "spec.template"
RESTARTED = {"kubectl.kubernetes.io/restartedAt": "2026-11-29T12:00:00Z"}


async def test_an_object_that_is_absent_is_made_and_one_that_is_there_is_kept(kube: Cluster) -> None:
    first, second = [await kube.apply("configmaps", config_map("a", x="1")) for _ in range(2)]
    assert (first.status, second.status) == (201, 200)
    assert first.thing["metadata"]["uid"] == second.thing["metadata"]["uid"]


async def test_the_same_once_more_changes_nothing(kube: Cluster) -> None:
    made = [(await kube.apply("secrets", secret("a", data={"x": "MQ=="}))).thing for _ in range(2)]
    assert made[0]["metadata"]["resourceVersion"] == made[1]["metadata"]["resourceVersion"]


async def test_the_same_deployment_once_more_rolls_nothing_out(kube: Cluster) -> None:
    wanted = deployment("a", env=[{"name": "A", "value": "1"}], resources={"limits": {"memory": "64Mi"}})
    made = [(await kube.apply("deployments", wanted)).thing["metadata"]["generation"] for _ in range(2)]
    assert made == [1, 1]


async def test_a_field_that_is_no_longer_named_goes(kube: Cluster) -> None:
    await kube.apply("configmaps", config_map("a", x="1", y="2"))
    assert (await kube.apply("configmaps", config_map("a", x="1"))).thing["data"] == {"x": "1"}


async def test_a_label_that_is_no_longer_named_goes(kube: Cluster) -> None:
    await kube.apply("configmaps", config_map("a", {"one": "1", "two": "2"}))
    found = await kube.apply("configmaps", config_map("a", {"one": "1"}))
    assert found.thing["metadata"]["labels"] == {"one": "1"}


async def test_a_field_of_somebody_else_stays(kube: Cluster) -> None:
    await kube.apply("configmaps", config_map("a", x="1"))
    await kube.patch("configmaps", "a", {"data": {"theirs": "2"}}, MERGE)
    assert (await kube.apply("configmaps", config_map("a", x="1"))).thing["data"] == {"x": "1", "theirs": "2"}


async def test_the_restart_that_somebody_asked_for_with_kubectl_stays(kube: Cluster) -> None:
    wanted = with_(deployment("a"), f"{TEMPLATE}.metadata.annotations", {"archway.test/restarts": "1"})
    await kube.apply("deployments", wanted, force=True)
    restart = {"spec": {"template": {"metadata": {"annotations": RESTARTED}}}}
    await kube.patch("deployments", "a", restart, STRATEGIC, manager="kubectl-rollout")
    found = (await kube.apply("deployments", wanted, force=True)).thing
    assert found["spec"]["template"]["metadata"]["annotations"] == {"archway.test/restarts": "1", **RESTARTED}
    assert found["metadata"]["generation"] == 2


async def test_what_another_manager_applied_is_a_conflict_that_names_the_field(kube: Cluster) -> None:
    await kube.apply("configmaps", config_map("a", x="1"), manager="somebody")
    refused = await kube.apply("configmaps", config_map("a", x="2"))
    assert (refused.status, refused.thing["reason"]) == (409, "Conflict")
    assert ".data.x" in refused.message
    assert "somebody" in refused.message


async def test_what_two_managers_apply_alike_is_no_conflict(kube: Cluster) -> None:
    await kube.apply("configmaps", config_map("a", x="1"), manager="somebody")
    assert (await kube.apply("configmaps", config_map("a", x="1"))).status == 200
    left = await kube.apply("configmaps", config_map("a"), manager="somebody")
    assert left.thing["data"] == {"x": "1"}


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC], ids=["merge", "strategic"])
async def test_what_somebody_edited_is_taken_back_by_force(kube: Cluster, kind: str) -> None:
    await kube.apply("deployments", deployment("a"), force=True)
    await kube.patch("deployments", "a", {"spec": {"replicas": 3}}, kind)
    wanted = with_(deployment("a"), "spec.replicas", 1)
    assert (await kube.apply("deployments", wanted)).status == 409
    assert (await kube.apply("deployments", wanted, force=True)).thing["spec"]["replicas"] == 1


async def test_an_image_that_somebody_edited_is_taken_back(kube: Cluster) -> None:
    await kube.apply("deployments", deployment("a"), force=True)
    edit = {"spec": {"template": {"spec": {"containers": [{"name": "server", "image": "registry.example/x:1"}]}}}}
    await kube.patch("deployments", "a", edit, STRATEGIC)
    found = (await kube.apply("deployments", deployment("a"), force=True)).thing
    assert [one["image"] for one in found["spec"]["template"]["spec"]["containers"]] == ["registry.k8s.io/pause:3.10"]


async def test_a_variable_that_is_no_longer_named_goes_and_one_of_somebody_else_stays(kube: Cluster) -> None:
    both = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    await kube.apply("deployments", deployment("a", env=both), force=True)
    theirs = {
        "spec": {"template": {"spec": {"containers": [{"name": "server", "env": [{"name": "C", "value": "3"}]}]}}}
    }
    await kube.patch("deployments", "a", theirs, STRATEGIC)
    found = (await kube.apply("deployments", deployment("a", env=both[:1]), force=True)).thing
    names = {one["name"] for one in found["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert names == {"A", "C"}


async def test_a_list_without_keys_is_replaced(kube: Cluster) -> None:
    await kube.apply("deployments", deployment("a", command=["a", "b"]), force=True)
    found = (await kube.apply("deployments", deployment("a", command=["c"]), force=True)).thing
    assert found["spec"]["template"]["spec"]["containers"][0]["command"] == ["c"]


async def test_a_node_selector_is_one_value(kube: Cluster) -> None:
    path = f"{TEMPLATE}.spec.nodeSelector"
    await kube.apply("deployments", with_(deployment("a"), path, {"a": "1", "b": "2"}), force=True)
    found = (await kube.apply("deployments", with_(deployment("a"), path, {"b": "3"}), force=True)).thing
    assert found["spec"]["template"]["spec"]["nodeSelector"] == {"b": "3"}


async def test_an_unknown_field_is_refused_by_its_name(kube: Cluster) -> None:
    refused = await kube.apply("deployments", with_(deployment("a"), "spec.replicaz", 1))
    assert refused.status >= 400
    assert "replicaz" in refused.message
    assert (await kube.get("deployments", "a")).status == 404


async def test_an_apply_in_nobodys_name_is_refused(kube: Cluster) -> None:
    content = "application/apply-patch+yaml"
    refused = await kube.ask("PATCH", kube.path("configmaps", "a"), config_map("a"), content)
    assert refused.status in {400, 422}
    assert "fieldManager" in refused.message


async def test_a_name_that_is_not_that_of_the_address_is_refused(kube: Cluster) -> None:
    content, thing = "application/apply-patch+yaml", config_map("b")
    refused = await kube.ask("PATCH", kube.path("configmaps", "a"), thing, content, fieldManager="archway")
    assert refused.status == 400


async def test_a_service_keeps_its_address(kube: Cluster) -> None:
    first = (await kube.apply("services", service("a"))).thing
    second = (await kube.apply("services", with_(service("a"), "spec.ports.0.port", 8080))).thing
    assert first["spec"]["clusterIP"] == second["spec"]["clusterIP"] != ""
    assert [one["port"] for one in second["spec"]["ports"]] == [8080]


async def test_a_dry_run_says_what_would_be_and_keeps_nothing(kube: Cluster) -> None:
    query = {"fieldManager": "archway", "dryRun": "All"}
    path, content = kube.path("deployments", "a"), "application/apply-patch+yaml"
    said = await kube.ask("PATCH", path, deployment("a"), content, **query)
    assert said.status in {200, 201}
    assert said.thing["spec"]["strategy"]["type"] == "RollingUpdate"
    assert (await kube.get("deployments", "a")).status == 404
