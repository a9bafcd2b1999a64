"""A probe in the fake cluster: every state, with its reason, and that nothing of it is left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from control.orchestrator.cluster import Cluster
from control.orchestrator.identity import INSTALLATION, PROBE
from control.orchestrator.probing.prober import Prober
from control.registry.enforcement import Enforcement, RuleKind
from control.registry.probe_targets import probe_targets
from control.servers.runtime import RuntimeAway
from tests.kube.fake_server import FakeKube
from tests.kube.outcomes import IMAGE_BACK_OFF, IMAGE_NAME, UNSCHEDULABLE, pod_status
from tests.kube.passing import Passing
from tests.kube.platform import DEFAULTS
from tests.kube.probed_network import ProbedNetwork, ended
from tests.unit.control.orchestrator.probing.environments import ENVIRONMENT, ID

KINDS: tuple[RuleKind, ...] = ("off", "cidr")


@pytest.fixture
def network(kube: FakeKube) -> ProbedNetwork:
    return ProbedNetwork(kube)


async def probed(
    cluster: Cluster, passing: Passing, kinds: Sequence[RuleKind] = KINDS, *targets: str
) -> dict[RuleKind, Enforcement]:
    prober = Prober(cluster, DEFAULTS, probe_targets(targets))
    task = asyncio.get_running_loop().create_task(prober.probe(ENVIRONMENT, kinds))
    await passing.until(task.done, by=0.5)
    return {one.kind: one for one in await task}


def states(found: dict[RuleKind, Enforcement]) -> dict[RuleKind, str]:
    return {kind: one.state for kind, one in found.items()}


def left(kube: FakeKube) -> int:
    return sum(len(kube.things(plural, "servers")) for plural in ("pods", "networkpolicies", "deployments"))


async def test_what_is_denied_is_blocked_and_what_is_allowed_answers(
    cluster: Cluster, kube: FakeKube, passing: Passing, network: ProbedNetwork
) -> None:
    found = await probed(cluster, passing)
    assert states(found) == {"off": "enforced", "cidr": "enforced"}
    assert found["off"].reason == "nameserver answered, and 10.1.0.9:8081, 10.1.0.9:8082, api-server did not."
    assert found["off"].provider == "kubernetes"
    assert len(network.pods) == 4
    assert left(kube) == 0


async def test_a_provider_that_ignores_policies_is_told_by_one_probe(
    cluster: Cluster, kube: FakeKube, passing: Passing, network: ProbedNetwork
) -> None:
    network.enforces = False
    found = await probed(cluster, passing)
    assert states(found) == {"off": "not_enforced", "cidr": "not_enforced"}
    assert "reached 10.1.0.9:8082, api-server" in found["cidr"].reason
    assert left(kube) == 0


async def test_a_target_that_answers_nobody_proves_nothing(
    cluster: Cluster, passing: Passing, network: ProbedNetwork
) -> None:
    network.away = {"10.1.0.9:8081", "10.1.0.9:8082", "api-server"}
    found = await probed(cluster, passing)
    assert states(found) == {"off": "unknown", "cidr": "unknown"}
    assert "did not answer a pod without rules either" in found["off"].reason


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (UNSCHEDULABLE, "No machine of the cluster has room for it. 0/3 nodes are available"),
        (IMAGE_BACK_OFF, "Its image cannot be pulled."),
        (IMAGE_NAME, "The name of its image is none."),
    ],
    ids=["no node fits", "image absent", "bad image name"],
)
async def test_a_pod_that_does_not_start_says_why_nothing_is_known(
    outcome: object, reason: str, cluster: Cluster, kube: FakeKube, passing: Passing, network: ProbedNetwork
) -> None:
    network.statuses = lambda pod: pod_status(outcome, "a", "")  # type: ignore[arg-type]
    found = await probed(cluster, passing)
    assert states(found) == {"off": "unknown", "cidr": "unknown"}
    assert reason in found["off"].reason
    assert left(kube) == 0


async def test_a_base_image_without_the_program_says_so(
    cluster: Cluster, passing: Passing, network: ProbedNetwork
) -> None:
    words = "/usr/bin/python: No module named bridge.reach"
    network.statuses = lambda pod: {} if pod.get("status") else ended(words, 1, "Error")
    found = await probed(cluster, passing)
    assert found["off"].reason == f"The probe's pod ended with status 1: {words}"


async def test_who_may_make_pods_and_not_take_them_away_makes_none(
    cluster: Cluster, kube: FakeKube, passing: Passing, network: ProbedNetwork
) -> None:
    """As in the chart with `servers.egress.probes` off: rehearsals of a Deployment need the right to create pods."""
    said = 'pods "p" is forbidden: User "control" cannot delete resource "pods"'
    kube.faults.add(403, method="DELETE", path="/pods/", message=said, times=9)
    found = await probed(cluster, passing)
    assert states(found) == {"off": "unknown", "cidr": "unknown"}
    assert found["off"].reason == f"The cluster refused the probe: {said}"
    assert network.pods == []


async def test_a_quota_that_refuses_the_pod_is_the_reason(
    cluster: Cluster, kube: FakeKube, passing: Passing, network: ProbedNetwork
) -> None:
    kube.faults.add(403, method="POST", message="exceeded quota: small")
    found = await probed(cluster, passing)
    assert found["off"].reason == "The cluster refused the probe: exceeded quota: small"
    assert left(kube) == 0


async def test_what_an_operator_names_is_tried_in_the_place_of_the_pod(
    cluster: Cluster, passing: Passing, network: ProbedNetwork
) -> None:
    found = await probed(cluster, passing, ("cidr",), "192.0.2.7:443")
    assert found["cidr"].reason.startswith("192.0.2.7:443 answered, and 10.1.0.9:8081, 10.1.0.9:8082, api-server did")


async def test_what_a_control_left_behind_is_taken_away(
    cluster: Cluster, kube: FakeKube, passing: Passing, network: ProbedNetwork
) -> None:
    running = asyncio.get_running_loop().create_task(Prober(cluster, DEFAULTS).probe(ENVIRONMENT, KINDS))
    network.statuses = lambda pod: {}
    await passing.until(lambda: bool(kube.things("pods", "servers")), by=0.5)
    kube.faults.add(500, method="DELETE", times=9)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    kube.faults.to_come.clear()
    left_behind = kube.things("pods", "servers")[0]["metadata"]["labels"]
    assert left_behind[PROBE] == ID
    network.statuses = network.runs
    await probed(cluster, passing)
    assert left(kube) == 0
    assert len({pod["metadata"]["labels"][INSTALLATION] for pod in network.pods}) == 4


async def test_an_api_that_is_away_tells_nothing_anew(
    cluster: Cluster, kube: FakeKube, passing: Passing, network: ProbedNetwork
) -> None:
    await kube.go_away()
    with pytest.raises(RuntimeAway):
        await probed(cluster, passing)


async def test_domains_where_nobody_holds_names_come_to_no_policy(
    cluster: Cluster, passing: Passing, network: ProbedNetwork
) -> None:
    found = await probed(cluster, passing, ("domain",), "example.com:443")
    assert found["domain"].state == "unknown"
    assert found["domain"].reason.startswith("No policy can be made of these rules: domains of its environment's")
