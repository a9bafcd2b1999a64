"""What a server is wanted with because of the environment of its entry, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from control.store.pool import transaction
from core.egress.rules import Allowed, EgressRules
from core.identifiers import new_id
from tests.control.registry_api import JSON, Api, api
from tests.control.test_entries_that_we_run import to_run, versions

__all__ = ["api"]

RUN = {"transport": "http", "image": "registry.example/server:1"}
TOLERATIONS = [{"key": "dedicated", "operator": "Exists"}]


async def sql(api: Api, text: str, *values: Any) -> None:
    async with transaction(api.pool) as connection:
        await connection.execute(text, *values)


async def installed_in(api: Api, where: JSON | None) -> JSON:
    body = {"slug": "server", "name": "Server", "run": RUN, "environment_id": where and where["id"]}
    installed: JSON = await api.install(await api.post("/entries", body))
    return installed


@pytest.fixture
async def where(api: Api) -> JSON:
    made: JSON = await api.post("/environments", {
        "name": "Production", "namespace": "tools-a", "node_selector": {"pool": "mcp"}, "tolerations": TOLERATIONS,
        "egress": {"mode": "restricted", "cidrs": ["203.0.113.0/24"]}, "resources": {"memory_limit": "2Gi"},
    })  # fmt: skip
    return made


@pytest.fixture
async def preset(api: Api, where: JSON) -> str:
    preset_id = new_id()
    await sql(
        api, "insert into egress_presets (id, name, domains) values ($1, 'GitHub', $2)", preset_id, ["api.github.com"]
    )
    await sql(api, "insert into environment_presets values ($1, $2)", where["id"], preset_id)
    return preset_id


@pytest.mark.usefixtures("preset")
async def test_a_server_is_wanted_where_its_environment_says_and_with_what_that_allows(api: Api, where: JSON) -> None:
    found = await to_run(api, await installed_in(api, where))
    assert found is not None
    assert (found.environment_id, found.environment_name, found.namespace) == (where["id"], "Production", "tools-a")
    assert (found.node_selector, list(found.tolerations)) == ({"pool": "mcp"}, TOLERATIONS)
    assert (found.resources.memory, found.resources.memory_limit) == ("128Mi", "2Gi")
    assert found.egress == EgressRules(
        mode="restricted", allowed=(Allowed(cidrs=("203.0.113.0/24",)), Allowed(domains=("api.github.com",)))
    )


async def test_a_server_in_no_environment_is_wanted_with_nothing_of_one(api: Api) -> None:
    found = await to_run(api, await installed_in(api, None))
    assert found is not None
    assert (found.environment_id, found.environment_name, found.namespace) == (None, "", "")
    assert (found.node_selector, found.tolerations, found.egress) == ({}, (), EgressRules())


async def test_a_change_of_what_an_environment_says_has_its_servers_looked_at_again(
    api: Api, where: JSON, preset: str
) -> None:
    installed = await installed_in(api, where)
    words = {(await versions(api))[installed["id"]]}
    for number, change in enumerate(
        (
            "update environments set version = version + 1 where id = $1 and $2::uuid is not null",
            "update egress_presets set version = version + 1 where $1::uuid is not null and id = $2",
            "delete from environment_presets where environment_id = $1 and preset_id = $2",
        ),
        2,
    ):
        await sql(api, change, where["id"], preset)
        words.add((await versions(api))[installed["id"]])
        assert len(words) == number
