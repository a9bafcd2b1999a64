"""Clients of a terminal: Claude Code, Codex, and curl as the smallest of all."""

import json
import shlex
from typing import Any

from control.console.connecting.step import Step, Steps, Target
from core.mcp.methods import META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION
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
    """The list of tools and a call of one, without any client."""
    return _curl_steps(to, to.bearer)


def curl_jwt(to: Target) -> Steps:
    """The same with the token of an identity provider."""
    return (
        Step(
            "Put the token that your identity provider gave you into a variable:",
            "export JWT=eyJ...",
            "in a terminal",
        ),
        *_curl_steps(to, "Bearer $JWT"),
    )


def _curl_steps(to: Target, bearer: str) -> Steps:
    listed = Step("List the tools:", _curl(to.url, bearer, "tools/list", {}), "in a terminal")
    if to.call is None:
        return (listed,)
    asked = {"name": to.call.tool, "arguments": dict(to.call.arguments)}
    called = _curl(to.url, bearer, "tools/call", asked, f"  -H {shlex.quote(f'Mcp-Name: {to.call.tool}')} \\\n")
    return (listed, Step("Call one of them; this is what turns the light green:", called, "in a terminal"))


def _curl(url: str, bearer: str, method: str, params: dict[str, Any], header: str = "") -> str:
    told = "".join(f"        {json.dumps(name)}: {json.dumps(value)},\n" for name, value in params.items())
    body = (
        f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {{\n{told}'
        f'        "_meta": {{"{META_PROTOCOL_VERSION}": "{MODERN}",\n'
        f'                  "{META_CLIENT_CAPABILITIES}": {{}}}}}}}}'
    )
    return (
        f"curl -sS -w '\\n' {shlex.quote(url)} \\\n"
        f'  -H "Authorization: {bearer}" \\\n'
        "  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n"
        f"  -H 'MCP-Protocol-Version: {MODERN}' -H 'Mcp-Method: {method}' \\\n{header}"
        f"  -d {shlex.quote(body)}"
    )
