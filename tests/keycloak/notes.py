"""An MCP server of the Python SDK whose provider is a realm of Keycloak, an `archway up` before it, and its people.

async def test_something(notes):                    # from conftest.py
    entry = await notes.entry("oauth", client_id=CLIENT, client_secret=SECRET)
    ann = await notes.person("Ann", entry)          # a member here and a user of the realm
    await ann.connect("ann")                        # through the install page and Keycloak's own
    called = await notes.call(ann)                  # through a proxy; what the server saw of the token
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from archway.admin_client import AdminApi
from archway.up.ports import free_port
from tests.fakes.keycloak_tools import SECRET, ToolsRealm
from tests.fixtures_people import PASSWORD, Browser
from tests.fixtures_system import Outcome, eventually, modern_request, outcome_of
from tests.fixtures_upstream_accounts import AtTheProvider
from tests.fixtures_upstreams import ROOT, answering, running

WITHIN_S = 30.0


@dataclass
class Notes:
    """The server, its realm, and Archway."""

    realm: ToolsRealm
    api: AdminApi
    pages_url: str
    http: aiohttp.ClientSession
    folder: Path
    ending: AsyncExitStack
    port: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def callback(self) -> str:
        """Where people come back to, as an admin enters it at the provider."""
        return f"{self.pages_url}/install/callback/notes"

    def serve(self, *scopes: str) -> None:
        """The server runs, once more if it did: without these scopes it lets nobody in."""
        self._running.close()
        self._running.enter_context(serving(self.port, self.realm.issuer, scopes, self.folder))

    def stop(self) -> None:
        self._running.close()

    def last_token(self) -> str:
        """The last that the server let in."""
        return (self.folder / "bearers").read_text().splitlines()[-1]

    async def asked(self, method: str, path: str, *body: Any) -> Any:
        """What the admin API answers."""
        return await asyncio.to_thread(getattr(self.api, method), path, *body)

    async def entry(self, model: str, client_secret: str | None = None, **placement: Any) -> dict[str, Any]:
        """An entry for the server."""
        wanted = {
            "slug": "notes", "name": "Notes", "url": self.url, "credential_model": model,
            "credential_placement": placement or None, "client_secret": client_secret,
        }  # fmt: skip
        sent = {name: value for name, value in wanted.items() if value is not None}
        return dict(await self.asked("post", "/entries", sent))

    async def show(self, slug: str = "notes") -> None:
        """A gateway has the tool of this entry, resolved at call time; somebody has to have discovered it before."""
        gateway = await self.asked("post", "/gateways", {"slug": slug, "name": slug})
        tools = {"entry": slug, "tools": ["*"], "prefix": False}
        await self.asked("post", f"/gateways/{gateway['id']}/assignments", tools)

    async def person(self, name: str) -> PersonHere:
        """A member with a browser, in which they are signed in here, and a client with a token."""
        email = f"{name.lower()}@example.com"
        user = await self.asked("post", "/users", {"name": name, "email": email, "role": "member"})
        link = await self.asked("post", f"/users/{user['id']}/links", {"purpose": "invitation"})
        browser = Browser(await self._jar(), self.pages_url, "")
        chosen = await browser.fill_in(urlsplit(link["url"]).path, password=PASSWORD, repeated=PASSWORD)
        assert chosen.status == 303, chosen.words
        token = await self.asked("post", "/tokens", {"name": name, "kind": "user", "user_id": user["id"]})
        there = await self._jar()
        return PersonHere(user, browser, self.realm, there, "/install/notes", token["secret"])

    async def call(self, caller: PersonHere, gateway: str = "notes") -> Outcome:
        """One call of the tool through a proxy."""
        body, headers = modern_request("tools/call", {"name": "who_am_i", "arguments": {}}, caller.token)
        async with self.http.post(f"{self.pages_url}/v1/mcp/{gateway}", data=body, headers=headers) as answer:
            return outcome_of(answer.status, answer.headers, await answer.read())

    async def claims(self, caller: PersonHere, gateway: str = "notes") -> dict[str, Any]:
        """What the server saw of the token that a call carried; fails where the call is refused."""
        outcome = await self.call(caller, gateway)
        assert outcome.status == "ok", (outcome.status, outcome.sentence)
        return dict(outcome.result["structuredContent"])

    async def until(self, caller: PersonHere, status: str, gateway: str = "notes") -> Outcome:
        """Calls come to this in the end: workers hear of a change a moment after it."""
        last: list[Outcome] = []

        async def so() -> bool:
            last.append(await self.call(caller, gateway))
            return last[-1].status == status

        await eventually(so, WITHIN_S, f"calls are {status}")
        return last[-1]

    async def installation(self, installation_id: str) -> dict[str, Any]:
        return dict(await self.asked("get", f"/installations/{installation_id}"))

    async def ready(self, installation_id: str) -> dict[str, Any]:
        """The installation, once its server was asked what it offers, which begins by itself."""
        return await self.in_state(installation_id, "ready")

    async def in_state(self, installation_id: str, state: str) -> dict[str, Any]:
        """The installation, once it is in this state."""
        found: list[dict[str, Any]] = []

        async def so() -> bool:
            found.append(await self.installation(installation_id))
            return bool(found[-1]["state"] == state)

        await eventually(so, WITHIN_S, f"it is {state}")
        return found[-1]

    async def _jar(self) -> aiohttp.ClientSession:
        # Keycloak's cookies are for https alone, and browsers take loopback for that.
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(self.realm.admin.url).origin())
        return await self.ending.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))


@dataclass
class PersonHere(AtTheProvider):
    """Somebody with a browser, and with a client that calls with `token`."""

    token: str


@contextmanager
def serving(port: int, issuer: str, scopes: tuple[str, ...], folder: Path) -> Iterator[None]:
    """The server while it runs, from when it answers."""
    command = [sys.executable, "-P", "-m", "tests.fakes.sdk_resource_server", str(port), issuer, *scopes]
    environment = {"PYTHONPATH": str(ROOT), "SECRET": SECRET, "BEARERS": str(folder / "bearers")}
    with running(command, environment, log := folder / "server.log") as process:
        answering(f"http://127.0.0.1:{port}/mcp", process, log)
        yield
