"""When an environment is probed, and when it is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from control.orchestrator.probing.rounds import LOOK_EVERY_S, Confined, ProbeRounds, ProbeRows
from control.registry.enforcement import Enforcement, RuleKind
from control.registry.environment import Environment
from control.servers.runtime import RuntimeAway
from control.store.enforcement import LastProbe
from core.egress.rules import Allowed, EgressRules
from tests.kube.passing import Passing, running
from tests.unit.control.orchestrator.probing.environments import ENVIRONMENT, ID, NOW

NAMESPACES = ("servers", "where-an-environment-was")


class Scene:
    """A prober and rows, both in memory."""

    def __init__(self) -> None:
        self.confined: list[Confined] = [(ENVIRONMENT, EgressRules("off"))]
        self.last: dict[str, LastProbe] = {}
        self.kept: dict[str, Sequence[Enforcement]] = {}
        self.probed: list[tuple[str, tuple[RuleKind, ...]]] = []
        self.cleared: list[str] = []
        self.away = False
        self.provider = "kubernetes"
        self.now = NOW
        rows = ProbeRows(self._confined, self._last, self._keep)
        self.rounds = ProbeRounds(self, rows, NAMESPACES, lambda: self.now)

    async def rests_on(self) -> Any:
        if not self.provider:
            raise RuntimeAway("the cluster was not looked at yet")
        return self.provider

    async def probe(self, environment: Environment, kinds: Sequence[RuleKind]) -> list[Enforcement]:
        self.probed.append((environment.id, tuple(kinds)))
        if self.away:
            raise RuntimeAway("the cluster's API is away")
        return [Enforcement(kind=kind, state="enforced", reason="") for kind in kinds]

    async def clear(self, namespace: str) -> None:
        self.cleared.append(namespace)

    async def _confined(self) -> Sequence[Confined]:
        return self.confined

    async def _last(self) -> dict[str, LastProbe]:
        return self.last

    async def _keep(self, environment_id: str, found: Sequence[Enforcement], of: str) -> None:
        self.kept[environment_id] = found
        self.last[environment_id] = LastProbe(of, self.now)

    def change(self, **fields: Any) -> None:
        self.confined = [(replace(ENVIRONMENT, **fields), EgressRules("off"))]


@pytest.fixture
async def scene(passing: Passing) -> AsyncIterator[Scene]:
    """One whose environment was probed once."""
    made = Scene()
    async with running(made.rounds.run()):
        await passing.until(lambda: len(made.probed) == 1)
        yield made


async def test_an_environment_is_probed_once_and_then_left_alone(scene: Scene, passing: Passing) -> None:
    await passing.seconds(4 * LOOK_EVERY_S, by=5)
    assert scene.probed == [(ID, ("off",))]


async def test_what_a_control_that_died_left_is_taken_away_wherever_servers_may_run(scene: Scene) -> None:
    assert scene.cleared == [*NAMESPACES]


async def test_what_showed_is_kept(scene: Scene, passing: Passing) -> None:
    await passing.until(lambda: ID in scene.kept)
    assert [one.kind for one in scene.kept[ID]] == ["off"]


@pytest.mark.parametrize(
    "fields", [{"namespace": "other"}, {"node_selector": {"pool": "b"}}, {"tolerations": ({"key": "a"},)}]
)
async def test_a_change_of_where_its_servers_run_is_reason_for_another_probe(
    fields: dict[str, Any], scene: Scene, passing: Passing
) -> None:
    scene.change(**fields)
    scene.rounds.wake()
    await passing.until(lambda: len(scene.probed) == 2, by=0.5)


async def test_other_rules_are_reason_for_another_probe_of_their_kinds(scene: Scene, passing: Passing) -> None:
    scene.confined = [(ENVIRONMENT, EgressRules("restricted", (Allowed(cidrs=("192.0.2.0/24",)),)))]
    await passing.until(lambda: len(scene.probed) == 2, by=5)
    assert scene.probed[1] == (ID, ("cidr",))


async def test_another_name_is_no_reason_for_another_probe(scene: Scene, passing: Passing) -> None:
    scene.change(name="Production", version=2)
    await passing.seconds(4 * LOOK_EVERY_S, by=5)
    assert len(scene.probed) == 1


async def test_another_provider_is_reason_for_another_probe(scene: Scene, passing: Passing) -> None:
    scene.provider = "cilium"
    await passing.until(lambda: len(scene.probed) == 2, by=5)


async def test_it_is_probed_every_hour_and_when_asked(scene: Scene, passing: Passing) -> None:
    scene.now += timedelta(minutes=66)
    await passing.until(lambda: len(scene.probed) == 2, by=5)
    scene.last[ID] = replace(scene.last[ID], of="")
    scene.rounds.wake()
    await passing.until(lambda: len(scene.probed) == 3, by=0.5)


async def test_a_cluster_that_is_away_is_asked_again_and_nothing_is_kept_meanwhile(
    scene: Scene, passing: Passing
) -> None:
    await passing.until(lambda: ID in scene.kept)
    scene.kept.clear()
    scene.away = True
    scene.change(namespace="other")
    await passing.until(lambda: len(scene.probed) == 3, by=5)
    assert not scene.kept
    scene.away = False
    await passing.until(lambda: ID in scene.kept, by=5)


async def test_nothing_is_probed_before_it_is_known_who_holds_policies(passing: Passing) -> None:
    scene = Scene()
    scene.provider = ""
    async with running(scene.rounds.run()):
        await passing.seconds(10)
        assert (scene.probed, scene.cleared) == ([], [])
        scene.provider = "cilium"
        await passing.until(lambda: len(scene.probed) == 1, by=0.5)
        assert scene.cleared == [*NAMESPACES]


async def test_what_is_gone_is_not_probed(scene: Scene, passing: Passing) -> None:
    scene.confined = []
    scene.now += timedelta(days=1)
    await passing.seconds(4 * LOOK_EVERY_S, by=5)
    assert len(scene.probed) == 1
