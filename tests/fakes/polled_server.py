"""A legacy MCP server of the Python SDK that ends the stream of a call while it works, to be polled. argv: port.

Its tool `poll` takes `closes`, how often it does so. Before each it reports progress; its answer says how often the
stream was taken up by then.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server

from tests.fakes.kept_events import KeptEvents

RETRY_MS = 20
TURNS = 200
"""Of the event loop, in which the SDK takes up a stream: it waits for nothing meanwhile."""
kept = KeptEvents()


async def list_tools(_: object, _params: object) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[types.Tool(name="poll", input_schema={"type": "object"})])


async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    closes = int((params.arguments or {}).get("closes", 0))
    before = kept.taken_up
    for number in range(1, closes + 1):
        await context.session.report_progress(number, closes)
        await context.close_sse_stream()
        async with asyncio.timeout(30):
            while kept.taken_up < before + number:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.01)
        # The SDK replays what it kept first and takes up the stream then: what is said in between is not sent.
        for _ in range(TURNS):
            await asyncio.sleep(0)
    said = types.TextContent(type="text", text=f"taken up {kept.taken_up - before} times")
    return types.CallToolResult(content=[said])


if __name__ == "__main__":
    server: Server[Any] = Server("polled", version="1", on_list_tools=list_tools, on_call_tool=call_tool)
    app = server.streamable_http_app(event_store=kept, retry_interval=RETRY_MS)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
