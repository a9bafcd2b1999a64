"""The contract of the Kubernetes API, part five: what the controllers of a cluster do, and logs of pods.

Tried where there are controllers; none of it needs a node or an image.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tests.kube.cluster import MERGE, Answer, Cluster
from tests.kube.objects import config_map, deployment, secret, with_

SECONDS = 60.0


async def until_gone(kube: Cluster, plural: str, name: str) -> None:
    async with asyncio.timeout(SECONDS):
        await kube.until(lambda: kube.get(plural, name), lambda answer: answer.status == 404)


async def until_listed(kube: Cluster, plural: str, count: int, selector: str) -> list[dict[str, Any]]:
    def as_many(answer: Answer) -> bool:
        return len(answer.thing["items"]) == count

    async with asyncio.timeout(SECONDS):
        asked = await kube.until(lambda: kube.ask("GET", kube.path(plural), labelSelector=selector), as_many)
    found: list[dict[str, Any]] = asked.thing["items"]
    return found


def owner(thing: dict[str, Any]) -> dict[str, Any]:
    named = {"name": thing["metadata"]["name"], "uid": thing["metadata"]["uid"]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", **named}


async def test_a_deployment_gets_a_replica_set_and_pods_with_the_labels_of_its_template(controlled: Cluster) -> None:
    await controlled.create("deployments", deployment("a"))
    (newest,) = await until_listed(controlled, "replicasets", 1, "app=a")
    (pod,) = await until_listed(controlled, "pods", 1, "app=a")
    assert newest["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert newest["metadata"]["ownerReferences"][0]["kind"] == "Deployment"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == newest["metadata"]["uid"]
    assert pod["spec"]["containers"][0]["name"] == "server"


async def test_a_deployment_says_which_generation_was_looked_at(controlled: Cluster) -> None:
    await controlled.create("deployments", deployment("a"))
    async with asyncio.timeout(SECONDS):
        seen = await controlled.until(
            lambda: controlled.get("deployments", "a"),
            lambda answer: answer.thing.get("status", {}).get("observedGeneration") == 1,
        )
    assert {one["type"] for one in seen.thing["status"]["conditions"]} >= {"Progressing"}


async def test_another_template_is_another_replica_set_with_the_next_revision(controlled: Cluster) -> None:
    await controlled.apply("deployments", deployment("a"), force=True)
    await until_listed(controlled, "replicasets", 1, "app=a")
    await controlled.apply("deployments", deployment("a", workingDir="/x"), force=True)
    sets = await until_listed(controlled, "replicasets", 2, "app=a")
    revisions = {one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for one in sets}
    assert revisions == {"1", "2"}


async def test_a_pod_that_somebody_deletes_comes_again(controlled: Cluster) -> None:
    await controlled.create("deployments", deployment("a"))
    (pod,) = await until_listed(controlled, "pods", 1, "app=a")
    await controlled.ask("DELETE", controlled.path("pods", pod["metadata"]["name"]), {"gracePeriodSeconds": 0})

    def another(answer: Answer) -> bool:
        uids = {one["metadata"]["uid"] for one in answer.thing["items"]}
        return bool(uids - {pod["metadata"]["uid"]})

    async with asyncio.timeout(SECONDS):
        await controlled.until(lambda: controlled.ask("GET", controlled.path("pods"), labelSelector="app=a"), another)


async def test_what_a_deployment_owns_goes_with_it(controlled: Cluster) -> None:
    made = (await controlled.create("deployments", deployment("a"))).thing
    owned = with_(secret("a", immutable=True, data={"x": "MQ=="}), "metadata.ownerReferences", [owner(made)])
    await controlled.apply("secrets", owned)
    await until_listed(controlled, "pods", 1, "app=a")
    await controlled.ask("DELETE", controlled.path("deployments", "a"), {"propagationPolicy": "Background"})
    await until_gone(controlled, "secrets", "a")
    await until_listed(controlled, "replicasets", 0, "app=a")


async def test_what_names_an_owner_that_is_not_there_goes(controlled: Cluster) -> None:
    nobody = owner({"metadata": {"name": "gone", "uid": "00000000-0000-4000-8000-000000000000"}})
    await controlled.create("configmaps", with_(config_map("a"), "metadata.ownerReferences", [nobody]))
    await until_gone(controlled, "configmaps", "a")


async def test_a_deployment_of_no_replicas_has_no_pod(controlled: Cluster) -> None:
    await controlled.create("deployments", deployment("a"))
    await until_listed(controlled, "pods", 1, "app=a")
    await controlled.patch("deployments", "a", {"spec": {"replicas": 0}}, MERGE)
    await until_listed(controlled, "pods", 0, "app=a")


async def test_a_pod_that_is_not_there_has_no_log(kube: Cluster) -> None:
    answer = await kube.ask("GET", kube.path("pods", "a", "log"), tailLines=5)
    assert (answer.status, answer.message) == (404, 'pods "a" not found')
