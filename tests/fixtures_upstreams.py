"""Fixtures: real MCP servers as they come from npm and PyPI, each on a free loopback port for the whole session.

- `everything_server`: npm `server-everything` over Streamable HTTP; 2025-11-25 only, with sessions.
- `time_server`: PyPI `mcp-server-time` behind `fastmcp run`; both eras on one URL.
- `modern_only_server`: a server of npm `server`, the TypeScript SDK's second major version; 2026-07-28 only.

All give the MCP endpoint's URL. They live in process groups of their own, which are killed at the end; on Linux
the kernel ends them too when the test process is killed. Needs `make tools`. server-everything listens on all
interfaces because it has no setting for that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import orjson
import pytest

from archway.up.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
NPM = ROOT / ".tools" / "npm" / "node_modules"
NODE = ROOT / ".tools" / "bin" / "node"
BIN = ROOT / ".venv" / "bin"
READY_WITHIN_SECONDS = 60.0


@pytest.fixture(scope="session")
def everything_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command = [str(NODE), str(NPM / ".bin" / "mcp-server-everything"), "streamableHttp"]
    log = tmp_path_factory.mktemp("everything") / "log"
    with running(command, {"PORT": str(port)}, log) as process:
        yield answering(f"http://127.0.0.1:{port}/mcp", process, log)


@pytest.fixture(scope="session")
def time_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("time")
    server = {"command": str(BIN / "mcp-server-time"), "args": ["--local-timezone", "UTC"]}
    config = folder / "mcp.json"
    config.write_bytes(orjson.dumps({"mcpServers": {"time": server}}))
    port = free_port()
    command = [str(BIN / "fastmcp"), "run", str(config), "--transport", "http"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-banner"]
    environment = {"FASTMCP_CHECK_FOR_UPDATES": "off", "HOME": str(folder)}
    with running(command, environment, folder / "log") as process:
        yield answering(f"http://127.0.0.1:{port}/mcp", process, folder / "log")


@pytest.fixture(scope="session")
def modern_only_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, log = free_port(), tmp_path_factory.mktemp("modern_only") / "log"
    command = [str(NODE), str(ROOT / "tests" / "fakes" / "modern_only_server.mjs"), str(port)]
    with running(command, {}, log) as process:
        yield answering(f"http://127.0.0.1:{port}/mcp", process, log)


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with its output in a file; at the end its whole process group is killed."""
    if shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answering(url: str, process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server answers HTTP at all; fails with the end of its log, at once where it has ended."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(Request(url, data=b"{}", method="POST"), timeout=2).close()
        except HTTPError as answer:  # a refusal is an answer
            answer.close()
            return url
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return url
    pytest.fail(f"no answer from {url}; its log ends: {log.read_text(errors='replace')[-2000:]}")
