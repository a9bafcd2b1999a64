"""The real MCP clients that the tests use, each behind a small driver that lists the tools and calls one.

`await client.run(url, token, tool, arguments)` starts the driver in a process of its own and gives back what the
client made of the server. Needs `make tools`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "tests" / "clients" / "drivers"
TOOLS = ROOT / ".tools"
NODE = str(TOOLS / "bin" / "node")
PYTHON_1 = str(TOOLS / "py-sdk-1" / "bin" / "python")
DEADLINE_SECONDS = 60.0  # a Python client takes a second or two to import; the machine may be busy


class DriverError(Exception):
    """The client did not get through; the message is what it printed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client saw. `protocol` is the version agreed on (for the Inspector only the era asked for)."""

    protocol: str
    tools: tuple[str, ...]
    result: dict[str, Any]

    @property
    def text(self) -> str:
        """The text blocks of the result, joined."""
        return "\n".join(block["text"] for block in self.result["content"] if block["type"] == "text")


@dataclass(frozen=True, slots=True)
class RealClient:
    """One client in one mode."""

    name: str
    command: tuple[str, ...]
    mode: str | None = None

    @property
    def speaks_modern(self) -> bool:
        """Will it agree on 2026-07-28 with a server that offers it?"""
        return self.mode in {"auto", "modern", "2026-07-28"}

    async def run(self, url: str, token: str, tool: str, arguments: dict[str, Any]) -> Outcome:
        """List all tools and call one. Raises DriverError with the client's own words, TimeoutError when silent."""
        argv = [*self.command, url, token, tool, orjson.dumps(arguments).decode()]
        if self.mode is not None:
            argv.append(self.mode)
        with tempfile.TemporaryDirectory() as home:  # no client may read or write a person's own settings
            said = await _output(argv, {"PATH": os.environ["PATH"], "HOME": home})
        return Outcome(said["protocol"], tuple(said["tools"]), said["result"])


async def _output(argv: list[str], environment: dict[str, str]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise DriverError(f"{Path(argv[1]).name}: {err.decode(errors='replace')[-2000:]}")
    said: dict[str, Any] = orjson.loads(out.splitlines()[-1])
    return said


def _driver(name: str) -> str:
    return str(DRIVERS / name)


CLIENTS = (
    RealClient("Python SDK 2, auto", (sys.executable, _driver("py_sdk_2.py")), "auto"),
    RealClient("Python SDK 2, legacy", (sys.executable, _driver("py_sdk_2.py")), "legacy"),
    RealClient("Python SDK 1", (PYTHON_1, _driver("py_sdk_1.py"))),
    RealClient("TypeScript SDK 1", (NODE, _driver("ts_sdk_1.mjs"))),
    RealClient("TypeScript client 2, its default", (NODE, _driver("ts_client_2.mjs"))),
    RealClient("TypeScript client 2, auto", (NODE, _driver("ts_client_2.mjs")), "auto"),
    RealClient("Inspector, legacy", (sys.executable, _driver("inspector.py")), "legacy"),
    RealClient("Inspector, auto", (sys.executable, _driver("inspector.py")), "auto"),
)
