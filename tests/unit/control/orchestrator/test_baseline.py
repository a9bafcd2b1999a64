"""What no policy opens is shut: a policy in each namespace that is there before all else, and stays."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from control.orchestrator.baseline import baseline, cuts_off
from control.orchestrator.identity import INSTALLATION, INSTANCE, labels
from control.orchestrator.kinds import POLICY
from control.orchestrator.objects import objects_of
from tests.kube.fake_server import FakeKube
from tests.kube.kinds import BUILT_IN
from tests.kube.passing import Passing, UnderWay, running
from tests.kube.platform import DEFAULTS, NAMESPACE, A, B, Platform, RowsInMemory, name_of, platform
from tests.kube.wanted_servers import GOLDEN
from tests.kubernetes_schemas import NEWEST_MINORS, said_against
from tests.unit.control.servers.conftest import wanted_server

NAME = "archway-000000000001-baseline"
POLICIES = next(one for one in BUILT_IN if one.plural == "networkpolicies")


def of_0_1(installation_id: str) -> Any:
    """The policy of a server as version 0.1 made it."""
    (made,) = [one for one in objects_of(wanted_server(installation_id), DEFAULTS) if one["kind"] == "NetworkPolicy"]
    spec = {
        "podSelector": made["spec"]["podSelector"],
        "policyTypes": ["Ingress"],
        "ingress": made["spec"]["ingress"],
    }
    return {**made, "spec": spec}


def written(kube: FakeKube) -> list[str]:
    """Names of the policies and kinds of other objects, in the order in which they were applied."""
    paths = [one.path.split("/") for one in kube.requests if one.method == "PATCH"]
    return [path[-1] if path[-2] == "networkpolicies" else path[-2] for path in paths]


async def ready(one: Platform, passing: Passing, *installation_ids: str) -> None:
    states = one.rows.states
    await passing.until(
        lambda: all(key in states and states[key].phase == "ready" for key in installation_ids), by=0.1
    )
    await passing.seconds(3)


@pytest.fixture
async def one(kube: FakeKube, rows: RowsInMemory, tmp_path: Path, under_way: UnderWay) -> AsyncIterator[Platform]:
    async with platform(kube, rows, tmp_path, under_way, namespaces=(NAMESPACE, "default")) as made:
        yield made


def test_it_selects_the_pods_of_this_archway_and_opens_nothing() -> None:
    made = baseline(DEFAULTS, "tools-b")
    assert made["spec"] == {
        "podSelector": {"matchLabels": {INSTANCE: DEFAULTS.instance_id}}, "policyTypes": ["Ingress", "Egress"],
    }  # fmt: skip
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (NAME, "tools-b")
    assert INSTALLATION not in made["metadata"]["labels"]
    assert [said_against(made, minor) for minor in NEWEST_MINORS] == [""] * len(NEWEST_MINORS)
    of_server = labels(DEFAULTS.instance_id, A, "crm", None)
    assert made["spec"]["podSelector"]["matchLabels"].items() <= of_server.items()


def test_it_cuts_off_nobody_whose_policy_says_nothing_of_what_is_reached() -> None:
    assert cuts_off([of_0_1(A)], applied=())
    assert not cuts_off([of_0_1(A)], applied={A})
    made = [one for named in GOLDEN.values() for one in objects_of(*named) if one["kind"] == "NetworkPolicy"]
    assert not cuts_off(made, applied=())


async def test_it_is_in_each_namespace_before_all_else_and_stays_when_servers_go(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await ready(one, passing, A)
        assert written(kube).count(NAME) == 2
        assert written(kube).index(NAME) < written(kube).index(name_of(A))
        rows.generations.clear()
        one.loop.wake()
        await passing.until(lambda: kube.thing("networkpolicies", NAMESPACE, name_of(A)) is None, by=0.5)
        await passing.seconds(130, by=2)
        assert await one.runtime.present() == frozenset()
    for namespace in (NAMESPACE, "default"):
        assert [one["metadata"]["name"] for one in kube.things("networkpolicies", namespace)] == [NAME]


@pytest.mark.parametrize("by_hand", ["deleted", "opened"])
async def test_it_is_put_back_when_somebody_takes_it_away_or_changes_it(
    by_hand: str, one: Platform, kube: FakeKube, passing: Passing
) -> None:
    async with running(one.run()):
        await passing.until(lambda: kube.thing("networkpolicies", NAMESPACE, NAME) is not None, by=0.1)
        await passing.seconds(3)
        first = json.loads(json.dumps(kube.thing("networkpolicies", NAMESPACE, NAME)))
        if by_hand == "deleted":
            kube.remove("networkpolicies", NAMESPACE, NAME)
        else:
            path, patch = POLICY.path(NAMESPACE, NAME), {"spec": {"policyTypes": ["Ingress"]}}
            by = {"fieldManager": "kubectl"}
            await one.cluster._call("PATCH", path, by, patch, content_type="application/merge-patch+json")
            assert specs(kube)[NAME] != first["spec"]
        await passing.until(lambda: first["spec"] == specs(kube).get(NAME), by=0.2)


def specs(kube: FakeKube) -> dict[str, Any]:
    return {one["metadata"]["name"]: one["spec"] for one in kube.things("networkpolicies", NAMESPACE)}


async def test_after_an_upgrade_it_waits_until_each_server_says_what_it_reaches(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    for installation_id in (A, B):
        made = of_0_1(installation_id)
        kube.objects.write((POLICIES, NAMESPACE, made["metadata"]["name"]), made, {})
    rows.generations = {A: 1}
    async with running(one.run()):
        await ready(one, passing, A)
        assert "Egress" in specs(kube)[name_of(A)]["policyTypes"]
        assert NAME not in specs(kube), "the server B would be cut off"
        rows.generations = {A: 1, B: 1}
        one.loop.wake()
        await passing.until(lambda: NAME in specs(kube), by=0.5)
    assert "Egress" in specs(kube)[name_of(B)]["policyTypes"]
