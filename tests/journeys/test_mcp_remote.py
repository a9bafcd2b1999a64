"""`mcp-remote` signs its person in with a real browser, and a program that only speaks stdio calls a tool with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from archway.up.ports import free_port
from tests.fixtures_upstreams import NODE, NPM
from tests.journeys.real_sign_in import ASKED, TOOL, WITHIN_S, Desk, Person, Program, environment

PROGRAM = str(NPM / "mcp-remote" / "dist" / "proxy.js")
NAME = "MCP CLI Proxy"


async def called(desk: Desk, home: Path, person: Person | None, *options: str) -> str:
    """What the tool says to a program that has `mcp-remote` by stdio; without a person nobody signs in."""
    arguments = [PROGRAM, desk.url, *options, "--auth-timeout", "300"]
    server = StdioServerParameters(command=str(NODE), args=arguments, env=environment(home))
    log = home / "mcp-remote.log"
    with log.open("w") as output:
        async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
            if person is not None:
                tasks.create_task(_signed_in(Program(log), person))
            async with Client(stdio_client(server, errlog=output)) as client:
                result = await client.call_tool(TOOL, ASKED)
    assert not result.is_error, result
    return str(result.content[0].text)


async def _signed_in(program: Program, person: Person) -> None:
    await person.allows(await program.address(person.desk), NAME)


async def test_it_registers_signs_its_person_in_calls_and_remembers(
    desk: Desk, person: Person, tmp_path: Path
) -> None:
    assert "as Ann" in await called(desk, tmp_path, person)
    assert "as Ann" in await called(desk, tmp_path, None)

    (grant,) = person.grants()
    assert (grant["client_name"], grant["redirect_host"]) == (NAME, "this machine")
    assert desk.client(grant)["kind"] == "dynamic"


async def test_it_signs_its_person_in_with_a_document_of_its_own(desk: Desk, person: Person, tmp_path: Path) -> None:
    port = free_port()
    back = f"http://localhost:{port}/oauth/callback"
    url = desk.documents.publish("mcp-remote", client_name=NAME, redirect_uris=[back])

    said = await called(desk, tmp_path, person, str(port), "--client-metadata-url", url)

    assert "as Ann" in said
    (grant,) = person.grants()
    assert desk.client(grant)["kind"] == "document"
    assert desk.client(grant)["client_id"] == url
