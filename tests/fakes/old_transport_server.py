"""A server of the transport of 2024-11-05, written with the Python SDK's first major version. Arguments: PORT.

Run by `tests.proxy.test_old_transport` with .tools/py-sdk-1/bin/python.
"""

import asyncio
import sys

from mcp.server.fastmcp import Context, FastMCP

server = FastMCP("old", host="127.0.0.1", port=int(sys.argv[1]), log_level="WARNING")
sessions: list[object] = []


@server.tool()
def echo(text: str) -> str:
    return text


@server.tool()
def session(context: Context) -> str:
    """Which session this is, counted from the first that called."""
    if context.session not in sessions:
        sessions.append(context.session)
    return str(sessions.index(context.session))


@server.tool()
def credential(context: Context) -> str:
    request = context.request_context.request
    return "" if request is None else request.headers.get("x-key", "")


@server.tool()
async def slowly(context: Context) -> str:
    for step in (1, 2):
        await context.report_progress(step, 2)
    return "done"


@server.tool()
async def waits(context: Context) -> str:
    await context.report_progress(1)
    await asyncio.sleep(60)
    return "late"


server.run("sse")
