"""The page of clients that were tried names the versions that the tests run."""

from __future__ import annotations

import json
import re

import pytest

from tests.house.tracked import ROOT

PAGE = (ROOT / "docs" / "using" / "clients-that-were-tried.md").read_text()
NPM = json.loads((ROOT / "tools" / "package.json").read_text())["dependencies"]
PYTHON = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize(("row", "version"), [
    ("| `mcp-remote` |", NPM["mcp-remote"]),
    ("| MCP Inspector, `--cli` |", NPM["@modelcontextprotocol/inspector"]),
    ("| Python SDK, `mcp` |", PYTHON["mcp"]),
    ("| TypeScript SDK, `@modelcontextprotocol/client` |", NPM["@modelcontextprotocol/client"]),
    ("| TypeScript SDK, `@modelcontextprotocol/sdk` |", NPM["@modelcontextprotocol/sdk"]),
    ("| MCP conformance suite, `authorization` |", NPM["@modelcontextprotocol/conformance"]),
])  # fmt: skip
def test_a_client_that_was_tried_has_the_version_that_is_run(row: str, version: str) -> None:
    assert f"\n{row} {version} |" in PAGE
