"""What a page leaves out, and what it adds, for the very person who looks: over plain HTTP."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from control.changes import oauth_clients, people, teams, tokens
from control.changes.tokens import WantedToken
from control.changes.write import changing
from control.registry.access import Caller
from control.registry.team import NewTeam
from control.store import oauth_grants
from control.store.pool import transaction
from core.tokens import digest
from tests.console.serving import MAKER, Console, reading
from tests.control import seeded
from tests.unit.control.changes import acting

ONLY_READS = {"annotations": {"readOnlyHint": True}}


async def test_who_is_in_a_team_is_shown_to_its_own_and_to_admins_alone(console: Console) -> None:
    ann, bea = await console.person("Ann", "editor"), await console.person("Bea Bell")
    async with changing(console.pool, MAKER) as write:
        red = await teams.create(write, NewTeam(name="Red", description=""))
        await teams.set_member(write, red.id, bea.id, "member")
    for person, sees in ((ann, False), (bea, True), (await console.person("Root", "admin"), True)):
        async with reading(console, person) as reader:
            status, text = await reader.get(f"/teams/{red.id}")
            assert (status, bea.email in text) == (200, sees), person.name


async def test_no_token_is_made_for_a_gateway_that_one_does_not_see(console: Console) -> None:
    async with transaction(console.pool) as connection:
        team = await seeded.team(connection, "Red", await seeded.user(connection, "ann"))
        await seeded.gateway(connection, "secret-plans", teams=(team,))
    async with reading(console, await console.person("Bea")) as reader:
        assert (await reader.post("/connect/secret-plans/token", client="curl"))[0] == 404
        assert "secret-plans" not in (await reader.get("/my/access"))[1]


async def a_tool(console: Console, slug: str, **definition: Any) -> None:
    """A gateway with one tool of this definition."""
    async with transaction(console.pool) as connection:
        entry = await seeded.entry(connection, slug)
        told = {"name": "find", "description": "Finds a customer.", "inputSchema": seeded.SCHEMA, **definition}
        tool = await seeded.tool(connection, entry, "find", definition=told)
        await seeded.installation(connection, entry)
        await seeded.assignment(connection, await seeded.gateway(connection, slug), tool, f"{slug}__find")


async def test_a_tool_that_only_reads_is_called_in_what_is_copied_and_no_other(console: Console) -> None:
    await a_tool(console, "reads", **ONLY_READS)
    await a_tool(console, "writes")
    async with reading(console, await console.person("Bea")) as reader:
        _, reads = await reader.get("/connect/reads")
        _, writes = await reader.get("/connect/writes")
    assert ("Mcp-Name: reads__find" in reads, "call_tool" in reads, "Finds a customer." in reads) == (True,) * 3
    assert ("Mcp-Name" in writes, "call_tool" in writes, "Finds a customer." in writes) == (False, False, True)


async def test_whoever_came_by_a_link_and_has_no_password_is_told_how_to_come_back(console: Console) -> None:
    bea = await console.person("Bea")
    async with reading(console, bea) as reader:
        assert 'href="/my/password"' in (await reader.get("/"))[1]
        assert "Set the password" in (await reader.get("/my/password"))[1]
    async with changing(console.pool, Caller(bea.id, bea.name, bea.role)) as write:
        await people.set_password(write, "$argon2id$of-nothing")
    async with reading(console, bea) as reader:
        assert not re.search(r'<p class="note[^>]*>.*/my/password', (await reader.get("/"))[1])


EVIL = """<img src=x onerror=alert(1)>"'</title></script>\u202e"""


async def test_no_name_and_no_word_of_anybody_is_markup(console: Console) -> None:
    """Of people, teams, tokens, gateways, clients, tools, and of what a client calls itself while it calls."""
    ann = await console.person(EVIL, "admin")
    async with changing(console.pool, replace(MAKER, user_id=ann.id)) as write:
        team = await teams.create(write, NewTeam(name=EVIL, description=EVIL))
        await teams.set_member(write, team.id, ann.id, "admin")
        await tokens.create(write, WantedToken(name=EVIL, user_id=ann.id))
        gateway = await acting.new_gateway(write, "evil", name=EVIL, description=EVIL)
        client, _ = await oauth_clients.create(write, acting.a_client(name=EVIL))
        grant = await acting.new_grant(write, client, ann.id, gateway.id)
        await oauth_grants.redeem(write.connection, digest(ann.id), grant.id)
        entry = await seeded.entry(write.connection, "evil", name=EVIL)
        told = {
            "name": "x",
            "description": EVIL,
            "inputSchema": {"required": ["a"], "properties": {"a": {"default": EVIL}}},
        }
        tool = await seeded.tool(write.connection, entry, "x", definition=told | ONLY_READS)
        await seeded.assignment(write.connection, gateway.id, tool, "evil__x")
    await console.called(gateway.id, ann, "evil__x", "upstream_error", EVIL)
    paths = [
        "/", "/my/access", "/my/connect", "/connect/evil", "/people", f"/people/{ann.id}", "/teams",
        f"/teams/{team.id}", "/tokens", "/tokens/new", "/find?q=img", f"/find?q={quote(EVIL)}",
        "/people?email=%3Cimg",
    ]  # fmt: skip
    async with reading(console, ann) as reader:
        for path in paths:
            status, text = await reader.get(path)
            assert status == 200, path
            assert "<img" not in text, path
            assert "\u202e" not in text, path
            assert text.count("</title>") == text.count("</html>") == 1, path
        shown = (await reader.post("/connect/evil/token", client="curl"))[1]
    assert "<img" not in shown
