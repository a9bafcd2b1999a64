"""A server with odd tools behind a gateway: every real client lists the others, and calls those with odd names."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.clients.real_clients import listed_and_called
from tests.clients.test_definitions import NOT_COMPILED, ODD_EXTRAS, ODD_SCHEMAS
from tests.clients.what_clients_do import CLIENTS, Client
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_archway import RunningArchway

SCHEMA: dict[str, Any] = {"type": "object"}


@pytest.fixture
async def odd_gateway(archway: RunningArchway, request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, str, Any]]:
    """URL and token of a gateway before a server with every odd tool that we know, and what was told of it."""
    async with McpUpstream() as server:
        for number, part in enumerate(ODD_SCHEMAS):
            server.tool(f"rejected-{number}", Answer(text="no"), inputSchema={**SCHEMA, **part})
        for number, part in enumerate(NOT_COMPILED):
            answer = Answer(text="yes", structured={"a": "b"})
            server.tool(f"stays-{number}", answer, outputSchema={**SCHEMA, **part})
        for number, more in enumerate(ODD_EXTRAS):
            server.tool(f"extra-{number}", Answer(text="yes"), **more)
        server.tool("context7:query-docs", Answer(text="by its own name"))
        server.tool("only a task", Answer(text="no"), execution={"taskSupport": "required"})
        slug = f"odd{abs(hash(request.node.name)) % 100_000}"
        both = await asyncio.to_thread(archway.entry, slug, server.url)
        url = await asyncio.to_thread(archway.gateway, slug, both)
        yield url, await asyncio.to_thread(archway.token), (slug, both[1])


@pytest.mark.parametrize("client", [pytest.param(one, id=str(one)) for one in CLIENTS])
async def test_every_client_takes_the_list_and_calls_an_odd_name(
    client: Client, odd_gateway: tuple[str, str, Any]
) -> None:
    url, token, (slug, installation) = odd_gateway
    tool = f"{slug}__context7_query-docs"
    outcome = await asyncio.to_thread(listed_and_called, client, url, token, tool, {})
    assert outcome.text == "by its own name"
    shown = {name.removeprefix(f"{slug}__") for name in outcome.tools}
    wanted = {f"stays-{number}" for number in range(len(NOT_COMPILED))}
    wanted |= {f"extra-{number}" for number in range(len(ODD_EXTRAS))}
    assert shown == wanted | {"echo", "context7_query-docs"}
    rejected = [one["name"] for one in installation["server"]["rejected"]]
    assert rejected == [f"rejected-{number}" for number in range(len(ODD_SCHEMAS))]
