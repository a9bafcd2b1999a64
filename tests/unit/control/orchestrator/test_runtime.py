from __future__ import annotations

import orjson
import pytest

from control.orchestrator import namespace
from control.orchestrator.kinds import DEPLOYMENT
from control.servers.runtime import Refused, RuntimeAway
from tests.kube import outcomes
from tests.kube.fake_server import FakeKube
from tests.kube.passing import Passing, running
from tests.kube.platform import NAMESPACE, A, B, Platform, RowsInMemory, name_of
from tests.unit.control.servers.conftest import wanted_server

KINDS = ("networkpolicies", "secrets", "deployments", "services")


def names(kube: FakeKube, plural: str) -> list[str]:
    found = [one["metadata"]["name"] for one in kube.things(plural, NAMESPACE)]
    return [name for name in found if not name.endswith("-baseline")]


def writes(kube: FakeKube) -> list[tuple[str, str]]:
    return [
        (asked.method, asked.path.split("/")[-2])
        for asked in kube.requests
        if asked.method != "GET" and "/leases" not in asked.path and not asked.path.endswith("-baseline")
    ]


async def settled(one: Platform, kube: FakeKube, passing: Passing) -> None:
    """Until all that is wanted is ready, and the copies know."""
    await passing.until(
        lambda: (
            one.rows.states.keys() == one.rows.generations.keys()
            and all(state.phase == "ready" for state in one.rows.states.values())
        ),
        by=0.1,
    )
    await passing.seconds(3)


async def test_what_is_wanted_is_made_in_the_order_in_which_it_is_needed(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
    assert writes(kube) == [("PATCH", plural) for plural in KINDS]
    state = rows.states[A]
    assert (state.phase, state.generation, state.endpoint) == (
        "ready",
        1,
        f"http://{name_of(A)}.servers.svc:8080/mcp",
    )


async def test_nothing_is_asked_where_all_is_as_it_should_be(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        namespace, "between", lambda least, most: most
    )  # or one may be due to be applied whatever is so
    rows.generations = {A: 1, B: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        kube.requests.clear()
        await passing.seconds(900, by=4)
        asked = [one for one in kube.requests if "/leases" not in one.path and not one.watches]
    assert asked == []


async def test_what_a_control_before_made_is_taken_over_without_a_write(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
    kube.requests.clear()
    rows.states.clear()
    async with running(one.run()):
        await settled(one, kube, passing)
    assert writes(kube) == []


async def test_a_change_replaces_the_secret_and_then_clears_the_old_one_away(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        before = names(kube, "secrets")
        rows.generations = {A: 2}
        one.loop.wake()
        await passing.until(lambda: len(names(kube, "secrets")) == 2, by=0.1)
        await passing.until(lambda: len(names(kube, "secrets")) == 1, by=1)
    assert names(kube, "secrets") != before
    assert rows.states[A].generation == 2


async def test_what_is_removed_leaves_nothing_and_its_policy_goes_last(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1, B: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        del rows.generations[A]
        kube.requests.clear()
        one.loop.wake()
        await passing.until(lambda: names(kube, "networkpolicies") == [name_of(B)], by=0.2)
    assert [plural for _, plural in writes(kube)] == ["services", "deployments", "secrets", "networkpolicies"]
    assert names(kube, "pods")[0].startswith(name_of(B))
    assert len(names(kube, "pods")) == 1


async def test_a_restart_by_kubectl_is_left_alone(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        restart = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
        path = DEPLOYMENT.path(NAMESPACE, name_of(A))
        by = {"fieldManager": "kubectl"}
        await one.cluster._call("PATCH", path, by, restart, content_type="application/strategic-merge-patch+json")
        kube.requests.clear()
        await passing.seconds(400, by=4)
        found = kube.thing("deployments", NAMESPACE, name_of(A))
    assert found is not None
    assert "now" in str(found["spec"]["template"]["metadata"]["annotations"])
    assert writes(kube) == []


async def test_all_is_applied_once_more_after_some_hours(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        kube.requests.clear()
        await passing.until(lambda: len(writes(kube)) == 4, by=60)


async def test_a_refusal_is_told_with_the_words_of_the_api(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    kube.faults.add(403, times=100, method="PATCH", path="/deployments/", message="exceeded quota: small")
    async with running(one.run()):
        await passing.until(lambda: A in rows.states, by=0.1)
    state = rows.states[A]
    assert (state.phase, state.cause, state.message) == ("failed", "refused_by_cluster", "exceeded quota: small")


async def test_a_refused_change_leaves_what_answers(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        kube.faults.add(422, times=100, method="PATCH", path="/deployments/", message="no")
        rows.generations = {A: 2}
        one.loop.wake()
        await passing.until(lambda: rows.states[A].phase == "degraded", by=0.2)
        await passing.seconds(20)
        assert rows.states[A].phase == "degraded"
        assert rows.states[A].endpoint != ""
        kube.faults.to_come.clear()
        await passing.until(lambda: rows.states[A].phase == "ready", by=1)
    assert rows.states[A].generation == 2


async def test_a_state_that_could_not_be_kept_is_told_again(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [ConnectionError("the database is away")] * 3
    kept = one.loop._report

    async def report(state: object) -> None:
        if failures:
            raise failures.pop()
        await kept(state)  # type: ignore[arg-type]

    monkeypatch.setattr(one.loop, "_report", report)
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
    assert not failures


async def test_pods_that_fail_change_the_state(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        kube.rollouts.become(NAMESPACE, name_of(A), outcomes.CRASH_LOOP)
        await passing.until(lambda: rows.states[A].phase != "ready", by=0.1)


async def test_logs_are_read_by_any_replica(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
    pod = names(kube, "pods")[0]
    kube.logs.say(NAMESPACE, pod, "one", "two", "three")
    found = [line async for line in one.runtime.logs(A, lines=2, previous=False, follow=False)]
    assert found == [b"two\n", b"three\n"]
    assert [line async for line in one.runtime.logs(A, lines=2, previous=True, follow=False)] == []
    assert [line async for line in one.runtime.logs(B, lines=2, previous=False, follow=False)] == []


async def test_a_cluster_that_is_not_watched_is_away(one: Platform) -> None:
    with pytest.raises(RuntimeAway, match="not watched yet"):
        await one.runtime.apply(wanted_server(A))
    with pytest.raises(RuntimeAway):
        await one.runtime.present()
    with pytest.raises(RuntimeAway):
        await one.runtime.remove(A)


async def test_what_is_in_nobodys_namespace_is_refused(one: Platform, kube: FakeKube, passing: Passing) -> None:
    async with running(one.run()):
        await passing.until(lambda: kube.watching == 6, by=0.1)
        kube.faults.add(404, method="PATCH", message='namespaces "servers" not found')
        with pytest.raises(Refused, match="not found"):
            await one.runtime.apply(wanted_server(A))


async def test_only_what_has_been_there_for_a_while_can_be_missed(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await settled(one, kube, passing)
        assert await one.runtime.present() == frozenset()
        await passing.seconds(130, by=2)
        assert await one.runtime.present() == {A}


@pytest.mark.parametrize(
    ("outcome", "cause", "words"),
    [
        pytest.param(outcomes.IMAGE_ABSENT, "image_pull", "not found", id="image absent"),
        pytest.param(outcomes.IMAGE_DENIED, "image_pull", "authorization failed", id="no right to the image"),
        pytest.param(outcomes.IMAGE_NAME, "image_name", "invalid reference format", id="bad image name"),
        pytest.param(outcomes.SECRET_MISSING, "secret_missing", "not found", id="secret missing"),
        pytest.param(outcomes.UNSCHEDULABLE, "unschedulable", "Insufficient memory", id="no node fits"),
        pytest.param(outcomes.REFUSED, "refused_by_cluster", "PodSecurity", id="pod security"),
        pytest.param(outcomes.OVER_QUOTA, "refused_by_cluster", "exceeded quota", id="quota"),
        pytest.param(outcomes.CRASH_LOOP, "crashed", "", id="crash at start"),
        pytest.param(outcomes.OUT_OF_MEMORY, "out_of_memory", "", id="out of memory"),
        pytest.param(outcomes.NO_PROGRAM, "no_such_program", "executable file not found", id="no such program"),
    ],
)
async def test_each_way_to_fail_is_told_with_its_cause_within_ten_seconds(
    outcome: outcomes.Outcome,
    cause: str,
    words: str,
    one: Platform,
    kube: FakeKube,
    rows: RowsInMemory,
    passing: Passing,
) -> None:
    kube.rollouts.outcome = lambda _: outcome
    async with running(one.run()):
        await passing.until(lambda: kube.watching == 6, by=0.1)
        rows.generations = {A: 1}
        one.loop.wake()
        assert await passing.until(lambda: A in rows.states and rows.states[A].cause != "", by=0.1) < 10
    assert rows.states[A].cause == cause
    assert words in rows.states[A].message


async def test_what_the_bridge_wrote_says_why_its_server_does_not_run(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    kube.rollouts.outcome = lambda _: outcomes.STARTING
    rows.generations = {A: 1}
    async with running(one.run()):
        await passing.until(lambda: len(names(kube, "pods")) == 1, by=0.1)
        line = {"logger": "bridge.kept_server", "event": "the server does not run", "cause": "bad_output"}
        kube.logs.say(NAMESPACE, names(kube, "pods")[0], *[orjson.dumps(line | {"why": "word 1 came"}).decode()] * 3)
        await passing.until(lambda: A in rows.states and rows.states[A].cause == "bad_output", by=0.5)
    assert rows.states[A].message == "[redacted] came"


async def test_what_a_ready_server_came_to_is_read_of_its_log_once_for_each_start(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    kube.rollouts.outcome = lambda _: outcomes.STARTING
    rows.generations = {A: 1}
    async with running(one.run()):
        await passing.until(lambda: len(names(kube, "pods")) == 1, by=0.1)
        line = {"logger": "bridge.kept_server", "event": "the server answers", "packages": '[["files", "1.0.0"]]'}
        kube.logs.say(NAMESPACE, names(kube, "pods")[0], orjson.dumps(line).decode())
        kube.rollouts.become(NAMESPACE, names(kube, "deployments")[0], outcomes.READY)
        await passing.until(lambda: A in rows.states and rows.states[A].phase == "ready", by=0.5)
    assert (rows.states[A].resolved or {}).get("packages") == [["files", "1.0.0"]]
