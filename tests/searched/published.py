"""More than a thousand definitions of tools of published MCP servers, and questions in a user's words.

`published_tools.jsonl`: a server a line, with the package that it is published as, its version and its licence (all
permissive), and its tools as it lists them: name, title, description, and each argument's name, type and description.
They were listed in November 2026 by starting the packages without a network. `questions.toml`: what people ask, and
the tools that do it.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
SLUGS: Final = {
    "@a-bonus/google-docs-mcp": "google-docs",
    "@azure-devops/mcp": "azure-devops",
    "@casys/mcp-erpnext": "erpnext",
    "@cyanheads/git-mcp-server": "git",
    "@delorenj/mcp-server-trello": "trello",
    "@elastic/mcp-server-elasticsearch": "elasticsearch",
    "@hubspot/mcp-server": "hubspot",
    "@leval/mcp-grafana": "grafana",
    "@modelcontextprotocol/server-gitlab": "gitlab-reference",
    "@notionhq/notion-mcp-server": "notion",
    "@playwright/mcp": "playwright",
    "@roychri/mcp-server-asana": "asana",
    "@tacticlaunch/mcp-linear": "linear",
    "@zereight/mcp-gitlab": "gitlab",
    "airtable-mcp-server": "airtable",
    "chrome-devtools-mcp": "chrome-devtools",
    "mcp-discord": "discord",
    "mcp-wordpress": "wordpress",
    "shopify-mcp": "shopify",
}
"""What an entry of the registry would be called; others by the last word of their package."""


def published_tools() -> list[dict[str, Any]]:
    """The definitions as a gateway lists them: under names that begin with their server's, in the order of names."""
    found = []
    for line in (FOLDER / "published_tools.jsonl").read_text().splitlines():
        server = json.loads(line)
        slug = SLUGS.get(server["package"]) or server["package"].rpartition("server-")[2]
        found += [{**tool, "name": f"{slug}__{tool['name']}"} for tool in server["tools"]]
    return sorted(found, key=lambda one: str(one["name"]))


def questions() -> list[tuple[str, list[str]]]:
    """Each question with the names of the tools that answer it."""
    read = tomllib.loads((FOLDER / "questions.toml").read_text())["question"]
    return [(one["asks"], one["answers"]) for one in read]
