"""The commands that `archway up` ends with: one call of one tool, with nothing but curl and in our own words.

A modern client (MCP 2026-07-28) needs no session: the envelope says everything, in headers that intermediaries read
and in `_meta` that the server reads.
"""

import json
import shlex
import shutil
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.mcp.methods import META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION
from core.mcp.versions import MODERN

_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class FirstCall:
    """One call of a tool, as a command that a person can paste."""

    gateway_url: str
    token: str
    tool: str
    arguments: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        """In the order in which a reader wants them."""
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": "tools/call",
            "Mcp-Name": self.tool,
        }

    @property
    def body(self) -> str:
        """The JSON-RPC request."""
        meta = {META_PROTOCOL_VERSION: MODERN, META_CLIENT_CAPABILITIES: {}}
        params = {"name": self.tool, "arguments": self.arguments, "_meta": meta}
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})

    @property
    def command(self) -> str:
        """One line for a shell."""
        headers = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items())
        return f"curl -sS -w '\\n' {shlex.quote(self.gateway_url)} {headers} -d {shlex.quote(self.body)}"

    @property
    def in_our_words(self) -> list[str]:
        """The same as lines for the `archway` command: where and with which token, what there is, the call."""
        base, _, gateway = self.gateway_url.partition("/v1/mcp/")
        program = _program()
        arguments = [f"{name}={value}" for name, value in self.arguments.items()]
        return [
            f"export ARCHWAY_PROXY_URL={shlex.quote(base)} ARCHWAY_TOKEN={shlex.quote(self.token)}",
            f"{program} tools {shlex.quote(gateway)}",
            f"{program} {shlex.join(['call', gateway, self.tool, *arguments])}",
        ]

    def try_once(self) -> str | None:
        """Make the call as curl would; None when a result came, else what came instead. Blocks."""
        asked = urllib.request.Request(  # noqa: S310 - our own gateway's URL
            self.gateway_url, self.body.encode(), self.headers, method="POST"
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(asked, timeout=_DEADLINE_S) as answer:
                said = answer.read(1 << 20).decode(errors="replace")
        except urllib.error.HTTPError as refused:
            with refused:
                return f"HTTP {refused.code}: {refused.read(2000).decode(errors='replace')}"
        except OSError as error:
            return f"no answer: {error}"
        return None if '"content"' in said and '"isError":true' not in said.replace(" ", "") else said[:2000]


def _program() -> str:
    """How `archway` is typed in this folder: by its name where the shell finds this very one."""
    script = Path(sys.executable).with_name("archway")
    if shutil.which("archway") == str(script):
        return "archway"
    if not script.exists():
        return shlex.join([sys.executable, "-m", "archway"])
    here = Path.cwd()
    return shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))
