"""What the page Connect gives people to copy, run as they would run it: both SDKs and curl."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from control.console.connecting.clients import client_by
from control.console.connecting.step import Target
from core.resolve import AuthKind
from tests.clients.real_clients import DEADLINE_SECONDS, NODE, TOOLS
from tests.fixtures_archway import RunningArchway

WAY: AuthKind = "token"


@pytest.fixture(scope="session")
def target(archway: RunningArchway, time_server: str) -> Target:
    """A gateway with the tools of one server, and a token."""
    url = archway.gateway("connect", archway.entry("connect-time", time_server))
    return Target(url, "connect", archway.token())


def codes(key: str, target: Target) -> list[str]:
    client = client_by(key)
    assert client is not None
    return [step.code for step in client.ways[WAY](target)]


async def said(*command: str, folder: Path, **environment: str) -> str:
    """What a program prints; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_python_program_lists_the_tools(target: Target, tmp_path: Path) -> None:
    export, program = codes("python", target)
    (tmp_path / "tools.py").write_text(program)
    token = export.partition("=")[2]
    printed = await said(sys.executable, "tools.py", folder=tmp_path, ARCHWAY_TOKEN=token)
    assert "connect-time__get_current_time" in printed.splitlines()


async def test_the_typescript_program_lists_the_tools(target: Target, tmp_path: Path) -> None:
    export, program = codes("typescript", target)
    (tmp_path / "node_modules").symlink_to(TOOLS / "npm" / "node_modules")
    (tmp_path / "tools.mjs").write_text(program)
    token = export.partition("=")[2]
    printed = await said(NODE, "--preserve-symlinks", "tools.mjs", folder=tmp_path, ARCHWAY_TOKEN=token)
    assert "connect-time__get_current_time" in printed.splitlines()


async def test_the_command_of_curl_lists_the_tools(target: Target, tmp_path: Path) -> None:
    (command,) = codes("curl", target)
    assert "connect-time__get_current_time" in await said("bash", "-c", command, folder=tmp_path)
