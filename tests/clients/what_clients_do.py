"""Which real clients there are, what each does on a gateway, and what it does not, with the reason.

It is the table of `docs/using/clients-that-were-tried.md`: `tests/house/test_tried_clients.py` holds that page
against it, and `test_whole_protocol.py` the clients themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

LEGACY, MODERN = "2025-11-25", "2026-07-28"


@dataclass(frozen=True, slots=True)
class Client:
    """A client in one way of connecting. `mode` is what it is told to speak, empty where it knows one era alone."""

    name: str
    program: str
    speaks: str
    mode: str = ""

    def __str__(self) -> str:
        """What tests of it are called by."""
        return f"{self.program} {self.mode}".strip()


_PYTHON, _FASTMCP, _INSPECTOR = "Python SDK, `mcp`", "`fastmcp`", "MCP Inspector, `--cli`"
_SDK, _CLIENT = "TypeScript SDK, `@modelcontextprotocol/sdk`", "TypeScript SDK, `@modelcontextprotocol/client`"
CLIENTS = (
    Client(_PYTHON, "python-1", LEGACY),
    Client(_PYTHON, "python-2", LEGACY, "legacy"),
    Client(_PYTHON, "python-2", MODERN, "auto"),
    Client(_FASTMCP, "fastmcp", LEGACY, "legacy"),
    Client(_FASTMCP, "fastmcp", MODERN, "auto"),
    Client(_SDK, "typescript-1", LEGACY),
    Client(_CLIENT, "typescript-2", LEGACY, "legacy"),
    Client(_CLIENT, "typescript-2", MODERN, "auto"),
    Client(_INSPECTOR, "inspector", LEGACY, "legacy"),
    Client(_INSPECTOR, "inspector", MODERN, "auto"),
)
THINGS = ("tools", "resources", "prompts", "completion", "a form", "progress", "news of lists")
"""Each has a test, or two, in `test_whole_protocol.py`."""
ONE_REQUEST = "its command line makes one request and ends: it completes nothing, and is neither asked nor told"
NO_LISTEN = "it has no call for `subscriptions/listen`"
LIMITS = {
    **{("inspector", speaks, one): ONE_REQUEST for speaks in (LEGACY, MODERN) for one in THINGS[3:]},
    ("fastmcp", MODERN, "news of lists"): NO_LISTEN,
}
"""By program, revision and thing: why this client does not do it. All else each client does."""


def can(client: Client, thing: str) -> bool:
    """Whether the client itself can do this at all."""
    return (client.program, client.speaks, thing) not in LIMITS
