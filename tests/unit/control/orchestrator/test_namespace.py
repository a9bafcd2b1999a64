"""Servers in two namespaces: where each is made, how it moves, and what becomes of one without rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from control.orchestrator.kinds import watched
from control.orchestrator.runtime import LEFT_AFTER_S
from control.servers.runtime import RuntimeAway
from core.egress.rules import EgressRules
from tests.kube import outcomes
from tests.kube.fake_server import FakeKube
from tests.kube.passing import Passing, UnderWay, running
from tests.kube.platform import NAMESPACE, A, B, Platform, RowsInMemory, name_of, platform

OTHER = "tools-b"
BOTH = (NAMESPACE, OTHER)
ALL = ("networkpolicies", "secrets", "deployments", "services")


@pytest.fixture
async def kube() -> AsyncIterator[FakeKube]:
    async with FakeKube(namespaces=BOTH) as fake:
        yield fake


@pytest.fixture
async def one(kube: FakeKube, rows: RowsInMemory, tmp_path: Path, under_way: UnderWay) -> AsyncIterator[Platform]:
    async with platform(kube, rows, tmp_path, under_way, namespaces=BOTH) as made:
        yield made


@pytest.fixture
def rows() -> RowsInMemory:
    made = RowsInMemory()
    made.generations = {A: 1, B: 1}
    made.changes = {B: {"namespace": OTHER}}
    return made


def there(kube: FakeKube, installation_id: str, namespace: str) -> list[str]:
    """The kinds of which it has an object in a namespace."""
    found = [kind for kind in ALL if kube.thing(kind, namespace, name_of(installation_id))]
    secrets = [one["metadata"]["name"] for one in kube.things("secrets", namespace)]
    return found + ["secrets"] * any(one.startswith(name_of(installation_id)) for one in secrets)


def wants(one: Platform, installation_id: str, **changes: Any) -> None:
    one.rows.changes = {**one.rows.changes, installation_id: changes}
    one.loop.wake()


def endpoint(namespace: str, installation_id: str) -> str:
    return f"http://{name_of(installation_id)}.{namespace}.svc:8080/mcp"


async def ready(one: Platform, passing: Passing, *installation_ids: str) -> None:
    states = one.rows.states
    await passing.until(
        lambda: all(key in states and states[key].phase == "ready" for key in installation_ids), by=0.1
    )
    await passing.seconds(3)


def closed(kube: FakeKube, namespace: str = OTHER) -> None:
    message = f'pods is forbidden: User "control" cannot list resource "pods" in the namespace "{namespace}"'
    kube.faults.add(403, times=10_000, path=f"/namespaces/{namespace}/(?!leases)", message=message)


async def test_each_server_is_made_in_the_namespace_of_its_environment_and_nowhere_else(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A, B)
        await passing.seconds(130, by=2)
        assert await one.runtime.present() == {A, B}
        assert kube.watching == 2 * len(watched("kubernetes"))
    assert (len(there(kube, A, NAMESPACE)), there(kube, A, OTHER)) == (4, [])
    assert (there(kube, B, NAMESPACE), len(there(kube, B, OTHER))) == ([], 4)
    assert [one.rows.states[key].endpoint for key in (A, B)] == [endpoint(NAMESPACE, A), endpoint(OTHER, B)]


async def test_a_server_that_moves_answers_all_the_while_and_leaves_nothing_behind(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A)
        kube.rollouts.outcome = lambda _: outcomes.STARTING
        wants(one, A, namespace=OTHER)
        await passing.until(lambda: one.rows.states[A].phase == "degraded", by=0.1)
        assert one.rows.states[A].endpoint == endpoint(NAMESPACE, A)
        await passing.seconds(100, by=2)
        assert len(there(kube, A, NAMESPACE)) == 4
        kube.rollouts.become(OTHER, name_of(A), outcomes.READY)
        await passing.until(lambda: one.rows.states[A].phase == "ready", by=0.1)
        assert one.rows.states[A].endpoint == endpoint(OTHER, A)
        waited = await passing.until(lambda: "services" not in there(kube, A, NAMESPACE), by=1)
        assert waited >= LEFT_AFTER_S - 2
        await passing.until(lambda: there(kube, A, NAMESPACE) == [], by=1)
        await passing.seconds(60, by=2)
    assert len(there(kube, A, OTHER)) == 4
    assert (one.rows.states[A].phase, one.rows.states[A].endpoint) == ("ready", endpoint(OTHER, A))


async def test_what_a_server_may_reach_is_the_new_environments_in_both_places_at_once(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A)
        kube.rollouts.outcome = lambda _: outcomes.STARTING
        wants(one, A, namespace=OTHER, egress=EgressRules(mode="off"))
        await passing.until(lambda: len(there(kube, A, OTHER)) == 4, by=0.1)
        await passing.seconds(3)
    policies = [kube.thing("networkpolicies", namespace, name_of(A)) for namespace in BOTH]
    old, new = [one["spec"]["egress"] for one in policies if one is not None]
    assert old == new
    (dns,) = old
    assert dns["ports"][0]["port"] == 53


async def test_one_that_moves_asleep_leaves_its_old_place_without_answering_in_the_new(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A)
        wants(one, A, namespace=OTHER, asleep=True)
        await passing.until(lambda: len(there(kube, A, OTHER)) == 4, by=0.1)
        assert await passing.until(lambda: there(kube, A, NAMESPACE) == [], by=0.5) < LEFT_AFTER_S
        await passing.seconds(60, by=2)
    pods = [pod["metadata"]["name"] for namespace in BOTH for pod in kube.things("pods", namespace)]
    assert [pod.startswith(name_of(B)) for pod in pods] == [True]


async def test_a_move_that_a_control_before_began_is_ended_by_the_next(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A)
        wants(one, A, namespace=OTHER)
        await passing.until(lambda: len(there(kube, A, OTHER)) == 4, by=0.1)
    assert len(there(kube, A, NAMESPACE)) == 4
    async with running(one.run()):
        await passing.until(lambda: there(kube, A, NAMESPACE) == [], by=1)
    assert len(there(kube, A, OTHER)) == 4


async def test_one_that_is_removed_while_it_moves_is_removed_in_both(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A)
        wants(one, A, namespace=OTHER)
        await passing.until(lambda: len(there(kube, A, OTHER)) == 4, by=0.1)
        del one.rows.generations[A]
        one.loop.wake()
        await passing.until(lambda: there(kube, A, OTHER) + there(kube, A, NAMESPACE) == [], by=0.5)


async def test_a_namespace_that_control_has_no_rights_in_is_told_and_stops_no_other(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    closed(kube)
    async with running(one.run()):
        await ready(one, passing, A)
        await passing.until(lambda: B in one.rows.states, by=0.1)
        state = one.rows.states[B]
        assert (state.phase, state.cause) == ("failed", "namespace_closed")
        assert f"in the namespace {OTHER}: " in state.message
        assert "cannot list" in state.message
        await passing.seconds(130, by=2)
        assert await one.runtime.present() == {A}
        del one.rows.generations[A]
        one.loop.wake()
        await passing.until(lambda: there(kube, A, NAMESPACE) == [], by=0.5)
        kube.faults.to_come.clear()
        await ready(one, passing, B)


async def test_a_server_stays_where_it_is_while_it_may_not_run_where_it_should(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A)
        wants(one, A, namespace="nobodys")
        await passing.until(lambda: one.rows.states[A].cause == "namespace_closed", by=0.1)
        assert one.rows.states[A].message == (
            f"nobodys is none of ARCHWAY_SERVERS_NAMESPACES, which are {NAMESPACE}, {OTHER}"
        )
        await passing.seconds(60, by=2)
    assert (one.rows.states[A].phase, one.rows.states[A].endpoint) == ("degraded", endpoint(NAMESPACE, A))
    assert len(there(kube, A, NAMESPACE)) == 4


async def test_where_nothing_can_be_listed_the_cluster_is_away(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    closed(kube, NAMESPACE)
    closed(kube, OTHER)
    async with running(one.run()):
        await passing.until(lambda: A in one.rows.states, by=0.1)
        with pytest.raises(RuntimeAway, match="cannot list"):
            await one.runtime.present()


async def test_the_log_is_that_of_the_newest_pod_wherever_it_is(
    one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await ready(one, passing, A, B)
    (pod,) = [found["metadata"]["name"] for found in kube.things("pods", OTHER)]
    kube.logs.say(OTHER, pod, "one", "two")
    assert [line async for line in one.runtime.logs(B, lines=1, previous=False, follow=False)] == [b"two\n"]
    closed(kube, NAMESPACE)
    assert [line async for line in one.runtime.logs(B, lines=1, previous=False, follow=False)] == [b"two\n"]
    closed(kube, OTHER)
    with pytest.raises(RuntimeAway, match="cannot list"):
        [line async for line in one.runtime.logs(B, lines=1, previous=False, follow=False)]
