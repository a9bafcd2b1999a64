"""What probes of egress showed: kept, told with environments, their servers and metrics, and asked for again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from control.admin.deps import Deps
from control.registry.enforcement import NOT_YET, ON_OTHER_NODES, PROCESSES, Enforcement
from control.store import enforcement, environments
from control.store.pool import transaction
from tests.control.registry_api import Api, api
from tests.fakes.logged_runtime import LoggedRuntime

__all__ = ["api"]
SEEN = Enforcement(kind="off", state="enforced", reason="It is so.", provider="kubernetes")
LEAK = Enforcement(kind="off", state="not_enforced", reason="It is not.", provider="kubernetes")


@pytest.fixture
def runtime() -> LoggedRuntime:
    return LoggedRuntime(lines=[], before=[])


@pytest.fixture
async def deps(deps: Deps, runtime: LoggedRuntime) -> Deps:
    runtime.place = "cluster"
    return replace(deps, runtime=runtime)


@pytest.fixture
async def staging(api: Api) -> dict[str, Any]:
    made: dict[str, Any] = await api.post("/environments", {"name": "Staging", "egress": {"mode": "off"}})
    return made


async def keep(api: Api, environment: dict[str, Any], *found: Enforcement, of: str = "digest") -> None:
    async with transaction(api.pool) as connection:
        await enforcement.keep(connection, environment["id"], found, of)


async def enforced(api: Api, environment: dict[str, Any]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await api.get(f"/environments/{environment['id']}"))["enforcement"]
    return told


async def in_metrics(api: Api) -> list[tuple[str, str, int]]:
    async with transaction(api.pool) as connection:
        return await enforcement.standings(connection, "cluster")


async def test_nothing_is_known_before_the_first_probe(staging: dict[str, Any]) -> None:
    assert staging["enforcement"] == [
        {"kind": "off", "state": "unknown", "reason": NOT_YET, "provider": "", "probed_at": None}
    ]


async def test_what_a_probe_showed_is_told_with_the_environment(api: Api, staging: dict[str, Any]) -> None:
    await keep(api, staging, SEEN)
    (told,) = await enforced(api, staging)
    assert (told["state"], told["reason"], told["provider"]) == ("enforced", "It is so.", "kubernetes")
    assert told["probed_at"]
    (listed,) = (await api.get("/environments"))["items"]
    assert listed["enforcement"] == [told]


async def test_the_latest_probe_takes_the_place_of_the_one_before(api: Api, staging: dict[str, Any]) -> None:
    await keep(api, staging, SEEN, replace(SEEN, kind="cidr"))
    await keep(api, staging, LEAK)
    assert [one["state"] for one in await enforced(api, staging)] == ["not_enforced"]
    async with transaction(api.pool) as connection:
        assert len((await enforcement.of_environments(connection, [staging["id"]]))[staging["id"]]) == 1


@pytest.mark.parametrize("place", [{"namespace": "other"}, {"node_selector": {"pool": "b"}}])
async def test_what_was_seen_in_one_place_says_nothing_of_another(
    api: Api, staging: dict[str, Any], place: dict[str, Any]
) -> None:
    await keep(api, staging, SEEN)
    path = f"/environments/{staging['id']}"
    (told,) = (await api.patch(path, {"name": "Other"}))["enforcement"]
    assert told["state"] == "enforced"
    (told,) = (await api.patch(path, place))["enforcement"]
    assert (told["state"], told["reason"]) == ("unknown", NOT_YET)


async def test_an_environment_without_a_policy_has_nothing_to_hold(api: Api) -> None:
    made = await api.post("/environments", {"name": "Open"})
    assert made["enforcement"] == []
    refused = await api.post(f"/environments/{made['id']}/probe", expect=409)
    assert "no egress policy" in refused["detail"]


async def test_a_server_says_what_it_may_reach_and_whether_that_holds(api: Api, staging: dict[str, Any]) -> None:
    await keep(api, staging, LEAK)
    entry = {"slug": "files", "name": "Files", "kind": "self_hosted", "run": {"command": ["npx", "-y", "f@1.0.0"]}}
    placed = await api.install(await api.post("/entries", {**entry, "environment_id": staging["id"]}))
    assert placed["runs"]["egress"]["mode"] == "off"
    assert [one["state"] for one in placed["runs"]["egress"]["enforcement"]] == ["not_enforced"]
    elsewhere = await api.install(await api.post("/entries", {**entry, "slug": "other", "name": "Other"}))
    assert elsewhere["runs"]["egress"] == {"mode": "all", "enforcement": []}


@pytest.mark.parametrize(("seen", "told"), [(SEEN, ("unknown", ON_OTHER_NODES)), (LEAK, (LEAK.state, LEAK.reason))])
async def test_of_a_server_on_other_nodes_than_its_environment_s_nobody_knows_that_it_holds(
    api: Api, staging: dict[str, Any], seen: Enforcement, told: tuple[str, str]
) -> None:
    await keep(api, staging, seen)
    override = "spec: {template: {spec: {nodeSelector: {pool: others}}}}"
    run = {"command": ["npx", "-y", "f@1.0.0"], "override": override}
    entry = {"slug": "files", "name": "Files", "kind": "self_hosted", "run": run}
    placed = await api.install(await api.post("/entries", {**entry, "environment_id": staging["id"]}))
    assert [(one["state"], one["reason"]) for one in placed["runs"]["egress"]["enforcement"]] == [told]
    assert [one["state"] for one in await enforced(api, staging)] == [seen.state]


async def test_servers_that_are_processes_are_held_by_nothing(
    api: Api, staging: dict[str, Any], runtime: LoggedRuntime
) -> None:
    runtime.place = "process"
    await keep(api, staging, SEEN)
    (told,) = await enforced(api, staging)
    assert (told["state"], told["reason"]) == ("not_enforced", PROCESSES)
    assert "only there" in (await api.post(f"/environments/{staging['id']}/probe", expect=409))["detail"]


async def test_a_probe_is_asked_for_and_whoever_leads_is_told(api: Api, staging: dict[str, Any]) -> None:
    await keep(api, staging, SEEN)
    heard = asyncio.Event()

    def told(*_: object) -> None:
        heard.set()

    async with api.pool.acquire() as connection:
        await connection.add_listener("archway_servers", told)
        await api.post(f"/environments/{staging['id']}/probe", expect=200)
        await asyncio.wait_for(heard.wait(), 30)
        await connection.remove_listener("archway_servers", told)
    async with transaction(api.pool) as reading:
        assert (await enforcement.last_probes(reading))[staging["id"]].of == ""
        (environment,) = await environments.with_a_policy(reading)
    assert environment.id == staging["id"]


async def test_what_was_probed_of_an_environment_that_has_gone_is_not_kept(api: Api, staging: dict[str, Any]) -> None:
    await keep(api, staging, SEEN)
    await api.delete(f"/environments/{staging['id']}")
    await keep(api, staging, SEEN)
    async with transaction(api.pool) as connection:
        assert not await enforcement.last_probes(connection)


async def test_metrics_say_it_as_a_number_and_what_is_old_as_not_known(api: Api, staging: dict[str, Any]) -> None:
    await keep(api, staging, SEEN)
    assert await in_metrics(api) == [("Staging", "off", 1)]
    async with transaction(api.pool) as connection:
        await connection.execute("update egress_enforcement set probed_at = now() - interval '4 hours'")
    assert await in_metrics(api) == [("Staging", "off", -1)]


async def test_metrics_say_of_rules_that_were_never_probed_that_nothing_is_known(
    api: Api, staging: dict[str, Any]
) -> None:
    assert await in_metrics(api) == [("Staging", "off", -1)]
    await keep(api, staging, SEEN)
    # Of rules of another kind the probe of those before says nothing.
    await api.patch(f"/environments/{staging['id']}", {"egress": {"mode": "all"}})
    assert await in_metrics(api) == [("Staging", "all", -1)]
    async with transaction(api.pool) as connection:
        assert await enforcement.standings(connection, "process") == []
