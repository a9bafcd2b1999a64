"""The demo upstream: PyPI's `mcp-server-time`, a stdio server, behind fastmcp's bridge to Streamable HTTP.

A real MCP server of both eras, so that the first call a newcomer makes is a real one.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from archway.private_files import write_json
from archway.up.answers import tcp_answers
from archway.up.environment import stranger_environment
from archway.up.ports import LOOPBACK
from archway.up.state import StateFolder
from core.children.program import Program


class NoDemo(Exception):
    """The demo's packages are missing."""


def demo_server(state: StateFolder, port: int, given: Mapping[str, str]) -> Program:
    """The demo's program; raises NoDemo."""
    folder = state.root / "demo"
    folder.mkdir(mode=0o700, exist_ok=True)
    server = {"command": _program("mcp-server-time"), "args": ["--local-timezone", "UTC"]}
    write_json(folder / "mcp.json", {"mcpServers": {"time": server}})
    options = ("--transport", "http", "--host", LOOPBACK, "--port", str(port), "--no-banner")
    quiet = {"FASTMCP_CHECK_FOR_UPDATES": "off", "FASTMCP_HOME": str(folder), "NO_COLOR": "1"}
    return Program(
        name="demo",
        title="Demo server",
        command=(_program("fastmcp"), "run", str(folder / "mcp.json"), *options),
        environment=stranger_environment(given) | quiet,
        log=state.log_of("demo"),
        record=state.record_of("demo"),
        ready=lambda: tcp_answers(LOOPBACK, port),
        grace_s=5.0,
        ready_within_s=60.0,
    )


def demo_url(port: int) -> str:
    """Where the demo answers."""
    return f"http://{LOOPBACK}:{port}/mcp"


def _program(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    if not found:
        raise NoDemo(f"`{name}` is not installed; pip install 'archway[up]', or start with --no-demo")
    return found
