"""K-6: the page of an entry leads into no restricted environment, and out of none, whatever its form is sent."""

from __future__ import annotations

import pytest

from control.changes import environments
from control.changes.write import changing
from control.registry.access import Role
from control.registry.environment import NewEnvironment
from tests.console.registry_seeds import an_entry
from tests.console.serving import MAKER, Console, reading
from tests.console.test_registry import filled, kept


async def restricted(console: Console) -> str:
    async with changing(console.pool, MAKER) as write:
        made = await environments.create(
            write, console.deps.safeguards, NewEnvironment(name="Production", restricted=True)
        )
    return made.id


@pytest.mark.parametrize("page", [pytest.param("/registry/{}/change", id="K-6: page of an entry")])
async def test_an_editor_moves_an_entry_neither_in_nor_out_by_its_form(console: Console, page: str) -> None:
    production, eva = await restricted(console), await console.person("Eva", "editor")
    outside = await an_entry(console, "github")
    inside = await an_entry(console, "inside", environment_id=production)
    async with reading(console, eva) as reader:
        for entry, there in ((outside, production), (inside, "")):
            changes = {"slug": entry.slug, "environment_id": there, "version": str(entry.version)}
            status, text, _ = await reader.post(page.format(entry.id), **filled(**changes))
            assert (status, 'id="environment_id-error"' in text) == (403, True)
            assert (await kept(console, entry.slug)).environment_id == entry.environment_id


async def test_only_who_may_put_it_there_stands_for_an_entry_by_saving_its_form(console: Console) -> None:
    production = await restricted(console)
    entry = await an_entry(console, "github", environment_id=production)
    roles: tuple[tuple[Role, bool], ...] = (("editor", False), ("admin", True))
    for role, stands in roles:
        person, now = await console.person(role, role), await kept(console, "github")
        url, version = "http://127.0.0.1:9/github", str(now.version)
        typed = filled(environment_id=production, url=url, version=version, description=f"By an {role}.")
        same_server = {name: text for name, text in typed.items() if not name.startswith("fields")}
        async with reading(console, person) as reader:
            status, text, _ = await reader.post(f"/registry/{entry.id}/change", **same_server)
        assert status == 303, text
        assert (await kept(console, "github")).placed_by == (person.id if stands else None)


@pytest.mark.parametrize("page", [pytest.param("/registry/new", id="K-6: page of a new entry")])
async def test_an_editor_makes_no_entry_there_by_its_form(console: Console, page: str) -> None:
    production, eva = await restricted(console), await console.person("Eva", "editor")
    async with reading(console, eva) as reader:
        await reader.post(page, **filled(environment_id=production))
    async with console.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from entries where environment_id is not null") == 0


@pytest.mark.parametrize("page", [pytest.param("/registry/{}/delete", id="K-6: page of an entry, deleted")])
async def test_an_editor_deletes_no_entry_there_from_its_page(console: Console, page: str) -> None:
    inside = await an_entry(console, "inside", environment_id=await restricted(console))
    async with reading(console, await console.person("Eva", "editor")) as reader:
        await reader.post(page.format(inside.id), version=str(inside.version))
    assert (await kept(console, inside.slug)).id == inside.id
    async with reading(console, await console.person("Ada", "admin")) as reader:
        await reader.post(page.format(inside.id), version=str(inside.version))
    async with console.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from entries") == 0
