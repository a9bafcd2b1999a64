"""What a cluster does to the servers that we run, and that they come out of it as they are wanted (row F-17).

Everything is real but the database and the cluster, which is the fake that the contract of the Kubernetes API holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import orjson
import pytest

from control.orchestrator.identity import GENERATION, INSTALLATION
from control.orchestrator.lease import LASTS_S, RENEW_S
from tests.kube.fake_server import FakeKube
from tests.kube.passing import Passing, UnderWay, running
from tests.kube.platform import NAMESPACE, A, B, Platform, RowsInMemory, name_of, platform
from tests.plugins.moved_clock import MovedClock

FOUR = ("networkpolicies", "secrets", "deployments", "services")


class Scene:
    """A cluster, a platform on it, and time."""

    def __init__(
        self, kube: FakeKube, one: Platform, task: asyncio.Task[None], rows: RowsInMemory, passing: Passing
    ) -> None:
        self.kube, self.one, self.task, self.rows, self.passing = kube, one, task, rows, passing

    def things(self, plural: str) -> list[Any]:
        """Those of servers: what all of them share is there besides."""
        found = self.kube.things(plural, NAMESPACE)
        return [one for one in found if INSTALLATION in one["metadata"]["labels"]]

    def is_as_wanted(self) -> bool:
        """Whether each kind has one object for each row, of its generation, and each is told to be ready."""
        wanted = self.rows.generations
        told = {key: state.generation for key, state in self.rows.states.items() if state.phase == "ready"}
        made = {
            one["metadata"]["labels"][INSTALLATION]: int(one["metadata"]["annotations"][GENERATION])
            for one in self.kube.things("deployments", NAMESPACE)
        }
        counted = {plural: len(self.things(plural)) for plural in FOUR}
        all_told = {key: told.get(key) for key in wanted} == wanted
        return made == wanted and all_told and set(counted.values()) == {len(wanted)}

    async def converges(self, by: float = 0.25) -> float:
        return await self.passing.until(self.is_as_wanted, by=by)

    def change(self) -> None:
        self.rows.generations[A] += 1
        self.one.loop.wake()

    def writes(self) -> int:
        return sum(asked.method == "PATCH" for asked in self.kube.requests)


@pytest.fixture
async def scene(tmp_path: Path, clock: MovedClock) -> AsyncIterator[Scene]:
    under_way, rows = UnderWay(), RowsInMemory()
    rows.generations = {A: 1, B: 1}
    async with FakeKube() as kube, platform(kube, rows, tmp_path, under_way) as one, running(one.run()) as task:
        made = Scene(kube, one, task, rows, Passing(clock, under_way))
        await made.converges()
        await made.passing.seconds(3)
        yield made


@pytest.mark.parametrize("status", [pytest.param(status, id=f"F-17: {status}") for status in (429, 500, 409)])
async def test_a_write_that_fails_is_tried_again_later_and_later(status: int, scene: Scene) -> None:
    scene.kube.faults.add(status, times=1_000, method="PATCH", path="/deployments/", retry_after=1)
    before = scene.writes()
    scene.change()
    await scene.passing.seconds(60)
    assert 3 <= scene.writes() - before <= 20  # of three objects, five or six tries in a minute
    scene.kube.faults.to_come.clear()
    await scene.converges()


@pytest.mark.parametrize("seconds", [pytest.param(20, id="F-17: Retry-After")])
async def test_the_api_is_left_alone_for_as_long_as_it_says(seconds: int, scene: Scene) -> None:
    fault = scene.kube.faults.add(429, retry_after=seconds)
    scene.change()
    await scene.passing.until(lambda: fault.happened == 1, by=0.1)
    scene.kube.requests.clear()
    await scene.passing.seconds(seconds - 1)
    assert scene.kube.requests == []
    await scene.converges()


@pytest.mark.parametrize("forgets", [
    pytest.param(False, id="F-17: watch drops"), pytest.param(True, id="F-17: resourceVersion too old"),
])  # fmt: skip
async def test_a_change_in_the_cluster_is_seen_whatever_becomes_of_watches(forgets: bool, scene: Scene) -> None:
    scene.kube.cut_watches()
    await scene.passing.until(lambda: scene.kube.watching == 0)
    scene.kube.remove("services", NAMESPACE, name_of(A))
    if forgets:
        scene.kube.objects.forget_history()
    assert await scene.converges() < 60


@pytest.mark.parametrize("plural", [
    pytest.param(plural, id=f"F-17: object deleted by hand-{plural}") for plural in FOUR
])  # fmt: skip
async def test_what_was_deleted_by_hand_is_made_again(plural: str, scene: Scene) -> None:
    scene.kube.remove(plural, NAMESPACE, scene.things(plural)[0]["metadata"]["name"])
    assert not scene.is_as_wanted()
    assert await scene.converges() < 10


@pytest.mark.parametrize(("plural", "patch"), [
    pytest.param("deployments", {"spec": {"replicas": 0}}, id="F-17: object edited by hand-deployments"),
    pytest.param("services", {"spec": {"ports": [{"port": 8080, "targetPort": 1}]}},
                 id="F-17: object edited by hand-ports"),
    pytest.param("secrets", {"metadata": {"labels": {"archway.dev/entry": "x"}}},
                 id="F-17: object edited by hand-secrets"),
    pytest.param("networkpolicies", {"spec": {"ingress": [{}]}},
                 id="F-17: object edited by hand-policies"),
])  # fmt: skip
async def test_what_was_edited_by_hand_is_as_it_was_again(
    plural: str, patch: dict[str, object], scene: Scene
) -> None:
    def content() -> str:
        found = scene.things(plural)[0]
        told = {"labels": found["metadata"]["labels"], "spec": found.get("spec")}
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()

    before, name = content(), scene.things(plural)[0]["metadata"]["name"]
    root = {"deployments": "/apis/apps/v1", "networkpolicies": "/apis/networking.k8s.io/v1"}.get(plural, "/api/v1")
    await scene.one.cluster._call(
        "PATCH", f"{root}/namespaces/{NAMESPACE}/{plural}/{name}", {"fieldManager": "kubectl-edit"}, patch,
        content_type="application/merge-patch+json",
    )  # fmt: skip
    assert content() != before
    assert await scene.passing.until(lambda: content() == before, by=0.1) < 10


@pytest.mark.parametrize("seconds", [pytest.param(30, id="F-17: API away for 30 s")])
async def test_what_changed_while_the_api_was_away_is_made_up_for(seconds: int, scene: Scene) -> None:
    await scene.kube.go_away()
    scene.change()
    await scene.passing.seconds(seconds)
    assert scene.rows.states[A].phase == "ready"  # what runs goes on, as far as anybody knows
    await scene.kube.come_back()
    assert await scene.converges() < 120


@pytest.mark.parametrize("key", [pytest.param(A, id="F-17: row deleted while the API is away")])
async def test_a_row_that_went_while_the_api_was_away_leaves_nothing(key: str, scene: Scene) -> None:
    await scene.kube.go_away()
    del scene.rows.generations[key]
    scene.one.loop.wake()
    await scene.passing.seconds(30)
    await scene.kube.come_back()
    assert await scene.converges() < 120


@pytest.mark.parametrize(
    "how", [pytest.param(how, id=f"F-17: two controllers-{how}") for how in ("killed", "cut off", "ended")]
)
async def test_another_replica_goes_on_where_the_leader_was(how: str, scene: Scene, tmp_path: Path) -> None:
    under_way = scene.one.cluster.under_way
    async with platform(scene.kube, scene.rows, tmp_path, under_way, "other") as other, running(other.run()):
        await scene.passing.seconds(3 * LASTS_S)
        assert (scene.one.leads, other.leads) == (1, 0)
        if how != "ended":
            scene.one.cluster.cut_off()
        if how != "cut off":
            scene.task.cancel()
        waited = await scene.passing.until(lambda: other.leads == 1, by=0.5)
        assert waited <= (2 * RENEW_S if how == "ended" else LASTS_S + 3 * RENEW_S)
        scene.rows.generations[A] += 1
        await scene.converges()
        assert (scene.one.leads, other.leads) == (1, 1)


@pytest.mark.parametrize("hours", [
    pytest.param(-24, id="F-17: clock skew of the Lease-behind"),
    pytest.param(24, id="F-17: clock skew of the Lease-ahead"),
])  # fmt: skip
async def test_a_leader_whose_clock_is_wrong_leads_as_long_as_it_renews(
    hours: int, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Skewed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(hours=hours)

    async with platform(scene.kube, scene.rows, tmp_path, scene.one.cluster.under_way, "other") as other:
        monkeypatch.setattr("control.orchestrator.lease.datetime", Skewed)  # of whoever renews: the one that leads
        async with running(other.run()):
            await scene.passing.seconds(5 * LASTS_S)
            assert (scene.one.leads, other.leads) == (1, 0)
            scene.one.cluster.cut_off()
            assert await scene.passing.until(lambda: other.leads == 1, by=0.5) <= LASTS_S + 3 * RENEW_S
