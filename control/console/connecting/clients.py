"""The clients that Connect knows, and the ways of authenticating with their names. Add one here."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from control.console.connecting import desktop, platforms, sdks, terminal
from control.console.connecting.step import Client
from core.resolve import Way

WAYS: Final[Mapping[Way, tuple[str, str]]] = MappingProxyType(
    {
        "oauth": ("Sign in", "The client sends you here to sign in. Nothing is copied, and you can withdraw it."),
        "token": ("With a token", "A secret that you copy into the client once. It acts as you until it ends."),
        "jwt": (
            "Your identity provider's token",
            "For programs that have an access token of your identity provider already.",
        ),
        "id_jag": (
            "Your identity provider's word",
            "A client that your company set up comes in by itself (ID-JAG): you signed in at your provider already.",
        ),
    }
)
"""The ways, the best for a person first: what each is called, and what it means."""
CLIENTS: Final = (
    Client(
        "claude-desktop",
        "Claude Desktop",
        {"oauth": desktop.claude_desktop_signed_in, "token": desktop.claude_desktop_token},
    ),
    Client(
        "claude-code",
        "Claude Code",
        {"oauth": terminal.claude_code_signed_in, "token": terminal.claude_code_token},
    ),
    Client("cursor", "Cursor", {"oauth": desktop.cursor_signed_in, "token": desktop.cursor_token}),
    Client("vs-code", "VS Code", {"oauth": desktop.vs_code_signed_in, "token": desktop.vs_code_token}),
    Client("codex", "Codex", {"oauth": terminal.codex_signed_in, "token": terminal.codex_token}),
    Client(
        "open-webui", "Open WebUI", {"oauth": platforms.open_webui_signed_in, "token": platforms.open_webui_token}
    ),
    Client("n8n", "n8n", {"oauth": platforms.n8n_signed_in, "token": platforms.n8n_token}),
    Client("python", "Python", {"oauth": sdks.python_signed_in, "token": sdks.python_token, "jwt": sdks.python_jwt}),
    Client(
        "typescript",
        "TypeScript",
        {"oauth": sdks.typescript_signed_in, "token": sdks.typescript_token, "jwt": sdks.typescript_jwt},
    ),
    Client("curl", "curl", {"token": terminal.curl_token, "jwt": terminal.curl_jwt}),
)
"""In the order of their tabs."""


def ways_of(client: Client, accepted: Collection[str]) -> list[Way]:
    """The ways by which this client can authenticate at a gateway that accepts these."""
    return [way for way in WAYS if way in client.ways and way in accepted]


def clients_for(accepted: Collection[str]) -> list[Client]:
    """The clients that can come in by one of these ways."""
    return [client for client in CLIENTS if ways_of(client, accepted)]


def client_by(key: str) -> Client | None:
    """The client of this key."""
    return next((client for client in CLIENTS if client.key == key), None)
