"""Clients of a terminal: Claude Code, Codex, and curl as the smallest of all."""

import shlex

from control.console.connecting.step import Step, Steps, Target
from core.mcp.versions import MODERN


def claude_code_signed_in(to: Target) -> Steps:
    """One command, then `/mcp`."""
    return (
        Step("Add the server:", f"claude mcp add --transport http {to.slug} {shlex.quote(to.url)}", "in a terminal"),
        Step("In Claude Code, type /mcp, choose it, then “Authenticate”. Your browser opens: sign in here."),
    )


def claude_code_token(to: Target) -> Steps:
    """One command with the header."""
    header = shlex.quote(f"Authorization: {to.bearer}")
    return (
        Step(
            "Add the server with your token:",
            f"claude mcp add --transport http {to.slug} {shlex.quote(to.url)} \\\n  --header {header}",
            "in a terminal",
        ),
        Step("In Claude Code, /mcp shows it as connected."),
    )


def codex_signed_in(to: Target) -> Steps:
    """Two commands."""
    added = f"codex mcp add {to.slug} --url {shlex.quote(to.url)}"
    return (
        Step(
            "Add the server and sign in; your browser opens:", f"{added}\ncodex mcp login {to.slug}", "in a terminal"
        ),
    )


def codex_token(to: Target) -> Steps:
    """Its file names the variable that holds the token."""
    table = f'[mcp_servers.{to.slug}]\nurl = "{to.url}"\nbearer_token_env_var = "ARCHWAY_TOKEN"'
    return (
        Step("Add the server to the file:", table, "~/.codex/config.toml"),
        Step("Give Codex the token when you start it:", f"export ARCHWAY_TOKEN={to.secret}\ncodex", "in a terminal"),
    )


def curl_token(to: Target) -> Steps:
    """The list of tools, without any client."""
    return (Step("List the tools:", _curl(to.url, to.bearer), "in a terminal"),)


def curl_jwt(to: Target) -> Steps:
    """The same with the token of an identity provider."""
    return (
        Step(
            "Put the token that your identity provider gave you into a variable:",
            "export JWT=eyJ...",
            "in a terminal",
        ),
        Step("List the tools:", _curl(to.url, "Bearer $JWT"), "in a terminal"),
    )


def _curl(url: str, bearer: str) -> str:
    body = (
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {\n'
        f'        "_meta": {{"io.modelcontextprotocol/protocolVersion": "{MODERN}",\n'
        '                  "io.modelcontextprotocol/clientCapabilities": {}}}}'
    )
    return (
        f'curl -sS {shlex.quote(url)} -H "Authorization: {bearer}" \\\n'
        "  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n"
        f"  -H 'MCP-Protocol-Version: {MODERN}' -H 'Mcp-Method: tools/list' \\\n"
        f"  -d '{body}'"
    )
