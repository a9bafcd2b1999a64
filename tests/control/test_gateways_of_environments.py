"""Gateways that name the environments they serve, over the admin API and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import pytest

from control.changes import assignments as assignment_changes
from control.changes import entries as entry_changes
from control.changes import gateways as gateway_changes
from control.changes.write import Write, changing
from control.registry.broken_rule import BrokenRule
from control.registry.partial import entry_with, gateway_with
from tests.control.registry_api import JSON, Api, api
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, waiting_for_a_lock

__all__ = ["api"]
Change: TypeAlias = Callable[[Write], Awaitable[None]]


@pytest.fixture
async def where(api: Api) -> dict[str, str]:
    """Identifiers of two environments."""
    return {name: (await api.post("/environments", {"name": name}))["id"] for name in ("Production", "Staging")}


async def shown(api: Api, **entry: Any) -> tuple[JSON, JSON]:
    """An entry and a gateway that serves all, and shows its tools."""
    made = await api.entry(**entry)
    await api.install(made)
    gateway = await api.gateway()
    await api.assign(gateway, made)
    return made, gateway


async def test_a_gateway_shows_only_entries_of_the_environments_that_it_names(
    api: Api, where: dict[str, str]
) -> None:
    entry = await api.entry(environment_id=where["Staging"])
    await api.install(entry)
    gateway = await api.gateway(environments=[where["Production"]])
    assert gateway["environments"] == [where["Production"]]
    refused = await api.assign(gateway, entry, expect=422)
    assert refused["errors"][0]["field"] == "entry"
    for named in ("'Staging'", "'desk'", "'Production'"):
        assert named in refused["detail"]
    await api.patch(f"/gateways/{gateway['id']}", {"environments": list(where.values())})
    await api.assign(gateway, entry)


async def test_a_gateway_that_names_environments_shows_no_entry_that_is_in_none(
    api: Api, where: dict[str, str]
) -> None:
    entry = await api.entry()
    await api.install(entry)
    gateway = await api.gateway(environments=[where["Production"]])
    assert "in no environment" in (await api.assign(gateway, entry, expect=422))["detail"]


async def test_resources_and_prompts_of_an_entry_are_held_to_it_too(api: Api, where: dict[str, str]) -> None:
    entry = await api.entry()
    await api.install(entry)
    gateway = await api.gateway(environments=[where["Production"]])
    for tool in ("all_resources", "all_prompts", "now"):
        refused = await api.assign(gateway, entry, tools=[tool], expect=422)
        assert refused["errors"][0]["field"] == "entry"


async def test_a_gateway_names_no_environments_that_leave_out_what_it_shows(api: Api, where: dict[str, str]) -> None:
    _, gateway = await shown(api, environment_id=where["Staging"])
    refused = await api.patch(f"/gateways/{gateway['id']}", {"environments": [where["Production"]]}, expect=422)
    assert refused["errors"][0]["field"] == "environments"
    assert "time (in the environment 'Staging')" in refused["detail"]
    await api.patch(f"/gateways/{gateway['id']}", {"environments": [where["Staging"]]})


async def test_an_entry_moves_to_no_environment_that_a_gateway_which_shows_it_does_not_serve(
    api: Api, where: dict[str, str]
) -> None:
    entry, gateway = await shown(api, environment_id=where["Staging"])
    await api.patch(f"/gateways/{gateway['id']}", {"environments": [where["Staging"]]})
    for there in (where["Production"], None):
        refused = await api.patch(f"/entries/{entry['id']}", {"environment_id": there}, expect=422)
        assert refused["errors"][0]["field"] == "environment_id"
        assert "desk (it serves 'Staging')" in refused["detail"]
    await api.patch(f"/entries/{entry['id']}", {"name": "Stays"})
    await api.patch(f"/gateways/{gateway['id']}", {"environments": list(where.values())})
    await api.patch(f"/entries/{entry['id']}", {"environment_id": where["Production"]})


async def test_gateways_that_somebody_does_not_see_are_not_named_to_them(api: Api, where: dict[str, str]) -> None:
    team = await api.team("Red")
    eve = await api.user("Eve", team, role="editor")
    entry = await api.entry(
        environment_id=where["Staging"], visibility="teams", teams=[team["id"]], team_id=team["id"]
    )
    await api.install(entry, scope="team", team_id=team["id"])
    own = await api.gateway(visibility="personal", environments=[where["Staging"]])
    await api.assign(own, entry)
    refused = await api.patch(f"/entries/{entry['id']}", {"environment_id": None}, as_=eve, expect=422)
    assert "gateways of others" in refused["detail"]
    assert "desk" not in refused["detail"]


async def test_entries_that_somebody_does_not_see_are_not_named_to_them(api: Api, where: dict[str, str]) -> None:
    red = await api.team("Red")
    entry, gateway = await shown(api, environment_id=where["Staging"])
    await api.patch(f"/entries/{entry['id']}", {"visibility": "teams", "teams": [red["id"]]})
    uma = await api.admin.as_new_user("uma", "member")
    role = await api.post("/roles", {"name": "Of uma", "permissions": ["gateway:read", "gateway:update"]})
    await api.call("PUT", f"/roles/{role['id']}/holders/{uma.user['id']}", {"team_id": None}, expect=200, tag="*")
    change = {"environments": [where["Production"]]}
    told = (await api.patch(f"/gateways/{gateway['id']}", change, as_=uma, expect=422))["detail"]
    assert "tools of entries of others;" in told
    assert "time" not in told


async def test_an_environment_that_a_gateway_names_is_not_deleted(api: Api, where: dict[str, str]) -> None:
    gateway = await api.gateway(environments=[where["Staging"]])
    path = f"/environments/{where['Staging']}"
    assert "desk" in (await api.delete(path, expect=409))["detail"]
    await api.patch(f"/gateways/{gateway['id']}", {"environments": []})
    await api.delete(path)


async def test_a_gateway_names_no_environment_that_is_not_there(api: Api) -> None:
    refused = await api.post(
        "/gateways", {"slug": "desk", "name": "Desk", "environments": [api.admin.user["id"]]}, expect=409
    )
    assert refused["errors"][0]["field"] == "environments"


async def move(entry: JSON, there: str, write: Write) -> None:
    wanted = partial(entry_with, given={"environment_id": there})
    await entry_changes.change(write, SAFEGUARDS, entry["id"], wanted, places=True)


async def narrow(gateway: JSON, there: str, write: Write) -> None:
    await gateway_changes.change(write, gateway["id"], partial(gateway_with, given={"environments": [there]}))


async def assign(gateway: JSON, write: Write) -> None:
    wanted = assignment_changes.WantedTools(entry="time", tools=["*"])
    await assignment_changes.create(write, gateway["id"], wanted)


async def one_after_the_other(api: Api, first: Change, second: Change) -> None:
    """The second begins while the first is not committed, waits for it, and is refused."""

    async def is_refused() -> None:
        with pytest.raises(BrokenRule, match="Production"):
            async with changing(api.pool, ADMIN) as write:
                await second(write)

    async with asyncio.TaskGroup() as group, changing(api.pool, ADMIN) as write:
        await first(write)
        group.create_task(is_refused())
        await waiting_for_a_lock(api.pool)


async def test_an_entry_does_not_move_while_a_gateway_that_shows_it_comes_to_serve_less(
    api: Api, where: dict[str, str]
) -> None:
    entry, gateway = await shown(api, environment_id=where["Staging"])
    moves, narrows = partial(move, entry, where["Production"]), partial(narrow, gateway, where["Staging"])
    await one_after_the_other(api, narrows, moves)
    await api.patch(f"/gateways/{gateway['id']}", {"environments": []})
    await one_after_the_other(api, moves, narrows)


async def test_an_entry_does_not_move_while_a_gateway_comes_to_show_it(api: Api, where: dict[str, str]) -> None:
    entry = await api.entry(environment_id=where["Staging"])
    await api.install(entry)
    gateway = await api.gateway(environments=[where["Staging"]])
    moves, assigns = partial(move, entry, where["Production"]), partial(assign, gateway)
    await one_after_the_other(api, assigns, moves)
    other = await api.gateway(slug="other", environments=[where["Staging"]])
    await api.patch(f"/gateways/{gateway['id']}", {"environments": []})
    await one_after_the_other(api, moves, partial(assign, other))
