"""A cluster in which somebody else than NetworkPolicy holds egress, and one in which that changes."""

from __future__ import annotations

from typing import Any

import pytest

from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.looks import LOOK_EVERY_S
from control.orchestrator.identity import server_name, shared_name
from control.orchestrator.kinds import CILIUM_POLICY, GKE_POLICY
from control.registry.egress_providers import EgressProvider
from control.servers.runtime import Refused
from core.egress.rules import Allowed, EgressRules
from tests.kube.fake_server import FakeKube
from tests.kube.outcomes import OVER_QUOTA
from tests.kube.passing import Passing, running
from tests.kube.platform import DEFAULTS, NAMESPACE, A, Platform, RowsInMemory, name_of
from tests.kube.policy_kinds import serve

BASELINE = shared_name(DEFAULTS.instance_id, "baseline")
CILIUM = Capabilities(provider="cilium")
NOT_PERMITTED = Refused("not_permitted", "it is restricted")
SHUT = {"egress": EgressRules("off")}


def written(kube: FakeKube) -> list[tuple[str, str]]:
    """What was written of the server's policies, in its order; the namespace has a baseline beside them."""
    changes = [one for one in kube.requests if one.method != "GET" and not one.path.endswith(f"/{BASELINE}")]
    asked = [(one.method, one.path.split("/")[-2]) for one in changes]
    return [(method, plural) for method, plural in asked if "policies" in plural]


def policy(kube: FakeKube) -> list[str]:
    """To what the one NetworkPolicy is about."""
    (found,) = [one for one in kube.things("networkpolicies", NAMESPACE) if one["metadata"]["name"] != BASELINE]
    types: list[str] = found["spec"]["policyTypes"]
    return types


def reached(kube: FakeKube) -> list[dict[str, Any]]:
    """What its NetworkPolicy lets it reach, beside DNS."""
    (found,) = (one for one in kube.things("networkpolicies", NAMESPACE) if one["metadata"]["name"] == name_of(A))
    return list(found["spec"]["egress"][1:])


def is_ready(rows: RowsInMemory) -> bool:
    return A in rows.states and rows.states[A].phase == "ready"


async def test_what_holds_all_egress_is_there_before_anything_else(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    serve(kube, CILIUM_POLICY)
    one.capabilities, rows.generations = CILIUM, {A: 1}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        assert written(kube) == [("PATCH", "ciliumnetworkpolicies"), ("PATCH", "networkpolicies")]
        assert policy(kube) == ["Ingress"]
        kube.remove("ciliumnetworkpolicies", NAMESPACE, kube.things("ciliumnetworkpolicies")[0]["metadata"]["name"])
        await passing.until(lambda: bool(kube.things("ciliumnetworkpolicies", NAMESPACE)), by=0.5)
        del rows.generations[A]
        one.loop.wake()
        await passing.until(lambda: not kube.things("ciliumnetworkpolicies", NAMESPACE), by=0.5)


async def test_where_somebody_else_holds_it_by_now_the_new_objects_stand_before_the_old_ones_go(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    serve(kube, CILIUM_POLICY, GKE_POLICY)
    one.capabilities, rows.generations = CILIUM, {A: 1}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        kube.requests.clear()
        one.capabilities = Capabilities(provider="gke", formerly=("cilium",))
        await passing.seconds(LOOK_EVERY_S, by=5)
        await passing.until(lambda: not kube.things("ciliumnetworkpolicies", NAMESPACE), by=0.5)
    assert written(kube) == [("PATCH", "networkpolicies"), ("DELETE", "ciliumnetworkpolicies")]
    assert policy(kube) == ["Ingress", "Egress"]


async def test_an_old_kind_that_is_served_no_more_is_no_matter(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    one.capabilities, rows.generations = Capabilities(formerly=("cilium", "aws")), {A: 1}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
    assert written(kube) == [("PATCH", "networkpolicies")]


@pytest.mark.parametrize("refused", [{"override": "spec: {replicas: 2}"}, {"namespace": "closed"}])
async def test_what_goes_on_as_a_change_is_refused_reaches_no_more_than_it_may_by_now(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing, refused: dict[str, str]
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        assert reached(kube)
        rows.changes[A] = {"egress": EgressRules("off"), **refused}
        one.loop.wake()
        await passing.until(lambda: rows.states[A].phase == "degraded", by=0.5)
        assert not reached(kube)
        assert kube.things("pods", NAMESPACE)


async def test_what_goes_on_as_names_cannot_be_held_reaches_the_networks_alone(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    mixed = Allowed(cidrs=("203.0.113.0/24",), domains=("api.example.com",))
    names = Allowed(domains=("files.example.com",))
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        rows.changes[A] = {"egress": EgressRules("restricted", (mixed, names))}
        one.loop.wake()
        await passing.until(lambda: rows.states[A].phase == "degraded", by=0.5)
        assert rows.states[A].cause == "egress_not_possible"
        (rule,) = reached(kube)
        assert rule["to"] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]


async def test_what_goes_on_though_it_may_not_be_run_as_it_is_reaches_no_more_than_it_may_by_now(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        assert reached(kube)
        rows.changes[A], rows.refusals[A] = SHUT, NOT_PERMITTED
        one.loop.wake()
        await passing.until(lambda: rows.states[A].phase == "degraded", by=0.5)
        assert not reached(kube)
        assert kube.things("pods", NAMESPACE)


async def test_what_it_reached_under_another_name_is_shut_as_it_is_refused(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    """Policies of one pod add up, so the one of its former name would go on letting it out."""
    rows.generations = {A: 1}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        rows.changes[A], rows.refusals[A] = {"entry": "renamed", **SHUT}, NOT_PERMITTED
        one.loop.wake()
        await passing.until(lambda: rows.states[A].phase == "degraded", by=0.5)
    selecting_it = [one for one in kube.things("networkpolicies", NAMESPACE) if one["metadata"]["name"] != BASELINE]
    assert [one["metadata"]["name"] for one in selecting_it] == [server_name("renamed", A)]
    assert len(selecting_it[0]["spec"]["egress"]) == 1


@pytest.mark.parametrize("by_now", ["gke", "kubernetes"])
async def test_names_that_are_added_to_a_policy_go_as_what_has_them_is_refused(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing, by_now: EgressProvider
) -> None:
    serve(kube, GKE_POLICY)
    one.capabilities, rows.generations = Capabilities(provider="gke"), {A: 1}
    rows.changes[A] = {"egress": EgressRules("restricted", (Allowed(domains=("api.example.com",)),))}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        assert kube.things("fqdnnetworkpolicies", NAMESPACE)
        rows.changes[A], rows.refusals[A] = SHUT, NOT_PERMITTED
        if by_now == "kubernetes":
            one.capabilities = Capabilities(provider=by_now, formerly=("gke",))
            await passing.seconds(LOOK_EVERY_S, by=5)
        one.loop.wake()
        await passing.until(lambda: rows.states[A].phase == "degraded", by=0.5)
    assert not kube.things("fqdnnetworkpolicies", NAMESPACE)
    assert kube.things("pods", NAMESPACE)


async def test_what_has_no_pod_at_the_moment_is_shut_before_it_has_the_next(
    one: Platform, kube: FakeKube, rows: RowsInMemory, passing: Passing
) -> None:
    rows.generations = {A: 1}
    async with running(one.run()):
        await passing.until(lambda: is_ready(rows), by=0.1)
        kube.rollouts.become(NAMESPACE, name_of(A), OVER_QUOTA)
        await passing.until(lambda: rows.states[A].phase != "ready", by=0.1)
        assert not kube.things("pods", NAMESPACE)
        rows.changes[A], rows.refusals[A] = SHUT, NOT_PERMITTED
        one.loop.wake()
        await passing.until(lambda: rows.states[A].cause == "not_permitted", by=0.5)
        assert not reached(kube)
