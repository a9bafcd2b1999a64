"""The contract of the Kubernetes API, part four: watches."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from tests.kube.cluster import MERGE, Cluster
from tests.kube.objects import config_map

MINE = {"mine": "1"}


def said(event: dict[str, Any]) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]


async def happenings(kube: Cluster, count: int, **query: Any) -> list[tuple[str, str]]:
    """The first events of a watch over the objects of the test."""
    found: list[tuple[str, str]] = []
    async with aclosing(kube.events("configmaps", timeoutSeconds=20, **query)) as events:
        async for event in events:
            found.append(said(event))
            if len(found) == count:
                break
    return found


async def test_a_watch_from_a_list_tells_all_that_happened_since_in_order(kube: Cluster) -> None:
    await kube.create("configmaps", config_map("before", MINE))
    version = (await kube.list("configmaps"))["metadata"]["resourceVersion"]
    await kube.create("configmaps", config_map("a", MINE))
    await kube.patch("configmaps", "a", {"data": {"x": "1"}}, MERGE)
    await kube.ask("DELETE", kube.path("configmaps", "a"))
    found = await happenings(kube, 3, resourceVersion=version, labelSelector="mine=1")
    assert found == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_watch_from_nowhere_begins_with_all_that_is_there(kube: Cluster) -> None:
    for name in ("a", "b"):
        await kube.create("configmaps", config_map(name, MINE))
    assert sorted(await happenings(kube, 2, labelSelector="mine=1")) == [("ADDED", "a"), ("ADDED", "b")]


async def test_what_leaves_and_enters_the_selector_is_deleted_and_added_to_it(kube: Cluster) -> None:
    await kube.create("configmaps", config_map("a", MINE))
    version = (await kube.list("configmaps"))["metadata"]["resourceVersion"]
    await kube.patch("configmaps", "a", {"metadata": {"labels": {"mine": "2"}}}, MERGE)
    await kube.patch("configmaps", "a", {"metadata": {"labels": {"mine": "1"}}}, MERGE)
    found = await happenings(kube, 2, resourceVersion=version, labelSelector="mine=1")
    assert found == [("DELETED", "a"), ("ADDED", "a")]


async def test_a_write_that_changes_nothing_tells_nobody(kube: Cluster) -> None:
    await kube.apply("configmaps", config_map("a", MINE, x="1"))
    version = (await kube.list("configmaps"))["metadata"]["resourceVersion"]
    await kube.apply("configmaps", config_map("a", MINE, x="1"))
    await kube.create("configmaps", config_map("b", MINE))
    assert await happenings(kube, 1, resourceVersion=version, labelSelector="mine=1") == [("ADDED", "b")]


async def test_a_watch_ends_after_the_time_that_it_was_given(kube: Cluster) -> None:
    version = (await kube.list("configmaps"))["metadata"]["resourceVersion"]
    query = {"resourceVersion": version, "labelSelector": "mine=1", "timeoutSeconds": 1}
    assert [event async for event in kube.events("configmaps", **query)] == []


async def test_a_watch_from_too_long_ago_is_told_so(kube: Cluster) -> None:
    await kube.create("configmaps", config_map("a", MINE))
    kube.grow_old()
    async with aclosing(kube.events("configmaps", resourceVersion="1", timeoutSeconds=20)) as events:
        event = await anext(events)
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert event["object"]["reason"] in {"Expired", "Gone"}
