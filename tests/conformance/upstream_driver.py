"""What the official suite's client scenarios drive: a gateway in front of the suite's own server.

The suite starts it with the URL of a server, and says in the environment which scenario it is. The server becomes an
entry of the Archway that `upstream_client.py` has running, and a client of the Python SDK uses all that its gateway
shows: so what the suite sees is our side towards servers. The exit code is 1 where that failed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from archway.admin_client import AdminApi
from core.mcp.versions import MODERN
from tests.fixtures_archway import RunningArchway

Installed = tuple[dict[str, Any], dict[str, Any]]
"""An entry, and its installation."""
RICH, ECHO = "json_schema_2020_12_tool", "json_schema_echo"
"""The tools by whose help the suite sees what became of a schema on its way."""
RESOURCES, PROMPTS = "all_resources", "all_prompts"
_OF_TYPE: Mapping[str, Any] = {"number": 1, "integer": 1, "string": "x", "boolean": True, "object": {}, "array": []}


def gateway(archway: RunningArchway, slug: str, installed: Installed) -> tuple[str, set[str]]:
    """A gateway with everything of a server under its own names: its URL, and what it has beside tools."""
    names = {tool["name"] for tool in archway.api.get(f"/entries/{installed[0]['id']}/tools")["items"]}
    offers = {RESOURCES, PROMPTS} & names
    return archway.gateway(slug, installed, prefix=False, tools=["*", *offers], may_ask=["elicitation"]), offers


async def agrees(_: object, params: types.ElicitRequestParams) -> types.ElicitResult:
    """A person who leaves a form as it is."""
    schema = getattr(params, "requested_schema", {})
    said = {name: one.get("default", True) for name, one in schema.get("properties", {}).items()}
    return types.ElicitResult(action="accept", content=said)


def filled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that fit a tool: one for each property."""
    return {name: _OF_TYPE.get(one.get("type"), "x") for name, one in schema.get("properties", {}).items()}


async def use(url: str, offers: set[str], token: str, mode: str, told: Mapping[str, Any]) -> None:
    """List what the gateway shows, and ask for each of it."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, elicitation_callback=agrees) as client,
    ):
        tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
        calls = [(call["name"], call["arguments"]) for call in told.get("toolCalls", ())]
        if ECHO in tools:
            calls = [(ECHO, {"schema": tools[RICH]})]
        for name, arguments in calls or [(name, filled(schema)) for name, schema in tools.items()]:
            print(name, await client.call_tool(name, arguments), file=sys.stderr)
        for resource in (await client.list_resources()).resources if RESOURCES in offers else ():
            await client.read_resource(resource.uri)
        for prompt in (await client.list_prompts()).prompts if PROMPTS in offers else ():
            await client.get_prompt(prompt.name, {one.name: "x" for one in prompt.arguments or ()})


def main() -> int:
    file = Path(os.environ["ARCHWAY_UP"])
    up = json.loads(file.read_text())
    archway = RunningArchway(up, AdminApi(up["control_url"], up["admin_token"]), file.parent)
    slug = os.environ["MCP_CONFORMANCE_SCENARIO"].replace("_", "-")
    told = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    mode = MODERN if os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION") == MODERN else "legacy"
    installed = archway.entry(slug, sys.argv[-1])
    url, offers = gateway(archway, slug, installed)
    try:
        asyncio.run(use(url, offers, os.environ["ARCHWAY_TOKEN"], mode, told))
    finally:
        # The suite's server ends only when nobody listens to it, as workers do while it is installed.
        (shown,) = [one["id"] for one in archway.api.get("/gateways")["items"] if one["slug"] == slug]
        archway.api.delete(f"/gateways/{shown}")
        archway.api.delete(f"/installations/{installed[1]['id']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
