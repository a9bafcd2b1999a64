"""An entry that is made to lead elsewhere, on a whole deployment, and all that its servers and callers then saw.

`CHANGES` has each way in which an entry can lead elsewhere; it is changed over the API or on the command line.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from archway.admin_client import AdminApi
from tests.fakes.mcp_upstream import McpUpstream
from tests.fixtures_system import modern_request

JSON = dict[str, Any]
KEY = {"credential_model": "static"}
BEARER = {**KEY, "credential_placement": {"style": "bearer"}}
BARE = {**KEY, "credential_placement": {"style": "authorization"}}
X_KEY = {**KEY, "credential_placement": {"style": "header", "header": "x-key"}}
X_LOG = {**KEY, "credential_placement": {"style": "header", "header": "x-log"}}
PIN = {"fields": [{"name": "pin", "type": "secret", "header": "x-pin"}]}
PIN_LOGGED = {"fields": [{"name": "pin", "type": "secret", "header": "x-log"}]}
PINS = {"fields": [{"name": name, "type": "secret", "header": f"x-{name}"} for name in ("pin", "puk")]}
PINS_CROSSED = {
    "fields": [
        {"name": "pin", "type": "secret", "header": "x-puk"},
        {"name": "puk", "type": "secret", "header": "x-pin"},
    ]
}
CHANGES = {
    "another address": (BEARER, {"url": "elsewhere"}, "authorization"),
    "another path of the same host": (BEARER, {"url": "another path"}, "authorization"),
    "another address for a secret answer": (PIN, {"url": "elsewhere"}, "x-pin"),
    "another style": (BEARER, BARE, "authorization"),
    "a header in place of the usual one": (BEARER, X_LOG, "authorization"),
    "another header of its own": (X_KEY, X_LOG, "x-key"),
    "another header of a field": (PIN, PIN_LOGGED, "x-pin"),
    "two fields that change places": (PINS, PINS_CROSSED, "x-pin"),
}
"""By name: the entry as it is made, what changes, and the header in which the secret stands before."""


@dataclass
class Redirected:
    """An entry with one installation, shown on a gateway, and all that went out."""

    running: Any
    here: McpUpstream
    elsewhere: McpUpstream
    canary: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")
    slug: str = field(default_factory=lambda: f"r-{secrets.token_hex(4)}")
    said: list[str] = field(default_factory=list)
    """All that the API, the command line and the gateway answered."""
    entry: JSON = field(default_factory=dict)
    installation: JSON = field(default_factory=dict)

    async def api(self, call: Callable[[AdminApi], JSON]) -> JSON:
        client = AdminApi(self.running.file["control_url"], self.running.file["admin_token"])
        found = await asyncio.to_thread(call, client)
        self.said.append(json.dumps(found))
        return found

    async def made(self, path: str, body: JSON) -> JSON:
        return await self.api(lambda api: api.post(path, body))

    async def set_up(self, entry: JSON) -> None:
        fields = entry.get("fields", [])
        self.entry = await self.made(
            "/entries", {"slug": self.slug, "name": self.slug, "url": self.here.url, **entry}
        )
        given = {one["name"]: f"{one['name']}-{self.canary}" for one in fields}
        credential = {"credential": self.canary} if "credential_model" in entry else {}
        wanted = {"entry_id": self.entry["id"], "scope": "organisation", "values": given, **credential}
        self.installation = await self.made("/installations", wanted)
        assert self.installation["state"] == "ready", self.installation
        gateway = await self.made("/gateways", {"slug": self.slug, "name": self.slug})
        tools = {"entry": self.slug, "tools": ["*"], "prefix": False, "installation": self.installation["id"]}
        await self.made(f"/gateways/{gateway['id']}/assignments", tools)

    async def change(self, way: str, changed: JSON) -> None:
        if way == "api":
            await self.api(lambda api: api.patch(f"/entries/{self.entry['id']}", changed))
            return
        words = [f"--{name.replace('_', '-')}" for name in changed]
        values = [one if isinstance(one, str) else json.dumps(one) for one in changed.values()]
        options = [word for pair in zip(words, values, strict=True) for word in pair]
        done = await asyncio.to_thread(self.running.run, "entries", "update", self.slug, *options)
        assert done.returncode == 0, done.stderr
        self.said += [done.stdout, done.stderr]

    async def state(self) -> JSON:
        return await self.api(lambda api: api.get(f"/installations/{self.installation['id']}"))

    async def call(self) -> JSON:
        token = self.running.file["gateway_token"]
        body, headers = modern_request("tools/call", {"name": "look", "arguments": {}}, token)
        url = f"{self.running.file['proxy_url']}/v1/mcp/{self.slug}"
        async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
            raw = await answer.text()
        self.said.append(raw)
        found: JSON = json.loads(raw).get("result", {})
        return found

    async def code(self) -> str:
        """'ok', or with which word the call is refused; '' while the gateway does not know the tool."""
        result = await self.call()
        refusal = result.get("_meta", {}).get("archway/refusal")
        return str(refusal["code"]) if refusal else "ok" if "content" in result else ""

    def places(self) -> set[tuple[str, str]]:
        """Where the canary was seen: at which server, in which header, in lower case, and with what before it."""
        return {
            (server, f"{name.lower()}: {value.partition(self.canary)[0]}")
            for server, upstream in (("here", self.here), ("elsewhere", self.elsewhere))
            for received in upstream.seen
            for name, value in received.headers.items()
            if self.canary in value
        }

    def told(self) -> str:
        """All that came out apart from headers: bodies, answers, logs and what is kept in files."""
        bodies = [str(one.raw) + one.path for up in (self.here, self.elsewhere) for one in up.seen]
        logs = [path.read_text(errors="replace") for path in self.running.state.rglob("*.log")]
        assert logs
        return "\n".join([*bodies, *self.said, *logs])
