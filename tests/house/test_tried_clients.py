"""The page of clients that were tried names the versions that the tests run, and what the tests saw of each."""

from __future__ import annotations

import json
import re

import pytest

from tests.clients.what_clients_do import CLIENTS, LIMITS, THINGS, can
from tests.house.tracked import ROOT

PAGE = (ROOT / "docs" / "using" / "clients-that-were-tried.md").read_text()
SIGNING_IN = PAGE.partition("## Signing in")[2]
NPM = json.loads((ROOT / "tools" / "package.json").read_text())["dependencies"]
PIN = re.compile(r"^([\w-]+)==(\S+)$", re.MULTILINE)
PYTHON = dict(PIN.findall((ROOT / "constraints.txt").read_text()))
PYTHON_1 = dict(PIN.findall((ROOT / "tools" / "py-sdk-1.txt").read_text()))
VERSIONS = {
    "python-1": PYTHON_1["mcp"],
    "python-2": PYTHON["mcp"],
    "fastmcp": PYTHON["fastmcp"],
    "typescript-1": NPM["@modelcontextprotocol/sdk"],
    "typescript-2": NPM["@modelcontextprotocol/client"],
    "inspector": NPM["@modelcontextprotocol/inspector"],
}


def table() -> list[str]:
    """What each client does, as the page shows it."""
    columns = ["client", "version", "told to speak", "speaks", *THINGS]
    rows = [
        [one.name, VERSIONS[one.program], f"`{one.mode}`" if one.mode else "", one.speaks]
        + ["yes" if can(one, thing) else "no" for thing in THINGS]
        for one in CLIENTS
    ]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


@pytest.mark.parametrize(("row", "version"), [
    ("| `mcp-remote` |", NPM["mcp-remote"]),
    ("| MCP Inspector, `--cli` |", NPM["@modelcontextprotocol/inspector"]),
    ("| Python SDK, `mcp` |", PYTHON["mcp"]),
    ("| TypeScript SDK, `@modelcontextprotocol/client` |", NPM["@modelcontextprotocol/client"]),
    ("| TypeScript SDK, `@modelcontextprotocol/sdk` |", NPM["@modelcontextprotocol/sdk"]),
    ("| MCP conformance suite, `authorization` |", NPM["@modelcontextprotocol/conformance"]),
])  # fmt: skip
def test_a_client_that_was_tried_has_the_version_that_is_run(row: str, version: str) -> None:
    assert f"\n{row} {version} |" in SIGNING_IN


def test_the_page_has_what_each_client_does() -> None:
    assert "\n".join(table()).replace("|  |", "| |") in PAGE


@pytest.mark.parametrize("reason", sorted(set(LIMITS.values())))
def test_the_page_says_why_a_client_does_not(reason: str) -> None:
    assert reason in " ".join(PAGE.split())
