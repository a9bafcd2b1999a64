"""K-6: the page of an entry leads into no restricted environment, and out of none, whatever its form is sent."""

from __future__ import annotations

import pytest

from control.changes import environments
from control.changes.write import changing
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
            await reader.post(page.format(entry.id), **filled(**changes))
            assert (await kept(console, entry.slug)).environment_id == entry.environment_id


@pytest.mark.parametrize("page", [pytest.param("/registry/new", id="K-6: page of a new entry")])
async def test_an_editor_makes_no_entry_there_by_its_form(console: Console, page: str) -> None:
    production, eva = await restricted(console), await console.person("Eva", "editor")
    async with reading(console, eva) as reader:
        await reader.post(page, **filled(environment_id=production))
    async with console.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from entries where environment_id is not null") == 0
