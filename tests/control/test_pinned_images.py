"""A server stays on the base image that it began with, whatever the settings say later, until it is restarted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.admin.deps import Deps
from control.registry.row_seals import RowSeals
from control.servers import wanting
from control.servers.tokens_at_start import TokensAtStart
from control.store.pool import transaction
from control.store.writes import server_states
from control.store.writing import Writing
from tests.control.registry_api import Api, api
from tests.fakes.no_renewals import NoRenewals

__all__ = ["api"]

OLD, NEW = "registry.example/archway-base:1", "registry.example/archway-base:2"


@pytest.fixture
async def deps(deps: Deps) -> Deps:
    return replace(deps, base_image=NEW)


async def installed(api: Api, **run: Any) -> str:
    body = {
        "slug": f"files-{len(run)}",
        "name": "Files",
        "kind": "self_hosted",
        "run": {"command": ["npx", "files"], **run},
    }
    installation = await api.install(await api.post("/entries", body))
    return str(installation["id"])


async def base_image(api: Api, installation_id: str, newest: str) -> str:
    async with transaction(api.pool) as connection:
        wanted = await wanting.load(
            connection, RowSeals(api.ring), TokensAtStart(NoRenewals()), installation_id, newest
        )
    assert wanted is not None
    return wanted.base_image


async def test_a_newer_base_image_in_the_settings_is_not_that_of_a_server_that_runs(api: Api) -> None:
    server = await installed(api)
    assert await base_image(api, server, OLD) == OLD
    assert await base_image(api, server, NEW) == OLD


async def test_a_server_that_is_restarted_takes_the_newest(api: Api) -> None:
    server = await installed(api)
    await base_image(api, server, OLD)
    async with transaction(api.pool) as connection:
        await server_states.restart(Writing(connection), server)
    assert await base_image(api, server, NEW) == NEW


async def test_one_with_an_image_of_its_own_is_pinned_to_none(api: Api) -> None:
    server = await installed(api, image="registry.example/files:1")
    assert await base_image(api, server, OLD) == ""


async def test_who_looks_at_an_installation_sees_that_a_restart_would_move_it(api: Api, deps: Deps) -> None:
    server = await installed(api)
    assert (await api.get(f"/installations/{server}"))["runs"]["newer_base_image"] == ""
    await base_image(api, server, OLD)
    assert (await api.get(f"/installations/{server}"))["runs"]["newer_base_image"] == NEW
    await base_image(api, await installed(api, image="registry.example/files:1"), OLD)
    found = [one["runs"]["newer_base_image"] for one in (await api.get("/installations"))["items"]]
    assert sorted(found) == ["", NEW]


async def test_where_no_base_image_is_set_nothing_is_pinned(api: Api) -> None:
    server = await installed(api)
    assert await base_image(api, server, "") == ""
    assert await base_image(api, server, NEW) == NEW
