"""The page that makes entries of a client's file, over plain HTTP."""

from __future__ import annotations

import json
import re
from html import unescape

from control.changes import teams
from control.changes.write import changing
from control.registry.team import NewTeam
from control.store import entries
from control.store.pool import transaction
from tests.console.registry_seeds import SECRET, an_entry
from tests.console.serving import MAKER, Console, Reader, reading

SERVERS = {
    "CRM": {"url": "https://crm.example.com/mcp", "headers": {"Authorization": f"Bearer {SECRET}", "X-Region": "eu"}},
    "Clock": {"url": "https://clock.example.com/mcp"},
    "Files": {"command": "docker", "env": {"KEY": SECRET}},
}
FILE = json.dumps({"mcpServers": SERVERS})


def fields_of(text: str) -> dict[str, str]:
    """What a browser would send of the page's form as it stands."""
    form = text[text.index('action="/registry/import/add"') :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form[: form.index("</form>")]):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if told["type"] != "checkbox" or " checked" in tag:
            found[told["name"]] = unescape(told.get("value", ""))
    found.pop("csrf")
    return found


async def looked_at(reader: Reader, file: str = FILE) -> dict[str, str]:
    status, text, _ = await reader.post("/registry/import", config=file)
    assert status == 200, text
    assert SECRET not in unescape(text)
    return fields_of(text)


async def slugs(console: Console) -> list[str]:
    async with transaction(console.pool, readonly=True) as connection:
        return [one["slug"] for one in await connection.fetch("select slug from entries order by slug")]


async def test_a_file_is_looked_at_before_anything_is_saved_and_what_is_ticked_is_added(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        form = await looked_at(reader)
        assert await slugs(console) == []
        assert form["left[0].name"] == "Files"
        form.pop("servers[1].add")
        form |= {"servers[0].slug": "our-crm"}
        status, text, where = await reader.post("/registry/import/add", **form)
        assert (status, where) == (303, "/registry?said=entry-made"), text
    assert await slugs(console) == ["our-crm"]
    async with transaction(console.pool, readonly=True) as connection:
        made = await entries.by_slug(connection, "our-crm")
    assert made is not None
    assert [(one.name, one.default) for one in made.fields] == [("x_region", "eu")]


async def test_one_that_is_refused_keeps_all_from_being_added_and_says_so_at_its_row(console: Console) -> None:
    await an_entry(console, "clock")
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text, _ = await reader.post("/registry/import/add", **await looked_at(reader))
    assert status == 409
    assert 'aria-describedby="servers[1].slug-error"' in unescape(text)
    assert await slugs(console) == ["clock"]


async def test_what_has_no_field_names_its_server(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        form = await looked_at(reader)
        broken = json.loads(form["servers[0].entry"])
        broken["fields"][0]["header"] = "bad header"
        status, text, _ = await reader.post(
            "/registry/import/add", **form | {"servers[0].entry": json.dumps(broken)}
        )  # fmt: skip
    assert status == 422
    assert "CRM: fields[0].header" in unescape(text)


async def test_nothing_ticked_is_told(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        form = {name: text for name, text in (await looked_at(reader)).items() if not name.endswith(".add")}
        status, text, _ = await reader.post("/registry/import/add", **form)
    assert status == 422
    assert "Tick at least one server." in text


async def test_a_file_that_cannot_be_read_is_told_at_its_field_and_not_put_back(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text, _ = await reader.post("/registry/import", config=f'{{"mcpServers": {{"a": "{SECRET}", }}')
    assert status == 422
    assert "is not JSON: look at line 1, column" in text
    assert 'aria-describedby="config-error' in text
    assert SECRET not in unescape(text)


async def test_an_editor_of_a_team_imports_entries_of_that_team(console: Console) -> None:
    ann, bea = await console.person("Ann"), await console.person("Bea")
    async with changing(console.pool, MAKER) as write:
        red = await teams.create(write, NewTeam(name="Red", description=""))
        await teams.set_member(write, red.id, ann.id, "editor")
    async with reading(console, ann) as reader:
        form = await looked_at(reader)
        status, text, _ = await reader.post("/registry/import/add", **form, team_id="")
        assert status == 403, text
        status, text, _ = await reader.post("/registry/import/add", **form, team_id=red.id)
        assert status == 303, text
    async with transaction(console.pool, readonly=True) as connection:
        made = await entries.by_slug(connection, "crm")
    assert made is not None
    assert (made.team_id, made.teams) == (red.id, (red.id,))
    async with reading(console, bea) as reader:
        assert (await reader.get("/registry/import"))[0] == 404
