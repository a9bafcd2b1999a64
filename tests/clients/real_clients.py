"""Real clients that a test talks with: one connection each, on which it does one thing after the other.

`started(client, url, token)` gives a Talker; `talker.does("read", uri=...)` is what the client made of it. Which
clients there are, and what each can do, is in `what_clients_do.py`. The Inspector has no connection that stays: each
thing is a run of its command. Needs `make tools`.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from tests.clients.what_clients_do import Client

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "tests" / "clients" / "drivers"
TOOLS = ROOT / ".tools"
NODE = str(TOOLS / "bin" / "node")
PYTHON_1 = str(TOOLS / "py-sdk-1" / "bin" / "python")
DEADLINE_SECONDS = 60.0  # a Python client takes a second or two to import; the machine may be busy
_INSPECTOR = (NODE, str(TOOLS / "npm" / "node_modules" / ".bin" / "mcp-inspector"))
_TYPESCRIPT = (NODE, str(DRIVERS / "ts_sdk.mjs"))
_PROGRAMS = {
    "python-1": (PYTHON_1, str(DRIVERS / "py_sdk_1.py")),
    "python-2": (sys.executable, str(DRIVERS / "py_sdk_2.py")),
    "fastmcp": (sys.executable, str(DRIVERS / "fastmcp_client.py")),
    "typescript-1": _TYPESCRIPT,
    "typescript-2": _TYPESCRIPT,
}
_OPTIONS = {"typescript-1": ("1",), "typescript-2": ("2",)}


class DriverError(Exception):
    """The client did not get through; the message is what it said."""


class Talker(Protocol):
    """A client that is connected to a gateway."""

    def does(self, what: str, **how: Any) -> Any:
        """What came of it. Raises DriverError with the client's own words, TimeoutError when it is silent."""


@contextmanager
def started(client: Client, url: str, token: str) -> Iterator[Talker]:
    """The client, connected; it ends with the block."""
    with tempfile.TemporaryDirectory() as home:  # no client may read or write a person's own settings
        environment = {"PATH": os.environ["PATH"], "HOME": home, "FASTMCP_CHECK_FOR_UPDATES": "off"}
        if client.program == "inspector":
            yield _Inspector(client.mode, url, token, environment)
            return
        command = (*_PROGRAMS[client.program], url, token, *_OPTIONS.get(client.program, ()), client.mode)
        log = Path(home, "log")
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [one for one in command if one],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
            )
            try:
                yield _Driver(process, log)
            finally:
                process.kill()
                process.communicate()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client saw."""

    tools: tuple[str, ...]
    text: str


def listed_and_called(client: Client, url: str, token: str, tool: str, arguments: dict[str, Any]) -> Outcome:
    """All tools, and what one of them said. Raises as `Talker.does`."""
    with started(client, url, token) as talker:
        said = talker.does("call", tool=tool, arguments=arguments)
        return Outcome(tuple(talker.does("tools")), said["text"])


class _Driver:
    """A program of `drivers/`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self._log = process, log

    def does(self, what: str, **how: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"do": what, **how}) + b"\n")
        said = orjson.loads(self._line())
        if "error" in said:
            raise DriverError(said["error"])
        return said["result"]

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line, until = b"", time.monotonic() + DEADLINE_SECONDS
        while not line.endswith(b"\n"):
            if not select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(self._log.read_text()[-2000:])
            more = os.read(self._process.stdout.fileno(), 1 << 16)
            if not more:
                raise DriverError(self._log.read_text()[-2000:])
            line += more
        return line


class _Inspector:
    """The Inspector's command line."""

    def __init__(self, era: str, url: str, token: str, environment: dict[str, str]) -> None:
        patient = ("--connect-timeout", str(int(DEADLINE_SECONDS * 1000)))
        options = ("--transport", "http", "--protocol-era", era, "--header", f"Authorization: Bearer {token}")
        self._command = (*_INSPECTOR, "--cli", url, *options, *patient, "--quiet")
        self._environment = environment

    def does(self, what: str, **how: Any) -> Any:
        match what:
            case "protocol":
                return self._run("initialize")["protocolVersion"]
            case "tools" | "prompts":
                return [one["name"] for one in self._run(f"{what}/list")[what]]
            case "resources":
                return [one["uri"] for one in self._run("resources/list")["resources"]]
            case "templates":
                return [one["uriTemplate"] for one in self._run("resources/templates/list")["resourceTemplates"]]
            case "call":
                given = orjson.dumps(how["arguments"]).decode()
                result = self._run("tools/call", "--tool-name", how["tool"], "--tool-args-json", given)
                return {"text": _texts(result["content"])}
            case "read":
                return _texts(self._run("resources/read", "--uri", how["uri"])["contents"])
            case "get":
                given = [f"{name}={value}" for name, value in how["arguments"].items()]
                said = self._run("prompts/get", "--prompt-name", how["prompt"], "--prompt-args", *given)
                return _texts([one["content"] for one in said["messages"]])
        return self._run(what)

    def _run(self, method: str, *options: str) -> Any:
        command = (*self._command, "--method", method, *options)
        done = subprocess.run(
            command, env=self._environment, capture_output=True, timeout=DEADLINE_SECONDS, check=False
        )
        if done.returncode != 0:
            raise DriverError((done.stderr + done.stdout).decode(errors="replace")[-2000:])
        return orjson.loads(done.stdout)


def _texts(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(block["text"] for block in blocks if "text" in block)
