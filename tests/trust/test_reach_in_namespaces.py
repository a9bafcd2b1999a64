"""Egress in truth: the program of probe pods in network namespaces that the very policy objects hold.

K-5: what a pod of a server tries to reach. That the objects say so for every provider is tested without a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from control.orchestrator.egress.capabilities import PLAIN, Capabilities
from control.orchestrator.egress.policies import policies
from control.orchestrator.probing.pods import ProbePod, held, sample
from control.orchestrator.probing.trials import Trial, trial_of
from control.orchestrator.probing.verdicts import verdict
from control.registry.enforcement import EnforcementState, RuleKind
from control.registry.probe_targets import ProbeTarget, probe_targets
from core.egress.rules import Allowed, EgressRules
from core.reach_terms import Outcome
from tests.kube.wanted_servers import DEFAULTS, STDIO
from tests.trust.pods_as_namespaces import (
    API_SERVER,
    INTERNET,
    LISTENER,
    METADATA,
    NAME,
    OTHER_SERVER,
    POSTGRES,
    REDIS,
    World,
    world,
)  # fmt: skip
from tests.unit.control.orchestrator.probing.environments import ENVIRONMENT

PROBED = "0193a1b2-0000-7000-8000-0000000000cc"
OFF = EgressRules("off")
ALL = EgressRules("all")
ONE_NETWORK = EgressRules("restricted", (Allowed(cidrs=("198.51.100.0/24",), ports=("443",)),))
KINDS: tuple[RuleKind, ...] = ("off", "cidr", "domain", "all")
GIVEN: dict[RuleKind, tuple[ProbeTarget, ...]] = dict.fromkeys(KINDS, ()) | {"domain": probe_targets([f"{NAME}:443"])}
K_5 = {
    "metadata address": f"{METADATA}:80",
    "API server": f"{API_SERVER}:443",
    "other MCP pods": f"{OTHER_SERVER}:8080",
    "Redis": f"{REDIS}:6379",
    "Postgres": f"{POSTGRES}:5432",
    "the internet when disabled": f"{INTERNET}:443",
}


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


def probed(pods: World, trial: Trial, *, enforces: bool = True) -> tuple[EnforcementState, str]:
    """One probe, of a provider that enforces policies, or accepts and ignores them."""
    one = held(ENVIRONMENT, DEFAULTS, Capabilities(provider="gke"), PROBED, trial)
    seen = pods.run(pods.pod(one.policies if enforces else ()), arguments_of(one))
    free = sample(ENVIRONMENT, DEFAULTS, PROBED, [*trial.opens, *trial.shuts])
    return verdict(trial, seen, pods.run(pods.pod(free.policies), arguments_of(free)))


def arguments_of(one: ProbePod) -> list[str]:
    """Those of its pod; nothing changes in these namespaces, so that a second of waiting is as good as fifteen."""
    return [*one.pod["spec"]["containers"][0]["args"], "--within=1"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_that_holds_lets_through_what_it_allows_and_nothing_else(kind: RuleKind, pods: World) -> None:
    state, reason = probed(pods, trial_of(kind, LISTENER, GIVEN[kind]))
    assert state == "enforced", reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_accepts_and_ignores_the_policy_is_told_by_one_probe(kind: RuleKind, pods: World) -> None:
    state, reason = probed(pods, trial_of(kind, LISTENER, GIVEN[kind]), enforces=False)
    assert state == "not_enforced", reason


def test_an_address_of_the_operators_is_allowed_and_the_probes_own_pod_is_not(pods: World) -> None:
    state, reason = probed(pods, trial_of("cidr", LISTENER, probe_targets([f"{INTERNET}:443"])))
    assert state == "enforced", reason
    assert reason.startswith(f"{INTERNET}:443 answered, and {LISTENER}:8081, {LISTENER}:8082")


def test_targets_that_are_away_prove_nothing(pods: World) -> None:
    away = f"{INTERNET}:9999"
    trial = trial_of("cidr", LISTENER, ())
    assert probed(pods, replace(trial, shuts=(away,)))[0] == "unknown"
    assert probed(pods, replace(trial, opens=(away,)))[0] == "unknown"


def test_what_shuts_everything_is_not_taken_for_a_policy_that_holds(pods: World) -> None:
    trial = trial_of("cidr", LISTENER, ())
    shut = policies(replace(STDIO, egress=OFF), DEFAULTS, PLAIN)
    seen = pods.run(
        pods.pod(shut), ["--within=1", f"--open={trial.opens[0]}", *(f"--shut={one}" for one in trial.shuts)]
    )
    sampled = pods.run(pods.pods[0], [f"--open={one}" for one in (*trial.opens, *trial.shuts)])
    state, reason = verdict(trial, seen, sampled)
    assert state == "unknown", reason


@pytest.fixture(scope="module")
def reached(pods: World) -> Mapping[str, Mapping[str, Outcome]]:
    """What a server's pod reaches of all these targets, under each policy."""
    rules = {"off": OFF, "restricted": ONE_NETWORK, "all": ALL}
    made = {name: policies(replace(STDIO, egress=egress), DEFAULTS, PLAIN) for name, egress in rules.items()}
    tries = ["--within=1", *(f"--shut={target}" for target in K_5.values())]
    return {name: pods.run(pods.pod(one), tries) for name, one in made.items()}


@pytest.mark.parametrize("tried", [pytest.param(target, id=f"K-5: {name}, tried") for name, target in K_5.items()])
def test_a_server_that_may_reach_nothing_reaches_nothing(
    tried: str, reached: Mapping[str, Mapping[str, Outcome]]
) -> None:
    assert reached["off"][tried] == "blocked"


def test_a_server_that_may_reach_one_network_reaches_that_alone(
    reached: Mapping[str, Mapping[str, Outcome]],
) -> None:
    assert {target for target, saw in reached["restricted"].items() if saw == "reached"} == {f"{INTERNET}:443"}


def test_a_server_that_may_reach_everything_does_not_reach_the_metadata_address(
    reached: Mapping[str, Mapping[str, Outcome]],
) -> None:
    assert {target for target, saw in reached["all"].items() if saw == "blocked"} == {f"{METADATA}:80"}
