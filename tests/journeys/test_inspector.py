"""The Inspector signs its person in with a real browser, and calls a tool."""

from __future__ import annotations

import json
from pathlib import Path

from archway.up.ports import free_port
from tests.fixtures_upstreams import NODE, NPM
from tests.journeys.real_sign_in import ASKED, TOOL, Desk, Person, started

CALL = ("--transport", "http", "--method", "tools/call", "--tool-name", TOOL, "--tool-args-json", json.dumps(ASKED))


async def called(desk: Desk, home: Path, person: Person, name: str, *options: str) -> str:
    """What it prints of the tool's answer."""
    back = f"http://127.0.0.1:{free_port()}/oauth/callback"
    command = (
        str(NODE), str(NPM / ".bin" / "mcp-inspector"), "--cli", desk.url, *CALL, "--callback-url", back, *options,
    )  # fmt: skip
    async with started(command, home, MCP_AUTO_OPEN_ENABLED="true") as inspector:
        await person.allows(await inspector.address(desk), name)
        return await inspector.ended()


async def test_it_registers_signs_its_person_in_and_calls(desk: Desk, person: Person, tmp_path: Path) -> None:
    assert "as Ann" in await called(desk, tmp_path, person, "MCP Inspector")

    (grant,) = person.grants()
    assert desk.client(grant)["kind"] == "dynamic"


async def test_it_signs_its_person_in_with_a_document_of_its_own(desk: Desk, person: Person, tmp_path: Path) -> None:
    url = desk.documents.publish(
        "inspector", client_name="Inspector of ours", redirect_uris=["http://127.0.0.1/oauth/callback"]
    )

    said = await called(desk, tmp_path, person, "Inspector of ours", "--client-metadata-url", url)

    assert "as Ann" in said
    (grant,) = person.grants()
    assert desk.client(grant)["client_id"] == url
    assert desk.client(grant)["kind"] == "document"
