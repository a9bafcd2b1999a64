"""A server as people deploy it: one of FastMCP mounted in Starlette at `/mcp`, and the older transport at `/old/sse`.

    python -m tests.fakes.mounted_server PORT

Starlette answers `/mcp` with a redirect to `/mcp/`, as it does for whoever mounts an application there.
"""

import sys

import uvicorn
from fastmcp import FastMCP
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.routing import Mount


def application() -> Starlette:
    """Both, in one program."""
    mounted = FastMCP("mounted")
    mounted.tool(_hello)
    inner = mounted.http_app(path="/")
    old = MCPServer("old")
    return Starlette(routes=[Mount("/mcp", app=inner), Mount("/old", app=old.sse_app())], lifespan=inner.lifespan)


def _hello() -> str:
    """Says hello."""
    return "hello"


if __name__ == "__main__":
    uvicorn.run(application(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
