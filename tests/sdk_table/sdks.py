"""Both official SDKs, one process each, as clients of the odd server: what each made of every row."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson

from tests.clients.real_clients import NODE
from tests.fakes.scripted_upstream import ScriptedUpstream
from tests.sdk_table.rows import ROWS, OddServer

DRIVERS = Path(__file__).parent / "drivers"
COMMANDS = {
    "Python": (sys.executable, str(DRIVERS / "python_sdk.py")),
    "TypeScript": (NODE, str(DRIVERS / "typescript_sdk.mjs")),
}
_ROW_SECONDS = 10
"""How long a driver waits for a row: some are never answered as an SDK sees it. All rows wait at once."""
_SECONDS = 120.0

Seen = dict[str, dict[str, str]]
"""SDK, then row: empty where it was taken, else what the SDK said."""


def ask_both() -> Seen:
    """Run every row through both."""
    return asyncio.run(_ask_both())


async def _ask_both() -> Seen:
    async with asyncio.timeout(_SECONDS), asyncio.TaskGroup() as tasks:
        asked = {name: tasks.create_task(_ask(command)) for name, command in COMMANDS.items()}
    return {name: task.result() for name, task in asked.items()}


async def _ask(command: tuple[str, ...]) -> dict[str, str]:
    async with ScriptedUpstream(OddServer().answers) as server:
        with tempfile.TemporaryDirectory() as home:
            process = await asyncio.create_subprocess_exec(
                *command,
                server.url,
                str(_ROW_SECONDS),
                *ROWS,
                env={"PATH": os.environ["PATH"], "HOME": home},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                out, err = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    assert process.returncode == 0, err.decode(errors="replace")[-2000:]
    said: dict[str, Any] = orjson.loads(out.splitlines()[-1])
    return said
