"""Clients with a window: Claude Desktop, Cursor and VS Code."""

import base64
import json
from urllib.parse import quote

from control.console.connecting.step import Step, Steps, Target, as_json


def claude_desktop_signed_in(to: Target) -> Steps:
    """A connector of one's own, by its address."""
    return (
        Step(
            "In Claude, open Settings, then Connectors, and choose “Add custom connector”. Give it this address:",
            to.url,
            "address",
        ),
        Step("Choose “Connect”. Your browser opens: sign in here, and allow Claude to use the gateway."),
    )


def claude_desktop_token(to: Target) -> Steps:
    """Claude Desktop itself sends no header of ours, so `mcp-remote` stands between."""
    plain = ["--allow-http"] if to.url.startswith("http://") else []
    server = {
        "command": "npx",
        "args": ["-y", "mcp-remote", to.url, *plain, "--header", "Authorization:${ARCHWAY_AUTHORIZATION}"],
        "env": {"ARCHWAY_AUTHORIZATION": to.bearer},
    }
    return (
        Step(
            "In Claude, open Settings, then Developer, and choose “Edit config”. Add the server (it needs Node.js):",
            as_json({"mcpServers": {to.slug: server}}),
            "claude_desktop_config.json",
        ),
        Step("Close Claude altogether and open it again."),
    )


def cursor_signed_in(to: Target) -> Steps:
    """A link that Cursor takes, or its file."""
    server = {"url": to.url}
    return (
        Step("Let Cursor add it:", link=_cursor_link(to.slug, server), opens="Add to Cursor"),
        Step("Or add it to the file yourself:", as_json({"mcpServers": {to.slug: server}}), "~/.cursor/mcp.json"),
        Step("In Cursor's settings, under MCP, choose “Connect” beside it. Your browser opens: sign in here."),
    )


def cursor_token(to: Target) -> Steps:
    """Its file, with the header."""
    server = {"url": to.url, "headers": {"Authorization": to.bearer}}
    return (Step("Add it to the file:", as_json({"mcpServers": {to.slug: server}}), "~/.cursor/mcp.json"),)


def vs_code_signed_in(to: Target) -> Steps:
    """A link that VS Code takes, or its file."""
    server = {"type": "http", "url": to.url}
    link = "vscode:mcp/install?" + quote(json.dumps({"name": to.slug, **server}))
    return (
        Step("Let VS Code add it:", link=link, opens="Add to VS Code"),
        Step("Or add it to the file yourself:", as_json({"servers": {to.slug: server}}), ".vscode/mcp.json"),
        Step("Start the server there. VS Code asks whether it may sign in: allow it, and sign in here."),
    )


def vs_code_token(to: Target) -> Steps:
    """VS Code asks for the token once and keeps it, so that the file can be shared."""
    asked = {"type": "promptString", "id": "archway-token", "description": "Archway token", "password": True}
    headers = {"Authorization": "Bearer ${input:archway-token}"}
    server = {"type": "http", "url": to.url, "headers": headers}
    return (
        Step(
            "Add it to the file. No secret is in it, so that it may be shared:",
            as_json({"inputs": [asked], "servers": {to.slug: server}}),
            ".vscode/mcp.json",
        ),
        Step("Start the server there, and paste the token when VS Code asks for it:", to.secret, "the token"),
    )


def _cursor_link(slug: str, server: dict[str, str]) -> str:
    settings = base64.b64encode(json.dumps(server).encode()).decode()
    return f"cursor://anysphere.cursor-deeplink/mcp/install?name={quote(slug)}&config={quote(settings)}"
