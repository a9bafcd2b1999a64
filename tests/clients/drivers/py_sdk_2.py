"""Drives the Python SDK's second major version: list the tools, call one, print one line of JSON.

Arguments: URL TOKEN TOOL ARGUMENTS-AS-JSON [legacy|auto|2026-07-28]. Run by `tests.clients.real_clients`.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, token: str, tool: str, arguments: str, mode: str = "auto") -> None:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        tools, cursor = [], None
        while True:
            page = await client.list_tools(cursor=cursor)
            tools += [one.name for one in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                break
        result = await client.call_tool(tool, json.loads(arguments))
        said = {
            "protocol": client.protocol_version,
            "tools": tools,
            "result": result.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
    print(json.dumps(said))


asyncio.run(main(*sys.argv[1:]))
