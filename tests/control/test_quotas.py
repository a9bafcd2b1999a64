"""Quotas of environments, through the admin API and on a real PostgreSQL, also for two who ask at once."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from control.changes import installations as changes
from control.changes.installations import WantedInstallation
from control.changes.refusals import NotNow
from control.changes.write import changing
from tests.control.registry_api import JSON, Api, api
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, waiting_for_a_lock

__all__ = ["api"]

RUN = {"transport": "http", "image": "registry.example/server:1"}


async def environment(api: Api, name: str = "Payments", **quota: Any) -> JSON:
    made: JSON = await api.post("/environments", {"name": name, "quota": quota})
    return made


async def entry(api: Api, where: JSON | None, slug: str = "server", **given: Any) -> JSON:
    body = {"slug": slug, "name": slug, "run": {**RUN, **given.pop("run", {})}, **given}
    made: JSON = await api.post("/entries", {**body, "environment_id": where and where["id"]})
    return made


async def used(api: Api, where: JSON) -> dict[str | None, tuple[int, str, str]]:
    told = await api.get(f"/environments/{where['id']}/usage")
    return {one["team"]: (one["servers"], one["cpu"], one["memory"]) for one in told["items"]}


async def test_no_team_makes_more_servers_than_its_quota_and_each_has_its_own(api: Api) -> None:
    payments = await environment(api, servers=1)
    red, blue = await api.team("Red"), await api.team("Blue")
    first, second = await entry(api, payments), await entry(api, payments, "second")
    await api.install(first, scope="team", team_id=red["id"])
    refused = await api.install(second, scope="team", team_id=red["id"], expect=409)
    for told in ("'Payments'", "'Red'", "1 used, 1 more asked for, 1 at most"):
        assert told in refused["detail"]
    await api.install(second, scope="team", team_id=blue["id"])
    assert await used(api, payments) == {"Blue": (1, "10m", "512Mi"), "Red": (1, "10m", "512Mi")}


async def test_what_belongs_to_no_team_has_one_quota_together(api: Api) -> None:
    payments = await environment(api, servers=2)
    made = await entry(api, payments)
    await api.install(made)
    await api.install(made, scope="personal")
    ann = await api.user("Ann")
    refused = await api.install(made, as_=ann, scope="personal", expect=409)
    assert "what belongs to no team" in refused["detail"]
    assert await used(api, payments) == {None: (2, "20m", "1Gi")}


async def test_a_person_s_servers_of_a_team_s_own_entry_are_the_team_s(api: Api) -> None:
    payments, red = await environment(api, servers=1), await api.team("Red")
    ann, bob = await api.user("Ann", red), await api.user("Bob", red)
    made = await entry(api, payments, team_id=red["id"], visibility="teams", teams=[red["id"]])
    await api.install(made, as_=ann, scope="personal")
    await api.install(made, as_=bob, scope="personal", expect=409)
    # Taken over, it is another's: there its servers find room or not.
    await api.patch(f"/entries/{made['id']}", {"team_id": None, "visibility": "organisation"})
    assert await used(api, payments) == {None: (1, "10m", "512Mi")}


async def test_another_team_is_not_named_nor_its_use_told_to_somebody_who_sees_no_teams(api: Api) -> None:
    payments, red = await environment(api, memory="700Mi"), await api.team("Red")
    made = await entry(api, payments)
    await api.install(made, scope="team", team_id=red["id"])
    uma = await api.admin.as_new_user("uma", "member")
    role = await api.post("/roles", {"name": "Of uma", "permissions": ["entry:read", "entry:update", "entry:run"]})
    await api.call("PUT", f"/roles/{role['id']}/holders/{uma.user['id']}", {"team_id": None}, expect=200, tag="*")
    larger = {"run": {**RUN, "resources": {"memory_limit": "1Gi"}}}
    path = f"/entries/{made['id']}"
    told = (await api.patch(path, larger, as_=uma, expect=409))["detail"]
    assert "room left for a team of others" in told
    assert not [word for word in ("Red", "512Mi", "used") if word in told]
    assert "'Red' (memory limits: 512Mi used, " in (await api.patch(path, larger, expect=409))["detail"]


async def test_an_entry_moves_nowhere_where_its_servers_have_no_room(api: Api) -> None:
    payments = await environment(api, memory="700Mi")
    first, second = await entry(api, payments), await entry(api, None, "second")
    await api.install(first)
    await api.install(second)
    path = f"/entries/{second['id']}"
    refused = await api.patch(path, {"environment_id": payments["id"]}, expect=409)
    assert "memory limits: 512Mi used, 512Mi more asked for, 700Mi at most" in refused["detail"]
    await api.patch(path, {"run": {"resources": {"memory": "64Mi", "memory_limit": "128Mi"}}})
    await api.patch(path, {"environment_id": payments["id"]})
    assert await used(api, payments) == {None: (2, "20m", "640Mi")}


async def test_an_entry_that_moved_does_not_grow_over_the_quota(api: Api) -> None:
    payments = await environment(api, cpu="1")
    made = await entry(api, payments)
    await api.install(made)
    path = f"/entries/{made['id']}"
    refused = await api.patch(path, {"run": {"resources": {"cpu": "2"}}}, expect=409)
    assert "processors set aside: 10m used, 1990m more asked for, 1 at most" in refused["detail"]
    await api.patch(path, {"run": {"resources": {"cpu": "1"}}})


async def test_a_server_that_comes_to_run_here_is_counted_and_one_that_runs_elsewhere_is_not(api: Api) -> None:
    payments = await environment(api, servers=1)
    remote = await api.entry(environment_id=payments["id"])
    await api.install(remote)
    await api.install(await entry(api, payments))
    path = f"/entries/{remote['id']}"
    refused = await api.patch(path, {"kind": "self_hosted", "run": {**RUN}}, expect=409)
    assert "servers: 1 used, 1 more asked for" in refused["detail"]


async def test_a_quota_that_is_lowered_ends_nothing_and_lets_nothing_more_in(api: Api) -> None:
    payments = await environment(api)
    made = await entry(api, payments)
    installation = await api.install(made)
    await api.install(made, scope="personal")
    await api.patch(f"/environments/{payments['id']}", {"quota": {"servers": 1}})
    await api.patch(f"/entries/{made['id']}", {"name": "Other"})
    await api.install(made, as_=await api.user("Ann"), scope="personal", expect=409)
    await api.delete(f"/installations/{installation['id']}")
    await api.install(made, expect=409)


async def test_of_two_who_take_the_last_room_at_once_one_is_refused(api: Api) -> None:
    payments = await environment(api, servers=1)
    entries = [await entry(api, payments, slug) for slug in ("first", "second")]
    first, second = [
        partial(changes.create, wanted=WantedInstallation(entry_id=one["id"], scope="organisation"))
        for one in entries
    ]

    async def is_refused() -> None:
        with pytest.raises(NotNow, match="1 used, 1 more asked for, 1 at most"):
            async with changing(api.pool, ADMIN) as write:
                await second(write, SAFEGUARDS)

    async with asyncio.TaskGroup() as group, changing(api.pool, ADMIN) as write:
        await first(write, SAFEGUARDS)
        group.create_task(is_refused())
        await waiting_for_a_lock(api.pool)


async def test_usage_of_teams_that_one_does_not_see_is_not_told(api: Api) -> None:
    payments, red = await environment(api), await api.team("Red")
    made = await entry(api, payments)
    await api.install(made, scope="team", team_id=red["id"])
    await api.install(made)
    path = f"/environments/{payments['id']}/usage"
    shown = [await api.get(path, as_=who) for who in (await api.user("Ann", red), await api.user("Bob"))]
    assert [[one["team"] for one in told["items"]] for told in shown] == [["Red", None], [None]]
