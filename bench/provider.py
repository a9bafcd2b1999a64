"""A provider of accounts and the MCP server behind it, in one process: rotates refresh tokens, refuses ended tokens.

argv: PORT [HOST]. The server is the stub's (`bench/stub_upstream.py`), with 401 for a token that is none of its
provider's or has ended. `POST /token` renews, after a while, as a provider does that is far away: each refresh token
is good once, and one that comes a second time ends its grant. Who measures begins with `POST /grants` (the tokens of
each grant, and when they end) and reads `GET /told` afterwards: how often each grant was renewed, tokens that came
twice, calls, and calls that were refused. Tokens are lower case, since the stub reads heads so.
"""

import asyncio
import secrets
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import msgspec
import orjson
import uvloop

from bench.stub_upstream import Stub

CLIENT, SECRET = "archway", "a-secret-of-the-usual-length"
LIFE_S = 3600
_REFUSED = b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error="invalid_token"\r\nContent-Length: 0\r\n\r\n'
_TOLD = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


class Given(msgspec.Struct):
    """A grant as it begins: the tokens that Archway holds of it, and for how many seconds more one of them lives."""

    refresh: str
    access: str
    ends_in: float


class Grants(msgspec.Struct):
    """What is measured next: grants besides those that there are; a renewal is answered after `away_s` seconds."""

    grants: list[Given]
    away_s: float = 0.0


@dataclass(slots=True)
class Grant:
    """One person's grant: the refresh token that is good, and how often it was renewed."""

    refresh: str
    renewed: int = 0
    is_over: bool = False


@dataclass(slots=True)
class Provider:
    """All that the provider keeps."""

    away_s: float = 0.0
    ends: dict[str, float] = field(default_factory=dict)
    """Of each access token, by the monotonic clock."""
    grants: dict[str, Grant] = field(default_factory=dict)
    """By each refresh token that was ever given."""
    counted: list[Grant] = field(default_factory=list)
    reused: int = 0
    refused: int = 0
    calls: int = 0

    def begin(self, asked: Grants) -> None:
        """Take grants, and count from nothing."""
        self.away_s, self.reused, self.refused, self.calls, self.counted = asked.away_s, 0, 0, 0, []
        for one in asked.grants:
            self.ends[one.access] = time.monotonic() + one.ends_in
            grant = self.grants[one.refresh] = Grant(one.refresh)
            self.counted.append(grant)

    def renewed(self, refresh: str) -> dict[str, object] | None:
        """The next tokens of a grant; None where there are none."""
        grant = self.grants.get(refresh)
        if grant is None or grant.is_over:
            return None
        if grant.refresh != refresh:
            grant.is_over = True
            self.reused += 1
            return None
        grant.renewed += 1
        access, grant.refresh = secrets.token_hex(16), secrets.token_hex(16)
        self.grants[grant.refresh] = grant
        self.ends[access] = time.monotonic() + LIFE_S
        return {
            "access_token": access, "refresh_token": grant.refresh, "token_type": "Bearer", "expires_in": LIFE_S,
        }  # fmt: skip

    def takes(self, head: bytes) -> bool:
        """Whether a call with this head has a token that lives."""
        self.calls += 1
        shown = head.partition(b"\r\nauthorization: bearer ")[2].partition(b"\r\n")[0].decode("latin-1")
        lives = self.ends.get(shown, 0.0) > time.monotonic()
        self.refused += not lives
        return lives

    def told(self) -> dict[str, object]:
        """What has come since it began."""
        return {
            "renewed": [one.renewed for one in self.counted],
            "reused": self.reused,
            "refused": self.refused,
            "calls": self.calls,
        }


class Guarded(Stub):
    """One connection, to the server or to its provider."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._provider = provider

    def _answer(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path.startswith(b"/mcp"):
            if self._provider.takes(head):
                super()._answer(head, body)
            else:
                self._transport.write(_REFUSED)
        elif path == b"/token":
            asked = parse_qs(body.decode("latin-1")).get("refresh_token", [""])[0]
            told = self._provider.renewed(asked)
            no: dict[str, object] = {"error": "invalid_grant"}
            asyncio.get_running_loop().call_later(
                self._provider.away_s, self._tell, 400 if told is None else 200, told or no
            )
        elif path == b"/grants":
            self._provider.begin(msgspec.json.decode(body, type=Grants))
            self._tell(200, {})
        elif path == b"/told":
            self._tell(200, self._provider.told())
        elif path == b"/.well-known/oauth-authorization-server":
            self._tell(200, _metadata(head))
        else:
            self._tell(404, {})

    def _tell(self, status: int, told: dict[str, object]) -> None:
        if not self._transport.is_closing():
            answer = orjson.dumps(told)
            self._transport.write(_TOLD % (status, b"OK" if status == 200 else b"No", len(answer), answer))


def _metadata(head: bytes) -> dict[str, object]:
    host = head.partition(b"\r\nhost:")[2].partition(b"\r\n")[0].strip().decode("latin-1")
    return {
        "issuer": f"http://{host}",
        "authorization_endpoint": f"http://{host}/authorize",
        "token_endpoint": f"http://{host}/token",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    }


async def main() -> None:
    """Serve until killed."""
    provider, host = Provider(), sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    made = asyncio.get_running_loop().create_server(lambda: Guarded(provider), host, int(sys.argv[1]), backlog=4096)
    server = await made
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
