from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from control.orchestrator.cluster import Cluster
from control.orchestrator.kinds import SECRET, Kind, Object
from control.orchestrator.reflector import WATCH_S, Reflector
from tests.kube.fake_server import FakeKube
from tests.kube.passing import Passing, running


def secret(name: str, word: str = "x") -> dict[str, Any]:
    labels = {"ours": "yes"}
    return {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels}, "stringData": {"K": word},
    }  # fmt: skip


class Seen:
    """A reflector of secrets, and what it told."""

    def __init__(self, cluster: Cluster) -> None:
        self.told: list[tuple[str, str]] = []
        self.reflector = Reflector(cluster, SECRET, "servers", "ours=yes", self._changed)

    def _changed(self, _: Kind, before: Object | None, after: Object | None) -> None:
        what = "added" if before is None else "gone" if after is None else "changed"
        self.told.append((what, (after or before or {})["metadata"]["name"]))

    def has(self, *names: str) -> Callable[[], bool]:
        return lambda: set(self.reflector.objects) == set(names)


@pytest.fixture
def seen(cluster: Cluster) -> Seen:
    return Seen(cluster)


def lists(kube: FakeKube) -> int:
    return sum(asked.method == "GET" and not asked.watches for asked in kube.requests)


async def test_what_is_there_and_what_comes_and_goes_is_in_the_copy(
    seen: Seen, cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    await cluster.apply(SECRET, "servers", secret("a"))
    async with running(seen.reflector.run()):
        await passing.until(lambda: kube.watching == 1)
        await cluster.apply(SECRET, "servers", secret("b"))
        await cluster.apply(SECRET, "servers", secret("a", "y"))
        await cluster.delete(SECRET, "servers", "b")
        await passing.until(lambda: len(seen.told) == 4)
    assert seen.told == [("added", "a"), ("added", "b"), ("changed", "a"), ("gone", "b")]
    assert seen.reflector.filled.is_set()


async def test_a_watch_that_is_cut_goes_on_where_it_was(
    seen: Seen, cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    async with running(seen.reflector.run()):
        await passing.until(lambda: kube.watching == 1)
        kube.cut_watches()
        await passing.until(lambda: kube.watching == 0)
        await cluster.apply(SECRET, "servers", secret("a"))
        await passing.until(seen.has("a"), by=0.1)
    assert lists(kube) == 1


async def test_a_version_that_is_too_old_begins_again_with_a_list(
    seen: Seen, cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    await cluster.apply(SECRET, "servers", secret("a"))
    async with running(seen.reflector.run()):
        await passing.until(lambda: kube.watching == 1)
        kube.cut_watches()
        await passing.until(lambda: kube.watching == 0)
        await cluster.delete(SECRET, "servers", "a")
        await cluster.apply(SECRET, "servers", secret("b"))
        kube.objects.forget_history()
        await passing.until(seen.has("b"), by=0.1)
    assert ("gone", "a") in seen.told
    assert lists(kube) == 2


async def test_an_api_that_is_away_is_asked_less_and_less_often(
    seen: Seen, cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    async with running(seen.reflector.run()):
        await passing.until(lambda: kube.watching == 1)
        kube.faults.add(500, times=1_000, path="/secrets")
        before = len(kube.requests)
        kube.cut_watches()
        await passing.seconds(120)
        assert 5 <= len(kube.requests) - before <= 9
        assert "injected" in seen.reflector.fault
        kube.faults.to_come.clear()
        await cluster.apply(SECRET, "servers", secret("a"))
        await passing.until(seen.has("a"), by=0.5)


async def test_a_watch_that_ends_in_time_is_no_fault(seen: Seen, kube: FakeKube, passing: Passing) -> None:
    async with running(seen.reflector.run()):
        await passing.until(lambda: kube.watching == 1)
        await passing.seconds(WATCH_S[1] + 10, by=1)
        await passing.until(lambda: kube.watching == 1)
    assert lists(kube) == 1
    assert seen.reflector.fault == ""


async def test_what_an_apply_answered_is_not_told_again(
    seen: Seen, cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    async with running(seen.reflector.run()):
        await passing.until(lambda: kube.watching == 1)
        seen.reflector.put(await cluster.apply(SECRET, "servers", secret("a")))
        await cluster.apply(SECRET, "servers", secret("b"))
        await passing.until(seen.has("a", "b"))
    assert seen.told == [("added", "a"), ("added", "b")]


async def test_one_that_was_made_anew_under_its_name_is_another(seen: Seen) -> None:
    def made(uid: str, version: str) -> Object:
        return {"metadata": {"name": "a", "uid": uid, "resourceVersion": version}}

    seen.reflector.put(made("1", "9"))
    seen.reflector.put(made("1", "8"))
    assert seen.told == [("added", "a")]
    seen.reflector.put(made("2", "8"))
    assert seen.told == [("added", "a"), ("changed", "a")]
