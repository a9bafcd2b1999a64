"""Drives the Python SDK's first major version: list the tools, call one, print one line of JSON.

Arguments: URL TOKEN TOOL ARGUMENTS-AS-JSON. Run by `tests.clients.real_clients` with .tools/py-sdk-1/bin/python.
"""

import asyncio
import json
import sys

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, token: str, tool: str, arguments: str) -> None:
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http,
        streamable_http_client(url, http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        opened = await session.initialize()
        tools, cursor = [], None
        while True:
            page = await session.list_tools(cursor)
            tools += [one.name for one in page.tools]
            cursor = page.nextCursor
            if cursor is None:
                break
        result = await session.call_tool(tool, json.loads(arguments))
    said = {
        "protocol": opened.protocolVersion,
        "tools": tools,
        "result": result.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    print(json.dumps(said))


asyncio.run(main(*sys.argv[1:]))
