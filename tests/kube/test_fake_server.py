"""What only the fake does: faults that a test asks for, servers that fare as it says, logs that it writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp
import pytest
from kubernetes_asyncio import client

from tests.kube.cluster import Answer, Cluster
from tests.kube.fake_server import FakeKube
from tests.kube.objects import config_map, deployment, with_
from tests.kube.outcomes import CRASH_LOOP, IMAGE_ABSENT, READY, REFUSED, UNSCHEDULABLE, Outcome


@pytest.fixture
async def fake() -> AsyncIterator[FakeKube]:
    async with FakeKube() as kube:
        yield kube


@pytest.fixture
async def asked(fake: FakeKube) -> AsyncIterator[Cluster]:
    async with client.ApiClient(client.Configuration(host=fake.url)) as api:
        yield Cluster(api, "servers", fake.objects.forget_history)


async def test_a_refusal_comes_as_often_as_it_was_asked_for(fake: FakeKube, asked: Cluster) -> None:
    fault = fake.faults.add(429, retry_after=7, times=2, method="PATCH", path="/configmaps/")
    answers = [await asked.apply("configmaps", config_map("a")) for _ in range(3)]
    assert [one.status for one in answers] == [429, 429, 201]
    assert (answers[0].thing["reason"], fault.happened) == ("TooManyRequests", 2)


async def test_a_fault_for_other_requests_waits_for_them(fake: FakeKube, asked: Cluster) -> None:
    fake.faults.add(500, method="DELETE")
    assert (await asked.get("configmaps", "a")).status == 404
    assert (await asked.ask("DELETE", asked.path("configmaps", "a"))).status == 500


async def test_a_connection_that_is_reset_did_nothing_and_a_lost_answer_did(fake: FakeKube, asked: Cluster) -> None:
    fake.faults.add("reset")
    with pytest.raises(aiohttp.ClientError):
        await asked.create("configmaps", config_map("a"))
    assert fake.things("configmaps", "servers") == []
    fake.faults.add("lost")
    with pytest.raises(aiohttp.ClientError):
        await asked.create("configmaps", config_map("a"))
    assert fake.thing("configmaps", "servers", "a")


async def test_while_it_is_away_nobody_listens_and_what_is_there_stays(fake: FakeKube, asked: Cluster) -> None:
    await asked.create("configmaps", config_map("a"))
    await fake.go_away()
    with pytest.raises(aiohttp.ClientError):
        await asked.get("configmaps", "a")
    await fake.come_back()
    assert (await asked.get("configmaps", "a")).status == 200


async def test_a_watch_is_cut_in_the_middle(fake: FakeKube, asked: Cluster) -> None:
    await asked.create("configmaps", config_map("a"))
    async with aclosing(asked.events("configmaps")) as events:
        assert (await anext(events))["type"] == "ADDED"
        fake.cut_watches()
        with pytest.raises(aiohttp.ClientError):
            await anext(events)


async def test_an_open_watch_goes_on_when_history_is_forgotten(fake: FakeKube, asked: Cluster) -> None:
    await asked.create("configmaps", config_map("a"))
    async with aclosing(asked.events("configmaps")) as events:
        assert (await anext(events))["type"] == "ADDED"
        fake.objects.forget_history()
        await asked.create("configmaps", config_map("b"))
        assert (await anext(events))["object"]["metadata"]["name"] == "b"


@pytest.mark.parametrize("outcome", [READY, IMAGE_ABSENT, UNSCHEDULABLE, CRASH_LOOP], ids=lambda one: one.name)
async def test_the_pod_of_a_deployment_fares_as_the_test_says(
    fake: FakeKube, asked: Cluster, outcome: Outcome
) -> None:
    fake.rollouts.outcome = lambda thing: outcome
    await asked.create("deployments", deployment("a"))
    await asked.until(lambda: asked.get("deployments", "a"), has_status)
    (pod,) = fake.things("pods", "servers")
    found = [one["state"] for one in pod["status"].get("containerStatuses", ())]
    assert found == ([outcome.state] if outcome.state else [])


def is_seen(answer: Answer) -> bool:
    return bool(answer.thing["status"]["observedGeneration"] == answer.thing["metadata"]["generation"])


def is_followed(fake: FakeKube) -> bool:
    return any("follow" in one.query for one in fake.requests)


def has_status(answer: Answer) -> bool:
    return "status" in answer.thing


async def test_a_deployment_whose_pods_are_refused_has_none_and_says_why(fake: FakeKube, asked: Cluster) -> None:
    fake.rollouts.outcome = lambda thing: REFUSED
    await asked.create("deployments", deployment("a"))
    said = (await asked.until(lambda: asked.get("deployments", "a"), has_status)).thing["status"]["conditions"]
    failure = next(one for one in said if one["type"] == "ReplicaFailure")
    assert (failure["status"], failure["message"]) == ("True", REFUSED.refused)
    assert fake.things("pods", "servers") == []


async def test_one_that_rolls_keeps_the_older_pod_until_the_newer_is_ready(fake: FakeKube, asked: Cluster) -> None:
    await asked.apply("deployments", deployment("a"), force=True)
    await asked.until(lambda: asked.get("deployments", "a"), has_status)
    fake.rollouts.outcome = lambda thing: IMAGE_ABSENT
    await asked.apply("deployments", deployment("a", workingDir="/x"), force=True)
    await asked.until(lambda: asked.get("deployments", "a"), lambda one: one.thing["status"]["replicas"] == 2)
    assert len(fake.things("pods", "servers")) == 2
    fake.rollouts.become("servers", "a", READY)
    assert len(fake.things("pods", "servers")) == 1


async def test_one_that_is_recreated_has_only_the_newer_pod(fake: FakeKube, asked: Cluster) -> None:
    wanted = with_(deployment("a"), "spec.strategy", {"type": "Recreate"})
    await asked.apply("deployments", wanted, force=True)
    await asked.until(lambda: asked.get("deployments", "a"), has_status)
    fake.rollouts.outcome = lambda thing: IMAGE_ABSENT
    await asked.apply("deployments", with_(wanted, "spec.template.spec.hostname", "x"), force=True)
    await asked.until(lambda: asked.get("deployments", "a"), is_seen)
    assert [one["spec"]["hostname"] for one in fake.things("pods", "servers")] == ["x"]


async def test_a_log_is_followed_and_the_one_before_is_kept(fake: FakeKube, asked: Cluster) -> None:
    await asked.create("deployments", deployment("a"))
    await asked.until(lambda: asked.get("deployments", "a"), has_status)
    name = fake.things("pods", "servers")[0]["metadata"]["name"]
    path = asked.path("pods", name, "log")
    assert (await asked.ask("GET", path, previous="true")).status == 400
    fake.logs.say("servers", name, "one", "two")
    fake.logs.restart("servers", name)
    fake.logs.say("servers", name, "three", "four")
    assert (await asked.ask("GET", path, previous="true", tailLines=1)).message == "two\n"
    async with asyncio.TaskGroup() as group:
        following = group.create_task(asked.ask("GET", path, follow="true", tailLines=1))
        await asked.until(
            lambda: asked.get("pods", name), lambda _: any("follow" in one.query for one in fake.requests)
        )
        fake.logs.say("servers", name, "five")
        fake.remove("pods", "servers", name)
    assert following.result().message.startswith("four\n")
