"""A whole deployment in which every secret is remembered, and all that came out of it anywhere.

Used by `test_secrets_of_accounts.py`. `Scene` has three entries, each with a server of its own: `mine`, which people
sign in to with a client of the entry's; `robot`, whose client signs with a private key; and `keyed`, which takes a
key. `elsewhere` is a server and a provider of somebody else.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from proxy.telemetry.exposition import render
from tests.fakes.form_fields import FormFields
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fakes.telltale_provider import CLIENT_ID, Ledger, TelltaleProvider, request_bytes
from tests.fixtures_people import PASSWORD, Browser, People, Shown
from tests.fixtures_program import ROOT, eventually
from tests.fixtures_system import Outcome, System
from tests.fixtures_upstream_accounts import AtTheProvider

JSON = dict[str, Any]
WITHIN_S = 30.0
EXPIRE = "update accounts set expires_at = now() - interval '1 minute', refreshed_at = now() - interval '1 hour'"
"""Every access token has ended."""
ARCHWAY = (sys.executable, "-m", "archway")


@dataclass
class Scene:
    """The deployment, and what it was seen to say and send."""

    system: System
    ledger: Ledger
    provider: TelltaleProvider
    elsewhere: TelltaleProvider
    servers: dict[str, McpUpstream]
    people: People
    said: list[str] = field(default_factory=list)
    """All that the API, pages, the command line and the gateway answered."""
    entries: dict[str, JSON] = field(default_factory=dict)
    installations: dict[str, str] = field(default_factory=dict)
    says: Answer | None = None
    """What servers answer to a call with, in place of a result; `{}` in its body is all that came."""
    client_secret: str = ""
    ann: Any = None
    root: Any = None
    token: str = ""

    async def api(self, method: str, path: str, body: Any = None, match: str | None = "*") -> Any:
        answer = await self.system.admin.send(method, path, body, match=None if method == "POST" else match)
        self.said.append(answer.body.decode())
        assert answer.status < 300, answer.body
        return answer.json if answer.body else None

    async def cli(self, *words: str, **secrets_in: str) -> str:
        """One command; `secrets_in` its environment."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("ARCHWAY_")}
        where = {"ARCHWAY_ADMIN_URL": self.system.controls[0].url, "ARCHWAY_ADMIN_TOKEN": self.system.run_token}
        process = await asyncio.create_subprocess_exec(
            *ARCHWAY, *words, cwd=ROOT, env=own | where | secrets_in,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 120)
        self.said.append(out.decode())
        assert process.returncode == 0, out.decode()
        return out.decode()

    async def page(self, path: str, browser: Browser | None = None) -> Shown:
        shown = await (browser or self.root.browser).get(path)
        self.said.append(shown.text)
        return shown

    async def change(self, entry: str, way: str, changes: JSON) -> None:
        """Change an entry over the API, on the command line, or on its page."""
        if way == "api":
            await self.api("PATCH", f"/entries/{self.entries[entry]['id']}", changes)
        elif way == "cli":
            told = {name: value for name, value in changes.items() if name != "client_secret"}
            words = [word for name, value in told.items() for word in (f"--{name.replace('_', '-')}", as_word(value))]
            await self.cli("entries", "update", entry, *words)
        else:
            await self._by_page(entry, changes)

    async def _by_page(self, entry: str, changes: JSON) -> None:
        """As an admin does who touches these fields alone."""
        path = f"/registry/{self.entries[entry]['id']}/change"
        given = FormFields((await self.page(path)).text).given
        prefix = {"mine": "oauth", "robot": "client_credentials", "keyed": "static"}[entry]
        placement = changes.get("credential_placement", {})
        typed = {f"{prefix}-{name}": value for name, value in placement.items() if isinstance(value, str)}
        typed |= {name: value for name, value in changes.items() if name != "credential_placement"}
        assert set(typed) <= set(given), set(typed) - set(given)
        done = await self.root.browser.post(path, given | typed)
        self.said.append(done.text)
        assert done.status == 303, done.words

    def as_it_was(self, entry: str, changed: JSON) -> JSON:
        """What takes a change back."""
        usual = {
            "url": self.servers["keyed server" if entry == "keyed" else "server"].url,
            "client_secret": self.client_secret,
            "credential_placement": {"mine": self.placement, "robot": self.robot_placement}.get(
                entry, {"style": "header", "header": "x-key"}
            ),
        }
        return {name: usual[name] for name in changed}

    async def person(self, name: str, role: str) -> AtTheProvider:
        """Somebody with a password who is signed in."""
        user = await self.system.admin.made(
            "/users", {"name": name, "email": f"{name.lower()}@example.com", "role": role}
        )
        link = await self.system.admin.made(f"/users/{user['id']}/links", {"purpose": "invitation"})
        browser = await self.people.browser()
        path = "/" + link["url"].split("/", 3)[3]
        page = await browser.fill_in(path, password=PASSWORD, repeated=PASSWORD)
        assert page.status == 303, page.words
        idp: Any = self.provider
        return AtTheProvider(user, browser, idp, self.system.http, "/install/mine")

    async def call(self, entry: str) -> Outcome:
        """Ann calls the tool of this entry."""
        outcome = await self.system.ask(
            "tools/call", {"name": entry, "arguments": {}}, token=self.token, gateway="all"
        )
        self.said.append(f"{outcome.status} {outcome.sentence} {outcome.headers} {outcome.result}")
        return outcome

    async def until(self, entry: str, status: str) -> None:
        """Until her calls end so: workers hear of a change a moment after it."""
        last: list[str] = []

        async def is_so() -> bool:
            outcome = await self.call(entry)
            last[:] = [outcome.status, outcome.sentence]
            return outcome.status == status

        try:
            await eventually(is_so, WITHIN_S, f"calls of {entry} end with {status}")
        except AssertionError as late:
            raise AssertionError(f"{late}; but {last}") from late

    async def execute(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self.system.dsn, timeout=60)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close(timeout=30)

    async def answer(self, received: Received) -> Answer:
        """A server's: a result, or an error that repeats what it was sent."""
        if self.says is None:
            return Answer(text="seen")
        whole = request_bytes(received.path, received.headers, received.raw).replace(b"\n", b" ")
        return Answer(raw=whole, status=self.says.status, headers=self.says.headers)

    def note_what_servers_got(self) -> None:
        """Tell the ledger what came to MCP servers since."""
        for place, server in self.servers.items():
            for one in server.seen:
                self.ledger.received(place, request_bytes(one.path, one.headers, one.raw))
            server.seen.clear()

    def what_is_misplaced(self) -> list[str]:
        self.note_what_servers_got()
        return self.ledger.misplaced()

    @property
    def placement(self) -> JSON:
        """Of the entry that people sign in to."""
        return {"registration": "own", "client_id": CLIENT_ID, "issuer": self.provider.url}

    @property
    def robot_placement(self) -> JSON:
        """Of the entry whose client signs."""
        return {"issuer": self.provider.url, "client_authentication": "private_key_jwt", "scopes": ["read"]}

    async def set_up(self) -> None:
        """Entries, a gateway, and two people; nothing is connected yet."""
        self.client_secret = self.ledger.made("client secret", *map(self.provider.place, ("/token", "/revoke")))
        self.ann, self.root = await self.person("Ann", "member"), await self.person("Root", "admin")
        made = await self.system.admin.made("/tokens", {"name": "a", "kind": "user", "user_id": self.ann.user["id"]})
        self.token = made["secret"]
        kinds: dict[str, JSON] = {
            "mine": {"credential_model": "oauth", "credential_placement": self.placement,
                     "client_secret": self.client_secret},
            "robot": {"credential_model": "client_credentials", "credential_placement": self.robot_placement},
            "keyed": {"credential_model": "static", "credential_placement": {"style": "header", "header": "x-key"}},
        }  # fmt: skip
        for slug, kind in kinds.items():
            server = self.servers["server" if slug != "keyed" else "keyed server"]
            server.tool(slug, self.answer)
            self.entries[slug] = await self.api("POST", "/entries", {
                "slug": slug, "name": slug, "url": server.url, **kind
            })  # fmt: skip

    async def connect(self, path: str = "/install/mine") -> str:
        """Ann signs in at the provider and connects: the whole way in her browser."""
        found: str = await self.ann.connect("ann", path)
        self.said.append((await self.ann.browser.get(f"/install/done/{found}")).text)

        async def is_asked() -> bool:
            shown = await self.api("GET", f"/installations/{found}")
            return bool(shown["state"] == "ready")

        await eventually(is_asked, WITHIN_S, "its server was asked for its tools")
        return found

    async def install_everything(self) -> None:
        """Ann's account, a client that signs with a key, and a key; then a gateway that shows all three."""
        self.installations["mine"] = await self.connect()
        robot = {"values": {"client_id": "robot"}, "credential": private_key(self.ledger)}
        keyed = {"credential": self.ledger.made("static key", "keyed server")}
        for slug, given in (("robot", robot), ("keyed", keyed)):
            wanted = {"entry_id": self.entries[slug]["id"], "scope": "organisation", **given}
            made = await self.api("POST", "/installations", wanted)
            assert made["state"] == "ready", made
            self.installations[slug] = made["id"]
        gateway = await self.api("POST", "/gateways", {"slug": "all", "name": "All"})
        for slug in self.entries:
            tools = {"entry": slug, "tools": [slug], "prefix": False}
            await self.api("POST", f"/gateways/{gateway['id']}/assignments", tools)
        for slug in self.entries:
            await self.until(slug, "ok")
        await self.execute(EXPIRE)
        before = self.provider.granted

        async def is_renewed() -> bool:
            await self.call("mine")
            return self.provider.granted > before

        await eventually(is_renewed, WITHIN_S, "a token is renewed")

    async def metrics(self) -> bytes:
        """What control tells whoever looks at it, and the workers together."""
        where = self.system.controls[0].environment["ARCHWAY_CONTROL_METRICS_LISTEN"]
        async with self.system.http.get(f"http://{where}/metrics") as answer:
            assert answer.status == 200
            return await answer.read() + render(list(self.system.folder.rglob("*.counts")))

    def files(self) -> dict[str, bytes]:
        """All that the deployment keeps in files: logs, copies on disk, counts, Valkey's."""
        return {one.name: one.read_bytes() for one in self.system.folder.rglob("*") if one.is_file()}

    def processes(self) -> bytes:
        """Command lines and environments of all processes of it, and of all others the command lines."""
        known = str(self.system.folder).encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                found.append(line := (folder / "cmdline").read_bytes())
                environ = (folder / "environ").read_bytes()
            except OSError:  # it has ended, or is somebody else's
                continue
            found += [environ] if known in line + environ else []
        return b"\n".join(found)

    async def rows(self) -> str:
        """Every row of every table, as text: what is not sealed could be read there."""
        tables = await self.execute("select tablename as name from pg_tables where schemaname = 'public'")
        lines: list[str] = []
        for table in tables:
            lines += [row["line"] for row in await self.execute(f'select t::text as line from "{table["name"]}" t')]
        return "\n".join(lines)


def private_key(ledger: Ledger) -> str:
    """A new one as PEM; each of its lines is watched."""
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for line in key.decode().splitlines()[1:-1]:
        ledger.secret("private key", line)
    return key.decode()


def echo(status: int, **headers: str) -> Answer:
    """A server's error that repeats what it was sent."""
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, raw=b"")


def as_word(value: Any) -> str:
    """As an option of a command takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def new_browsers(system: System, ending: Any) -> People:
    """Browsers at the pages of the first control."""
    (port,) = {line.split('"public_port":')[1].split("}")[0].split(",")[0] for line in
               system.controls[0].log.splitlines() if '"public_port":' in line}  # fmt: skip
    pool: Any = None
    return People(pool, f"http://127.0.0.1:{port.strip()}", ending)
